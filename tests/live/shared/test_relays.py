"""OpenAI's SDK at the endpoints beside chat: base URL and key are all it is told."""

import io
import json
from typing import Any

from twisted.internet.threads import deferToThread

import openai
import pytest
from support.chat_bytes import DONE, USAGE
from support.daemon import Gateway
from support.http import fetch
from support.scripted import ScriptedProvider

MP3 = {"Content-Type": "audio/mpeg"}
SOUND = b"RIFF" + bytes(range(256)) * 40


def told(**body: Any) -> bytes:
    return json.dumps(body).encode()


def text_event(text: str, reason: str | None = None, **members: Any) -> bytes:
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": reason}
    body = {"id": "cmpl-1", "object": "text_completion", "created": 1}
    data = {**body, "model": "upstream", "choices": [choice], **members}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


async def test_embeddings_in_base64(
    provider: ScriptedProvider, sdk: openai.OpenAI, gateway: Gateway
) -> None:
    vector = {"object": "embedding", "index": 0, "embedding": "AACAPwAAAEA="}
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    provider.reply(
        body=told(object="list", model="upstream", data=[vector], usage=usage)
    )

    answer = await deferToThread(
        lambda: sdk.embeddings.create(model="renamed", input="Hi")
    )

    assert answer.data[0].embedding == [1.0, 2.0]
    assert answer.model == "renamed"
    seen = provider.requests[0]
    assert seen.path == "/v1/embeddings"
    assert seen.json()["encoding_format"] == "base64"
    await gateway.child.line(r'"dialect":"openai_embeddings".*"prompt_tokens":3')


async def test_completions(provider: ScriptedProvider, sdk: openai.OpenAI) -> None:
    provider.stream(
        [
            text_event("Hel"),
            text_event("lo"),
            text_event("", "stop"),
            text_event("", choices=[], usage=USAGE),
            DONE,
        ]
    )
    choice = {"text": "Hi", "index": 0, "logprobs": None, "finish_reason": "stop"}
    provider.reply(
        body=told(id="c", object="text_completion", created=1, choices=[choice])
    )

    said = await deferToThread(
        lambda: list(sdk.completions.create(model="renamed", prompt="a", stream=True))
    )
    whole = await deferToThread(
        lambda: sdk.completions.create(model="renamed", prompt="a")
    )

    assert "".join(each.choices[0].text for each in said) == "Hello"
    assert {each.model for each in said} == {"renamed"}
    assert whole.choices[0].text == "Hi"
    assert provider.requests[0].json()["stream_options"] == {"include_usage": True}


async def test_moderations_and_images(
    provider: ScriptedProvider, sdk: openai.OpenAI
) -> None:
    provider.reply(body=told(id="m", model="upstream", results=[]))
    provider.reply(body=told(created=1, data=[{"b64_json": "aGk="}]))

    judged = await deferToThread(
        lambda: sdk.moderations.create(model="renamed", input="Hi")
    )
    made = await deferToThread(
        lambda: sdk.images.generate(model="renamed", prompt="a cat")
    )

    assert (judged.model, judged.results) == ("renamed", [])
    assert made.data is not None
    assert made.data[0].b64_json == "aGk="
    paths = [seen.path for seen in provider.requests]
    assert paths == ["/v1/moderations", "/v1/images/generations"]


async def test_streamed_images(provider: ScriptedProvider, sdk: openai.OpenAI) -> None:
    kinds = ("image_generation.partial_image", "image_generation.completed")
    provider.stream(
        [
            f'event: {kind}\ndata: {{"type":"{kind}","b64_json":"aGk="}}\n\n'.encode()
            for kind in kinds
        ]
    )

    said = await deferToThread(
        lambda: list(
            sdk.images.generate(
                model="renamed", prompt="a cat", stream=True, partial_images=1
            )
        )
    )

    assert tuple(each.type for each in said) == kinds


async def test_speech(provider: ScriptedProvider, sdk: openai.OpenAI) -> None:
    provider.stream([b"\xff\xf3", b"\x00\n\n", b"end"], headers=MP3)

    answer = await deferToThread(
        lambda: sdk.audio.speech.create(model="renamed", voice="alloy", input="Hi")
    )

    assert answer.content == b"\xff\xf3\x00\n\nend"
    assert answer.response.headers["content-type"] == "audio/mpeg"


async def test_speech_that_breaks(
    provider: ScriptedProvider, sdk: openai.OpenAI
) -> None:
    provider.stream([b"\xff\xf3"], headers=MP3, end="cut")

    def listen() -> bytes:
        return sdk.audio.speech.create(
            model="renamed", voice="alloy", input="Hi"
        ).content

    with pytest.raises(openai.APIConnectionError):
        await deferToThread(listen)


# The SDK calls translations deprecated; its users call them all the same.
@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
async def test_transcriptions_and_translations(
    provider: ScriptedProvider, sdk: openai.OpenAI
) -> None:
    provider.reply(body=told(text="Hello"))
    provider.reply(headers={"Content-Type": "text/plain"}, body=b"Hello\n")
    provider.reply(body=told(text="Bonjour"))

    def transcribe(**more: Any) -> Any:
        file = ("sp\u00e9ech.wav", io.BytesIO(SOUND), "audio/wav")
        return sdk.audio.transcriptions.create(model="renamed", file=file, **more)

    def translate() -> Any:
        return sdk.audio.translations.create(model="renamed", file=SOUND)

    spoken = await deferToThread(transcribe)
    text = await deferToThread(lambda: transcribe(response_format="text"))
    translated = await deferToThread(translate)

    assert (spoken.text, text, translated.text) == ("Hello", "Hello\n", "Bonjour")
    for seen in provider.requests:
        assert b'name="model"\r\n\r\nupstream\r\n' in seen.body
        assert SOUND in seen.body
    assert provider.requests[2].path == "/v1/audio/translations"


async def test_image_edits(provider: ScriptedProvider, sdk: openai.OpenAI) -> None:
    provider.reply(body=told(created=1, data=[{"b64_json": "aGk="}]))

    made = await deferToThread(
        lambda: sdk.images.edit(
            model="renamed", image=[b"\x89PNG1", b"\x89PNG2"], prompt="a cat"
        )
    )

    assert made.data is not None
    assert provider.requests[0].path == "/v1/images/edits"
    assert b"\r\n\r\nupstream\r\n" in provider.requests[0].body


async def test_rerank(provider: ScriptedProvider, gateway: Gateway) -> None:
    results = [{"index": 0, "relevance_score": 0.5}]
    provider.reply(body=told(results=results, usage={"total_tokens": 9}))

    asked = {"model": "renamed", "query": "a", "documents": ["b"]}
    answer = await fetch(
        f"{gateway.base_url}/rerank", method="POST", body=asked, key=gateway.key
    )

    assert answer.status == 200
    assert answer.json()["results"] == results
    await gateway.child.line(r'"dialect":"openai_rerank".*"prompt_tokens":9')


async def test_a_provider_without_the_endpoint(
    provider: ScriptedProvider, sdk: openai.OpenAI
) -> None:
    provider.reply(404, body=told(error={"message": "Not Found"}))

    def ask() -> None:
        sdk.embeddings.create(model="renamed", input="Hi")

    with pytest.raises(openai.NotFoundError) as caught:
        await deferToThread(ask)
    assert "/v1/embeddings" in caught.value.message
