"""TOML to Config: every problem at once, with file, line and a suggestion."""
