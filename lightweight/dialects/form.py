"""A client's form with files: where its ``model`` stands, every other byte left alone.

RFC 7578 and RFC 2046 section 5.1, at their strictest. What the key may use is decided
by the ``model`` that is read here, so whatever a provider could read differently is
refused: a second ``model``, odd headers, a boundary in the middle of a line.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from lightweight.errors import BadRequest

MAX_PARTS = 256

_TYPE = re.compile(
    r'multipart/form-data\s*;\s*boundary=(?:"([^"]{1,70})"|([^\s";,]{1,70}))\s*',
    re.IGNORECASE,
)
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]*[0-9A-Za-z'()+_,./:=?-]")
_DISPOSITION = re.compile(
    r'content-disposition:\s*form-data\s*;\s*name="(?P<name>[^"\\]*)"'
    r'(?P<file>(?:\s*;\s*filename(?:="[^"]*"|\*=[^\s;"]+)){1,2})?\s*',
    re.IGNORECASE,
)
_ANY_DISPOSITION = re.compile(r"content-disposition\s*:", re.IGNORECASE)
_PLAIN = re.compile(r"content-type:\s*text/plain\s*(?:;.*)?", re.IGNORECASE)
_TRUE = (b"true", b"1")
_HEAD_BYTES = 8192


class Form(Struct, frozen=True):
    """What is read of a form."""

    model: str
    before: bytes
    """The body up to the model's name."""
    after: bytes
    """And all after it."""
    stream: bool
    """Its ``stream`` is true."""
    files: int
    own_bytes: int
    """Of the fields that are no files."""


class _Part(Struct, frozen=True):
    name: str
    is_file: bool
    plain: bool
    """It has no header that changes what its bytes mean."""
    start: int
    end: int


def read_form(content_type: str, body: bytes) -> Form:
    """Read a form; raise BadRequest where it is none, or could be read in two ways."""
    parts = list(_parts(_boundary(content_type), body))
    models = [part for part in parts if part.name == "model"]
    if not models:
        raise BadRequest(
            "Missing required parameter: 'model'.",
            param="model",
            code="missing_required_parameter",
        )
    told = models[0]
    if len(models) > 1 or told.is_file or not told.plain:
        raise BadRequest(
            "Invalid 'model': send it once, as a plain field of the form.",
            param="model",
        )
    return Form(
        model=_name(body[told.start : told.end]),
        before=body[: told.start],
        after=body[told.end :],
        stream=any(
            part.name == "stream" and body[part.start : part.end].lower() in _TRUE
            for part in parts
        ),
        files=sum(part.is_file for part in parts),
        own_bytes=sum(part.end - part.start for part in parts if not part.is_file),
    )


def _boundary(content_type: str) -> bytes:
    told = _TYPE.fullmatch(content_type.strip())
    boundary = (told[1] or told[2]) if told else ""
    if not _BOUNDARY.fullmatch(boundary):
        raise BadRequest(
            "Send this request as a form: Content-Type multipart/form-data with one "
            "boundary."
        )
    return b"--" + boundary.encode()


def _parts(delimiter: bytes, body: bytes) -> Iterator[_Part]:
    count = body.count(delimiter)
    if count > MAX_PARTS + 1:
        raise _malformed(f"it has more than {MAX_PARTS} parts")
    if not body.startswith(delimiter):
        raise _malformed("it does not begin with its boundary")
    at = len(delimiter)
    for _ in range(count - 1):
        if body[at : at + 2] != b"\r\n":
            raise _malformed("a boundary does not end its line")
        end = body.find(b"\r\n" + delimiter, at)
        if end < 0:
            raise _malformed("its boundary stands in the middle of a line")
        yield _part(body, at + 2, end)
        at = end + 2 + len(delimiter)
    if body[at:] not in (b"--", b"--\r\n"):
        raise _malformed("it has no end")


def _part(body: bytes, start: int, end: int) -> _Part:
    stop = body.find(b"\r\n\r\n", start, min(end, start + _HEAD_BYTES))
    if stop < 0:
        raise _malformed("a part has no head")
    try:
        lines = body[start:stop].decode().split("\r\n")
    except UnicodeDecodeError:
        raise _malformed("the head of a part is not UTF-8") from None
    if any(control in line for line in lines for control in "\r\n\0"):
        raise _malformed("the head of a part has a stray control character")
    told = [line for line in lines if _ANY_DISPOSITION.match(line)]
    disposition = _DISPOSITION.fullmatch(told[0]) if len(told) == 1 else None
    if disposition is None:
        raise _malformed("a part does not say its name in the usual form")
    others = [line for line in lines if line is not told[0]]
    return _Part(
        name=disposition["name"],
        is_file=disposition["file"] is not None,
        plain=all(_PLAIN.fullmatch(line) for line in others),
        start=stop + 4,
        end=end,
    )


def _name(value: bytes) -> str:
    try:
        model = value.decode()
    except UnicodeDecodeError:
        raise BadRequest("Invalid 'model': it is not UTF-8.", param="model") from None
    if not model or not model.isprintable():
        raise BadRequest(
            "Invalid 'model': it is empty or has control characters.", param="model"
        )
    return model


def _malformed(why: str) -> BadRequest:
    return BadRequest(f"The form is malformed: {why}.")
