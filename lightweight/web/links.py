"""Where one-time links lead. Their secrets stand in the query: no log has that."""

from urllib.parse import quote

JOIN = "/dashboard/join"
PASSWORD = "/dashboard/password"  # noqa: S105 -- a path

THERE = "/dashboard/sign-in/there"
BACK = "/dashboard/sign-in/back"
"""To a provider of OpenID Connect and back; the latter is registered there."""


def join_link(base_url: str, secret: str) -> str:
    """Give the URL at which an invite is accepted."""
    return f"{base_url}{JOIN}?invite={quote(secret, safe='')}"


def password_link(base_url: str, secret: str) -> str:
    """Give the URL at which a forgotten password is replaced."""
    return f"{base_url}{PASSWORD}?link={quote(secret, safe='')}"
