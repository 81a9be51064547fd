"""What one call says to limits and journal, and when."""

from typing import Any

import pytest
from support.gateway import DONE, Gateway, chunk, completion
from support.identities import someone
from support.verdicts import allowed

from lightweight.errors import ProviderCut
from lightweight.policy.admission import Tier
from lightweight.records import Limits


def limited_gateway() -> Gateway:
    gateway = Gateway()
    gateway.tiers["pro"] = Tier(limits=Limits(rpm=60, quota_tokens=10_000))
    gateway.limits.verdict = allowed()
    return gateway


def test_what_is_asked_of_the_limits() -> None:
    gateway = limited_gateway()
    gateway.keys.held["lw-known"] = someone(keys=Limits(rpm=1))
    client = gateway.connect()
    client.chat(max_tokens=100, n=2)
    (ask,) = gateway.limits.asked
    assert ask.account == "acc_acme"
    assert [subject.name for subject in ask.subjects] == ["", "key_acme"]
    prompt = ask.tokens - 200
    assert 18 < prompt < 40
    assert ask.micro_usd == prompt + 200 * 10
    (dispatch,) = gateway.journal.started.values()
    assert (dispatch.id, dispatch.tokens) == (ask.id, ask.tokens)
    assert dispatch.micro_usd == ask.micro_usd
    client.leave()


def test_a_model_without_a_price_reserves_no_money() -> None:
    gateway = limited_gateway()
    client = gateway.connect()
    client.chat(model="same")
    assert gateway.limits.asked[0].micro_usd == 0
    (dispatch,) = gateway.journal.started.values()
    assert dispatch.micro_usd is None
    body = gateway.one.reply()
    body.push(completion())
    body.end()
    assert [use.micro_usd for use in gateway.journal.uses.values()] == [None]


def test_the_bill_knows_a_model_by_one_name() -> None:
    gateway = limited_gateway()
    client = gateway.connect()
    client.chat(model="other-name")
    (dispatch,) = gateway.journal.started.values()
    assert dispatch.model == "renamed"
    body = gateway.one.reply()
    body.push(completion())
    body.end()
    assert client.answer().status == 200
    assert gateway.outcome.model == "renamed"


def test_the_use_starts_before_a_provider_is_asked() -> None:
    gateway = limited_gateway()
    start, asked = gateway.journal.start, []

    def look(dispatch: Any) -> None:
        asked.append(len(gateway.one.asked))
        start(dispatch)

    gateway.journal.start = look  # type: ignore[method-assign]  # to look on
    client = gateway.connect()
    client.chat()
    assert asked == [0]
    assert len(gateway.one.asked) == 1
    client.leave()


@pytest.mark.parametrize("cut_off", [True, False])
@pytest.mark.parametrize("streamed", [True, False])
def test_the_use_is_written_before_the_client_hears_the_end(
    *, streamed: bool, cut_off: bool
) -> None:
    gateway = limited_gateway()
    client = gateway.connect()
    finish, heard = gateway.journal.finish, []

    def look(use: Any) -> None:
        heard.append(client.received)
        finish(use)

    gateway.journal.finish = look  # type: ignore[method-assign]  # to look on
    client.chat(stream=streamed)
    body = gateway.one.reply()
    if streamed:
        body.push(chunk())
    if cut_off:
        body.end(ProviderCut("Broken."))
    else:
        body.push(*([chunk(None, "stop"), DONE] if streamed else [completion()]))
        body.end()
    assert len(heard) == 1
    assert b"[DONE]" not in heard[0]
    assert b"error" not in heard[0]
    assert streamed or heard[0] == b""
    assert client.answer().whole
    (use,) = gateway.journal.uses.values()
    assert use.outcome == gateway.outcome
    assert [each.fault for each in use.outcome.attempts] == [
        "Broken." if cut_off else None
    ]
    assert (use.outcome.first_byte_s is None) is (cut_off and not streamed)
