"""What Gemini models can do, by their version: the one table of it.

Gemini API docs, "Thinking" and "Thought signatures". An id without a version is taken
for the newest.
"""

import re
from typing import Literal, TypeAlias

from msgspec import Struct

Level: TypeAlias = Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"]


class Abilities(Struct, frozen=True, kw_only=True):
    """What a request to one model may have."""

    thinking: Literal["none", "budget", "level"]
    """How thinking is asked for: in tokens by 2.5, by level from 3 on."""
    least: int = 0
    """Tokens: the smallest budget; above 0 thinking cannot be turned off."""
    most: int = 0
    """Tokens: the largest budget."""
    lowest: Level = "LOW"
    """The level that stands for no thinking."""
    sealed_calls: bool = False
    """A call of a tool without its signature is refused."""


_VERSION = re.compile(r"gemini-(\d{1,2})(?:\.(\d{1,2}))?(?!\d)")
_BUDGETS = (2, 5)
_LEVELS = (3, 0)


def abilities_of(model: str) -> Abilities:
    """Give what the model with this id at its provider can do."""
    found = _VERSION.search(model)
    version = (int(found[1]), int(found[2] or 0)) if found else _LEVELS
    small = "flash" in model
    if version >= _LEVELS:
        return Abilities(
            thinking="level", lowest="MINIMAL" if small else "LOW", sealed_calls=True
        )
    if version < _BUDGETS:
        return Abilities(thinking="none")
    if small:
        return Abilities(thinking="budget", most=24576)
    return Abilities(thinking="budget", least=128, most=32768)
