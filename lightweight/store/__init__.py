"""What is remembered: accounts, keys, and the database beneath them."""
