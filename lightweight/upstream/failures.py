"""What can go wrong before an answer's head is there, in one sentence for a person.

The sentence names the provider as the configuration does: no address, no URL, no key.
"""

import ssl

from twisted.internet import error as net

from lightweight.errors import (
    ProviderFault,
    ProviderGarbage,
    ProviderTimeout,
    ProviderUnreachable,
)
from lightweight.upstream.dial import ConnectDeadline
from lightweight.upstream.pool import UnwantedEncoding
from lightweight.upstream.wire_response import BadResponse, HeadTooLarge

_MEANINGS: tuple[tuple[tuple[type[Exception], ...], type[ProviderFault], str], ...] = (
    ((HeadTooLarge,), ProviderGarbage, "sent a head that does not end"),
    (
        (BadResponse,),
        ProviderGarbage,
        "answered with something that is not HTTP/1.1",
    ),
    (
        (ConnectDeadline, net.TimeoutError, net.TCPTimedOutError),
        ProviderTimeout,
        "did not take a connection in time",
    ),
    (
        (net.DNSLookupError,),
        ProviderUnreachable,
        "has a host name that is not known",
    ),
    ((net.ConnectionRefusedError,), ProviderUnreachable, "refuses connections"),
    (
        (ssl.SSLError,),
        ProviderUnreachable,
        "has no TLS certificate that can be trusted, or speaks no TLS",
    ),
    ((net.ConnectError,), ProviderUnreachable, "cannot be reached"),
    (
        (net.ConnectionClosed,),
        ProviderUnreachable,
        "closed the connection before it answered",
    ),
    ((UnwantedEncoding,), ProviderGarbage, "sent a compressed answer, unasked"),
)
"""The first that fits says it."""

FAILURES: tuple[type[Exception], ...] = tuple(
    kind for kinds, _, _ in _MEANINGS for kind in kinds
)
"""What a request may fail with that is not a bug of ours."""


def fault_of(name: str, error: Exception) -> ProviderFault:
    """Give the fault behind one of FAILURES, before an answer's head was there."""
    fault, text = next(
        (fault, text) for kinds, fault, text in _MEANINGS if isinstance(error, kinds)
    )
    return fault(f"Provider {name!r} {text}.")
