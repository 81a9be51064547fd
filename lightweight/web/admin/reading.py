"""What a request says, made into the types an operation asks for."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl

import msgspec

from lightweight.config import values
from lightweight.errors import BadRequest
from lightweight.records import Limits
from lightweight.store.directory import LimitChanges
from lightweight.store.pages import Place
from lightweight.web.admin import drafts, shapes

T = TypeVar("T")
S = TypeVar("S")

MOST = 200
"""Things on one page."""

_LAST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()

_AT = re.compile(r" - at `\$\.?(.*)`$")


def read_body(body: bytes, asked: type[T]) -> T:
    """Give a JSON body as ``asked``; raise BadRequest that says what is wrong."""
    try:
        return msgspec.json.decode(body or b"{}", type=asked)
    except msgspec.ValidationError as error:
        raise _wrong(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body is not JSON.", code="invalid_json") from None


def read_query(query: str, asked: type[T]) -> T:
    """Give parameters as ``asked``; raise BadRequest that says what is wrong."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    try:
        return msgspec.convert(given, asked, strict=False)
    except msgspec.ValidationError as error:
        raise _wrong(error) from None


def _wrong(error: msgspec.ValidationError) -> BadRequest:
    text = str(error)
    at = _AT.search(text)
    param = None if at is None else at[1] or None
    said = text if at is None else text[: at.start()]
    place = "the body" if param is None else f"'{param}'"
    return BadRequest(f"Invalid {place}: {said}.", param=param, code="invalid_value")


# -- pages -------------------------------------------------------------------------


def page_size(query: drafts.PageQuery) -> int:
    """Give how many things a page is to have; raise BadRequest."""
    if not 1 <= query.limit <= MOST:
        raise BadRequest(
            f"Invalid 'limit': expected a number from 1 to {MOST}.",
            param="limit",
            code="invalid_value",
        )
    return query.limit


def place_after(query: drafts.PageQuery) -> Place | None:
    """Give where the last page ended; raise BadRequest."""
    if query.after is None:
        return None
    at, _, name = query.after.partition("~")
    try:
        place = Place(float(at), name)
    except ValueError:
        raise _bad_after() from None
    if not name.isprintable():
        raise _bad_after()  # PostgreSQL would not even be asked
    return place


def number_after(query: drafts.PageQuery) -> int | None:
    """Give the same of lists that are numbered; raise BadRequest."""
    if query.after is None:
        return None
    if not query.after.isascii() or not query.after.isdigit():
        raise _bad_after()
    return int(query.after[:18])


class Made(Protocol):
    """What was made at some time."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def created_at(self) -> float:
        """When it was made, in seconds since the epoch."""


def made_at(thing: Made) -> Place:
    """Give the place of a thing among those of its kind."""
    return Place(thing.created_at, thing.id)


def place_text(place: Place) -> str:
    """Give what ``place_after`` reads."""
    return f"{place.at!r}~{place.id}"


def page(
    found: Sequence[T],
    most: int,
    show: Callable[[T], S],
    place: Callable[[T], Place],
) -> shapes.Page[S]:
    """Give a page of what was found, of which one more than ``most`` was asked for."""
    left = len(found) > most
    return shapes.Page(
        data=[show(each) for each in found[:most]],
        next=place_text(place(found[most - 1])) if left else None,
    )


def _bad_after() -> BadRequest:
    return BadRequest(
        "Invalid 'after': give the 'next' of a page that was read before.",
        param="after",
        code="invalid_value",
    )


# -- limits ------------------------------------------------------------------------


def limit_changes(asked: drafts.LimitChanges | None) -> LimitChanges:
    """Give the limits that are to change; raise BadRequest."""
    if asked is None:
        return {}
    given: Mapping[str, Any] = msgspec.structs.asdict(asked)
    changes = {
        name: value for name, value in given.items() if value is not msgspec.UNSET
    }
    if "quota_usd" in changes:
        usd = changes.pop("quota_usd")
        changes["quota_micro_usd"] = (
            None if usd is None else micro_usd("quota_usd", usd)
        )
    return changes


def limits_of(asked: drafts.LimitChanges | None) -> Limits:
    """Give the limits of what is to be made; raise BadRequest."""
    return msgspec.structs.replace(Limits(), **limit_changes(asked))


def micro_usd(name: str, text: str) -> int:
    """Give the millionths of the dollars that a field says; raise BadRequest."""
    try:
        return values.micro_usd(text)
    except ValueError as problem:
        raise BadRequest(
            f"Invalid '{name}': it {problem}.", param=name, code="invalid_value"
        ) from None


def epoch(name: str, at: datetime | None) -> float | None:
    """Give a time in seconds since the epoch; one without a zone is UTC's.

    Raises BadRequest for one that UTC has no words for.
    """
    if at is None:
        return None
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    if not 0 <= seconds <= _LAST:
        raise BadRequest(
            f"Invalid '{name}': expected a time from 1970 to 9999.",
            param=name,
            code="invalid_value",
        )
    return seconds
