"""The head of an answer, beside the one that Twisted writes."""

from twisted.internet.testing import StringTransport
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers

from hypothesis import given
from hypothesis import strategies as st

from lightweight.web.response_head import (
    CHUNKED,
    CLOSE,
    PHRASES,
    STATUS_LINES,
    lines_of,
)

NAMES = ["content-type", "x-request-id", "etag", "www-authenticate", "retry-after-ms"]


@given(
    st.sampled_from([200, 401, 429, 504]),
    st.dictionaries(st.sampled_from(NAMES), st.text("a ,;\r\né", max_size=9)),
)
def test_it_is_the_one_that_twisted_writes(status: int, fields: dict[str, str]) -> None:
    wire = StringTransport()
    channel = HTTPChannel()
    channel.transport = wire
    theirs = Headers()
    for name, value in fields.items():
        theirs.addRawHeader(name.encode(), value.encode())
    channel.writeHeaders(b"HTTP/1.1", b"%d" % status, PHRASES[status], theirs)
    head = STATUS_LINES[status] + lines_of(fields) + "\r\n"
    assert head.encode() == wire.value()


def test_a_status_without_a_name_has_one() -> None:
    assert STATUS_LINES[599] == "HTTP/1.1 599 Unknown Status\r\n"


def test_what_is_said_of_the_connection_is_spelt_as_other_fields() -> None:
    assert lines_of({"connection": "close"}) == CLOSE
    assert lines_of({"transfer-encoding": "chunked"}) == CHUNKED
