from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from support.opened import NOW, OpenedState
from support.people import somebody

from lightweight.cli.people import people
from lightweight.store.connect import reading, writing
from lightweight.store.people import person_of_link
from lightweight.store.schema import identities


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedState]:
    state = OpenedState(tmp_path)
    with writing(state.engine()) as connection:
        somebody(connection, "ann")
        somebody(connection, "eve", now=NOW)
    yield state
    state.close()


def test_list_shows_everybody(opened: OpenedState) -> None:
    listed = opened.json(people, "list")
    assert [each["name"] for each in listed] == ["eve", "ann"]
    assert listed[0] == {
        "id": "person_eve",
        "name": "eve",
        "role": "operator",
        "account_id": None,
        "state": "active",
        "created_at": "2026-11-01T00:00:00Z",
        "signed_in_at": None,
    }
    assert opened.said(people, "list").splitlines()[1].split() == [
        "person_eve",
        "eve",
        "operator",
        "-",
        "active",
        "2026-11-01T00:00:00Z",
        "-",
    ]


def test_a_password_link_works(opened: OpenedState) -> None:
    made = opened.json(people, "reset-password", "Ann")
    address, _, secret = made["url"].partition("?link=")
    assert address == "http://localhost:8080/dashboard/password"
    assert made["expires_at"] == "2026-11-02T00:00:00Z"
    with reading(opened.engine()) as connection:
        found = person_of_link(connection, secret, pepper=opened.pepper(), now=NOW)
    assert found.name == "ann"
    assert "works once" in opened.said(people, "reset-password", "ann")


def test_disable_and_enable(opened: OpenedState) -> None:
    assert "state         disabled" in opened.said(people, "disable", "eve")
    assert "disabled" in opened.refused(people, "reset-password", "eve")
    assert "last operator" in opened.refused(people, "disable", "ann")
    assert opened.json(people, "enable", "eve")["state"] == "active"


def test_unlink_forgets_who_somebody_is_elsewhere(opened: OpenedState) -> None:
    linked = insert(identities).values(
        issuer="https://id", subject="s", person_id="person_eve", linked_at=NOW
    )
    with writing(opened.engine()) as connection:
        connection.execute(linked)
    assert opened.json(people, "unlink", "Eve")["name"] == "eve"
    with reading(opened.engine()) as connection:
        assert connection.execute(select(identities)).all() == []


def test_nobody_of_that_name(opened: OpenedState) -> None:
    for command in ("disable", "enable", "reset-password", "unlink"):
        assert "people list" in opened.refused(people, command, "bob")
