"""Whose trace a request belongs to, as its header fields tell (W3C Trace Context).

A gateway that makes no spans of its own passes both fields on as they are (section 3.3
of the recommendation), so that the provider's spans hang below the client's.
"""

import re

from lightweight.records import Headers

_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_LATER = re.compile(rf"(?!00){_PARENT.pattern}(-[\x20-\x7e]*)?")
"""A version after 00 may have more to say (section 3.2.2)."""

_STATE = re.compile(r"[\x20-\x7e\t]*")
LONGEST_STATE = 512
"""Characters of ``tracestate`` that must be passed on; more is dropped (3.3.1.5)."""

LONGEST_PARENT = 256


def trace_of(headers: Headers) -> Headers:
    """Give the fields to pass on; none where ``traceparent`` is not as it must be."""
    sent = headers.get("traceparent")
    parent = parent_of(sent) if sent else None
    if parent is None:
        return {}
    state = headers.get("tracestate", "").strip()
    if not state or len(state) > LONGEST_STATE or not _STATE.fullmatch(state):
        return {"traceparent": parent}
    return {"traceparent": parent, "tracestate": state}


def parent_of(sent: str | None) -> str | None:
    """Give a ``traceparent`` as it was sent; None for what is none."""
    if sent is None:
        return None
    parent = sent.strip()
    if len(parent) > LONGEST_PARENT:
        return None
    good = _PARENT.fullmatch(parent) or _LATER.fullmatch(parent)
    return parent if good else None
