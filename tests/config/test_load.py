from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightweight.config.load import ConfigError, Loaded, Problem, load
from lightweight.config.merge import Origin
from lightweight.config.schema import DEFAULT_TIERS, Config, Tier
from lightweight.config.secret import Secret

CANARY = "sk-canary-0123456789"
PRESETS = ["openai", "anthropic"]


class Directory:
    """A directory with a configuration; messages are told with short file names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "bad.toml"

    def write(self, text: str | bytes, name: str = "bad.toml") -> None:
        file = self.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        file.chmod(0o600)

    def load(self, environ: Mapping[str, str] | None = None) -> Loaded:
        return load(self.file, environ or {}, presets=PRESETS)

    def problems(self, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            self.load(environ)
        return self.short(str(caught.value))

    def warnings(self, environ: Mapping[str, str] | None = None) -> list[str]:
        return self.short("\n".join(map(str, self.load(environ).warnings)))

    def short(self, text: str) -> list[str]:
        return text.replace(f"{self.path}/", "").splitlines()


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def test_without_a_file_all_is_default() -> None:
    loaded = load(None, {}, presets=PRESETS)
    assert loaded.config == Config()
    assert loaded.warnings == ()
    assert loaded.files == ()
    assert loaded.origins == {}


def test_a_file_that_is_not_there_is_a_problem(directory: Directory) -> None:
    assert directory.problems() == [
        "bad.toml: cannot be read: No such file or directory"
    ]


def test_the_example_of_the_specification(directory: Directory) -> None:
    directory.write("# x\n[providers.openai]\ntimout = '5s'\n")
    assert directory.problems() == [
        "bad.toml:3: providers.openai.timout: unknown key, did you mean 'timeouts'?"
    ]


def test_six_mistakes_give_six_lines_in_order(directory: Directory) -> None:
    directory.write(
        """\
listen = ["tcp:8080"]
log_format = "jason"

[providers.openai]
api_key = { env = "NO_SUCH_KEY" }
timout = "5s"

[drain]
stop = 60

[[models]]
id = "mine"
targets = [
  { provider = "opnai", model = "x", dialect = "openai_chat" },
  { provider = "openai", model = "x", dialct = "openai_chat" },
]
"""
    )
    assert directory.problems() == [
        (
            "bad.toml:2: log_format: must be 'auto', 'json' or 'text', did you mean "
            "'json'?"
        ),
        (
            "bad.toml:5: providers.openai.api_key: the environment variable "
            "NO_SUCH_KEY is not set: set it for the daemon, or take this line out"
        ),
        "bad.toml:6: providers.openai.timout: unknown key, did you mean 'timeouts'?",
        'bad.toml:9: drain.stop: must have a unit: write "5s" for five seconds',
        (
            "bad.toml:14: models[0].targets[0].provider: there is no such provider, "
            "add its [providers] table, did you mean 'openai'?"
        ),
        (
            "bad.toml:15: models[0].targets[1].dialct: unknown key, did you mean "
            "'dialect'?"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb =\n", "bad.toml:2: not valid TOML: invalid value (column 4)"),
        (
            "a = 1\n\na = 2",
            (
                "bad.toml:3: not valid TOML: cannot overwrite a value "
                "at the end of the file"
            ),
        ),
        (
            'a = 1\nb = """\n\n',
            "bad.toml:2: not valid TOML: unterminated string at the end of the file",
        ),
        (b"a = 1\nb = '\xff'", "bad.toml:2: is not UTF-8 text"),
        (f"a = {'9' * 5000}", "bad.toml: not valid TOML: a value is out of range"),
        ("a = " + "[" * 20000, "bad.toml: is nested too deeply"),
        (f"{'a.' * 3000}b = 1", "bad.toml: is nested too deeply"),
    ],
    ids=["no value", "twice", "string", "bytes", "digits", "arrays", "tables"],
)
def test_what_is_no_toml(directory: Directory, text: str | bytes, message: str) -> None:
    directory.write(text)
    assert directory.problems()[0] == message


def test_a_broken_file_does_not_hide_the_other_files(directory: Directory) -> None:
    directory.write("[providers.mine")
    directory.write("[[models]]\nid = 5", "conf.d/b.toml")
    # Its provider may be in the broken file: nobody knows.
    target = "{ provider = 'mine', model = 'm', dialect = 'gemini' }"
    directory.write(f"[[models]]\nid = 'a'\ntargets = [{target}]", "conf.d/c.toml")
    problems = directory.problems()
    assert [line.split(": ")[0] for line in problems] == [
        "bad.toml:1",
        "conf.d/b.toml:2",
    ]


