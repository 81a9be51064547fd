from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from support.opened import NOW, OpenedState

from lightweight.cli.accounts import accounts
from lightweight.cli.keys import SHOWN_ONCE, keys
from lightweight.store.connect import reading
from lightweight.store.keys import digest, plausible, shown
from lightweight.store.schema import keys as rows

DAY = 86400
NONE = {
    "rpm": None,
    "tpm": None,
    "concurrency": None,
    "quota_tokens": None,
    "quota_usd": None,
    "prepaid": False,
}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedState]:
    """Has the account acme, ``acct_1``: the first key will be ``key_2``."""
    state = OpenedState(tmp_path)
    state.said(accounts, "create", "acme", "--tier", "pro")
    yield state
    state.close()


def stored_digest(opened: OpenedState, key_id: str) -> object:
    with reading(opened.engine()) as connection:
        return connection.execute(
            select(rows.c.digest).where(rows.c.id == key_id)
        ).scalar_one()


def test_create_gives_the_key_that_was_stored(opened: OpenedState) -> None:
    made = opened.json(keys, "create", "--account", "acme")
    assert plausible(made["key"])
    assert stored_digest(opened, "key_2") == digest(opened.pepper(), made["key"])
    assert made == {
        "id": "key_2",
        "key": made["key"],
        "account": "acme",
        "account_id": "acct_1",
        "name": "",
        "shown": shown(made["key"]),
        "state": "active",
        "created_at": "2026-11-01T00:00:00Z",
        "expires_at": None,
        "revoked_at": None,
        "models": None,
        "limits": NONE,
        "keep_prompts_days": None,
    }


def test_create_takes_all_options(opened: OpenedState) -> None:
    options = ("--name", "ci", "--models", "b, a,", "--expires", "30d")
    made = opened.json(keys, "create", "--account", "acct_1", *options)
    assert (made["name"], made["models"]) == ("ci", ["a", "b"])
    assert made["expires_at"] == "2026-12-01T00:00:00Z"


def test_create_tells_people_to_keep_it(opened: OpenedState) -> None:
    text = opened.said(keys, "create", "--account", "acme", "--models", "a,b")
    first, second, *_, last = text.splitlines()
    assert first.split() == ["id", "key_2"]
    assert second.split()[0] == "key"
    assert plausible(second.split()[1])
    assert "models      a, b" in text
    assert last == SHOWN_ONCE


def test_no_other_command_shows_a_secret(opened: OpenedState) -> None:
    secret = opened.json(keys, "create", "--account", "acme")["key"]
    for command in (["list"], ["show", "key_2"], ["revoke", "key_2"]):
        for more in ([], ["--json"]):
            text = opened.said(keys, *command, *more)
            assert shown(secret) in text
            assert secret not in text
            assert '"key"' not in text


def test_list_shows_states(opened: OpenedState) -> None:
    for name in ("active", "expired", "revoked", "rotated"):
        options = ["--expires", "1d"] if name == "expired" else []
        opened.said(keys, "create", "--account", "acme", "--name", name, *options)
    opened.said(keys, "revoke", "key_4")
    opened.said(keys, "rotate", "key_5", "--grace", "3d")
    opened.time = NOW + DAY
    found = {each["id"]: each["state"] for each in opened.json(keys, "list")}
    assert found == {
        "key_2": "active",
        "key_3": "expired",
        "key_4": "revoked",
        "key_5": "rotated",
        "key_6": "active",
    }
    table = [line.split() for line in opened.said(keys, "list").splitlines()]
    assert table[0][:5] == ["ID", "ACCOUNT", "NAME", "KEY", "STATE"]
    assert table[1][:3] == ["key_2", "acme", "active"]
    assert table[1][4:] == ["active", "2026-11-01T00:00:00Z", "-", "all", "-"]


def test_list_can_show_one_account(opened: OpenedState) -> None:
    opened.said(accounts, "create", "other", "--tier", "pro")
    opened.said(keys, "create", "--account", "acme")
    opened.said(keys, "create", "--account", "other")
    assert [k["id"] for k in opened.json(keys, "list")] == ["key_3", "key_4"]
    assert [k["id"] for k in opened.json(keys, "list", "--account", "other")] == [
        "key_4"
    ]
    assert "no account" in opened.refused(keys, "list", "--account", "nobody")


def test_show_gives_one(opened: OpenedState) -> None:
    made = opened.json(keys, "create", "--account", "acme", "--name", "ci")
    del made["key"]
    assert opened.json(keys, "show", "key_2") == made
    assert "name        ci\n" in opened.said(keys, "show", "key_2")


