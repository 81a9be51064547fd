"""Which credential is shown."""

from lightweight.policy.key_pool import KeyPool


def test_the_first_serves_until_it_rests() -> None:
    pool = KeyPool(3)
    assert [pool.choose(0), pool.choose(1)] == [0, 0]
    pool.rest(0, 10, 1)
    assert (pool.choose(2), pool.wait(2)) == (1, 0)
    pool.rest(1, 3, 2)
    assert pool.choose(2) == 2
    assert pool.choose(5) == 1
    assert pool.choose(11) == 0


def test_where_all_rest_the_one_that_wakes_first_serves() -> None:
    pool = KeyPool(2)
    pool.rest(0, 10, 0)
    pool.rest(1, 4, 0)
    assert (pool.choose(1), pool.wait(1)) == (1, 3)
