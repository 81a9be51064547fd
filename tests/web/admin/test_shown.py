from datetime import UTC, datetime
from typing import Any

import pytest
from support.uses import use

from lightweight.records import ApiKey, Attempted, KeyState, Limits
from lightweight.web.admin import shown


def a_key(**more: Any) -> ApiKey:
    return ApiKey(
        id="key_1",
        account_id="acct_1",
        name="ci",
        shown="lw-…",
        created_at=0,
        models=frozenset({"b", "a"}),
        limits=Limits(quota_micro_usd=10_500_000),
        **more,
    )


@pytest.mark.parametrize(
    ("key", "state"),
    [
        (a_key(), "active"),
        (a_key(revoked_at=11), "rotated"),
        (a_key(revoked_at=10), "revoked"),
        (a_key(expires_at=10), "expired"),
        (a_key(expires_at=11), "active"),
    ],
)
def test_the_state_of_a_key(key: ApiKey, state: KeyState) -> None:
    assert shown.key(key, 10).state == state


def test_a_key() -> None:
    told = shown.key(a_key(), 10, last_used_at=5)
    assert told.models == ["a", "b"]
    assert told.limits.quota_usd == "10.50"
    assert told.last_used_at == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)


def test_a_request_tells_its_attempts() -> None:
    failed = Attempted(
        provider="one", model="m", status=500, fault="It said: no.", seconds=0.25
    )
    made = use("req_1", attempts=(failed,), fault="It said: no.")
    told = shown.request(made, faults=True)
    assert told.tokens is not None
    assert (told.tokens.prompt, told.tokens.completion) == (15, 27)
    assert (told.cost_usd, told.tokens_known_by) == ("0.00012", "reported")
    [attempt] = told.attempts
    assert (attempt.provider, attempt.status, attempt.seconds) == ("one", 500, 0.25)
    assert (attempt.fault, told.fault) == ("It said: no.", "It said: no.")
    less = shown.request(made, faults=False)
    assert (less.attempts[0].fault, less.fault) == (None, None)


def test_what_nobody_knows_is_null() -> None:
    told = shown.request(
        use("req_1", micro_usd=None, usage=None, provenance=None), faults=True
    )
    assert (told.tokens, told.cost_usd, told.tokens_known_by) == (None, None, None)
