import pytest

from lightweight.dialects.comeback import retry_after, retry_headers
from lightweight.errors import BadRequest, Overloaded, ProviderBusy, ProviderCut


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("7", 7), ("0", 1), ("1.2", 2), ("soon", 1), ("-3", 1), ("9" * 40, 1)],
)
def test_what_a_provider_asks(told: str, seconds: int) -> None:
    assert retry_after({"retry-after": told}) == seconds


def test_what_it_does_not_say() -> None:
    assert retry_after({}) == 1


def test_what_a_client_is_told() -> None:
    assert retry_headers(ProviderBusy("x", retry_after=3)) == {
        "retry-after": "3",
        "retry-after-ms": "3000",
        "x-should-retry": "true",
    }
    assert retry_headers(Overloaded("x"))["retry-after"] == "1"
    assert retry_headers(BadRequest("x")) == {"x-should-retry": "false"}
    assert retry_headers(ProviderCut("x")) == {}