def test_a_key_has_limits_of_its_own_and_passes_them_on(opened: OpenedState) -> None:
    options = ("--rpm", "5", "--quota-usd", "1")
    made = opened.json(keys, "create", "--account", "acme", *options)
    assert made["limits"] == {**NONE, "rpm": 5, "quota_usd": "1.00"}
    changed = opened.json(keys, "set", "key_2", "--rpm", "none", "--tpm", "7")
    assert changed["limits"] == {**NONE, "tpm": 7, "quota_usd": "1.00"}
    assert opened.json(keys, "show", "key_2") == changed
    assert "limits      tpm 7, quota_usd 1.00\n" in opened.said(keys, "show", "key_2")
    assert opened.json(keys, "rotate", "key_2")["limits"] == changed["limits"]
    assert "Nothing was changed" in opened.refused(keys, "set", "key_2")
    assert "--rpm must be" in opened.refused(keys, "set", "key_2", "--rpm", "x")
    assert "no key" in opened.refused(keys, "set", "key_9", "--rpm", "1")


def test_rotate_gives_a_successor(opened: OpenedState) -> None:
    old = opened.json(keys, "create", "--account", "acme", "--name", "ci")
    new = opened.json(keys, "rotate", "key_2")
    assert plausible(new["key"])
    assert new["key"] != old["key"]
    assert (new["id"], new["name"], new["account"]) == ("key_3", "ci", "acme")
    assert new["replaces"] == {"id": "key_2", "ends_at": "2026-11-02T00:00:00Z"}
    assert stored_digest(opened, "key_3") == digest(opened.pepper(), new["key"])
    revoked_at = opened.json(keys, "show", "key_2")["revoked_at"]
    assert revoked_at == "2026-11-02T00:00:00Z"


def test_rotate_tells_people_when_the_old_key_ends(opened: OpenedState) -> None:
    opened.said(keys, "create", "--account", "acme", "--expires", "12h")
    text = opened.said(keys, "rotate", "key_2", "--grace", "7d")
    assert text.endswith(
        f"{SHOWN_ONCE}\n"
        "The key key_2 that it replaces works until 2026-11-01T12:00:00Z.\n"
    )


def test_rotate_without_grace_ends_the_old_key(opened: OpenedState) -> None:
    opened.said(keys, "create", "--account", "acme")
    opened.said(keys, "rotate", "key_2", "--grace", "0s")
    assert opened.json(keys, "show", "key_2")["state"] == "revoked"


def test_revoke_ends_a_key_and_can_be_repeated(opened: OpenedState) -> None:
    opened.said(keys, "create", "--account", "acme")
    dead = opened.json(keys, "revoke", "key_2")
    assert (dead["state"], dead["revoked_at"]) == ("revoked", "2026-11-01T00:00:00Z")
    opened.time += DAY
    assert opened.json(keys, "revoke", "key_2") == dead


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "--account", "nobody"], 'no account "nobody"'),
        (["create", "--account", "acme", "--expires", "30"], "--expires must have"),
        (["create", "--account", "acme", "--expires", "soon"], "--expires must be"),
        (["create", "--account", "acme", "--expires", "0s"], "expired already"),
        (["create", "--account", "acme", "--models", ","], "name some"),
        (["create", "--account", "acme", "--name", "a\nb"], "printable"),
        (["show", "key_9"], 'no key "key_9"'),
        (["revoke", "key_9"], 'no key "key_9"'),
        (["rotate", "key_9"], 'no key "key_9"'),
        (["rotate", "key_9", "--grace", "x"], "--grace must be"),
    ],
)
def test_problems_are_one_sentence(
    opened: OpenedState, arguments: list[str], message: str
) -> None:
    assert message in opened.refused(keys, *arguments)
    assert opened.json(keys, "list") == []


def test_an_open_pepper_is_one_sentence(opened: OpenedState) -> None:
    opened.pepper()
    (opened.state / "pepper").chmod(0o644)
    assert "chmod 600" in opened.refused(keys, "create", "--account", "acme")


def test_prompts_are_kept_where_the_operator_says_so(opened: OpenedState) -> None:
    opened.said(keys, "create", "--account", "acme")
    told = opened.json(keys, "set", "key_2", "--keep-prompts", "14")
    assert told["keep_prompts_days"] == 14
    assert opened.json(keys, "show", "key_2")["keep_prompts_days"] == 14
    assert "prompts     kept for 14 days\n" in opened.said(keys, "show", "key_2")
    off = opened.json(keys, "set", "key_2", "--keep-prompts", "none", "--rpm", "5")
    assert (off["keep_prompts_days"], off["limits"]["rpm"]) == (None, 5)
