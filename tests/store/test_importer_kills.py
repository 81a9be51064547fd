"""Whoever is killed when: what was acknowledged is in the ledger, once.

Writers acknowledge a use after its finish was recorded, as the gateway tells a client
that its answer is complete. They and the importer are killed at random; in the end
everything is imported and counted.
"""

from pathlib import Path

import pytest
from support.killed import WRITERS, Remains, kill_at_random


def check(remains: Remains, kills: int) -> None:
    assert remains.acknowledged > 100
    assert remains.lost == set()
    assert remains.wrong == set()
    assert remains.adds_up
    # A writer may die between recording an end and acknowledging it.
    assert remains.recorded - remains.acknowledged <= kills + WRITERS
    # Five calls were always open.
    assert 0 < remains.aborted <= 6 * (kills + WRITERS)


@pytest.mark.timeout(300)
def test_kills_at_random_lose_and_double_nothing(
    tmp_path: Path, store_url: str
) -> None:
    remains = kill_at_random(
        tmp_path, store_url, writer_kills=4, importer_kills=2, seed=20261122
    )
    check(remains, kills=4)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_kills_lose_and_double_nothing(tmp_path: Path, store_url: str) -> None:
    remains = kill_at_random(
        tmp_path, store_url, writer_kills=50, importer_kills=20, seed=7
    )
    print(remains)  # noqa: T201 -- the figures are what a soak is run for
    check(remains, kills=50)