def test_conf_d_is_laid_over_in_order(directory: Directory) -> None:
    directory.write(
        "log_format = 'json'\n[drain]\nstop = '1s'\nreload = '2s'\n[[models]]\nid = 'a'"
    )
    directory.write("[drain]\nstop = '4s'", "conf.d/20.toml")
    directory.write("[drain]\nstop = '3s'\n[[models]]\nid = 'b'", "conf.d/10.toml")
    directory.write("oops", "conf.d/.#10.toml")
    directory.write("oops", "conf.d/10.toml.bak")
    loaded = directory.load()
    assert loaded.config.log_format == "json"
    assert loaded.config.drain.stop == 4.0
    assert loaded.config.drain.reload == 2.0
    assert [model.id for model in loaded.config.models] == ["a", "b"]
    names = [str(file.relative_to(directory.path)) for file in loaded.files]
    assert names == ["bad.toml", "conf.d/10.toml", "conf.d/20.toml"]
    later = str(directory.path / "conf.d/20.toml")
    assert loaded.origins["drain.stop"] == Origin(later, 2)
    assert loaded.origins["drain.reload"] == Origin(str(directory.file), 4)
    earlier = str(directory.path / "conf.d/10.toml")
    assert loaded.origins["models[1].id"] == Origin(earlier, 4)
    assert "edge.keep_alive" not in loaded.origins


def test_problems_name_the_file_they_are_in(directory: Directory) -> None:
    directory.write("wokers = 1")
    directory.write("\n[drain]\nstp = '3s'", "conf.d/x.toml")
    assert directory.problems() == [
        "bad.toml:1: wokers: unknown key, did you mean 'workers'?",
        "conf.d/x.toml:3: drain.stp: unknown key, did you mean 'stop'?",
    ]


def test_a_conf_d_that_cannot_be_read_is_a_problem(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.write("workers = 0")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    # The suite may run as root, whom no mode keeps out.
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert directory.problems() == [
        "conf.d: cannot be read: Permission denied",
        'bad.toml:1: workers: must be a whole number of at least 1, or "auto"',
    ]


def test_tiers_are_laid_over_the_ones_there_are(directory: Directory) -> None:
    directory.write("[tiers.beta]\ntpm = 5\n[tiers.gold]\nrpm = 9\n")
    tiers = directory.load().config.tiers
    # A tier is taken whole: what its table does not name is not limited.
    assert tiers == {**DEFAULT_TIERS, "beta": Tier(tpm=5), "gold": Tier(rpm=9)}


def test_secrets_are_found_from_their_own_file_on(directory: Directory) -> None:
    directory.write(
        """\
metrics_token = { credential = "token" }
[keys]
pepper = { file = "pepper" }
[providers.openai]
api_key = { env = "KEY" }
"""
    )
    text = '[providers.anthropic]\napi_key = { file = "claude" }'
    directory.write(text, "conf.d/claude.toml")
    directory.write("one\n", "pepper")
    directory.write("two\n", "conf.d/claude")
    directory.write("three\n", "credentials/token")
    credentials = str(directory.path / "credentials")
    loaded = directory.load({"KEY": "four", "CREDENTIALS_DIRECTORY": credentials})
    config = loaded.config
    assert loaded.warnings == ()
    assert config.keys.pepper == Secret("one")
    assert config.providers["anthropic"].api_key == Secret("two")
    assert config.metrics_token == Secret("three")
    assert config.providers["openai"].api_key == Secret("four")


def test_a_literal_secret_is_warned_about(directory: Directory) -> None:
    directory.write(f"[providers.openai]\napi_key = '{CANARY}'\n")
    assert directory.load().config.providers["openai"].api_key == Secret(CANARY)
    assert directory.warnings() == [
        (
            "bad.toml:2: providers.openai.api_key: the secret itself stands here: "
            "better move it to a file or the environment"
        )
    ]


@pytest.mark.parametrize("mode", ["640", "604"])
def test_a_literal_secret_that_others_can_read_is_warned_about_more(
    directory: Directory, mode: str
) -> None:
    directory.write(f"[providers.openai]\napi_key = '{CANARY}'\n")
    directory.file.chmod(int(mode, 8))
    assert directory.warnings() == [
        (
            "bad.toml:2: providers.openai.api_key: the secret itself stands here and "
            f"other users may read this file (mode 0{mode}): chmod it to 0600, "
            "and move the secret to a file or the environment"
        )
    ]


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("redis://127.0.0.1:6379/0", False),
        ("redis://user@cache/0", False),
        (f"redis://:{CANARY}@cache/0", True),
        (f"redis://user:{CANARY}@cache/0", True),
        (f"redis://user:{CANARY}@x@cache/0", True),
        (f"redis://user:{CANARY}%2Fx@cache/0", True),
        (f"redis+sentinel://:{CANARY}@a,b:2/main/0", True),
        ("redis+sentinel://a,b:2/main", False),
        (f"unix://:{CANARY}@/run/redis.sock", True),
        ("unix:///run/redis.sock?db=1", False),
    ],
)
def test_a_url_is_a_secret_when_it_holds_one(
    directory: Directory, url: str, *, warned: bool
) -> None:
    directory.write(f"[redis]\nurl = '{url}'")
    assert bool(directory.warnings()) is warned
    assert CANARY not in repr(directory.load())


