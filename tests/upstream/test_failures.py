"""Every way to fail has its fault and a sentence that gives nothing away."""

from twisted.internet import error as net
from twisted.python.failure import Failure
from twisted.web._newclient import (
    ParseError,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
)

import pytest
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
from lightweight.upstream.failures import FAILURES, fault_of

WHERE = "10.1.2.3 api.example.org:443"


def wrapped(kind: type[Exception], *reasons: Exception) -> Exception:
    return kind([Failure(reason) for reason in reasons])


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (net.ConnectionRefusedError(111, WHERE), ProviderUnreachable, "refuses"),
        (net.DNSLookupError(WHERE), ProviderUnreachable, "host name"),
        (net.NoRouteError(101, WHERE), ProviderUnreachable, "be reached"),
        (net.TimeoutError(110, WHERE), ProviderTimeout, "in time"),
        (net.TCPTimedOutError(110, WHERE), ProviderTimeout, "in time"),
        (ConnectDeadline(), ProviderTimeout, "in time"),
        (SSL.Error([(WHERE, "", "")]), ProviderUnreachable, "certificate"),
        (VerificationError(errors=[]), ProviderUnreachable, "certificate"),
        (UnwantedEncoding(), ProviderGarbage, "compressed"),
        (wrapped(ResponseFailed, HeadTooLarge()), ProviderGarbage, "does not end"),
        (
            wrapped(ResponseNeverReceived, net.ConnectionLost(WHERE)),
            ProviderUnreachable,
            "before it answered",
        ),
        (
            wrapped(ResponseFailed, net.ConnectionDone(WHERE)),
            ProviderUnreachable,
            "before it answered",
        ),
        (
            wrapped(RequestTransmissionFailed, net.ConnectionLost(WHERE)),
            ProviderUnreachable,
            "before it answered",
        ),
        (
            wrapped(ResponseNeverReceived, wrapped(ResponseFailed, SSL.Error([]))),
            ProviderUnreachable,
            "certificate",
        ),
        (
            wrapped(ResponseFailed, ParseError(WHERE, b"x")),
            ProviderGarbage,
            "not HTTP",
        ),
    ],
)
def test_each_failure_has_its_fault(
    error: Exception, kind: type[ProviderFault], said: str
) -> None:
    assert isinstance(error, FAILURES)
    fault = fault_of("acme", error)
    assert type(fault) is kind
    assert said in fault.message
    assert fault.message.startswith("Provider 'acme' ")
    assert "example" not in fault.message
    assert "10.1" not in fault.message
    assert fault.retryable


def test_our_own_bugs_are_no_failures() -> None:
    for bug in (TypeError(), AttributeError(), KeyError(), AssertionError()):
        assert not isinstance(bug, FAILURES)
