"""How many of a thing, in words."""

import pytest

from lightweight.amounts import counted


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 models"),
        (1, "1 model"),
        (2, "2 models"),
        (1001, "1,001 models"),
    ],
)
def test_one_is_not_many(number: int, said: str) -> None:
    assert counted(number, "model") == said
