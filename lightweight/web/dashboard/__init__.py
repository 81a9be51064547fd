"""The dashboard: pages for people, over the same verbs as the admin API."""
