"""OpenAI's endpoints beside chat: each a dialect of its own that is only passed on.

API reference, "Completions (legacy)", "Embeddings", "Moderations", "Images", "Audio";
rerank as Jina, Cohere and vLLM have it. Nothing here is ever translated: a request goes
to a provider that has the endpoint, with no more than its ``model`` replaced, and the
answer comes back with no more than its ``model`` set back. All that is asked of a
request is a ``model``; the rest is the provider's to judge.

``dialects.crossing`` says which targets have these endpoints.
"""

from collections.abc import Mapping
from typing import NoReturn

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects import openai_chat_faults
from lightweight.dialects.dialect import Passage, Reader, Writer
from lightweight.dialects.form import read_form
from lightweight.dialects.json_body import decode_object
from lightweight.dialects.openai_chat_passage import StreamPassage
from lightweight.dialects.openai_chat_writer import broken_stream
from lightweight.dialects.openai_relay_passage import (
    EventsPassage,
    PipedPassage,
    WholePassage,
)
from lightweight.dialects.sse import COMMENT
from lightweight.dialects.top_level import flag, forwarded, model_of
from lightweight.dialects.typed import given, typed
from lightweight.errors import Fault, ModelNotFound, ProviderLacks
from lightweight.events import Event
from lightweight.prompts import Prompt
from lightweight.records import (
    Answer,
    Call,
    DialectName,
    Headers,
    Outgoing,
    Request,
    Target,
)

FILE_BYTES = 6000
"""What a file of a form counts for in the token estimate, however large it is."""

_EVENTS = "text/event-stream"
_NO_ENDPOINT = (404, 405)
_TOKENS = msgspec.json.Decoder(int | None)
_OPTIONS = msgspec.json.Decoder(dict[str, Raw])


class Endpoint(Struct, frozen=True, kw_only=True):
    """One of OpenAI's paths, and what is peculiar about it."""

    path: str
    """Below ``/v1`` of the client's side and of the provider's."""
    form: bool = False
    """The request is a form with files."""
    sound: bool = False
    """The answer is sound, streamed as it is made."""
    text: bool = False
    """The answer may be plain text."""
    reports_usage: bool = False
    """A stream tells its usage only if asked (``stream_options``)."""
    answers: bool = True
    """The answer is made of tokens."""


