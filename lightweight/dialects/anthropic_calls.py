"""A tool call as Anthropic's API writes it: its id, and its arguments as an object.

API reference, ``tool_use`` blocks. Elsewhere ids have dots and colons, and arguments
are a text, which models do not always keep to JSON.
"""

import re

import msgspec
from msgspec import Raw

_OBJECT = msgspec.json.Decoder(dict[str, Raw])


_ODD = re.compile(r"[^a-zA-Z0-9_-]")


def sound_id(given: str) -> str:
    """Give an id that the API takes: the same one for a call and for its result."""
    return _ODD.sub("_", given) or "_"


def as_object(arguments: str) -> Raw:
    """Give the object for ``arguments``: their own bytes where they are one.

    What is no object stands in one as its member ``input``.
    """
    if not arguments.strip():
        return Raw(b"{}")
    encoded = arguments.encode(errors="replace")
    try:
        _OBJECT.decode(encoded)
    except (msgspec.DecodeError, RecursionError):
        return Raw(msgspec.json.encode({"input": encoded.decode()}))
    return Raw(encoded)
