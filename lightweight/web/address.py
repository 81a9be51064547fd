"""The URL that people reach this server by."""

import re

from lightweight.runtime import Runtime
from lightweight.web.site_request import GatewayRequest

_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")


def address_of(request: GatewayRequest, runtime: Runtime) -> str:
    """Give the URL that people reach this server by, without a slash at its end.

    ``public_url`` of the configuration, else what the request's Host says, as far as it
    looks like a host.
    """
    if runtime.config.public_url is not None:
        return runtime.config.public_url
    host = request.sent(b"host")
    scheme = "https" if request.over_tls() else "http"
    if not host or not _HOST.fullmatch(host):
        host = "localhost"
    return f"{scheme}://{host}"
