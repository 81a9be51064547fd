"""The simulation of many machines, small: always the same, full where it must be."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

SCALE = Path(__file__).parents[2] / "bench" / "scale.py"
COST_US = 200.0
AT_MOST = 1e6 / COST_US
"""What one Redis can decide in a second."""


@pytest.fixture(scope="module")
def scale() -> Any:
    spec = importlib.util.spec_from_file_location("scale", SCALE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Where dataclasses look for the annotations of their fields.
    sys.modules["scale"] = module
    spec.loader.exec_module(module)
    return module


def small(scale: Any, **changes: Any) -> Any:
    plan = {"machines": 10, "rate": 2000, "cost_us": COST_US, "accounts": 300}
    return scale.simulate(scale.Plan(**plan | changes))


def test_the_same_plan_gives_the_same(scale: Any) -> None:
    assert small(scale, seed=3, servers=4) == small(scale, seed=3, servers=4)
    assert small(scale, seed=3, servers=4) != small(scale, seed=4, servers=4)


def test_a_redis_with_little_to_do_decides_all_at_once(scale: Any) -> None:
    seen = small(scale, machines=1)
    assert seen.decided == seen.asked == seen.offered == 2000
    assert seen.busiest == pytest.approx(2000 / AT_MOST)
    assert seen.wait_p99_ms < 10


def test_a_redis_that_is_full_decides_what_it_can(scale: Any) -> None:
    seen = small(scale)
    assert seen.offered == 20_000
    assert seen.busiest == pytest.approx(20_000 / AT_MOST)
    # And what waits when the second is over: a tenth of one at most.
    assert AT_MOST <= seen.decided <= 1.11 * AT_MOST
    assert 90 < seen.wait_p99_ms <= 101


def test_servers_that_share_the_slots_carry_more_till_one_account_fills_its_own(
    scale: Any,
) -> None:
    one = small(scale, machines=40)
    many = small(scale, machines=40, servers=64)
    alike = small(scale, machines=40, servers=64, skew=0)
    assert one.decided < many.decided < alike.decided == alike.offered
    assert many.busiest > 1 > alike.busiest


def test_leases_save_calls_of_redis(scale: Any) -> None:
    exact, leased = small(scale, accounts=30), small(scale, accounts=30, lease=50)
    assert leased.asked < exact.asked / 4
    assert leased.decided == leased.offered > exact.decided


def test_it_prints_its_ladder(
    scale: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["scale.py", "--machines", "2", "--rate", "1000"])
    scale.main()
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(
        scale.ladder(scale.Plan())
    )
