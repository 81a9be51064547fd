"""What is left of a chunk once its events are known."""

import json

from lightweight.dialects.openai_chat_unsaid import unsaid


def test_only_what_no_event_says() -> None:
    kept = unsaid(
        json.dumps(
            {
                "id": "x",
                "usage": {"a": 1},
                "prompt_filter_results": [1],
                "nothing": None,
                "choices": [
                    {
                        "index": 1,
                        "delta": {
                            "role": "assistant",
                            "content": "x",
                            "audio": {"a": 1},
                        },
                        "finish_reason": None,
                        "logprobs": {"content": []},
                    },
                    {"message": {"annotations": [2]}},
                ],
            }
        ).encode()
    )
    assert {name: bytes(raw) for name, raw in kept.members.items()} == {
        "prompt_filter_results": b"[1]"
    }
    assert bytes(kept.choices[1]["logprobs"]) == b'{"content": []}'
    assert kept.choices[0] == {}
    assert bytes(kept.said[1]["audio"]) == b'{"a": 1}'
    assert bytes(kept.said[0]["annotations"]) == b"[2]"


def test_a_chunk_without_choices() -> None:
    kept = unsaid(b'{"choices":null,"x":1}')
    assert (dict(kept.choices), list(kept.members)) == ({}, ["x"])
