import copy
import json
import pickle
import traceback
from pathlib import Path

import msgspec
import pytest

from lightweight.config.schema import Config, Keys, ProviderConfig
from lightweight.config.secret import Secret, find_secret

CANARY = "sk-canary-0123456789"


def test_it_reveals_what_it_was_given() -> None:
    assert Secret(CANARY).reveal() == CANARY


def test_it_never_prints() -> None:
    secret = Secret(CANARY)
    config = Config(
        keys=Keys(pepper=secret), providers={"x": ProviderConfig(api_key=secret)}
    )
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>8}",
        f"{secret:>8}",
        "%s %r" % (secret, secret),  # noqa: UP031 -- logging formats so
        repr(config),
        repr([config]),
        msgspec.json.encode(config.keys, enc_hook=str).decode(),
        str(dir(secret)),
    ]
    assert CANARY not in "".join(shown)
    assert shown[:3] == ["***"] * 3
    assert shown[4] == "     ***"


def test_no_encoder_takes_it() -> None:
    secret = Secret(CANARY)
    for encode in (
        msgspec.json.encode,
        msgspec.msgpack.encode,
        msgspec.to_builtins,
        json.dumps,
        pickle.dumps,
    ):
        for value in (secret, Keys(pepper=secret)):
            with pytest.raises(TypeError) as caught:
                encode(value)
            assert CANARY not in str(caught.value)


def test_it_has_nothing_to_list() -> None:
    with pytest.raises(TypeError):
        vars(Secret(CANARY))


def test_a_traceback_with_local_variables_does_not_show_it() -> None:
    def fail(secret: Secret) -> None:
        raise RuntimeError(secret)

    with pytest.raises(RuntimeError) as caught:
        fail(Secret(CANARY[::-1]))
    told = traceback.TracebackException.from_exception(
        caught.value, capture_locals=True
    )
    text = "".join(told.format())
    assert "secret = ***" in text
    assert CANARY[::-1] not in text


def test_equal_secrets_are_equal() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert hash(Secret(CANARY)) == hash(Secret(CANARY))
    assert Secret(CANARY) != Secret(CANARY + "x")
    assert Secret(CANARY) != CANARY
    assert Secret("ü\udc80") == Secret("ü\udc80")


def test_copies_are_the_secret_itself() -> None:
    secret = Secret(CANARY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_a_literal_is_found(tmp_path: Path) -> None:
    assert find_secret(CANARY, tmp_path, {}).reveal() == CANARY


def test_a_variable_is_found(tmp_path: Path) -> None:
    found = find_secret({"env": "KEY"}, tmp_path, {"KEY": CANARY})
    assert found.reveal() == CANARY


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_is_found_without_its_last_newline(tmp_path: Path, end: str) -> None:
    (tmp_path / "key").write_bytes(f"{CANARY}{end}".encode())
    assert find_secret({"file": "key"}, tmp_path, {}).reveal() == CANARY
    absolute = {"file": str(tmp_path / "key")}
    assert find_secret(absolute, Path("/nowhere"), {}).reveal() == CANARY


def test_a_credential_is_found(tmp_path: Path) -> None:
    (tmp_path / "openai").write_text(CANARY + "\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    found = find_secret({"credential": "openai"}, Path("/nowhere"), environ)
    assert found.reveal() == CANARY


WANTED = '{ env = "NAME" }, { file = "path" } or { credential = "name" }'
UNIT = "add it to the unit with LoadCredential="


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "is empty"),
        (f"{CANARY}\n", "must be one line of printable ASCII text"),
        (f"{CANARY}é", "must be one line of printable ASCII text"),
        (5, f"must be {WANTED}, not an integer"),
        ({}, f"must be {WANTED}"),
        ({"env": 5}, f"must be {WANTED}"),
        ({"file": "a\0b"}, f"must be {WANTED}"),
        ({"env": "A", "file": "b"}, f"must be {WANTED}"),
        (
            {"env": "UNSET"},
            (
                "the environment variable UNSET is not set: set it for the daemon, or "
                "take this line out"
            ),
        ),
        (
            {"env": "EMPTY"},
            (
                "the environment variable EMPTY is empty: set it for the daemon, or "
                "take this line out"
            ),
        ),
        (
            {"env": CANARY},
            (
                "the environment variable is not set: set it for the daemon, or take "
                "this line out"
            ),
        ),
        (
            {"file": CANARY},
            (
                "the file cannot be read (No such file or directory): write the secret "
                "into it for the daemon's user (a relative name starts at TMP)"
            ),
        ),
        (
            {"file": "."},
            (
                "the file cannot be read (Is a directory): write the secret into it "
                "for the daemon's user (a relative name starts at TMP)"
            ),
        ),
        ({"file": "two-lines"}, "must be one line of printable ASCII text"),
        ({"file": "empty"}, "is empty"),
        (
            {"file": "huge"},
            "the file is larger than 64 KiB: a secret is one line",
        ),
        (
            {"credential": CANARY},
            f"the credential cannot be read (No such file or directory): {UNIT}",
        ),
        (
            {"credential": "../key"},
            "the name of a credential has no slash and is not a directory",
        ),
    ],
)
def test_what_cannot_be_found(tmp_path: Path, value: object, message: str) -> None:
    (tmp_path / "two-lines").write_text(f"{CANARY}\n{CANARY}\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "huge").write_text("x" * 70_000)
    environ = {"EMPTY": "", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    with pytest.raises(ValueError) as caught:
        find_secret(value, tmp_path, environ)
    assert str(caught.value) == message.replace("TMP", str(tmp_path))


def test_a_credential_without_systemd_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as caught:
        find_secret({"credential": "openai"}, tmp_path, {})
    assert str(caught.value) == (
        "CREDENTIALS_DIRECTORY is not set: systemd sets it for a unit with "
        "LoadCredential=, elsewhere use { file = … }"
    )
