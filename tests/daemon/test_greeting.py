"""The greeting: a key, and a curl that is right as it stands."""

import json
import shlex
from pathlib import Path

import pytest

from lightweight.daemon.greeting import greeting, name_model
from lightweight.records import Account, ApiKey
from lightweight.store.first_run import FirstRun, write_first_run

MADE = FirstRun(
    Account(id="acct_1", name="default", tier="enterprise", created_at=0.0),
    ApiKey(id="key_1", account_id="acct_1", name="first", shown="lw-…", created_at=0.0),
    "lw-secret",
    "invite-secret",
)


def test_the_curl_is_a_valid_call() -> None:
    text = greeting(MADE, base_url="http://127.0.0.1:8080/v1", model="demo")

    words = shlex.split(text[text.index("curl") :])
    assert words[:3] == ["curl", "-N", "http://127.0.0.1:8080/v1/chat/completions"]
    assert "Authorization: Bearer lw-secret" in words
    body = json.loads(words[words.index("-d") + 1])
    assert (body["model"], body["stream"]) == ("demo", True)


def test_its_link_makes_the_first_operator() -> None:
    text = greeting(MADE, base_url="http://127.0.0.1:8080/v1", model="demo")

    assert "\n  http://127.0.0.1:8080/dashboard/join?invite=invite-secret\n" in text


def test_without_a_model_it_says_what_to_do_first() -> None:
    text = greeting(MADE, base_url="http://127.0.0.1:8080/v1", model=None)

    assert "[providers.…]" in text


@pytest.mark.parametrize("model", ["llama-3", "it's odd"])
def test_the_file_names_what_is_offered_in_the_end(tmp_path: Path, model: str) -> None:
    path = write_first_run(
        tmp_path, greeting(MADE, base_url="http://127.0.0.1:8080/v1", model="demo")
    )

    text = name_model(path, model)

    words = shlex.split(text[text.index("curl") :])
    assert json.loads(words[words.index("-d") + 1])["model"] == model
    assert path.read_text() == text
    assert path.stat().st_mode & 0o777 == 0o600


def test_with_nothing_on_offer_the_file_stays(tmp_path: Path) -> None:
    path = write_first_run(tmp_path, "as it was")

    assert name_model(path, None) == path.read_text() == "as it was"
