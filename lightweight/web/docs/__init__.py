"""The page that tells people how to use this server."""
