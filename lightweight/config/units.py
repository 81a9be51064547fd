"""Durations, sizes and numbers of tokens as people write them."""

import re
from decimal import Decimal

from lightweight.config.words import mismatch, suggestion

_NUMBER = r"(\d{1,12}(?:\.\d{1,6})?)"
_DURATION = re.compile(
    rf"(?=.)(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?",
    re.ASCII,
)
_SECONDS = tuple(Decimal(s) for s in ("86400", "3600", "60", "1", "0.001"))
_LONGEST = 3660 * 86400
_QUANTITY = re.compile(_NUMBER + r" ?([A-Za-z]{0,16})", re.ASCII)
_SIZES = {
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}
_TOKENS = re.compile(_NUMBER + r"([KM]?)\+?", re.ASCII)
_MOST_TOKENS = 10**12
_MULTIPLES = {"": 1, "K": 1000, "M": 1_000_000}


def parse_duration(value: object) -> float:
    """Give the seconds of ``"250ms"``, ``"5s"``, ``"10m"``, ``"1h30m"``, ``"30d"``.

    Raises ValueError, whose text continues a sentence about the value; a number
    without a unit is refused, and so is anything above ten years.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise mismatch('a duration such as "5s"', value)
    if isinstance(value, int | float) or re.fullmatch(_NUMBER, value, re.ASCII):
        raise ValueError('must have a unit: write "5s" for five seconds')
    found = _DURATION.fullmatch(value)
    if found is None:
        raise ValueError(
            'must be a duration such as "250ms", "5s", "10m" or "1h30m" '
            "(units: d, h, m, s, ms; the largest first)"
        )
    parts = zip(found.groups(), _SECONDS, strict=True)
    seconds = sum(Decimal(number) * unit for number, unit in parts if number)
    if seconds > _LONGEST:
        raise ValueError("must be at most 3660d")
    return float(seconds)


def parse_size(value: object) -> int:
    """Give the bytes of ``"32MiB"``, ``"64 KiB"`` (of 1024), ``"1MB"`` (of 1000).

    Raises ValueError, whose text continues a sentence about the value.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise mismatch('a size such as "32MiB"', value)
    # A number is told the same as a string without a unit.
    found = _QUANTITY.fullmatch(value if isinstance(value, str) else "0")
    if found is None:
        raise ValueError('must be a size such as "32MiB" or "64 KiB"')
    number, unit = found.groups()
    if not unit:
        raise ValueError('must have a unit: write "32MiB" or "512B"')
    if unit not in _SIZES:
        hint = suggestion(unit, _SIZES)
        raise ValueError(f"unknown unit (known: {', '.join(_SIZES)}){hint}")
    return _whole(Decimal(number) * _SIZES[unit], "bytes")


def parse_tokens(value: object) -> int:
    """Give the tokens of ``"128K"`` (of 1000), ``"1M"``, ``"200K+"`` or ``131072``.

    A trailing ``+`` says "or more" and does not change the number. Raises ValueError,
    whose text continues a sentence about the value.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        tokens = value
    elif isinstance(value, str):
        found = _TOKENS.fullmatch(value)
        if found is None:
            raise ValueError(
                'must be a number of tokens such as "128K", "1M" or 131072'
            )
        number, multiple = found.groups()
        tokens = _whole(Decimal(number) * _MULTIPLES[multiple], "tokens")
    else:
        raise mismatch('a number of tokens such as "128K"', value)
    if not 1 <= tokens <= _MOST_TOKENS:
        raise ValueError("must be at least 1 token and at most 1000000M")
    return tokens


def _whole(amount: Decimal, what: str) -> int:
    """Give ``amount`` as an integer; raise ValueError where it has a fraction."""
    if amount != int(amount):
        raise ValueError(f"must be a whole number of {what}")
    return int(amount)
