"""The greeting: a key, and a curl that is right as it stands."""

import json
import shlex

from lightweight.daemon.greeting import greeting
from lightweight.records import Account, ApiKey
from lightweight.store.first_run import FirstRun

MADE = FirstRun(
    Account(id="acct_1", name="default", tier="enterprise", created_at=0.0),
    ApiKey(id="key_1", account_id="acct_1", name="first", shown="lw-…", created_at=0.0),
    "lw-secret",
)


def test_the_curl_is_a_valid_call() -> None:
    text = greeting(MADE, base_url="http://127.0.0.1:8080/v1", model="demo")

    words = shlex.split(text[text.index("curl") :])
    assert words[:3] == ["curl", "-N", "http://127.0.0.1:8080/v1/chat/completions"]
    assert "Authorization: Bearer lw-secret" in words
    body = json.loads(words[words.index("-d") + 1])
    assert (body["model"], body["stream"]) == ("demo", True)


def test_without_a_model_it_says_what_to_do_first() -> None:
    text = greeting(MADE, base_url="http://127.0.0.1:8080/v1", model=None)

    assert "[providers.…]" in text
