"""The fault tree: what clients are told, and whose fault is whose."""

import pytest

from lightweight import errors
from lightweight.errors import ClientFault, Fault, Overloaded, OwnFault, ProviderFault


def every(kind: type[Fault]) -> list[type[Fault]]:
    found = [kind]
    for child in kind.__subclasses__():
        found += every(child)
    return found


@pytest.mark.parametrize("kind", every(ClientFault))
def test_a_clients_fault_is_a_4xx(kind: type[Fault]) -> None:
    assert 400 <= kind.status < 500
    assert kind.type == "invalid_request_error"


@pytest.mark.parametrize("kind", every(ProviderFault))
def test_a_providers_fault_is_never_the_clients(kind: type[Fault]) -> None:
    # Which endpoint a model has is the client's to know.
    assert kind.status in ({404} if kind is errors.ProviderLacks else {429, 502})
    assert not issubclass(kind, ClientFault)


def test_our_own_fault_tells_nothing_of_its_cause() -> None:
    fault = OwnFault()

    assert (fault.status, fault.type, fault.code) == (500, "server_error", None)
    assert "x-request-id" in fault.message


def test_overload_says_when_to_come_back() -> None:
    assert Overloaded("Draining.").retry_after == 1
    assert Overloaded("Draining.").should_retry is True


def test_what_is_not_implemented_is_not_worth_a_retry() -> None:
    # SDKs repeat every 5xx unless they are told not to.
    assert errors.Unimplemented.status == 501
    assert errors.Unimplemented.should_retry is False


def test_a_code_given_replaces_the_kinds_own() -> None:
    fault = errors.BadRequest("Too long.", param="messages", code="context_length_x")

    assert (fault.code, fault.param) == ("context_length_x", "messages")
    assert errors.BadRequest.code is None


def test_every_bad_key_gets_the_same_words() -> None:
    assert errors.InvalidKey().message == errors.InvalidKey().message
    assert errors.InvalidKey.status == 401


def test_a_limit_says_when_to_come_back_or_that_waiting_is_in_vain() -> None:
    fault = errors.RateLimited("Wait.", kind="requests", retry_after_ms=1001)
    assert (fault.status, fault.type, fault.should_retry) == (429, "requests", True)
    assert (fault.retry_after, fault.retry_after_ms) == (2, 1001)
    at_once = errors.RateLimited("Wait.", kind="tokens", retry_after_ms=0)
    assert (at_once.retry_after, at_once.retry_after_ms) == (1, 1)
    never = errors.RateLimited("No.", kind="tokens", retry_after_ms=None)
    assert (never.retry_after, never.should_retry) == (None, False)


def test_a_quota_is_not_worth_a_retry() -> None:
    assert errors.QuotaExceeded.status == 403
    assert errors.QuotaExceeded.should_retry is False


def test_what_a_provider_said_is_for_its_client_alone() -> None:
    ours = errors.BadRequest("Name a model.")
    theirs = errors.BadRequest("You said: hush").quoting()
    assert ours.noted == "Name a model."
    assert theirs.message == "You said: hush"
    assert "hush" not in theirs.noted
