"""Limits as operators write and read them: numbers, dollars, "none" for no limit."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
from msgspec.structs import asdict

from lightweight.cli.output import NOTHING
from lightweight.config import values
from lightweight.records import Limits

Command = TypeVar("Command", bound=Callable[..., Any])

NONE = "none"

_MICRO = 10**6
_CENTS = 2

_OPTIONS = {
    "rpm": ("--rpm", "Requests in any 60 seconds."),
    "tpm": ("--tpm", "Tokens in any 60 seconds."),
    "concurrency": ("--concurrency", "Calls at the same time."),
    "quota_tokens": ("--quota-tokens", "Tokens in a calendar month, UTC."),
    "quota_micro_usd": ("--quota-usd", "US dollars in a calendar month, UTC."),
}
"""The option of each number of ``Limits``, and what it says."""


def limit_options(command: Command) -> Command:
    """Give a command the options that ``chosen_limits`` reads."""
    for field, (option, told) in reversed(_OPTIONS.items()):
        command = click.option(option, field, metavar="N", help=told)(command)
    return command


def chosen_limits(texts: Mapping[str, str | None]) -> dict[str, int | None]:
    """Give the limits that options set, by the names of ``Limits``.

    ``texts`` has every option, None where it was not given; "none" gives None. Raises
    ClickException.
    """
    return {
        field: None if text == NONE else _amount(field, text)
        for field, text in texts.items()
        if text is not None
    }


def number(option: str, text: str) -> int:
    """Give the whole number that an option says. Raises ClickException."""
    return _told(_whole, option, text)


def micro_usd(option: str, text: str) -> int:
    """Give the millionths of the dollars that an option says. Raises ClickException."""
    return _told(values.micro_usd, option, text)


def _amount(field: str, text: str) -> int:
    option, _ = _OPTIONS[field]
    read = micro_usd if field == "quota_micro_usd" else number
    return read(option, text)


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError("must be a whole number such as 100")
    return values.limit(int(text))


def _told(parse: Callable[[str], int], option: str, text: str) -> int:
    try:
        return parse(text)
    except ValueError as problem:
        raise click.ClickException(f"{option} {problem}.") from problem


def dollars(millionths: int) -> str:
    """Give dollars, exactly, with two decimals or as many as it takes: ``10.50``."""
    whole, rest = divmod(millionths, _MICRO)
    decimals = f"{rest:06}".rstrip("0").ljust(_CENTS, "0")
    return f"{whole}.{decimals}"


def limits_described(limits: Limits) -> dict[str, object]:
    """Give limits for JSON: dollars as a decimal string, null for no limit."""
    described: dict[str, object] = asdict(limits)
    described["quota_usd"] = (
        None if limits.quota_micro_usd is None else dollars(limits.quota_micro_usd)
    )
    del described["quota_micro_usd"]
    described["prepaid"] = described.pop("prepaid")  # last, as it is about the quotas
    return described


def limits_in_words(described: Mapping[str, object]) -> str:
    """Give what ``limits_described`` gave in one line: ``rpm 60, quota_usd 5.00``."""
    told = [
        name if value is True else f"{name} {value}"
        for name, value in described.items()
        if value
    ]
    return ", ".join(told) or NOTHING
