"""The `lightweight` command."""
