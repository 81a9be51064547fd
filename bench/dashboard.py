"""The dashboard over a large ledger: how long its pages take, how many bytes they are.

    .venv/bin/python bench/dashboard.py [--uses 1000000] [--rounds 20]

Fills a SQLite ledger (200 accounts, 2 keys each, 8 models, 60 days), starts a real
daemon on it and asks each page over loopback as an operator, who sees all accounts.
"""

import argparse
import http.client
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.dashboard import Served, serving  # noqa: E402 -- found by the lines above

from lightweight.store.keys import digest  # noqa: E402
from lightweight.store.ledger import PARTS  # noqa: E402

ACCOUNTS, KEYS, MODELS, DAYS = 200, 2, 8, 60
PAGES = (
    *("", "usage", "usage?group=account", "usage?group=key", "requests"),
    *("requests?model=m7", "requests?model=m7&key=key_3_1", "requests?status=failed"),
    *("keys", "accounts"),
)
DAY_S = 86_400
SECRET = "bench-session"  # noqa: S105 -- of this run alone

USE = """
INSERT INTO uses (id, account_id, key_id, model, provider, upstream_model, dialect,
  stream, at, status, ending, fresh, cached, cache_write, answer, reasoning, provenance,
  micro_usd, first_byte_s, duration_s, attempts)
VALUES (?, ?, ?, ?, 'p', 'm', 'openai_chat', 1, ?, 200, 'finished', 900, 100, 0, 200, 0,
  'reported', 1234, 0.4, 2.5,
  '[{"provider":"p","model":"m","status":200,"fault":null,"seconds":2.5}]')
"""
ROLL_UP = """
INSERT INTO day_uses SELECT account_id, date(at, 'unixepoch'), key_id, model, count(*),
  0, sum(fresh), sum(cached), 0, sum(answer), 0, sum(micro_usd), 0
FROM uses GROUP BY 1, 2, 3, 4
"""
TOTALS = """
INSERT INTO day_totals SELECT ?, day, {column}, sum(succeeded), sum(failed), sum(fresh),
  sum(cached), 0, sum(answer), 0, sum(micro_usd), 0
FROM day_uses GROUP BY day, {column}
"""


def uses(count: int, now: float) -> Iterator[tuple[object, ...]]:
    """Give rows that are spread evenly over accounts, keys, models and days."""
    for number in range(count):
        account = number % ACCOUNTS
        key = number // ACCOUNTS % KEYS
        model = number // (ACCOUNTS * KEYS) % MODELS
        at = now - DAYS * DAY_S * (number / count)
        yield (
            f"req_{number:08}",
            f"acct_{account}",
            f"key_{account}_{key}",
            f"m{model}",
            at,
        )


def fill(database: Path, pepper: bytes, count: int) -> int:
    """Fill the ledger, and sign an operator in; give the rows of the roll-up."""
    now = time.time()  # noqa: TID251 -- a script
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA synchronous = OFF")
    connection.executemany(USE, uses(count, now))
    connection.execute(ROLL_UP)
    for kind, column in PARTS.items():
        connection.execute(TOTALS.format(column=column), (kind,))
    connection.execute(
        "INSERT INTO people (id, name, role, password, created_at, disabled) "
        "VALUES ('person_bench', 'bench', 'operator', 'x', ?, 0)",
        (now,),
    )
    connection.execute(
        "INSERT INTO sessions (digest, person_id, created_at, seen_at) "
        "VALUES (?, 'person_bench', ?, ?)",
        (digest(pepper, SECRET), now, now),
    )
    connection.commit()
    (rows,) = connection.execute("SELECT count(*) FROM day_uses").fetchone()
    connection.close()
    return int(rows)


def asked(served: Served, path: str) -> tuple[float, int]:
    """Give the seconds until a page was there, and its bytes."""
    connection = http.client.HTTPConnection(urlsplit(served.root).netloc, timeout=60)
    began = time.perf_counter()
    connection.request("GET", f"/dashboard/{path}", headers={"Cookie": f"lw={SECRET}"})
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - began
    connection.close()
    if answer.status != http.client.OK:
        raise SystemExit(f"/{path} answered {answer.status}")
    return took, len(body)


def main() -> None:
    """Print a line for each page."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--uses", type=int, default=1_000_000)
    words.add_argument("--rounds", type=int, default=20)
    given = words.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(Path(directory)) as served,
    ):
        state = Path(directory) / "state"
        pepper = (state / "pepper").read_bytes().strip()
        rows = fill(state / "lightweight.db", pepper, given.uses)
        print(f"{given.uses} uses, {rows} rows of sums by day")
        print(f"{'page':32} {'first ms':>9} {'median':>9} {'worst':>9} {'KiB':>6}")
        for path in PAGES:
            first, _ = asked(served, path)
            took, sizes = zip(
                *(asked(served, path) for _ in range(given.rounds)), strict=True
            )
            median, worst = 1000 * statistics.median(took), 1000 * max(took)
            size = sizes[0] / 1024
            figures = f"{1000 * first:9.1f} {median:9.1f} {worst:9.1f} {size:6.1f}"
            print(f"/{path:31} {figures}")


if __name__ == "__main__":
    main()
