"""The bill on a page and as a file."""

import csv
import io
from typing import Any

import pytest
from support.gateway import EPOCH
from support.offices import Desk
from support.uses import DAY, use
from support.visits import Visitor, recorded, said, visitor

from lightweight.store.api_keys import create_key
from lightweight.web.dashboard import usage


async def used(desk: Desk) -> Visitor:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    of_acme: dict[str, Any] = {"account_id": acme.id, "key_id": key.id}
    await recorded(
        desk,
        use("a", at=EPOCH, **of_acme),
        use("b", at=EPOCH - DAY, model="other", micro_usd=5_000_000, **of_acme),
        use("c", at=EPOCH - DAY, model="other", micro_usd=None, **of_acme),
        use("d", at=EPOCH, account_id="acct_gone", key_id="key_gone"),
    )
    return await visitor(desk, "member", acme)


async def test_rows_are_the_largest_first(desk: Desk) -> None:
    ann = await used(desk)
    text = await ann.text("/usage?metric=usd")
    assert text.index("other 2 0") < text.index("gpt 1 0")
    assert "$5.00" in text
    assert "1 call without a price" in text


async def test_every_grouping(desk: Desk) -> None:
    ann = await used(desk)
    assert "2026-11-22 1 0" in await ann.text("/usage?group=day")
    assert "ci 3 0" in await ann.text("/usage?group=key")
    assert (await ann.get("/usage?group=account")).status == 400
    operator = await visitor(desk, name="boss")
    text = await operator.text("/usage?group=account")
    assert "acme 3 0" in text
    assert "acct_gone 1 0" in text


@pytest.mark.parametrize(
    "query",
    ["start=never", "end=0", "start=2026-11-22&end=2026-11-01", "group=x", "metric=x"],
)
async def test_a_wrong_filter_is_told(desk: Desk, query: str) -> None:
    answer = await (await visitor(desk)).get(f"/usage?{query}")
    assert answer.status == 400
    assert "That did not work" in said(answer)


async def test_a_period_without_use_says_what_to_do(desk: Desk) -> None:
    ann = await used(desk)
    text = await ann.text("/usage?start=2026-01-01&end=2026-01-31")
    assert "Nothing was used in this period" in text


async def test_the_files_have_the_rows_of_the_page(desk: Desk) -> None:
    ann = await used(desk)
    answer = await ann.get("/usage.csv?group=model&metric=tokens")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [(row["model"], row["requests"]) for row in rows] == [
        ("other", "2"),
        ("gpt", "1"),
    ]
    assert rows[0]["cost_usd"] == "5.00"
    assert rows[0]["unpriced_requests"] == "1"
    assert "attachment" in answer.headers["content-disposition"]
    body = (await ann.get("/usage.json?group=day")).json()
    assert (body["start"], body["end"]) == ("2026-10-24", "2026-11-22")
    assert [(row["day"], row["requests"]) for row in body["rows"]] == [
        ("2026-11-22", 1),
        ("2026-11-21", 2),
    ]


async def test_a_spreadsheet_takes_no_name_for_a_formula(desk: Desk) -> None:
    acme = await desk.account("acme")
    await desk.office.database.run(
        lambda c: create_key(
            c,
            key_id="key_evil",
            account=acme.id,
            name="=HYPERLINK(1)",
            secret="lw-" + "e" * 49,
            pepper=desk.office.pepper,
            now=EPOCH,
            who="test",
        )
    )
    await recorded(desk, use("a", at=EPOCH, account_id=acme.id, key_id="key_evil"))
    ann = await visitor(desk, "member", acme)
    answer = await ann.get("/usage.csv?group=key")
    assert b"\r\n'=HYPERLINK(1),1," in answer.body


async def test_a_page_shows_so_many_parts_and_a_file_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "ROWS", 1)
    ann = await used(desk)
    text = await ann.text("/usage?metric=requests")
    assert "other 2 0" in text
    assert "Other 1 0" in text
    rows = (await ann.get("/usage.json?metric=requests")).json()["rows"]
    assert [row["model"] for row in rows] == ["other", "gpt"]
