"""What tokens cost, in whole micro-USD: sums of money are never floats."""

from collections.abc import Iterable

from lightweight.records import Price, Usage

FREE = Price(input=0, output=0)

_MILLION = 1_000_000


def cost_of(price: Price | None, usage: Usage) -> int | None:
    """Give what ``usage`` costs in micro-USD; None where there is no price.

    Rounded up once, for the whole call: a bill is never below what the tokens cost, and
    at most a millionth of a dollar above it.
    """
    if price is None:
        return None
    fresh = price.input
    exact = usage.fresh * fresh + (usage.answer + usage.reasoning) * price.output
    if usage.cached:
        exact += usage.cached * (fresh if price.cached is None else price.cached)
    if usage.cache_write:
        written = fresh if price.cache_write is None else price.cache_write
        exact += usage.cache_write * written
    return -(-exact // _MILLION)


def highest_cost(prices: Iterable[Price | None], usage: Usage) -> int | None:
    """Give what ``usage`` costs at the dearest of ``prices``; None: none is known."""
    highest: int | None = None
    for price in prices:
        cost = cost_of(price, usage)
        if cost is not None and (highest is None or cost > highest):
            highest = cost
    return highest


def dollars(micro_usd: int) -> str:
    """Give an amount as people write it, exactly: ``0.10``, ``12.345678``."""
    whole, rest = divmod(micro_usd, _MILLION)
    cents, finer = f"{rest:06d}"[:2], f"{rest:06d}"[2:].rstrip("0")
    return f"{whole}.{cents}{finer}"
