"""A client's nested JSON to typed nouns; what does not fit is blamed by its place.

For what a translation reads: where bytes only pass on nobody asks for their types.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw

from lightweight.errors import BadRequest

_T = TypeVar("_T")
# How msgspec names the place: "Expected `str`, got `int` - at `$[0].content`".
_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")


def decoded(decoder: msgspec.json.Decoder[_T], raw: Raw, param: str) -> _T:
    """Give what ``raw`` holds; raise BadRequest whose ``param`` is the exact place.

    ``param`` is the place of ``raw`` itself: ``messages``; empty for a whole body.
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _blamed(str(error), param) from None


def required(fields: Mapping[str, Raw], name: str) -> Raw:
    """Give a member that every provider asks for; raise BadRequest without it."""
    raw = fields.get(name)
    if raw is None:
        raise BadRequest(
            f"Missing required parameter: '{name}'.",
            param=name,
            code="missing_required_parameter",
        )
    return raw


def _blamed(told: str, param: str) -> BadRequest:
    place = _PLACE.search(told)
    reason = told if place is None else told[: place.start()]
    where = param if place is None else (param + place["path"]).removeprefix(".")
    return BadRequest(f"Invalid '{where}': {reason}.", param=where)
