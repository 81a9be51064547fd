"""A call's way through its targets."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

import pytest
from support.chat import DIALECT, call
from support.scripted import SILENCE, Close, ScriptedProvider, Send, chunk, head
from support.sink import RecordingSink

from lightweight.errors import (
    BadRequest,
    Fault,
    ModelNotFound,
    ProviderBusy,
    ProviderFault,
    ProviderRefused,
    ProviderUnreachable,
)
from lightweight.records import Target
from lightweight.upstream.attempts import ERROR_BODY_BYTES, Attempt, first_answer
from lightweight.upstream.http import HttpProvider

MakeProvider = Callable[..., HttpProvider]


class Trial:
    """Targets ``a``, ``b``, … that are served by one scripted provider in turn."""

    def __init__(self, provider: HttpProvider) -> None:
        self.tried: list[str] = []
        self._provider = provider

    async def run(self, *names: str) -> Attempt:
        targets = [
            Target(provider=name, model=f"model-{name}", dialect="openai_chat")
            for name in names
        ]
        return await first_answer(
            call(),
            targets,
            dict.fromkeys(names, self._provider),
            {"openai_chat": DIALECT},
            trying=lambda target: self.tried.append(target.provider),
        )


@pytest.fixture
def trial(scripted_provider: ScriptedProvider, client_of: MakeProvider) -> Trial:
    return Trial(client_of(scripted_provider))


def error(message: str) -> bytes:
    return b'{"error":{"message":"%b","type":"t","code":null}}' % message.encode()


async def test_the_first_target_answers(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    scripted_provider.reply(201, body=b"{}")
    attempt = await trial.run("a", "b")
    assert (attempt.target.provider, attempt.provider) == ("a", "acme")
    assert attempt.reply.status == 201
    sink = RecordingSink()
    attempt.reply.body.deliver(sink)
    assert await sink.end() is None
    assert trial.tried == ["a"]
    seen = await scripted_provider.request_seen()
    assert seen.json()["model"] == "model-a"
    assert seen.headers["x-client-request-id"] == "r1"


async def test_a_providers_fault_moves_on_to_the_next(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    scripted_provider.reply(500, body=error("broken"))
    scripted_provider.reply(429, body=error("slow down"))
    scripted_provider.reply(401, body=error("bad key"))
    scripted_provider.script(Send(b"HT"), Close())
    scripted_provider.reply(body=b"{}")
    attempt = await trial.run("a", "b", "c", "d", "e", "f")
    attempt.reply.body.abort()
    assert attempt.target.provider == "e"
    assert trial.tried == ["a", "b", "c", "d", "e"]
    models = [seen.json()["model"] for seen in scripted_provider.requests]
    assert models == ["model-a", "model-b", "model-c", "model-d", "model-e"]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_the_clients_fault_is_raised_at_once(
    scripted_provider: ScriptedProvider, trial: Trial, status: int
) -> None:
    scripted_provider.reply(status, body=error("messages: too many"))
    with pytest.raises(Fault) as raised:
        await trial.run("a", "b")
    assert not isinstance(raised.value, ProviderFault)
    assert raised.value.status == status
    assert raised.value.message == "messages: too many"
    assert trial.tried == ["a"]


async def test_the_last_fault_is_raised_when_all_fail(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    scripted_provider.reply(500, body=error("broken"))
    scripted_provider.reply(429, {"Retry-After": "7"}, error("slow down"))
    with pytest.raises(ProviderBusy) as raised:
        await trial.run("a", "b")
    assert raised.value.retry_after == 7
    assert trial.tried == ["a", "b"]


async def test_nobody_there(scripted_provider: ScriptedProvider, trial: Trial) -> None:
    await scripted_provider.refuse()
    with pytest.raises(ProviderUnreachable):
        await trial.run("a", "b")
    assert trial.tried == ["a", "b"]


async def test_no_target_at_all(trial: Trial) -> None:
    with pytest.raises(ModelNotFound):
        await trial.run()


async def test_an_endless_error_is_judged_by_its_start(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    start = error("too long").ljust(ERROR_BODY_BYTES)
    scripted_provider.script(
        Send(head(400, {"Transfer-Encoding": "chunked"}) + chunk(start)),
        Send(chunk(b"}}garbage")),
        SILENCE,
    )
    with pytest.raises(BadRequest, match="too long"):
        await trial.run("a", "b")
    await scripted_provider.connection_lost()


async def test_an_error_that_breaks_off_is_judged_all_the_same(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    scripted_provider.script(Send(head(500, {"Content-Length": "99"}) + b"<"), Close())
    with pytest.raises(ProviderRefused):
        await trial.run("a")


@pytest.mark.parametrize(
    "steps", [[SILENCE], [Send(head(500, {"Content-Length": "99"}) + b"<"), SILENCE]]
)
async def test_cancelling_stops_the_provider_and_tries_no_other(
    scripted_provider: ScriptedProvider, trial: Trial, steps: list[Any]
) -> None:
    scripted_provider.script(*steps)
    running = Deferred.fromCoroutine(trial.run("a", "b"))
    await scripted_provider.request_seen()
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    await scripted_provider.connection_lost()
    assert trial.tried == ["a"]
