"""A provider's words, fit for a client: no credential, no address, no endless text."""

import re

MAX_TEXT = 2000
"""Characters of a provider's message that a client gets at most."""

SECRETS = re.compile(
    r"""https?://\S+
      | \bBearer\s+\S+
      | \b(?:sk|pk|rk|lw|gsk|xai|org|proj|req|ak|key)[-_](?=\S*[\d*])[\w*.-]{4,}
      | \bAIza[\w-]+""",
    re.VERBOSE | re.IGNORECASE,
)


def scrubbed(text: str) -> str:
    """Give ``text`` without whatever looks like a credential or an address."""
    return SECRETS.sub("[removed]", text[:MAX_TEXT])
