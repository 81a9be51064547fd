import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.config.units import parse_duration, parse_size, parse_tokens


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("0s", 0.0),
        ("5s", 5.0),
        ("1.5s", 1.5),
        ("1.1s", 1.1),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("30d", 2592000.0),
        ("1d1h1m1s1ms", 90061.001),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


SHAPE = (
    'must be a duration such as "250ms", "5s", "10m" or "1h30m" '
    "(units: d, h, m, s, ms; the largest first)"
)
UNIT = 'must have a unit: write "5s" for five seconds'


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, UNIT),
        (0.5, UNIT),
        ("30", UNIT),
        (True, 'must be a duration such as "5s", not a boolean'),
        (["5s"], 'must be a duration such as "5s", not an array'),
        ("", SHAPE),
        ("5 s", SHAPE),
        ("5S", SHAPE),
        ("-5s", SHAPE),
        ("5s1m", SHAPE),
        ("5minutes", SHAPE),
        ("\u0665s", SHAPE),
        ("5s\n", SHAPE),
        ("99999d", "must be at most 3660d"),
    ],
)
def test_what_is_no_duration(value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_duration(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("32MiB", 33554432),
        ("64 KiB", 65536),
        ("1MB", 1000000),
        ("1.5KiB", 1536),
        ("512B", 512),
        ("2GiB", 2147483648),
        ("3KB", 3000),
        ("1GB", 1000000000),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


KNOWN = "unknown unit (known: B, KB, MB, GB, KiB, MiB, GiB)"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (4096, 'must have a unit: write "32MiB" or "512B"'),
        ("1024", 'must have a unit: write "32MiB" or "512B"'),
        ("32mib", KNOWN + ", did you mean 'MiB'?"),
        ("1 parsec", KNOWN),
        ("0.3B", "must be a whole number of bytes"),
        ("much", 'must be a size such as "32MiB" or "64 KiB"'),
        (1.5, 'must be a size such as "32MiB", not a float'),
        (False, 'must be a size such as "32MiB", not a boolean'),
    ],
)
def test_what_is_no_size(value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_size(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        ("128K", 128_000),
        ("1M", 1_000_000),
        ("1M+", 1_000_000),
        ("200K+", 200_000),
        ("1.05M", 1_050_000),
        ("65536", 65536),
        (131072, 131072),
    ],
)
def test_tokens(value: object, tokens: int) -> None:
    assert parse_tokens(value) == tokens


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("128k", 'must be a number of tokens such as "128K", "1M" or 131072'),
        ("lots", 'must be a number of tokens such as "128K", "1M" or 131072'),
        (128.5, 'must be a number of tokens such as "128K", not a float'),
        (True, 'must be a number of tokens such as "128K", not a boolean'),
        ("1.0005K", "must be a whole number of tokens"),
        (0, "must be at least 1 token and at most 1000000M"),
        pytest.param(
            16**5000, "must be at least 1 token and at most 1000000M", id="huge"
        ),
    ],
)
def test_what_is_no_number_of_tokens(value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_tokens(value)
    assert str(caught.value) == message


@given(st.text() | st.from_regex(r"[0-9.]{0,20} ?[A-Za-z]{0,4}\+?"))
def test_any_text_is_a_number_or_a_value_error(text: str) -> None:
    for parse in (parse_duration, parse_size, parse_tokens):
        try:
            assert parse(text) >= 0
        except ValueError as error:
            assert str(error).startswith(("must", "unknown unit"))