def test_no_message_holds_a_secret(directory: Directory) -> None:
    directory.write(
        f"""\
listen = ["{CANARY}"]
log_format = "{CANARY}"
public_url = "https://user:{CANARY}@host"
metrics_token = {{ env = "{CANARY}" }}
cors_origins = ["{CANARY}"]
trusted_proxies = ["{CANARY}"]
[keys]
pepper = ["{CANARY}"]
[drain]
stop = "{CANARY}"
[providers.openai]
preset = "{CANARY}"
kind = "{CANARY}"
api_key = "{CANARY}\\n"
base_url = "https://{CANARY}@host/"
[providers.anthropic]
api_key = {{ file = "{CANARY}" }}
[providers.x]
kind = "demo"
api_key = {{ credential = "{CANARY}" }}
[redis]
url = "{CANARY}"
[database]
url = "mysql://{CANARY}@db/x"
[edge]
max_body = "{CANARY}"
[tiers.a]
quota_usd = "{CANARY}"
[[models]]
id = "{CANARY} "
context = "{CANARY}"
targets = [{{ provider = "{CANARY}", model = "x", dialect = "gemini" }}]
"""
    )
    problems = directory.problems({"CREDENTIALS_DIRECTORY": str(directory.path)})
    assert len(problems) == 21
    assert CANARY not in "".join(problems)


def test_a_syntax_error_beside_a_secret_does_not_show_it(directory: Directory) -> None:
    for line in (f"api_key = {CANARY}", f"api_key = '{CANARY}", f"'{CANARY}'"):
        directory.write(f"[providers.openai]\n{line}\n")
        (problem,) = directory.problems()
        assert problem.startswith("bad.toml:2: not valid TOML: ")
        assert CANARY not in problem


def test_a_relative_path_is_told_as_it_was_given(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.write("[keys]\npeper = 1")
    monkeypatch.chdir(directory.path)
    with pytest.raises(ConfigError) as caught:
        load(Path("bad.toml"), {})
    assert str(caught.value) == (
        "bad.toml:2: keys.peper: unknown key, did you mean 'pepper'?"
    )
    assert caught.value.problems == (
        Problem(
            file="bad.toml",
            line=2,
            path="keys.peper",
            text="unknown key, did you mean 'pepper'?",
        ),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.binary())
def test_any_file_is_loaded_or_a_config_error(
    directory: Directory, text: str | bytes
) -> None:
    content = text.encode("utf-8", "replace") if isinstance(text, str) else text
    directory.write(content)
    try:
        assert directory.load().config == Config()
    except ConfigError as error:
        assert error.problems


def test_secrets_that_are_not_needed_are_not_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "lightweight.toml"
    path.write_text(
        '[providers.openai]\napi_key = { credential = "openai" }\n'
        '[keys]\npepper = { env = "PEPPER" }\n'
    )

    config = load(path, {"PEPPER": "ground"}, secrets_of=("keys",)).config

    assert config.keys.pepper == Secret("ground")
    assert config.providers["openai"].api_key == Secret("")
    with pytest.raises(ConfigError, match="CREDENTIALS_DIRECTORY"):
        load(path, {"PEPPER": "ground"})


def test_what_was_read_before_can_be_loaded_without_its_file(
    directory: Directory,
) -> None:
    directory.write(f'metrics_token = "{CANARY}"\n')
    before = directory.load()
    directory.file.unlink()
    texts = {directory.file: before.texts[0].reveal()}

    loaded = load(directory.file, {}, presets=PRESETS, texts=texts)

    assert loaded.config == before.config
    assert loaded.origins == before.origins
    assert [warning.line for warning in loaded.warnings] == [1]
    assert [secret.reveal() for secret in loaded.secrets] == [CANARY]
    assert CANARY not in repr(loaded)


def test_problems_of_others_concern_nobody_else(directory: Directory) -> None:
    directory.write("workers = 3\nnew = 1\n[edge]\nmax_body = 0\n")
    concerns = ["workers", "drain"]
    assert load(directory.file, {}, concerns=concerns).config.workers == 3
    with pytest.raises(ConfigError) as caught:
        load(directory.file, {}, concerns=["edge"])
    assert len(caught.value.problems) == 2
