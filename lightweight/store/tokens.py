"""Secrets that are no keys: of sessions, invites, password links and admin tokens.

Each is 256 random bits. Stored is ``keys.digest`` of it, as of a key.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable

ADMIN_PREFIX = "lwadmin-"
"""What an admin token begins with: scanners of leaked secrets know it by that."""

INVITE_S = 7 * 86400.0
"""For how long an invite works where nothing else is said."""

_SECRET_BYTES = 32


def mint_token(random_bytes: Callable[[int], bytes], prefix: str = "") -> str:
    """Make a secret fit for a URL: ``prefix`` and 43 characters."""
    secret = urlsafe_b64encode(random_bytes(_SECRET_BYTES)).rstrip(b"=")
    return prefix + secret.decode("ascii")
