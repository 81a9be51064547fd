"""Forms: where the model stands, and what could be read in two ways.

A key may be limited to some models, so no form may name one model to us and another to
a provider.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.form import BOUNDARY, TYPE, field, file, form

from lightweight.dialects.form import MAX_PARTS, read_form
from lightweight.errors import BadRequest

PLAIN = form(field("model", "m"), file("file", b"RIFF\r\n\r\n--x"), field("n", "1"))


def refused(body: bytes, content_type: str = TYPE) -> str:
    with pytest.raises(BadRequest) as caught:
        read_form(content_type, body)
    return caught.value.message


def test_a_form_is_read_and_kept() -> None:
    read = read_form(TYPE, PLAIN)
    assert (read.model, read.files, read.own_bytes) == ("m", 1, 2)
    assert read.before + b"m" + read.after == PLAIN
    assert not read.stream


@pytest.mark.parametrize(
    ("said", "stream"), [("true", True), ("True", True), ("1", True), ("false", False)]
)
def test_a_stream_is_known(said: str, stream: bool) -> None:  # noqa: FBT001 -- a column of the table
    body = form(field("model", "m"), field("stream", said))
    assert read_form(TYPE, body).stream is stream


@pytest.mark.parametrize(
    "content_type",
    [
        f"multipart/form-data; boundary={BOUNDARY}",
        f'multipart/form-data;boundary="{BOUNDARY}"',
        f"Multipart/Form-Data; Boundary={BOUNDARY}",
    ],
)
def test_boundaries_are_written_in_some_ways(content_type: str) -> None:
    assert read_form(content_type, PLAIN).model == "m"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={BOUNDARY}; boundary=other",
        f"multipart/form-data; charset=utf-8; boundary={BOUNDARY}",
        'multipart/form-data; boundary="a\u00e9"',
    ],
)
def test_other_types_are_refused(content_type: str) -> None:
    assert "multipart/form-data" in refused(PLAIN, content_type)


def test_files_may_have_names_of_many_kinds() -> None:
    for name in ('filename="a b.wav"', "filename*=utf-8''%c3%a9.wav"):
        head = f'Content-Disposition: form-data; name="file"; {name}'
        part = (head.encode() + b"\r\nContent-Type: audio/wav", b"RIFF")
        assert read_form(TYPE, form(field("model", "m"), part)).files == 1


MODEL = b'Content-Disposition: form-data; name="model"'


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [field("file", "m")],
        [field("model", "a"), field("model", "b")],
        [file("model", b"a")],
        [(MODEL + b"\r\nContent-Transfer-Encoding: base64", b"bQ==")],
        [(MODEL + b"\r\nContent-Type: application/json", b'"m"')],
        [field("model", "")],
        [(MODEL, b"\xff")],
        [(MODEL, b"a\nb")],
    ],
    ids=str,
)
def test_the_model_must_be_plain_and_there_once(
    parts: list[tuple[bytes, bytes]],
) -> None:
    with pytest.raises(BadRequest):
        read_form(TYPE, form(*parts))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"Content-Type: text/plain",
        b"Content-Disposition: form-data",
        b"Content-Disposition: form-data; name=model",
        b'Content-Disposition: form-data; name="a"; name="model"',
        b'Content-Disposition: form-data; name="a\\"; name="model"',
        b'Content-Disposition: form-data; name*="model"; name="a"',
        b'Content-Disposition: attachment; name="model"',
        MODEL + b'\r\nContent-Disposition: form-data; name="b"',
        b'Content-Disposition: form-data;\r\n name="model"',
        b'Content-Disposition: form-data; name="a"\nX: y',
        b'Content-Disposition: form-data; name="\xff"',
    ],
)
def test_odd_heads_are_refused(head: bytes) -> None:
    assert "malformed" in refused(form(field("n", "1"), (head, b"m")))


LINE = b"--" + BOUNDARY.encode()


@pytest.mark.parametrize(
    "body",
    [
        b"before" + PLAIN,
        PLAIN + b"after",
        PLAIN.removesuffix(b"--\r\n"),
        PLAIN.replace(b"\r\n", b"\n"),
        PLAIN.replace(b"RIFF", LINE),
        PLAIN.replace(b"RIFF", b"\n" + LINE + b"\r\n"),
        PLAIN.replace(b"RIFF", b"\r\n" + LINE + b"x"),
        b"",
        LINE + b"--",
    ],
)
def test_odd_boundaries_are_refused(body: bytes) -> None:
    refused(body)


def test_too_many_parts_are_refused() -> None:
    parts = [field("n", "1")] * MAX_PARTS
    assert "more than" in refused(form(field("model", "m"), *parts))
    assert read_form(TYPE, form(field("model", "m"), *parts[1:])).model == "m"


@given(st.integers(0, len(PLAIN)), st.integers(0, 40), st.binary(max_size=12))
def test_any_bytes_are_a_form_or_refused(at: int, drop: int, put: bytes) -> None:
    body = PLAIN[:at] + put + PLAIN[at + drop :]
    try:
        read = read_form(TYPE, body)
    except BadRequest:
        return
    assert read.before + read.model.encode() + read.after == body
