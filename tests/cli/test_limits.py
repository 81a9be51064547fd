from decimal import Decimal

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.cli.limits import (
    chosen_limits,
    dollars,
    limits_described,
    limits_in_words,
    micro_usd,
    number,
)
from lightweight.records import Limits


def test_options_become_limits() -> None:
    texts = {"rpm": "60", "tpm": None, "quota_tokens": "none", "quota_micro_usd": "9.5"}
    assert chosen_limits(texts) == {
        "rpm": 60,
        "quota_tokens": None,
        "quota_micro_usd": 9_500_000,
    }


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("rpm", "many", "--rpm must be a whole number such as 100."),
        ("rpm", "1.5", "--rpm must be a whole number such as 100."),
        ("tpm", "-1", "--tpm must be a whole number such as 100."),
        ("tpm", "٣", "--tpm must be a whole number such as 100."),
        ("concurrency", "0", "--concurrency must be at least 1"),
        (
            "quota_tokens",
            "1" + "0" * 16,
            "--quota-tokens must be at least 1 and at most",
        ),
        ("quota_micro_usd", "x", "--quota-usd must be dollars such as"),
        ("quota_micro_usd", "0.0000001", "--quota-usd must not be finer than"),
        ("quota_micro_usd", "0", "--quota-usd must be above 0"),
    ],
)
def test_what_is_no_limit_is_one_sentence(field: str, text: str, told: str) -> None:
    with pytest.raises(click.ClickException) as caught:
        chosen_limits({field: text})
    assert caught.value.message.startswith(told)
    assert caught.value.message.endswith(".")


def test_single_options() -> None:
    assert number("--tokens", "1000") == 1000
    assert micro_usd("--usd", "0.000001") == 1


@pytest.mark.parametrize(
    ("millionths", "text"),
    [
        (10_500_000, "10.50"),
        (1, "0.000001"),
        (1_000_000, "1.00"),
        (123_456, "0.123456"),
        (10**15, "1000000000.00"),
    ],
)
def test_dollars_are_exact(millionths: int, text: str) -> None:
    assert dollars(millionths) == text


@given(st.integers(1, 10**15))
def test_dollars_are_read_as_they_were_written(millionths: int) -> None:
    text = dollars(millionths)
    assert Decimal(text) * 10**6 == millionths
    assert micro_usd("--usd", text) == millionths


def test_limits_are_described_for_scripts_and_people() -> None:
    described = limits_described(
        Limits(rpm=5, quota_tokens=7, quota_micro_usd=10**7, prepaid=True)
    )
    assert described == {
        "rpm": 5,
        "tpm": None,
        "concurrency": None,
        "quota_tokens": 7,
        "quota_usd": "10.00",
        "prepaid": True,
    }
    assert limits_in_words(described) == (
        "rpm 5, quota_tokens 7, quota_usd 10.00, prepaid"
    )
    assert limits_in_words(limits_described(Limits())) == "-"
