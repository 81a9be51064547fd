"""Seals on their way through clients that know nothing of them.

A provider seals its thoughts (``prompts.Reasoning.seal``) and wants them back with the
next turn. A client of another dialect has at best one place that it gives back
unchanged: a text of that kind of its own, or the id of a tool call. So what a provider
needs is wrapped into one word that fits there, and found again when it returns.
"""

import base64
import binascii
import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from lightweight.events import ReasoningDelta, ReasoningSealed, ToolCallDelta
from lightweight.prompts import Reasoning
from lightweight.records import DialectName

LONGEST = 65536
"""Characters of a wrapped seal in a tool call's id; a longer one is left out, and the
writer for its provider does without."""

MARK = "_lw1_"
"""What begins a word of ours."""

WORD = re.compile(rb"_lw1_[A-Za-z0-9_-]+")
"""One word of ours, wherever it stands."""

_MARK = MARK.encode()
_RARE = b"1"
"""The one of its letters that stands least in texts and programs."""
_SHORT = 4096
"""Bytes in which the whole mark is found as fast as the letter."""
_SPARSE = 512
"""Bytes from one to the next where looking at each by itself is quick."""


class Carried(Struct, frozen=True, kw_only=True):
    """What travels with one tool call."""

    thoughts: tuple[Reasoning, ...] = ()
    """The thoughts before the call, in order."""
    seal: str | None = None
    """The call's own (Gemini)."""
    sealed_by: DialectName | None = None
    """Whose ``seal`` is."""


_CARRIED = msgspec.json.Decoder(Carried)
_THOUGHT = msgspec.json.Decoder(Reasoning)


def with_carried(call_id: str, carried: Carried) -> str:
    """Give the id to show to a client: it brings ``carried`` back.

    Letters, digits, ``_`` and ``-`` only. The id alone where there is nothing to carry,
    or too much.
    """
    if not carried.thoughts and carried.seal is None:
        return call_id
    word = _packed(carried)
    return call_id if len(word) > LONGEST else f"{call_id}{MARK}{word}"


def without_carried(shown_id: str) -> tuple[str, Carried]:
    """Give the provider's own id and what came back with it; never raises."""
    call_id, _, word = shown_id.partition(MARK)
    if not word:
        return shown_id, Carried()
    try:
        return call_id, _CARRIED.decode(_unpacked(word))
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return call_id, Carried()


def wrapped(thought: Reasoning) -> str:
    """Give a thought of another dialect as a text that stands in a seal's place."""
    return MARK + _packed(thought)


def unwrapped(seal: str) -> Reasoning | None:
    """Give the thought behind a text that ``wrapped`` made, else None; never raises."""
    if not seal.startswith(MARK):
        return None
    try:
        return _THOUGHT.decode(_unpacked(seal.removeprefix(MARK)))
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return None


def clear_until(body: bytes) -> int:
    """Give a place before which no word of ours begins: the end, if that is quick.

    One letter is found thirty times as fast as a pattern.
    """
    if len(body) < _SHORT:
        at = body.find(_MARK)
        return len(body) if at < 0 else at
    offset = _MARK.index(_RARE)
    at = -1
    for _ in range(len(body) // _SPARSE):
        at = body.find(_RARE, at + 1)
        if at < 0:
            return len(body)
        if body.startswith(_MARK, at - offset):
            break
    return max(0, at - offset)


def stripped(body: bytes) -> bytes:
    """Give a request's bytes without what ``with_carried`` added to ids.

    For a conversation that goes on at a provider of the client's own dialect: it would
    refuse ids of such a length.
    """
    begin = clear_until(body)
    first = WORD.search(body, begin) if begin < len(body) else None
    if first is None:
        return body
    begin = first.start()
    return body[:begin] + WORD.sub(b"", body[begin:])


class Bearer:
    """Lets tool calls bear the sealed thoughts before them, one answer at a time.

    For writers whose dialect has no place for a seal.
    """

    def __init__(self) -> None:
        self._said: dict[int, list[str]] = {}
        self._sealed: dict[int, list[Reasoning]] = {}

    def hear(self, event: ReasoningDelta | ReasoningSealed) -> None:
        """Take a piece of a thought, or the seal that ends it."""
        said = self._said.setdefault(event.choice, [])
        if isinstance(event, ReasoningDelta):
            said.append(event.text)
            return
        thought = Reasoning(
            text="".join(said),
            seal=event.seal,
            sealed_by=event.sealed_by,
            redacted=event.redacted,
            id=event.id,
        )
        said.clear()
        self._sealed.setdefault(event.choice, []).append(thought)

    def shown_id(self, first: ToolCallDelta) -> str | None:
        """Give the id to show for a call that begins."""
        if first.id is None:
            return None
        thoughts = tuple(self._sealed.pop(first.choice, ()))
        sealed_by: DialectName | None = "gemini" if first.seal else None
        return with_carried(
            first.id, Carried(thoughts=thoughts, seal=first.seal, sealed_by=sealed_by)
        )


def joined(thoughts: Sequence[Reasoning]) -> str:
    """Give what can be read of these thoughts."""
    return "".join(thought.text for thought in thoughts)


def _packed(noun: Struct) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(noun)).decode().rstrip("=")


def _unpacked(word: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
    except binascii.Error as problem:
        raise ValueError(str(problem)) from problem
