"""The tool calls of one choice: pieces as providers number them, pieces as we do.

API reference, ``choices[].delta.tool_calls``. Some providers leave the index out or
give every call the same one: then a new id, or a name, begins a new call. The legacy
``function_call`` is a call whose first piece has no id.
"""

from collections.abc import Iterator

from msgspec import Struct

from lightweight.errors import ProviderGarbage
from lightweight.events import ToolCallDelta


class Function(Struct, frozen=True):
    """What is called, or a piece of it: ``input`` is a custom tool's text."""

    name: str | None = None
    arguments: str | None = None
    input: str | None = None


class Google(Struct, frozen=True):
    """What Google's OpenAI-compatible endpoint adds to a call."""

    thought_signature: str | None = None


class Extra(Struct, frozen=True):
    """``extra_content`` of a call."""

    google: Google | None = None


class ToolCall(Struct, frozen=True):
    """A tool call, or a piece of one."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    custom: Function | None = None
    extra_content: Extra | None = None


_NO_FUNCTION = Function()


class ToolCalls:
    """Numbers one choice's tool calls from 0 without gaps, as they appear."""

    def __init__(self, choice: int, prefix: str) -> None:
        """``prefix`` begins the ids of calls that the provider gives none."""
        self._choice = choice
        self._prefix = prefix
        self._ids: list[str] = []
        self._calls: dict[int, int] = {}
        self._legacy: int | None = None

    def hear(self, told: ToolCall) -> Iterator[ToolCallDelta]:
        """Give what a piece says; raise ProviderGarbage for a call without a name."""
        part = told.function or told.custom or _NO_FUNCTION
        text = part.arguments or part.input or ""
        custom = told.custom is not None
        call = self._known(told, part)
        if call is None:
            yield self._begin(told, part, text, custom=custom)
        elif text:
            yield ToolCallDelta(
                call=call, arguments=text, custom=custom, choice=self._choice
            )

    def hear_legacy(self, part: Function) -> Iterator[ToolCallDelta]:
        """Give what a piece of the old ``function_call`` says."""
        text = part.arguments or ""
        if self._legacy is None:
            self._legacy = len(self._ids)
            self._ids.append("")
            yield ToolCallDelta(
                call=self._legacy,
                arguments=text,
                name=_named(part),
                choice=self._choice,
            )
        elif text:
            yield ToolCallDelta(call=self._legacy, arguments=text, choice=self._choice)

    def _begin(
        self, told: ToolCall, part: Function, text: str, *, custom: bool
    ) -> ToolCallDelta:
        call = len(self._ids)
        self._ids.append(told.id or "")
        if told.index is not None:
            self._calls[told.index] = call
        google = told.extra_content.google if told.extra_content else None
        return ToolCallDelta(
            call=call,
            arguments=text,
            id=told.id or f"{self._prefix}_{call}",
            name=_named(part),
            custom=custom,
            seal=google.thought_signature if google else None,
            choice=self._choice,
        )

    def _known(self, told: ToolCall, part: Function) -> int | None:
        """Give the number of the call this piece continues; None for a new one."""
        last = len(self._ids) - 1 if self._ids else None
        call = last if told.index is None else self._calls.get(told.index)
        if call is None:
            return None
        known = self._ids[call]
        if told.id and known and told.id != known:
            return None
        if told.index is None and part.name and not told.id:
            return None
        return call


def _named(part: Function) -> str:
    if not part.name:
        raise ProviderGarbage("The provider began a tool call without a name.")
    return part.name
