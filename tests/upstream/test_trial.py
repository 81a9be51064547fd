"""One tiny request to one target: what is sent, what is told."""

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

import pytest
from support.chat import DIALECT as CHAT
from support.fakes import FakeProvider
from support.gateway import completion
from support.gemini import DIALECT as GEMINI
from support.gemini import response

from lightweight.errors import ProviderTimeout
from lightweight.records import Target
from lightweight.upstream.trial import MOST_TOKENS, Tried, try_target

PLAIN = Target(provider="p", model="there", dialect="openai_chat")
NATIVE = Target(provider="p", model="gemini-3-flash", dialect="gemini")


class Trial:
    """A trial under way."""

    def __init__(self, target: Target) -> None:
        self.provider = FakeProvider("p")
        self.clock = Clock()
        self.told: Deferred[Tried] = Deferred.fromCoroutine(
            try_target(
                "m",
                target,
                provider=self.provider,
                dialects={"openai_chat": CHAT, "gemini": GEMINI},
                clock=self.clock,
            )
        )

    def answer(self, body: Any, status: int = 200) -> Tried:
        self.clock.advance(1.5)
        source = self.provider.reply(status)
        source.push(body if isinstance(body, bytes) else json.dumps(body).encode())
        source.end()
        return self.result()

    def result(self) -> Tried:
        result = self.told.result
        assert isinstance(result, Tried)
        return result


def test_a_target_that_answers() -> None:
    trial = Trial(PLAIN)
    sent = json.loads(trial.provider.asked[0].body)
    assert (sent["model"], sent["max_completion_tokens"]) == ("there", MOST_TOKENS)
    assert trial.answer(completion()) == Tried(target=PLAIN, seconds=1.5, tokens=9)


def test_a_target_of_another_dialect() -> None:
    trial = Trial(NATIVE)
    assert trial.provider.asked[0].path.endswith(":generateContent")
    told = trial.answer(response({"text": "OK"}, finish="MAX_TOKENS"))
    assert told == Tried(target=NATIVE, seconds=1.5)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"error": {"message": "x"}}, 401, "credential"),
        (b"<html>", 200, "form of a chat completion"),
        (completion()[:-9], 200, "form of a chat completion"),
    ],
)
def test_one_that_fails(body: Any, status: int, said: str) -> None:
    told = Trial(PLAIN).answer(body, status)
    assert told.tokens is None
    assert told.fault is not None
    assert said in told.fault


def test_one_that_cannot_be_reached() -> None:
    trial = Trial(PLAIN)
    trial.provider.fail(ProviderTimeout("Too late."))
    assert trial.result().fault == "Too late."
