"""What Twisted says when a provider cannot be talked to, in one sentence for a person.

The sentence names the provider as the configuration does: no address, no URL, no key.
"""

from collections.abc import Iterator

from twisted.internet import error as net
from twisted.internet.error import (
    ConnectError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.web._newclient import RequestNotSent, _WrapperException

from OpenSSL import SSL
from service_identity import VerificationError

from lightweight.errors import (
    ProviderFault,
    ProviderGarbage,
    ProviderTimeout,
    ProviderUnreachable,
)
from lightweight.upstream.agent import ConnectDeadline, UnwantedEncoding
from lightweight.upstream.connections import HeadTooLarge

FAILURES: tuple[type[Exception], ...] = (
    _WrapperException,
    RequestNotSent,
    ConnectError,
    ConnectionClosed,
    DNSLookupError,
    ConnectDeadline,
    UnwantedEncoding,
    SSL.Error,
    VerificationError,
)
"""What a request may fail with that is not a bug of ours.

(``_WrapperException`` is the parent of Twisted's six ways to say "failed because of".)
"""

_MEANINGS: tuple[tuple[tuple[type[Exception], ...], type[ProviderFault], str], ...] = (
    ((HeadTooLarge,), ProviderGarbage, "sent a head that does not end"),
    (
        (ConnectDeadline, net.TimeoutError, net.TCPTimedOutError),
        ProviderTimeout,
        "did not take a connection in time",
    ),
    ((DNSLookupError,), ProviderUnreachable, "has a host name that is not known"),
    ((net.ConnectionRefusedError,), ProviderUnreachable, "refuses connections"),
    (
        (SSL.Error, VerificationError),
        ProviderUnreachable,
        "has no TLS certificate that can be trusted, or speaks no TLS",
    ),
    ((ConnectError,), ProviderUnreachable, "cannot be reached"),
    (
        (ConnectionClosed,),
        ProviderUnreachable,
        "closed the connection before it answered",
    ),
    ((UnwantedEncoding,), ProviderGarbage, "sent a compressed answer, unasked"),
)
"""The first that fits says it: Twisted wraps causes in consequences."""


def fault_of(name: str, error: Exception) -> ProviderFault:
    """Give the fault behind one of FAILURES, before an answer's head was there."""
    reasons = tuple(_reasons(error))
    for kinds, fault, text in _MEANINGS:
        if any(isinstance(each, kinds) for each in reasons):
            return fault(f"Provider {name!r} {text}.")
    return ProviderGarbage(
        f"Provider {name!r} answered with something that is not HTTP/1.1."
    )


def _reasons(error: Exception) -> Iterator[Exception]:
    """Give the error and all that Twisted wrapped in it."""
    yield error
    if isinstance(error, _WrapperException):
        for failure in error.reasons:
            yield from _reasons(failure.value)
