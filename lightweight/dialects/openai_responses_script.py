"""The output of a response as it is written: items that open, grow and close.

API reference, "Streaming events". Each item has one place (``output_index``); what it
says comes between its ``output_item.added`` and its ``output_item.done``. Words and
thoughts end where something else begins; tool calls stay open to the end, since their
pieces may alternate.

Events are made without their ``sequence_number``: that is the stream's.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lightweight.dialects.seals import Carried, with_carried, wrapped
from lightweight.events import (
    Event,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from lightweight.prompts import Reasoning

Json: TypeAlias = dict[str, Any]

_OPEN, _DONE, _SHORT = "in_progress", "completed", "incomplete"


class _Message:
    """Words of the model: text, or a refusal, each a part of its own."""

    def __init__(self, name: str, index: int) -> None:
        self._id = f"msg_{name}"
        self._place = {"item_id": self._id, "output_index": index}
        self._index = index
        self._parts: list[Json] = []
        self._kind = ""
        self._pieces: list[str] = []

    def begin(self) -> Iterator[Json]:
        yield _added(self._index, self.render(_OPEN))

    def say(self, kind: str, text: str) -> Iterator[Json]:
        if kind != self._kind:
            yield from self._end_part()
            self._kind = kind
            yield self._event("content_part.added", part=_part(kind, ""))
        self._pieces.append(text)
        yield self._event(f"{kind}.delta", delta=text, **_logprobs(kind))

    def end(self, status: str) -> Iterator[Json]:
        yield from self._end_part()
        yield _done(self._index, self.render(status))

    def render(self, status: str) -> Json:
        return {
            "type": "message",
            "id": self._id,
            "status": status,
            "role": "assistant",
            "content": list(self._parts),
        }

    def _end_part(self) -> Iterator[Json]:
        if not self._kind:
            return
        kind, text = self._kind, "".join(self._pieces)
        member = "text" if kind == "output_text" else "refusal"
        part = _part(kind, text)
        yield self._event(f"{kind}.done", **{member: text}, **_logprobs(kind))
        yield self._event("content_part.done", part=part)
        self._parts.append(part)
        self._kind = ""
        self._pieces.clear()

    def _event(self, kind: str, **members: Any) -> Json:
        place = {**self._place, "content_index": len(self._parts)}
        return {"type": f"response.{kind}", **place, **members}


class _Thoughts:
    """What can be read of the model's thoughts, and their seal."""

    def __init__(self, name: str, index: int) -> None:
        self._id = f"rs_{name}"
        self._place = {"item_id": self._id, "output_index": index}
        self._index = index
        self._pieces: list[str] = []
        self.sealed: ReasoningSealed | None = None

    def begin(self) -> Iterator[Json]:
        yield _added(self._index, self.render(_OPEN))

    def say(self, text: str) -> Iterator[Json]:
        if not self._pieces:
            yield self._event("part.added", part=_summary(""))
        self._pieces.append(text)
        yield self._event("text.delta", delta=text)

    def end(self, status: str) -> Iterator[Json]:
        if self._pieces:
            text = "".join(self._pieces)
            yield self._event("text.done", text=text)
            yield self._event("part.done", part=_summary(text))
        yield _done(self._index, self.render(status))

    def render(self, _status: str) -> Json:
        text = "".join(self._pieces)
        item: Json = {
            "type": "reasoning",
            "id": self._id,
            "summary": [_summary(text)] if text else [],
        }
        if self.sealed is not None:
            item["encrypted_content"] = _seal(self.sealed, text)
        return item

    def _event(self, kind: str, **members: Any) -> Json:
        kind = f"response.reasoning_summary_{kind}"
        return {"type": kind, **self._place, "summary_index": 0, **members}


class _Called:
    """A tool call."""

    def __init__(
        self, name: str, index: int, first: ToolCallDelta, names: Mapping[str, Any]
    ) -> None:
        self._custom = first.custom
        self._id = f"{'ctc' if first.custom else 'fc'}_{name}"
        self._place = {"item_id": self._id, "output_index": index}
        self._index = index
        called = first.name or ""
        space, self._name = names.get(called, (None, called))
        # Only calls of a namespace's tool have the member.
        self._space = {} if space is None else {"namespace": space}
        seal = Carried(seal=first.seal, sealed_by="gemini" if first.seal else None)
        self._call_id = with_carried(first.id or f"call_{name}", seal)
        self._pieces: list[str] = []

    def begin(self) -> Iterator[Json]:
        yield _added(self._index, self.render(_OPEN))

    def say(self, text: str) -> Iterator[Json]:
        self._pieces.append(text)
        yield self._event("delta", delta=text)

    def end(self, status: str) -> Iterator[Json]:
        if not self._pieces and not self._custom:
            yield from self.say("{}")  # clients decode it
        text = "".join(self._pieces)
        if self._custom:
            yield self._event("done", input=text)
        else:
            yield self._event("done", name=self._name, arguments=text)
        yield _done(self._index, self.render(status))

    def render(self, status: str) -> Json:
        kind = "custom_tool_call" if self._custom else "function_call"
        text = "input" if self._custom else "arguments"
        return {
            "type": kind,
            "id": self._id,
            "status": status,
            "call_id": self._call_id,
            "name": self._name,
            **self._space,
            text: "".join(self._pieces),
        }

    def _event(self, kind: str, **members: Any) -> Json:
        what = "custom_tool_call_input" if self._custom else "function_call_arguments"
        return {"type": f"response.{what}.{kind}", **self._place, **members}


