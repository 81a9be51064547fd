"""What every request has at its top level, judged in OpenAI's words.

API reference, "Error codes": ``param`` names the field, ``code`` says what is wrong.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw

from lightweight.errors import BadRequest
from lightweight.records import Headers

# Everything else a client sends stays here; an idempotency key too, since one
# credential serves all accounts and two clients may choose the same.
_FORWARDED = "openai-beta"
_KINDS = {
    ord('"'): "a string",
    ord("{"): "an object",
    ord("["): "an array",
    ord("n"): "null",
    ord("t"): "a boolean",
    ord("f"): "a boolean",
}
_FLAG: msgspec.json.Decoder[bool | None] = msgspec.json.Decoder(bool | None)
_TEXT = msgspec.json.Decoder(str)


def model_of(fields: Mapping[str, Raw]) -> str:
    """Give the model a client names; raise BadRequest without one."""
    raw = fields.get("model")
    if raw is None:
        raise missing("model")
    try:
        model = _TEXT.decode(raw)
    except msgspec.ValidationError:
        raise wrong_type("model", "a string", raw) from None
    if not model:
        raise BadRequest("Invalid 'model': it is empty.", param="model")
    return model


def flag(name: str, raw: Raw | None) -> bool:
    """Give a boolean that is false where it is absent or null."""
    if raw is None:
        return False
    try:
        return bool(_FLAG.decode(raw))
    except msgspec.ValidationError:
        raise wrong_type(name, "a boolean", raw) from None


def forwarded(headers: Headers) -> Headers:
    """Give the client's headers that a provider of OpenAI's dialects may see."""
    value = headers.get(_FORWARDED)
    return {} if value is None else {_FORWARDED: value}


def missing(param: str) -> BadRequest:
    """Give the fault of a field that must be there."""
    return BadRequest(
        f"Missing required parameter: '{param}'.",
        param=param,
        code="missing_required_parameter",
    )


def wrong_type(param: str, expected: str, raw: Raw) -> BadRequest:
    """Give the fault of a field of another type than ``expected``."""
    got = _KINDS.get(bytes(raw)[0], "a number")
    return BadRequest(
        f"Invalid type for '{param}': expected {expected}, but got {got} instead.",
        param=param,
        code="invalid_type",
    )
