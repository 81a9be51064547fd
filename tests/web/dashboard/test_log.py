"""The request log and the waterfall."""

import re
from typing import Any

import pytest
from msgspec.structs import replace
from support.gateway import EPOCH
from support.offices import Desk
from support.people import trail
from support.uses import ASKED, use
from support.visits import Visitor, recorded, said, visitor

from lightweight.records import Kept
from lightweight.store import wanted as filters
from lightweight.store.connect import Connection
from lightweight.store.kept import keep_prompts, record_kept
from lightweight.store.people import signature
from lightweight.web.dashboard.log import PAGE, waterfall


async def logged(desk: Desk, count: int = 3) -> Visitor:
    acme = await desk.account("acme")
    await recorded(
        desk,
        *(use(f"req_{n}", at=EPOCH - n, account_id=acme.id) for n in range(count)),
        use("req_bad", at=EPOCH - 0.5, account_id=acme.id, ending="failed", status=502),
        use("req_other", at=EPOCH, account_id="acct_other"),
    )
    return await visitor(desk, "member", acme)


def links(body: bytes) -> list[str]:
    return re.findall(r'href="/dashboard/requests/(req_\w+)"', body.decode())


async def test_the_newest_first_and_only_ones_own(desk: Desk) -> None:
    ann = await logged(desk)
    answer = await ann.get("/requests")
    assert links(answer.body) == ["req_0", "req_bad", "req_1", "req_2"]
    assert "Older" not in said(answer)


async def test_pages_follow_each_other(desk: Desk) -> None:
    ann = await logged(desk, PAGE + 5)
    first = await ann.get("/requests?status=ok")
    older = re.search(
        r'href="/dashboard(/requests\?[^"]*after=[^"]+)"', first.body.decode()
    )
    assert older is not None
    second = await ann.get(older[1].replace("&amp;", "&"))
    seen = links(first.body) + links(second.body)
    assert seen == [f"req_{n}" for n in range(PAGE + 5)]
    assert "Older" not in said(second)


async def test_filters(desk: Desk) -> None:
    ann = await logged(desk)
    assert links((await ann.get("/requests?status=failed")).body) == ["req_bad"]
    assert links((await ann.get("/requests?model=gpt")).body)
    nothing = await ann.get("/requests?model=other")
    assert "Nothing fits these filters" in said(nothing)
    for wrong in ("status=x", "after=x"):
        assert (await ann.get(f"/requests?{wrong}")).status == 400


async def test_the_key_of_another_account_tells_nothing_of_its_uses(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "SCANNED", 1)
    acme, other = await desk.account("acme"), await desk.account("other")
    ours, theirs = await desk.key(acme), await desk.key(other)
    for key in (ours, theirs):
        owned: dict[str, Any] = {"account_id": key.account_id, "key_id": key.id}
        await recorded(
            desk, *(use(f"{key.id}_{n}", at=EPOCH - n, **owned) for n in range(3))
        )
    ann = await visitor(desk, "member", acme)
    hidden = await ann.text(f"/requests?key={theirs.id}&status=failed")
    assert "Nothing fits these filters" in hidden
    assert "back to" not in hidden
    shown = await ann.text(f"/requests?key={ours.id}&status=failed")
    assert "Looked at 1 request, back to 2026-11-22 10:30:00" in shown


async def test_an_id_leads_to_its_request(desk: Desk) -> None:
    ann = await logged(desk)
    answer = await ann.get("/requests?id=req_1")
    assert answer.headers["location"] == "/dashboard/requests/req_1"
    assert (await ann.get("/requests?id=req_other")).status == 404
    assert (await ann.get("/requests/req_other")).status == 404


async def test_one_request(desk: Desk) -> None:
    ann = await logged(desk)
    text = await ann.text("/requests/req_1")
    assert "1 attempt in 1.50 s" in text
    assert "15 tokens, 5 from cache" in text
    assert "what the provider reported" in text
    assert "$0.00012" in text


def test_attempts_follow_each_other_and_end_with_the_call() -> None:
    first = replace(ASKED, provider="a", seconds=0.5, fault="It failed.", status=500)
    made = use("r", duration_s=2.0, attempts=(first, ASKED))
    assert [(bar.provider, bar.start, bar.width) for bar in waterfall(made)] == [
        ("a", 0.0, 25.0),
        ("openai", 25.0, 75.0),
    ]


@pytest.mark.parametrize("duration", [0.0, 0.4])
def test_clocks_that_disagree_are_drawn_all_the_same(duration: float) -> None:
    for bar in waterfall(use("r", duration_s=duration, attempts=(ASKED, ASKED))):
        assert 0 <= bar.start <= bar.start + bar.width <= 100


async def test_what_was_said_is_read_by_owners_and_operators(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    made = use("req_1", at=EPOCH, account_id=acme.id, key_id=key.id)
    kept = Kept(
        request_id="req_1",
        key_id=key.id,
        at=EPOCH,
        prompt="<b>the question</b>",
        prompt_bytes=19,
        answer="the answ",
        answer_bytes=70_000,
    )

    def work(connection: Connection) -> None:
        keep_prompts(connection, key.id, 7, now=EPOCH, who="boss")
        record_kept(connection, [kept], EPOCH)

    await recorded(desk, made)
    await desk.office.database.run(work)
    readers = [
        await visitor(desk, "owner", acme, name="olga"),
        await visitor(desk, "operator", acme, name="boss"),
    ]
    for reader in readers:
        page = await reader.get("/requests/req_1")
        assert b"&lt;b&gt;the question&lt;/b&gt;" in page.body
        assert "the answ" in said(page)
        assert "Answer 70,000 bytes, cut after 8" in said(page)
        assert "Operators and the owners of acme can read them" in said(page)
        assert "Kept until 2026-11-29" in said(page)
    ann = await visitor(desk, "member", acme, name="max")
    text = await ann.text("/requests/req_1")
    assert "the question" not in text
    assert "The prompt and the answer are kept until 2026-11-29" in text
    other = await visitor(desk, "owner", await desk.account("other"), name="eve")
    assert (await other.get("/requests/req_1")).status == 404
    entries = await desk.office.database.read(trail)
    assert [entry for entry in entries if entry[1] == "prompt.read"] == [
        (signature(reader.person), "prompt.read", "req_1") for reader in readers
    ]
