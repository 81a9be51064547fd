"""What is read of OpenAI's chat completions and chunks, and how it is judged.

API reference, "The chat completion object" and "The chat completion chunk object".
Members that only some readers need stay raw, so that an odd value in one of them does
not spoil an answer that is otherwise fine.
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from lightweight.dialects.answer import cut_short
from lightweight.errors import ProviderGarbage
from lightweight.records import Usage

_T = TypeVar("_T")
_Index = Annotated[int, Meta(ge=0, lt=128)]
_Tokens = Annotated[int, Meta(ge=0, le=2**53)]
_EMPTY = tuple(map(Raw, (b"null", b"", b'""', b"[]", b"{}")))
_LONGEST_EMPTY = 4


class Choice(Struct, frozen=True):
    """One alternative of a chunk or of a whole answer."""

    index: _Index = 0
    delta: dict[str, Raw] | None = None
    message: dict[str, Raw] | None = None
    text: Raw = Raw()
    """What a text completion (legacy) has in the place of a delta."""
    finish_reason: str | None = None
    logprobs: Raw = Raw()


class Piece(Struct, frozen=True):
    """A chunk or a whole answer, an error frame included."""

    id: Raw = Raw()
    created: Raw = Raw()
    model: Raw = Raw()
    system_fingerprint: Raw = Raw()
    service_tier: Raw = Raw()
    choices: list[Choice] | None = None
    usage: Raw = Raw()
    error: Raw = Raw()


class _PromptDetails(Struct, frozen=True):
    cached_tokens: _Tokens | None = None
    cache_write_tokens: _Tokens | None = None


class _CompletionDetails(Struct, frozen=True):
    reasoning_tokens: _Tokens | None = None


class _Usage(Struct, frozen=True):
    """What a provider reports, as it writes it."""

    prompt_tokens: _Tokens | None = None
    completion_tokens: _Tokens | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Counts(_Usage, frozen=True, kw_only=True):
    """Usage that tells both of its figures."""

    prompt_tokens: _Tokens
    completion_tokens: _Tokens


class _Message(Struct, frozen=True, gc=False):
    """Any object: what it says is not read."""


class _Answer(Struct, frozen=True, gc=False):
    """One alternative of a complete answer."""

    message: _Message
    finish_reason: Annotated[str, Meta(min_length=1)]
    index: _Index = 0
    delta: None = None


class Complete(Struct, frozen=True, gc=False):
    """A whole answer that is finished, tells its usage and has nothing odd in it."""

    choices: Annotated[list[_Answer], Meta(min_length=1)]
    usage: _Counts
    model: Raw = Raw()
    error: None = None


_COMPLETE = msgspec.json.Decoder(Complete)
_PIECE: msgspec.json.Decoder[Piece | list[Piece]] = msgspec.json.Decoder(
    Piece | list[Piece]
)
_USAGE = msgspec.json.Decoder(_Usage | None)
_NO_PROMPT_DETAILS = _PromptDetails()
_NO_COMPLETION_DETAILS = _CompletionDetails()
_STRING = msgspec.json.Decoder(str)
_NUMBER = msgspec.json.Decoder(float)


def decode(decoder: msgspec.json.Decoder[_T], data: bytes | Raw) -> _T:
    """Decode a provider's JSON; raise ProviderGarbage where that cannot be done."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderGarbage(
            "The provider's answer does not have the form of a chat completion."
        ) from None


def decode_piece(data: bytes) -> Piece:
    """Decode a chunk or a whole answer; raise ProviderGarbage for anything else.

    An error may stand in an array, as Google writes it.
    """
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            raise ProviderGarbage("The provider's answer is not valid UTF-8.") from None
    piece = decode(_PIECE, data)
    if isinstance(piece, Piece):
        return piece
    if len(piece) == 1 and says_something(piece[0].error):
        return piece[0]
    raise ProviderGarbage("The provider's answer is an array.")


def complete_answer(data: bytes) -> Complete | None:
    """Decode an answer that is complete, tells its usage and is not odd; never raises.

    None says nothing against it: then it is to be judged as a ``Piece``.
    """
    try:
        answer = _COMPLETE.decode(data)
        if not data.isascii():
            data.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return answer


def says_something(raw: Raw | None) -> bool:
    """Whether a member is there and is not null or empty."""
    return raw is not None and (len(raw) > _LONGEST_EMPTY or raw not in _EMPTY)


def content_size(said: Mapping[str, Raw] | None) -> int:
    """Give the bytes of what a delta or a message says, its role aside."""
    size = 0
    if said is not None:
        for name, raw in said.items():
            long = len(raw)
            if name != "role" and (long > _LONGEST_EMPTY or raw not in _EMPTY):
                size += long
    return size


def said_size(choice: Choice) -> int:
    """Give the bytes of what one choice of a chunk says."""
    size = content_size(choice.delta)
    text = choice.text
    return size + len(text) if text and says_something(text) else size


def text_of(raw: Raw) -> str:
    """Give a string member, or an empty string where it is something else."""
    try:
        return _STRING.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def seconds_of(raw: Raw) -> int:
    """Give a time in seconds, or 0 where the member is something else."""
    try:
        return int(_NUMBER.decode(raw))
    except msgspec.DecodeError:
        return 0


def usage_of(raw: Raw) -> Usage | None:
    """Give the usage a provider reports; None if it is no count."""
    try:
        told = _USAGE.decode(raw) if raw else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if told is None or (told.prompt_tokens is None and told.completion_tokens is None):
        return None
    return disjoint(told)


def disjoint(told: _Usage) -> Usage:
    """Give reported usage in disjoint classes.

    OpenAI's details are parts of the inclusive figures. Where a part is larger than its
    whole the rest counts as 0.
    """
    prompt = told.prompt_tokens_details or _NO_PROMPT_DETAILS
    completion = told.completion_tokens_details or _NO_COMPLETION_DETAILS
    cached = prompt.cached_tokens or 0
    cache_write = prompt.cache_write_tokens or 0
    reasoning = completion.reasoning_tokens or 0
    fresh = (told.prompt_tokens or 0) - cached - cache_write
    answer = (told.completion_tokens or 0) - reasoning
    # To call max twice would cost more than all the rest.
    return Usage(
        fresh=fresh if fresh > 0 else 0,  # noqa: FURB136  (see above)
        cached=cached,
        cache_write=cache_write,
        answer=answer if answer > 0 else 0,  # noqa: FURB136  (see above)
        reasoning=reasoning,
    )


class Progress:
    """Which choices of an answer began, and which of them are finished."""

    def __init__(self) -> None:
        self._finished: dict[int, bool] = {}

    def begin(self, index: int) -> bool:
        """Note that a choice speaks; say whether it does so for the first time."""
        if index in self._finished:
            return False
        self._finished[index] = False
        return True

    def end(self, index: int) -> bool:
        """Note that a choice is finished; say whether it was not so before."""
        first = not self._finished.get(index)
        self._finished[index] = True
        return first

    def check(self) -> None:
        """Raise ProviderCut unless there is a choice and every one is finished."""
        if not self._finished or not all(self._finished.values()):
            raise cut_short()
