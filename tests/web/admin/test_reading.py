from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.errors import BadRequest
from lightweight.records import Limits
from lightweight.store.pages import Place
from lightweight.web.admin import drafts, shown
from lightweight.web.admin.reading import (
    epoch,
    limit_changes,
    limits_of,
    number_after,
    place_after,
    place_text,
    read_body,
    read_query,
)


@given(st.floats(0, 1e12), st.text().filter(str.isprintable))
def test_a_page_goes_on_where_it_ended(at: float, name: str) -> None:
    query = drafts.PageQuery(after=place_text(Place(at, name)))
    assert place_after(query) == Place(at, name)


@given(st.text())
def test_any_after_is_a_place_or_refused(text: str) -> None:
    query = drafts.PageQuery(after=text)
    for read in (place_after, number_after):
        try:
            read(query)
        except BadRequest as fault:
            assert fault.param == "after"


@given(st.binary())
def test_any_body_is_read_or_refused(body: bytes) -> None:
    try:
        read_body(body, drafts.KeyDraft)
    except BadRequest as fault:
        assert fault.message.endswith(".")


@given(st.text())
def test_any_query_is_read_or_refused(query: str) -> None:
    try:
        read_query(query, drafts.OwnedQuery)
    except BadRequest as fault:
        assert fault.message.endswith(".")


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(BadRequest) as refused:
        read_body(b'{"limits": {"tpm": "x"}}', drafts.KeyDraft)
    assert refused.value.param == "limits.tpm"
    assert "Invalid 'limits.tpm': Expected `int | null`" in refused.value.message


def test_nothing_is_an_empty_body() -> None:
    assert read_body(b"", drafts.Rotation).grace_s == 86_400


def test_limits_that_are_not_given_do_not_change() -> None:
    asked = read_body(
        b'{"rpm": null, "tpm": 5, "quota_usd": "1.25"}', drafts.LimitChanges
    )
    assert limit_changes(asked) == {"rpm": None, "tpm": 5, "quota_micro_usd": 1_250_000}
    assert limits_of(asked) == Limits(tpm=5, quota_micro_usd=1_250_000)
    cleared = read_body(b'{"quota_usd": null}', drafts.LimitChanges)
    assert limit_changes(cleared) == {"quota_micro_usd": None}
    assert limit_changes(None) == {}


def test_a_time_without_a_zone_is_utcs() -> None:
    assert epoch("at", datetime(1970, 1, 2, tzinfo=UTC)) == 86_400
    assert epoch("at", datetime(1970, 1, 2)) == 86_400  # noqa: DTZ001 -- that is the point
    assert epoch("at", None) is None


@given(st.datetimes(timezones=st.timezones() | st.none()))
def test_any_time_can_be_shown_or_is_refused(at: datetime) -> None:
    try:
        seconds = epoch("at", at)
    except BadRequest as fault:
        assert fault.param == "at"
    else:
        assert shown.moment_or_none(seconds) is not None
