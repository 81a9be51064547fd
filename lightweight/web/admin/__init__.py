"""The JSON API for people and their programs: /admin/v1."""
