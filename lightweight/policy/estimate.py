"""How many tokens a call may take, guessed before and without a provider's word.

No text is tokenised: that would hold up every other call. Four bytes a token is what
English text and code come to; the JSON around a prompt makes the guess a little high,
scripts of three bytes a letter a little low. What a provider reports replaces it.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Raw, Struct

from lightweight.records import Call

BYTES_PER_TOKEN = 4

UNSAID_ANSWER = 1024
"""Tokens of an answer whose client sets no limit."""

LONGEST_ANSWER = 4096
"""What is reserved for an answer at most: clients name limits they hardly ever use."""

ATTACHMENT_BYTES = 4096
"""From so many bytes on a string of base64 is taken for an image, sound or file."""

ATTACHMENT_TOKENS = 1500
"""What each of those counts for, however large: about a large image at full detail."""

# Some writers of JSON escape every slash; other escapes are letters of a text.
_BASE64 = re.compile(rb"(?:data:[^,]{0,256},)?(?:[A-Za-z0-9+/=_-]|\\/){256}")


class Estimate(Struct, frozen=True):
    """Tokens of a call, none of them known."""

    prompt: int
    answer: int

    @property
    def total(self) -> int:
        """Both."""
        return self.prompt + self.answer


def estimate(call: Call) -> Estimate:
    """Guess what ``call`` takes; at least 1 token each way."""
    size, attachments = call.body_size, 0
    if size >= ATTACHMENT_BYTES:
        attached = _attached(call.fields)
        size -= sum(attached)
        attachments = len(attached)
    answer = call.most_tokens
    if answer is None:
        answer = UNSAID_ANSWER
    elif answer > LONGEST_ANSWER:
        answer = LONGEST_ANSWER
    elif answer < 1:
        answer = 1
    return Estimate(tokens_of(size) + attachments * ATTACHMENT_TOKENS, answer)


def answer_tokens(deltas: int, size: int) -> int:
    """Guess the tokens of an answer seen as ``deltas`` pieces of ``size`` bytes in all.

    Most providers send a token a piece, some send many.
    """
    return max(deltas, tokens_of(size) if size else 0)


def tokens_of(size: int) -> int:
    """Give the tokens of ``size`` bytes, rounded up, at least 1."""
    return -(-size // BYTES_PER_TOKEN) or 1


def _attached(fields: Mapping[str, Raw]) -> list[int]:
    """Give the size of each long base64 string in a request's body."""
    return [
        end - start
        for raw in fields.values()
        if len(raw) >= ATTACHMENT_BYTES
        for text in (bytes(raw),)
        for start, end in _long_runs(text)
        if _BASE64.match(text, start, end)
    ]


def _long_runs(text: bytes) -> Iterator[tuple[int, int]]:
    """Give where what stands between two quotes is long.

    A step is as long as what is looked for, so each of them has a step in it.
    """
    at = 0
    while at < len(text):
        start = text.rfind(b'"', 0, at) + 1
        end = text.find(b'"', at)
        if end < 0:
            end = len(text)
        if end - start >= ATTACHMENT_BYTES:
            yield start, end
        at = end + ATTACHMENT_BYTES
