"""A tool call's arguments: a JSON text elsewhere, an object in Anthropic's API.

API reference, ``tool_use`` blocks. Models write texts that are no object: they stand as
the one member ``input``.
"""

import msgspec
from msgspec import Raw

_OBJECT = msgspec.json.Decoder(dict[str, Raw])


def as_object(arguments: str) -> Raw:
    """Give the object for ``arguments``: their own bytes where they are one."""
    if not arguments.strip():
        return Raw(b"{}")
    encoded = arguments.encode(errors="replace")
    try:
        _OBJECT.decode(encoded)
    except (msgspec.DecodeError, RecursionError):
        return Raw(msgspec.json.encode({"input": encoded.decode()}))
    return Raw(encoded)