class OpenAIRelay:
    """The dialect of one endpoint; it has no state of its own."""

    def __init__(self, name: DialectName, endpoint: Endpoint) -> None:
        self.name = name
        self.stream_type = "application/octet-stream" if endpoint.sound else _EVENTS
        self.keep_alive = b"" if endpoint.sound else COMMENT
        self._endpoint = endpoint

    def parse_request(self, request: Request) -> Call:
        """Judge a client's request; raise BadRequest with ``param`` set."""
        if self._endpoint.form:
            return self._parse_form(request)
        fields = decode_object(request.body)
        stream = self._endpoint.sound or flag("stream", fields.get("stream"))
        options = fields.get("stream_options")
        asked = _options(options).get("include_usage") if stream else None
        return Call(
            id=request.id,
            dialect=self.name,
            model=model_of(fields),
            stream=stream,
            wants_usage=flag("stream_options.include_usage", asked),
            fields=fields,
            forward=forwarded(request.headers),
            arrived=request.arrived,
            body_size=len(request.body),
            most_tokens=self._most_tokens(fields),
        )

    def writer(self, call: Call) -> Writer:  # noqa: ARG002  (the Protocol's argument)
        """Make what tells of a fault; there is nothing else to write."""
        return _FaultWriter()

    def render_error(self, fault: Fault) -> Answer:
        """Give OpenAI's error envelope with its status and retry headers."""
        return openai_chat_faults.render_error(fault)

    def write_request(self, call: Call, target: Target) -> Outgoing:
        """Give the provider's request, untouched save for ``model``.

        A stream that tells its usage only if asked is asked.
        """
        headers = {**call.forward, "accept": "*/*"}
        if call.form is None:
            headers["content-type"] = "application/json"
            body = self._body(call, target)
        else:
            before, after = call.form
            body = b"".join([before, target.model.encode(), after])
        # Ollama's own API begins at the root, the one like OpenAI's does not.
        root = "/v1" if target.dialect == "ollama" else ""
        return Outgoing(
            path=root + self._endpoint.path,
            headers=headers,
            body=body,
            stream=call.stream,
        )

    def read_prompt(self, call: Call) -> Prompt:
        """Refuse: no other dialect can be asked this."""
        raise ModelNotFound(
            f"No provider of the model {call.model!r} serves "
            f"/v1{self._endpoint.path}. Use another model for it.",
            param="model",
        )

    def write_prompt(self, prompt: Prompt, call: Call, target: Target) -> Outgoing:  # noqa: ARG002  (the Protocol's arguments)
        """Refuse: this can be asked nothing else."""
        raise ModelNotFound(
            f"The model {call.model!r} is served at /v1{self._endpoint.path} only.",
            param="model",
        )

    def reader(self, call: Call, quirks: frozenset[str] = frozenset()) -> Reader:
        """Make nothing: ``write_prompt`` let no such call through."""
        raise AssertionError(call.dialect, quirks)

    def passage(self, call: Call, target: Target) -> Passage:
        """Make the way of the answer."""
        if not call.stream:
            return WholePassage(call, target, only_json=not self._endpoint.text)
        if self._endpoint.reports_usage:
            return StreamPassage(call, target)
        if self._endpoint.sound and not _wants_events(call.fields):
            return PipedPassage()
        return EventsPassage()

    def read_error(self, status: int, headers: Headers, body: bytes) -> Fault:
        """Judge a provider's answer outside 2xx.

        That it does not have the endpoint, or not for this model, is the client's to
        know where no other provider has it: most models serve one endpoint.
        """
        if status in _NO_ENDPOINT:
            return ProviderLacks(
                f"The provider of this model does not serve it at "
                f"/v1{self._endpoint.path}. Use another model for it.",
                param="model",
            )
        return openai_chat_faults.read_error(status, headers, body)

    def _parse_form(self, request: Request) -> Call:
        content_type = request.headers.get("content-type", "")
        form = read_form(content_type, request.body)
        return Call(
            id=request.id,
            dialect=self.name,
            model=form.model,
            stream=form.stream,
            fields={},
            forward={**forwarded(request.headers), "content-type": content_type},
            arrived=request.arrived,
            form=(form.before, form.after),
            body_size=form.own_bytes + form.files * FILE_BYTES,
        )

    def _body(self, call: Call, target: Target) -> bytes:
        fields = dict(call.fields)
        fields["model"] = Raw(msgspec.json.encode(target.model))
        if call.stream and self._endpoint.reports_usage:
            options = _options(fields.get("stream_options"))
            options["include_usage"] = Raw(b"true")
            fields["stream_options"] = Raw(msgspec.json.encode(options))
        return msgspec.json.encode(fields)

    def _most_tokens(self, fields: Mapping[str, Raw]) -> int | None:
        """Give what the answer may take; an odd value is the provider's to judge."""
        if not self._endpoint.answers:
            return 0
        try:
            most = _TOKENS.decode(fields.get("max_tokens", b"null"))
        except msgspec.ValidationError:
            return None
        return most if most is not None and most > 0 else None


class _FaultWriter:
    """Writer of what is only passed on: all it can tell is a fault."""

    def write(self, event: Event) -> NoReturn:
        """Never called: nothing is translated."""
        raise AssertionError(event)

    def finish(self) -> NoReturn:
        """Never called either."""
        raise AssertionError

    def broken(self, fault: Fault) -> bytes:
        """Give the error frame and [DONE]."""
        return broken_stream(fault)


def _options(raw: Raw | None) -> dict[str, Raw]:
    return typed(_OPTIONS, raw, "stream_options") if raw and given(raw) else {}


def _wants_events(fields: Mapping[str, Raw]) -> bool:
    return bytes(fields.get("stream_format", b"")) == b'"sse"'


ENDPOINTS: Mapping[DialectName, Endpoint] = {
    "openai_completions": Endpoint(path="/completions", reports_usage=True),
    "openai_embeddings": Endpoint(path="/embeddings", answers=False),
    "openai_moderations": Endpoint(path="/moderations", answers=False),
    "openai_images": Endpoint(path="/images/generations"),
    "openai_image_edits": Endpoint(path="/images/edits", form=True),
    "openai_speech": Endpoint(path="/audio/speech", sound=True),
    "openai_transcriptions": Endpoint(
        path="/audio/transcriptions", form=True, text=True
    ),
    "openai_translations": Endpoint(path="/audio/translations", form=True, text=True),
    "openai_rerank": Endpoint(path="/rerank", answers=False),
}

RELAYS: Mapping[DialectName, OpenAIRelay] = {
    name: OpenAIRelay(name, endpoint) for name, endpoint in ENDPOINTS.items()
}
"""Every dialect of this file, by its name."""
