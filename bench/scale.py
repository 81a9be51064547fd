"""Many machines that share limits in Redis, simulated: where it is full, what helps.

    .venv/bin/python bench/scale.py [--machines 100] [--rate 10000] [--cost-us 140]

Time goes in ticks of ten milliseconds. In each, every machine has its requests, whose
accounts are drawn by Zipf's law; each request is work of ``cost_us`` (admission and
end, as lua_cost.py measures) for the one Redis that has its account's hash slot. Whom
that Redis would let wait for more than 100 ms it does not decide: there the gateway's
guard opens.

A *lease* is what the gateway does NOT do today: a machine takes several requests of an
account at once and spends them by itself, for a second at most. It trades exactness
for calls of Redis: see docs/scale.md.
"""

import argparse
import random
import zlib
from dataclasses import dataclass
from itertools import accumulate

TICK_S = 0.01
PATIENCE_S = 0.1
LEASE_TICKS = 100
"""A second."""
SLOTS = 16_384
"""Hash slots of a Redis cluster; each belongs to one of its servers."""


@dataclass(frozen=True)
class Plan:
    """What is simulated."""

    machines: int = 100
    rate: int = 10_000
    """Requests a second of each machine."""
    cost_us: float = 140.0
    """Of Redis' CPU for one request: its admission and its end."""
    servers: int = 1
    """Redis servers that share the slots."""
    lease: int = 1
    """Requests taken at once; 1 is exact."""
    accounts: int = 10_000
    skew: float = 1.0
    """Zipf's exponent: 0 for accounts that ask alike."""
    seconds: float = 1.0
    seed: int = 1


@dataclass(frozen=True)
class Seen:
    """What came of it."""

    offered: int
    """Requests in all."""
    decided: int
    """Those that Redis, or a lease of it, decided."""
    asked: int
    """Calls of Redis."""
    busiest: float
    """The work that the busiest server is given, as a share of what it can do."""
    wait_p50_ms: float
    wait_p99_ms: float
    """Of the requests that asked Redis and were decided."""


def simulate(plan: Plan) -> Seen:
    """Run a plan to its end; the same plan always gives the same."""
    chance = random.Random(plan.seed)  # noqa: S311 -- a simulation
    accounts = range(plan.accounts)
    weights = list(accumulate(1 / (rank + 1) ** plan.skew for rank in accounts))
    server_of = [
        zlib.crc32(b"acct_%d" % at) % SLOTS * plan.servers // SLOTS for at in accounts
    ]
    backlog = [0.0] * plan.servers
    work = [0.0] * plan.servers
    held: dict[tuple[int, int], tuple[int, int]] = {}
    """What a machine has left of an account's lease, and the tick of its end."""
    waits: list[float] = []
    offered = decided = asked = 0
    cost = plan.cost_us / 1e6
    each = plan.machines * plan.rate * TICK_S
    for tick in range(round(plan.seconds / TICK_S)):
        for account in chance.choices(accounts, cum_weights=weights, k=round(each)):
            offered += 1
            holder = (chance.randrange(plan.machines), account)
            left, end = held.get(holder, (0, 0))
            if left and tick < end:
                held[holder] = (left - 1, end)
                decided += 1
                continue
            server = server_of[account]
            work[server] += cost
            if backlog[server] > PATIENCE_S:
                continue
            if plan.lease > 1:
                held[holder] = (plan.lease - 1, tick + LEASE_TICKS)
            asked += 1
            decided += 1
            waits.append(backlog[server])
            backlog[server] += cost
        backlog = [max(0.0, late - TICK_S) for late in backlog]
    waits.sort()
    return Seen(
        offered=offered,
        decided=decided,
        asked=asked,
        busiest=max(work) / plan.seconds,
        wait_p50_ms=_at(waits, 0.5),
        wait_p99_ms=_at(waits, 0.99),
    )


def _at(ordered: list[float], share: float) -> float:
    return 1000 * ordered[int(share * (len(ordered) - 1))] if ordered else 0.0


def ladder(plan: Plan) -> list[tuple[str, Plan]]:
    """Give the plans to compare: the whole load, with more and more help."""

    def made(name: str, **changes: int) -> tuple[str, Plan]:
        return name, Plan(**{**vars(plan), **changes})

    return [
        made("one machine, one Redis", machines=1),
        made("all machines, one Redis"),
        made("16 servers share the slots", servers=16),
        made("256 servers share the slots", servers=256),
        made("one Redis, leases of 100", lease=100),
        made("16 servers, leases of 100", servers=16, lease=100),
        made("256 servers, leases of 100", servers=256, lease=100),
    ]


def main() -> None:
    """Print a line for each plan."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--machines", type=int, default=Plan.machines)
    words.add_argument("--rate", type=int, default=Plan.rate)
    words.add_argument("--cost-us", type=float, default=Plan.cost_us)
    words.add_argument("--skew", type=float, default=Plan.skew)
    words.add_argument("--seed", type=int, default=Plan.seed)
    plan = Plan(**vars(words.parse_args()))
    print(
        f"One Redis decides {1e6 / plan.cost_us:.0f} requests a second at most; "
        f"{plan.machines} machines offer {plan.machines * plan.rate}."
    )
    print(
        f"{'':30}{'offered/s':>12}{'decided':>10}{'asked/s':>12}{'busiest':>10}"
        f"{'p50 ms':>9}{'p99 ms':>9}"
    )
    for name, each in ladder(plan):
        seen = simulate(each)
        print(
            f"{name:30}{seen.offered / each.seconds:12.0f}"
            f"{100 * seen.decided / seen.offered:9.1f}%"
            f"{seen.asked / each.seconds:12.0f}{100 * seen.busiest:9.0f}%"
            f"{seen.wait_p50_ms:9.2f}{seen.wait_p99_ms:9.2f}"
        )


if __name__ == "__main__":
    main()
