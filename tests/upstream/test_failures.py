"""Every way to fail has its fault and a sentence that gives nothing away."""

import ssl

from twisted.internet import error as net

import pytest

from lightweight.errors import (
    ProviderFault,
    ProviderGarbage,
    ProviderTimeout,
    ProviderUnreachable,
)
from lightweight.upstream.dial import ConnectDeadline
from lightweight.upstream.failures import FAILURES, fault_of
from lightweight.upstream.pool import UnwantedEncoding
from lightweight.upstream.wire_response import BadResponse, HeadTooLarge

WHERE = "10.1.2.3 api.example.org:443"


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (net.ConnectionRefusedError(111, WHERE), ProviderUnreachable, "refuses"),
        (net.DNSLookupError(WHERE), ProviderUnreachable, "host name"),
        (net.NoRouteError(101, WHERE), ProviderUnreachable, "be reached"),
        (net.ConnectBindError(24, WHERE), ProviderUnreachable, "be reached"),
        (net.TimeoutError(110, WHERE), ProviderTimeout, "in time"),
        (net.TCPTimedOutError(110, WHERE), ProviderTimeout, "in time"),
        (ConnectDeadline(), ProviderTimeout, "in time"),
        (ssl.SSLError(1, WHERE), ProviderUnreachable, "certificate"),
        (ssl.SSLCertVerificationError(1, WHERE), ProviderUnreachable, "certificate"),
        (UnwantedEncoding(), ProviderGarbage, "compressed"),
        (HeadTooLarge(WHERE), ProviderGarbage, "does not end"),
        (BadResponse(WHERE), ProviderGarbage, "not HTTP"),
        (net.ConnectionLost(WHERE), ProviderUnreachable, "before it answered"),
        (net.ConnectionDone(WHERE), ProviderUnreachable, "before it answered"),
        (net.ConnectionAborted(WHERE), ProviderUnreachable, "before it answered"),
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
