"""A call's way through its targets."""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import capturedLogs, formatEvent

import pytest
from support.chat import DIALECT, call
from support.scripted import SILENCE, Close, ScriptedProvider, Send, chunk, head, whole
from support.sink import RecordingSink, turns

from lightweight.dialects.crossing import write_request
from lightweight.dialects.dialect import Dialect
from lightweight.errors import (
    BadRequest,
    Fault,
    ModelNotFound,
    Overloaded,
    ProviderBusy,
    ProviderFault,
    ProviderGarbage,
    ProviderRefused,
    ProviderUnreachable,
)
from lightweight.policy.breaker import Breaker, Rules
from lightweight.policy.retry import RetryBudget
from lightweight.policy.route import Standing
from lightweight.records import Attempted, Call, DialectName, Outgoing, Target
from lightweight.upstream.attempts import ERROR_BODY_BYTES, Attempt, Attempts, Field
from lightweight.upstream.http import HttpProvider, HttpReply

MakeProvider = Callable[..., HttpProvider]


class Trial:
    """Targets ``a``, ``b``, … that are served by one scripted provider in turn."""

    def __init__(self, provider: HttpProvider, clock: IReactorTime) -> None:
        self.standings: dict[str, Standing] = {}
        self.budget = RetryBudget()
        self.made: Sequence[Attempted] = []
        self._provider = provider
        self._clock = clock

    @property
    def tried(self) -> list[str]:
        return [each.provider for each in self.made]

    async def run(
        self,
        *names: str,
        carry: Callable[[Attempt], Awaitable[Attempt]] | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> Attempt:
        targets = [
            Target(provider=name, model=f"model-{name}", dialect="openai_chat")
            for name in names
        ]
        for name in names:
            self.standings.setdefault(name, Standing())
        field = Field(
            providers=dict.fromkeys(names, self._provider),
            dialects={"openai_chat": DIALECT},
            standings=self.standings,
            budget=self.budget,
            clock=self._clock,
        )
        attempts = self.attempts = Attempts(call(), targets, field)
        try:
            return await attempts.run(carry or taken, before=before)
        finally:
            self.made = attempts.made

    def state(self, name: str) -> str:
        return self.standings[name].breaker.state(self._clock.seconds())


async def taken(attempt: Attempt) -> Attempt:
    attempt.begun()
    return attempt


@pytest.fixture
def trial(
    scripted_provider: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> Trial:
    return Trial(client_of(scripted_provider), reactor)


def error(message: str) -> bytes:
    return b'{"error":{"message":"%b","type":"t","code":null}}' % message.encode()


async def test_the_first_target_answers(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    scripted_provider.reply(201, body=b"{}")
    attempt = await trial.run("a", "b")
    assert attempt.target.provider == "a"
    assert attempt.reply.status == 201
    sink = RecordingSink()
    attempt.reply.body.deliver(sink)
    assert await sink.end() is None
    assert trial.tried == ["a"]
    seen = await scripted_provider.request_seen()
    assert seen.json()["model"] == "model-a"
    assert seen.headers["x-client-request-id"] == "r1"


async def test_what_was_sent_is_let_go_while_the_answer_comes(
    scripted_provider: ScriptedProvider, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted_provider.reply(body=b"{}")
    sent: list[bytes] = []
    send = HttpProvider.send

    async def remembered(
        provider: HttpProvider, outgoing: Outgoing, request_id: str
    ) -> HttpReply:
        sent.append(outgoing.body)
        return await send(provider, outgoing, request_id)

    async def look(attempt: Attempt) -> Attempt:
        # The list has it, and the question itself.
        assert [sys.getrefcount(each) for each in sent] == [3]
        return await taken(attempt)

    monkeypatch.setattr(HttpProvider, "send", remembered)
    attempt = await trial.run("a", carry=look)
    attempt.reply.body.abort()


async def test_each_provider_is_announced_before_it_is_asked(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    scripted_provider.reply(500, body=error("broken"))
    scripted_provider.reply(body=b"{}")
    asked: list[int] = []

    async def look(attempt: Attempt) -> Attempt:
        assert [each.fault is None for each in trial.attempts.made] == [False, True]
        return await taken(attempt)

    attempt = await trial.run(
        "a",
        "b",
        carry=look,
        before=lambda: asked.append(len(scripted_provider.requests)),
    )
    attempt.reply.body.abort()
    assert asked == [0, 1]
    assert trial.tried == ["a", "b"]


async def test_what_the_announcement_raises_ends_the_call(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    def refuse() -> None:
        raise Overloaded("No room.")

    with pytest.raises(Overloaded):
        await trial.run("a", before=refuse)
    assert scripted_provider.requests == []
    assert trial.tried == []
    assert trial.state("a") == "closed"


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


async def test_who_cannot_express_the_call_is_passed_over(
    scripted_provider: ScriptedProvider, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    able = "b"

    def only(
        dialects: Mapping[DialectName, Dialect], call: Call, to: Target
    ) -> Outgoing:
        if to.provider != able:
            raise BadRequest(f"{to.provider} has nothing like it.", param="x")
        return write_request(dialects, call, to)

    monkeypatch.setattr("lightweight.upstream.attempts.write_request", only)
    scripted_provider.reply(200, body=b"{}")
    attempt = await trial.run("a", "b")
    assert attempt.target.provider == "b"
    attempt.reply.body.abort()
    able = "nobody"
    with pytest.raises(BadRequest, match="a has nothing"):
        await trial.run("a", "b")


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


async def test_a_fault_of_the_answer_moves_on_until_it_has_begun(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    async def breaks(attempt: Attempt) -> Attempt:
        attempt.reply.body.abort()
        if attempt.target.provider == "c":
            attempt.begun()
        raise ProviderGarbage("Nonsense.")

    scripted_provider.always(*whole(200, None, b"{}"))
    with pytest.raises(ProviderGarbage):
        await trial.run("a", "b", "c", "d", carry=breaks)
    assert trial.tried == ["a", "b", "c"]
    assert {(each.status, each.fault) for each in trial.made} == {(200, "Nonsense.")}


async def test_the_budget_bounds_further_attempts(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    trial.budget = RetryBudget(least=1)
    scripted_provider.always(*whole(500, None, b"{}"))
    assert trial.budget.take()
    with pytest.raises(ProviderRefused):
        await trial.run("a", "b")
    assert trial.tried == ["a"]
    trial.budget.give_back()
    with pytest.raises(ProviderRefused):
        await trial.run("a", "b", "c")
    assert trial.tried == ["a", "b", "c"]


async def test_an_answer_that_began_gives_its_leave_back(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    trial.budget = RetryBudget(least=1)
    left: list[bool] = []

    async def looks(attempt: Attempt) -> Attempt:
        attempt.reply.body.abort()
        for _ in range(2):
            left.append(trial.budget.take())
            if left[-1]:
                trial.budget.give_back()
            attempt.begun()
        return attempt

    scripted_provider.reply(500)
    scripted_provider.reply(body=b"{}")
    await trial.run("a", "b", carry=looks)
    assert left == [False, True]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (500, "open"),
        (529, "open"),
        (408, "open"),
        (400, "closed"),
        (401, "closed"),
        (404, "closed"),
        (422, "closed"),
    ],
)
async def test_only_a_sick_provider_opens_its_breaker(
    scripted_provider: ScriptedProvider, trial: Trial, status: int, state: str
) -> None:
    scripted_provider.always(*whole(status, None, error("no")))
    for _ in range(5):
        with pytest.raises(Fault):
            await trial.run("a")
    assert trial.state("a") == state


@pytest.mark.parametrize("status", [429, 503, 529])
async def test_who_is_limited_is_passed_over_and_tells_the_smallest_wait(
    scripted_provider: ScriptedProvider, trial: Trial, status: int
) -> None:
    scripted_provider.reply(status, {"Retry-After": "30"}, error("slow down"))
    scripted_provider.reply(body=b"{}")
    (await trial.run("a", "b")).reply.body.abort()
    scripted_provider.reply(429, {"Retry-After": "50"}, error("slow down"))
    with pytest.raises(ProviderBusy) as raised:
        await trial.run("a", "b")
    assert trial.tried == ["b"]
    assert raised.value.retry_after == 30
    with pytest.raises(ProviderBusy) as raised:
        await trial.run("a", "b")
    assert trial.tried == []
    assert raised.value.retry_after == 30
    assert trial.state("a") == "closed"


async def test_who_leaves_passes_no_verdict(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    scripted_provider.always(*whole(500, None, b"{}"))
    for _ in range(4):
        with pytest.raises(ProviderRefused):
            await trial.run("a")
    scripted_provider.always(SILENCE)
    running = Deferred.fromCoroutine(trial.run("a"))
    while len(scripted_provider.requests) < 5:
        await scripted_provider.request_seen()
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    assert trial.state("a") == "closed"
    assert [(each.status, each.fault) for each in trial.made] == [(None, None)]


async def test_the_log_tells_when_a_provider_is_left_alone(
    scripted_provider: ScriptedProvider, trial: Trial
) -> None:
    trial.standings["a"] = Standing(breaker=Breaker(Rules(in_a_row=1, open_for=0.01)))
    scripted_provider.reply(500, body=error("broken"))
    scripted_provider.reply(body=b"{}")
    with capturedLogs() as events:
        with pytest.raises(ProviderRefused):
            await trial.run("a")
        while trial.state("a") == "open":
            await turns(scripted_provider.reactor, 1)
        (await trial.run("a")).reply.body.abort()
    assert trial.state("a") == "closed"
    opened, closed = (formatEvent(event) for event in events if "name" in event)
    assert opened.startswith("Provider 'a' fails and is left alone for 0 s: ")
    assert opened.endswith("The provider failed with status 500.")
    assert closed == "Provider 'a' works again."
