"""The figures of all workers, put together."""

from twisted.internet.task import Clock

from support.vitals import vitals

from lightweight.daemon import figures
from lightweight.daemon.generation import Generation
from lightweight.daemon.messages import Report, Tested
from lightweight.daemon.worker import Worker
from lightweight.policy.route import Health

WELL = Health(state="closed", wait=0.0, resting={"m": 2.0})
ALONE = Health(state="open", wait=4.0, resting={"m": 7.0, "n": 1.0})


def worker(pid: int, **told: object) -> Worker:
    made = Worker(lambda _: None)
    made.pid = pid
    if told:
        made.report = Report(pid=pid, outcome="ready")
        made.vitals = vitals(**told)
    return made


def generation(*workers: Worker) -> Generation:
    made = Generation(3, len(workers), lambda _: workers[0], Clock())
    made._workers = set(workers)
    made.state = "serving"
    return made


def test_each_worker_has_its_state_and_its_last_figures() -> None:
    quiet = worker(8, calls=2)
    quiet.silence = 10
    (shown,) = figures.of_generations(
        [generation(quiet, worker(7, calls=5), worker(9))]
    )

    assert (shown["number"], shown["state"]) == (3, "serving")
    assert [(w["pid"], w["state"], w.get("calls")) for w in shown["workers"]] == [
        (7, "serving", 5),
        (8, "silent", 2),
        (9, "starting", None),
    ]
    assert "version" not in shown["workers"][0]


def test_figures_add_up_over_all_who_told_any() -> None:
    groups = [generation(worker(7, calls=5, calls_per_s=0.1)), generation(worker(9))]
    groups.append(generation(worker(8, calls=2, calls_per_s=0.2)))

    assert figures.in_all(groups)["calls"] == 7
    assert figures.in_all(groups)["calls_per_s"] == 0.3


def test_a_provider_is_shown_as_it_is_seen_worst() -> None:
    both = generation(
        worker(7, providers={"one": WELL, "two": WELL}),
        worker(8, providers={"one": ALONE, "two": WELL}),
        worker(9),
    )

    assert figures.of_providers(both) == {
        "one": {
            "state": "open",
            "workers": 1,
            "wait": 4.0,
            "resting": {"m": 7.0, "n": 1.0},
        },
        "two": {"state": "closed", "workers": 2, "wait": 0.0, "resting": {"m": 2.0}},
    }
    assert figures.of_providers(None) == {}


def test_self_tests_are_told_the_worst_first() -> None:
    passed, failed = Tested(state="passed"), Tested(state="failed", problems=("No.",))
    assert figures.of_self_test(None) == {"state": "running", "problems": []}
    for told, state in (
        ([passed, passed], "passed"),
        ([passed, None], "running"),
        ([passed, None, failed, failed], "failed"),
    ):
        workers = [
            worker(n) if each is None else worker(n, self_test=each)
            for n, each in enumerate(told)
        ]
        found = figures.of_self_test(generation(*workers))
        problems = ["No."] if state == "failed" else []
        assert found == {"state": state, "problems": problems}
    now = of_now(generation(worker(1, self_test=failed), worker(2, self_test=passed)))
    assert now["lightweight_self_test_failed",] == 1


def of_now(*groups: Generation, number: int | None = 3) -> dict[object, float]:
    told = figures.gauges(number, figures.fares(groups), [])
    return {(each.metric, *each.labels): each.values[0] for each in told}


def test_gauges_add_up_over_who_told_any() -> None:
    quiet = worker(8, calls=2, memory=10, limits_away=True)
    quiet.silence = 10
    leaving = generation(worker(5, calls=1, providers={"one": ALONE}))
    leaving.state = "leaving"
    now = of_now(
        leaving,
        generation(quiet, worker(7, calls=5, memory=7, providers={"one": WELL})),
        generation(worker(9)),
    )

    assert now["lightweight_generation",] == 3
    assert now["lightweight_calls_in_flight",] == 8
    assert now["lightweight_memory_bytes", "worker"] == 17
    assert now["lightweight_limits_unreachable",] == 1
    for state in ("starting", "serving", "leaving", "silent"):
        assert now["lightweight_workers", state] == 1
    # The one that leaves asks nobody any more.
    assert now["lightweight_provider_workers", "one", "closed"] == 1
    assert now["lightweight_provider_workers", "one", "open"] == 0


def test_who_keeps_the_books_tells_how_far_behind_they_are() -> None:
    books = figures.fares([generation(worker(4, journal_lag=2.5, memory=3))])
    told = {
        (each.metric, *each.labels): each.values[0]
        for each in figures.gauges(None, [], books)
    }
    assert told["lightweight_journal_lag_seconds",] == 2.5
    assert told["lightweight_memory_bytes", "books"] == 3
    assert ("lightweight_generation",) not in told


def test_the_parent_tells_its_memory() -> None:
    assert figures.of_parent().values[0] > 1_000_000