_Item: TypeAlias = _Message | _Thoughts | _Called


class Script:
    """The whole output, item by item."""

    def __init__(self, name: str, names: Mapping[str, tuple[str, str]]) -> None:
        """``name`` makes ids; ``names`` gives the namespace and name of some tools."""
        self._name = name
        self._names = names
        self._items: list[_Item] = []
        self._calls: dict[int, _Called] = {}
        self._speaking: _Message | _Thoughts | None = None
        self._short: _Item | None = None

    def hear(self, event: Event) -> Iterator[Json]:
        """Give the stream events that an event makes.

        A response has one choice: others say nothing here.
        """
        match event:
            case TextDelta(choice=0, text=text):
                yield from self._say("output_text", text)
            case RefusalDelta(choice=0, text=text):
                yield from self._say("refusal", text)
            case ReasoningDelta(choice=0) | ReasoningSealed(choice=0):
                yield from self._think(event)
            case ToolCallDelta(choice=0):
                yield from self._call(event)

    def close(self, *, whole: bool) -> Iterator[Json]:
        """Give the stream events that end what is still open.

        Not ``whole``: a limit cut the answer, and so its last item, short.
        """
        if self._items and not whole:
            self._short = self._items[-1]
        still: list[_Item] = list(self._calls.values())
        if self._speaking is not None:
            still.append(self._speaking)
        for item in sorted(still, key=self._items.index):
            yield from item.end(self._status(item))

    def render(self) -> list[Json]:
        """Give the output; it must be closed."""
        return [item.render(self._status(item)) for item in self._items]

    def _status(self, item: _Item) -> str:
        return _SHORT if item is self._short else _DONE

    def _say(self, kind: str, text: str) -> Iterator[Json]:
        message = self._speaking
        if not isinstance(message, _Message):
            message = _Message(*self._place())
            yield from self._open(message)
        yield from message.say(kind, text)

    def _think(self, event: ReasoningDelta | ReasoningSealed) -> Iterator[Json]:
        thoughts = self._speaking
        if not isinstance(thoughts, _Thoughts):
            thoughts = _Thoughts(*self._place())
            yield from self._open(thoughts)
        if isinstance(event, ReasoningSealed):
            thoughts.sealed = event
            yield from self._hush()
        else:
            yield from thoughts.say(event.text)

    def _call(self, event: ToolCallDelta) -> Iterator[Json]:
        called = self._calls.get(event.call)
        if called is None:
            called = _Called(*self._place(), event, self._names)
            yield from self._hush()
            self._calls[event.call] = called
            self._items.append(called)
            yield from called.begin()
        if event.arguments:
            yield from called.say(event.arguments)

    def _open(self, item: _Message | _Thoughts) -> Iterator[Json]:
        yield from self._hush()
        self._speaking = item
        self._items.append(item)
        yield from item.begin()

    def _hush(self) -> Iterator[Json]:
        if self._speaking is not None:
            yield from self._speaking.end(_DONE)
            self._speaking = None

    def _place(self) -> tuple[str, int]:
        index = len(self._items)
        return f"{self._name}_{index}", index


def _added(index: int, item: Json) -> Json:
    kind = "response.output_item.added"
    return {"type": kind, "output_index": index, "item": item}


def _done(index: int, item: Json) -> Json:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def _part(kind: str, text: str) -> Json:
    if kind == "refusal":
        return {"type": kind, "refusal": text}
    return {"type": kind, "text": text, "annotations": [], "logprobs": []}


def _summary(text: str) -> Json:
    return {"type": "summary_text", "text": text}


def _logprobs(kind: str) -> Json:
    """Some clients fail where text has none."""
    return {"logprobs": []} if kind == "output_text" else {}


def _seal(sealed: ReasoningSealed, text: str) -> str:
    """Give what a client brings back: a foreign seal takes its text along."""
    if sealed.sealed_by == "openai_responses":
        return sealed.seal
    return wrapped(
        Reasoning(
            text=text,
            seal=sealed.seal,
            sealed_by=sealed.sealed_by,
            redacted=sealed.redacted,
            id=sealed.id,
        )
    )
