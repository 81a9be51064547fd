"""Who waits as long as it is told passes at the first try: over a real book."""

from typing import Any

import pytest
from support.answered import Answered
from support.gateway import Gateway, completion
from support.local_limits import LocalLimits

from lightweight.policy.admission import Tier
from lightweight.policy.book import Book
from lightweight.policy.pace import Ask, Settlement, Verdict
from lightweight.records import Limits


class Real:
    """A real home in the place of the gateway's double."""

    def __init__(self, gateway: Gateway, **limits: Any) -> None:
        self.book = Book()
        self.asked = 0
        home = LocalLimits(self.book, lambda: 1_795_343_400.3 + gateway.clock.seconds())
        gateway.tiers["pro"] = Tier(limits=Limits(**limits))

        async def admit(ask: Ask) -> Verdict:
            self.asked += 1
            return await home.admit(ask)

        def settle(settlement: Settlement) -> None:
            home.settle(settlement)

        gateway.limits.admit = admit  # type: ignore[method-assign]  # the real one
        gateway.limits.look = home.look  # type: ignore[method-assign]  # the real one
        gateway.limits.settle = settle  # type: ignore[method-assign]  # the real one


def call(gateway: Gateway) -> Answered:
    client = gateway.connect()
    client.chat()
    if client.received == b"":
        body = gateway.one.reply()
        body.push(completion())
        body.end()
    return client.answer()


@pytest.mark.parametrize("early", [0.0, 0.2, 30.0])
def test_the_next_try_passes_and_not_before(early: float) -> None:
    gateway = Gateway()
    real = Real(gateway, rpm=3)
    for _ in range(3):
        assert call(gateway).status == 200
        gateway.clock.advance(0.4)
    assert call(gateway).status == 429
    asked = real.asked
    gateway.clock.advance(early)
    refused = call(gateway)
    assert refused.status == 429
    assert real.asked == asked, "refused out of memory"
    wait = int(refused.headers["retry-after-ms"])
    assert int(refused.headers["retry-after"]) * 1000 >= wait
    gateway.clock.advance(wait / 1000)
    assert call(gateway).status == 200


def test_a_quota_counts_what_was_really_used() -> None:
    gateway = Gateway()
    Real(gateway, quota_tokens=1059)
    assert call(gateway).status == 200
    usage = gateway.connect()
    usage.ask("GET", "/v1/usage")
    quota = usage.answer().json()["quota"]
    assert (quota["used"], quota["reserved"], quota["remaining"]) == (9, 0, 1050)
    # A call reserves 1042: 18 for its prompt and 1024 for an answer.
    assert call(gateway).status == 200
    refused = call(gateway)
    assert refused.status == 403
    assert "with 1,041 tokens left" in refused.json()["error"]["message"]
