"""A client's JSON as typed values, with the blame on the right field.

``param`` is written as OpenAI does: ``messages[3].content[1].type``.
"""

import re
from typing import TypeVar

import msgspec
from msgspec import Raw

from lightweight.errors import BadRequest

T = TypeVar("T")

_AT = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_NULL = b"null"


def given(raw: Raw | None) -> bool:
    """Tell whether a member is there: null says what leaving it out would."""
    return raw is not None and bytes(raw) not in {b"", _NULL}


def typed(decoder: msgspec.json.Decoder[T], raw: Raw, param: str) -> T:
    """Decode a member; raise BadRequest that names the field inside ``param``."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as problem:
        text = str(problem)
        at = _AT.search(text)
        where = param + (at["path"] if at else "")
        what = text[: at.start()] if at else text
        raise BadRequest(f"Invalid '{where}': {_plain(what)}.", param=where) from None


def unsupported(param: str, why: str) -> BadRequest:
    """Give the fault of a field that this model's provider cannot be asked."""
    return BadRequest(
        f"Unsupported parameter: '{param}'. {why}",
        param=param,
        code="unsupported_parameter",
    )


def _plain(what: str) -> str:
    """Put msgspec's words into ours."""
    return what.replace("`", "").replace("Object missing required field", "missing")
