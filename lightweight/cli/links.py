"""At which address the links that commands make are opened."""

import re

from lightweight.config.schema import Config

_LISTENS = re.compile(r"(tcp6?|ssl):(?:port=)?([0-9]+)")

UNKNOWN = "https://YOUR-HOST"
"""Where the configuration does not tell it, people must."""


def site_url(config: Config) -> str:
    """Give the URL of the server, without a slash at its end.

    That is ``public_url``, else the first port as it is reached on this machine.
    """
    if config.public_url is not None:
        return config.public_url
    for endpoint in config.listen:
        found = _LISTENS.match(endpoint)
        if found is not None:
            scheme = "https" if found[1] == "ssl" else "http"
            return f"{scheme}://localhost:{found[2]}"
    return UNKNOWN
