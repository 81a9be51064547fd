"""An errand for a coding agent: its provider has it write a file by its own tool.

The words of the file are in no request before the tool has run, so a request that holds
them brings its output back.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from support import messages, responses
from support.chat_bytes import DONE, USAGE, event
from support.scripted import ScriptedProvider, SeenRequest, Step, streamed

COMMAND = "echo written-by-$((6 * 7)) | tee hello.txt"
WRITTEN = "written-by-42"
FINAL = "The file is there."

DIALECTS = ("openai_chat", "openai_responses", "anthropic")
"""What the provider may speak, whatever the agent does."""

MODELS = ("test-model", "gpt-5.5")
"""What is offered: some agents have other ways with a name they know."""


def offered(provider: ScriptedProvider, dialect: str) -> str:
    """Give a configuration that offers ``MODELS`` of a provider with one dialect."""
    kind = "anthropic" if dialect == "anthropic" else "openai"
    target = f'{{ provider = "scripted", model = "upstream", dialect = "{dialect}" }}'
    models = (
        f'[[models]]\nid = "{model}"\ncontext = "200K"\ntargets = [{target}]\n'
        for model in MODELS
    )
    return f"""
[providers.scripted]
kind = "{kind}"
base_url = "{provider.base_url}"
api_key = {{ env = "SCRIPTED_KEY" }}
{"".join(models)}
"""


def errand(
    dialect: str, tool: str, arguments: Mapping[str, Any]
) -> Callable[[SeenRequest], tuple[Step, ...]]:
    """Give the answers of a provider that sends an agent on the errand.

    Whoever has no tools wants a title. ``arguments`` are those of the agent's ``tool``.
    """

    def answer(request: SeenRequest) -> tuple[Step, ...]:
        if WRITTEN.encode() in request.body:
            return streamed(_said(dialect, FINAL))
        if not request.json().get("tools"):
            return streamed(_said(dialect, "A title"))
        return streamed(_called(dialect, tool, json.dumps(arguments)))

    return answer


def check(provider: ScriptedProvider, work: Path, output: str) -> None:
    """See the file on disk, the tool's output at the provider, and the last words."""
    assert (work / "hello.txt").read_text() == f"{WRITTEN}\n"
    assert any(WRITTEN.encode() in request.body for request in provider.requests)
    assert FINAL in output


def _said(dialect: str, words: str) -> Iterable[bytes]:
    match dialect:
        case "openai_chat":
            yield event({"role": "assistant", "content": ""})
            yield event({"content": words})
            yield event({}, "stop")
            yield event({}, choices=[], usage=USAGE)
            yield DONE
        case "openai_responses":
            whole = responses.message(responses.text(words))
            place: dict[str, Any] = {
                "item_id": "msg_1",
                "output_index": 0,
                "content_index": 0,
            }
            part = "response.content_part"
            yield responses.created()
            yield responses.added(responses.message())
            yield responses.event(f"{part}.added", part=responses.text(""), **place)
            yield responses.delta(words, item="msg_1")
            yield responses.event(
                "response.output_text.done", text=words, logprobs=[], **place
            )
            yield responses.event(f"{part}.done", part=responses.text(words), **place)
            yield responses.done(whole)
            yield responses.completed(whole)
        case _:
            yield messages.start()
            yield messages.text(0, words)
            yield messages.end()


def _called(dialect: str, name: str, arguments: str) -> Iterable[bytes]:
    match dialect:
        case "openai_chat":
            begun = {"name": name, "arguments": ""}
            call = {"index": 0, "id": "call_1", "type": "function", "function": begun}
            rest = {"index": 0, "function": {"arguments": arguments}}
            yield event({"role": "assistant", "content": ""})
            yield event({"content": "Let me see."})
            yield event({"tool_calls": [call]})
            yield event({"tool_calls": [rest]})
            yield event({}, "tool_calls")
            yield event({}, choices=[], usage=USAGE)
            yield DONE
        case "openai_responses":
            item = responses.function_call(arguments, name=name)
            yield responses.created()
            yield responses.added({**item, "arguments": ""})
            yield responses.delta(
                arguments, kind="function_call_arguments", item="fc_1"
            )
            yield responses.done(item)
            yield responses.completed(item)
        case _:
            yield messages.start()
            yield messages.text(0, "Let me see.")
            yield messages.tool_use(1, "toolu_1", name, arguments)
            yield messages.end("tool_use")
