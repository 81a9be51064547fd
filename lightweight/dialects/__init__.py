"""Sans-io translators between wire formats and events, one dialect a file."""
