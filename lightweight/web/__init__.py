"""What listens: routes, authentication, the relay of an answer."""
