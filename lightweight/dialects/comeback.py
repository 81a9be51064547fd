"""When to come back: read from a provider's answer, written into ours.

RFC 9110 section 10.2.3. ``retry-after-ms`` and ``x-should-retry`` are what the SDKs of
OpenAI and Anthropic read beside it.
"""

import math
import re

from lightweight.errors import Fault
from lightweight.records import Headers

DEFAULT_RETRY_AFTER = 1
"""Seconds to wait where a provider does not say how long."""

_COME_BACK = (429, 503)
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?")


def retry_after(headers: Headers) -> int:
    """Give the seconds a provider asks to wait; dates were made seconds before."""
    told = headers.get("retry-after", "").strip()
    if not _SECONDS.fullmatch(told):
        return DEFAULT_RETRY_AFTER
    return max(1, math.ceil(float(told)))


def retry_headers(fault: Fault) -> Headers:
    """Give the headers that say whether and when to try again."""
    headers = {}
    if fault.status in _COME_BACK and fault.should_retry is not False:
        wait = max(1, fault.retry_after or DEFAULT_RETRY_AFTER)
        headers["retry-after"] = str(wait)
        headers["retry-after-ms"] = str(fault.retry_after_ms or wait * 1000)
    if fault.should_retry is not None:
        headers["x-should-retry"] = "true" if fault.should_retry else "false"
    return headers
