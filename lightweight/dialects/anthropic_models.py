"""What Claude models can do, by their version: the one table of it.

Platform docs, "Models overview", "Thinking", "Effort", "Structured outputs". Ids are
``claude-opus-4-6``, ``claude-3-7-sonnet-20250219``, with prefixes and suffixes of
resellers, with dots or dashes. An id without a version is taken for the newest.
"""

import re
from typing import Literal

from msgspec import Struct


class Abilities(Struct, frozen=True, kw_only=True):
    """What a request to one model may have."""

    answer: int
    """``max_tokens``, which every request needs, where the client names none."""
    thinking: Literal["none", "budget", "adaptive"]
    """How thinking is asked for: in tokens up to 4.5, by effort from 4.6 on."""
    schemas: bool = False
    """``output_config.format`` and ``strict`` tools."""
    sampling: bool = True
    """``temperature``, ``top_p``, ``top_k``: 400 after 4.6."""
    extra_high: bool = False
    """The effort ``xhigh``."""


# Each row holds from its version up to the next.
_BY_VERSION = (
    ((0, 0), Abilities(answer=4096, thinking="none")),
    ((3, 5), Abilities(answer=8192, thinking="none")),
    ((3, 7), Abilities(answer=32000, thinking="budget")),
    ((4, 5), Abilities(answer=32000, thinking="budget", schemas=True)),
    ((4, 6), Abilities(answer=32000, thinking="adaptive", schemas=True)),
    (
        (4, 7),
        Abilities(
            answer=32000,
            thinking="adaptive",
            schemas=True,
            sampling=False,
            extra_high=True,
        ),
    ),
)
# "4-20250514" is 4.0: a date is no minor version.
_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_ALWAYS_THINKS = re.compile(r"claude-(?:mythos|fable)")


def abilities_of(model: str) -> Abilities:
    """Give what the model with this id at its provider can do."""
    found = _VERSION.search(model)
    if found is None:
        return _BY_VERSION[-1][1]
    version = (int(found[1]), int(found[2] or 0))
    return [row for since, row in _BY_VERSION if since <= version][-1]


def always_thinks(model: str) -> bool:
    """Whether the model refuses ``thinking: disabled``."""
    return _ALWAYS_THINKS.search(model) is not None
