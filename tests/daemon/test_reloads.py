"""Reloads: one at a time, and one more for all who asked meanwhile."""

from twisted.internet.defer import Deferred, succeed

from lightweight.daemon.reloads import Reloads


class Job:
    """Runs that end when a test says so."""

    def __init__(self) -> None:
        self.runs: list[Deferred[str | None]] = []
        self.reloads = Reloads(self.run)

    async def run(self) -> str | None:
        run: Deferred[str | None] = Deferred()
        self.runs.append(run)
        return await run

    def ask(self) -> "Deferred[str | None]":
        return Deferred.fromCoroutine(self.reloads.ask())


async def test_demands_during_a_run_make_one_more() -> None:
    job = Job()
    first = job.ask()
    others = [job.ask() for _ in range(5)]
    assert len(job.runs) == 1

    job.runs[0].callback(None)
    assert len(job.runs) == 2
    assert await first is None
    assert not any(each.called for each in others)
    job.runs[1].callback("refused")

    assert [await each for each in others] == ["refused"] * 5
    assert len(job.runs) == 2


async def test_a_demand_during_the_start_waits_for_its_end() -> None:
    job = Job()
    started: Deferred[None] = Deferred()

    async def start() -> None:
        await started

    starting = Deferred.fromCoroutine(job.reloads.first(start))
    asked = job.ask()
    assert job.runs == []
    started.callback(None)
    job.runs[0].callback(None)

    await starting
    assert await asked is None


async def test_who_no_longer_waits_is_no_hindrance() -> None:
    job = Job()
    asked = job.ask()
    asked.addErrback(lambda _: succeed(None))
    again = job.ask()
    again.addErrback(lambda _: None)
    again.cancel()
    job.runs[0].callback(None)
    job.runs[1].callback(None)
    last = job.ask()
    job.runs[2].callback("told")

    assert await last == "told"
