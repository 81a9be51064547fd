"""Nothing secret is told: a canary stands in every place where a secret may stand.

Then everything goes wrong that can, and what was answered, logged, counted, dumped,
named on a command line or written to a file is searched. What people asked of a model
is a secret too. A canary may be where its owner put it, and with whom it is meant for.
"""

import json
import re
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from twisted.internet.defer import Deferred

import pytest
import pytest_twisted
from click.testing import CliRunner
from support.daemon import BIN, Gateway, spawn
from support.http import Fetched, fetch
from support.ports import free_port
from support.postgres import PASSWORD, PostgresServer
from support.processes import children
from support.redis import RedisServer
from support.scripted import SILENCE, Gate, ScriptedProvider, streamed, whole
from support.tls import authority
from support.until import until

from lightweight.cli.main import main
from lightweight.store.keys import mint

PROMPT = "canary-prompt-4d1c"
SIGN_IN = "canary-password-77aa"
STANDING: Mapping[str, str] = {
    "provider key": "sk-canary-provider-1b2c",
    "spare key": "sk-canary-spare-3d4e",
    "metrics token": "canary-metrics-5f6a",
    "pepper": "canary-pepper-" + "7b8c" * 16,
    "redis password": "canary-redis-9d0e",
    "database password": PASSWORD,
    "refused secret": "canary-refused-1a1b",
}
"""What stands in the configuration, or where it points."""

STATUSES = (200, 301, 400, 401, 404, 429, 500, 503)
FAILS = {
    "slow": "upstream_timeout",
    "untrusted": "upstream_error",
    "nobody": "upstream_error",
}
JSON = {"content-type": "application/json"}
BUG = "be-a-bug"
BROKEN = f"""
from lightweight.dialects.openai_chat import OpenAIChat

parse = OpenAIChat.parse_request


def fail(request):
    if b"{BUG}" in request.body:
        try:
            raise ValueError(repr(request))
        except ValueError as problem:
            raise RuntimeError(str(request.headers)) from problem
    return parse(request)


OpenAIChat.parse_request = staticmethod(fail)
"""
"""A bug of ours whose message holds all that the client sent."""

EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'


def offered(name: str, base_url: str, more: str = "") -> str:
    return f"""
[providers.{name}]
kind = "openai"
base_url = "{base_url}"
api_key = {{ env = "PROVIDER_KEY" }}
api_keys = [{{ file = "spare" }}]
{more}
[[models]]
id = "{name}"
context = "128K"
targets = [{{ provider = "{name}", model = "m", dialect = "openai_chat" }}]
"""


class Cage:
    """A daemon with a canary everywhere, and all that it was heard to say."""

    def __init__(self, gateway: Gateway, directory: Path) -> None:
        self.gateway = gateway
        self.directory = directory
        self.canaries: dict[str, str] = {
            **STANDING,
            "prompt": PROMPT,
            "password": SIGN_IN,
        }
        self.heard: dict[str, str] = {}

    def hear(self, whence: str, text: str) -> None:
        """Keep what was said, to be searched at the end."""
        self.heard[f"{whence} ({len(self.heard)})"] = text

    async def ask(self, method: str, path: str, **more: Any) -> Fetched:
        """Ask for anything; the answer must not tell a secret."""
        answer = await fetch(f"{self.gateway.root}{path}", method=method, **more)
        self.hear(f"{method} {path}", f"{answer.headers}\n{answer.text}")
        return answer

    async def call(self, model: str, *, stream: bool = False, **more: Any) -> Fetched:
        """Ask a model, with the client's own key."""
        body = {"model": model, "stream": stream, "messages": SAID, **more}
        key = self.canaries["client's key"]
        return await self.ask("POST", "/v1/chat/completions", key=key, body=body)

    async def command(self, *words: str) -> None:
        """Run a command as a process of its own, as its operator does."""
        tool = [BIN / "lightweight", "-c", self.gateway.config, *words]
        child = spawn(tool, cwd=self.directory)
        await child.ended()
        self.hear(" ".join(words), child.text)

    def commands(self, *lines: str) -> None:
        """Run commands in this process, for people and for programs."""
        for line in lines:
            for more in ([], ["--json"]):
                words = ["-c", str(self.gateway.config), *line.split(), *more]
                result = CliRunner().invoke(main, words)
                self.hear(line, f"{result.output}{result.exception!r}")

    def look_at_command_lines(self) -> None:
        """Read what anyone on this machine may see of the processes."""
        parent = self.gateway.child.pid
        for pid in (parent, *children(parent)):
            self.hear("argv", Path(f"/proc/{pid}/cmdline").read_text())

    def found(self) -> set[tuple[str, str]]:
        """Give which canary was heard where."""
        self.hear("log", self.gateway.child.text)
        return {
            (name, re.sub(r" \(\d+\)$", "", whence))
            for name, canary in self.canaries.items()
            for whence, text in self.heard.items()
            if canary in text
        }


SAID = [{"role": "user", "content": f"Do not repeat {PROMPT}"}]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    password = STANDING["redis password"]
    server = RedisServer(tmp_path, "rdbcompression no", f"requirepass {password}")
    server.start()
    yield server
    server.kill()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def untrusted() -> AsyncIterator[ScriptedProvider]:
    """A provider whose certificate nobody here trusts."""
    started = await ScriptedProvider(authority().server("127.0.0.1")).start()
    yield started
    await started.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def cage(
    provider: ScriptedProvider,
    untrusted: ScriptedProvider,
    redis: RedisServer,
    postgres_server: PostgresServer,
    tmp_path: Path,
) -> AsyncIterator[Cage]:
    home = tmp_path / "home"
    (home / "path").mkdir(parents=True)
    (home / "path" / "sitecustomize.py").write_text(BROKEN)
    at = f"127.0.0.1:{redis.port}"
    own = tmp_path / "own"
    own.mkdir()
    files = {
        "spare": STANDING["spare key"],
        "metrics": STANDING["metrics token"],
        "pepper": STANDING["pepper"],
        "redis": f"redis://:{STANDING['redis password']}@{at}/0",
        "database": postgres_server.new_database().replace("@", f":{PASSWORD}@"),
    }
    for name, text in files.items():
        (own / name).write_text(text)
        (own / name).chmod(0o600)
    config = f"""metrics_token = {{ file = "{own}/metrics" }}
[keys]
pepper = {{ file = "{own}/pepper" }}
[redis]
url = {{ file = "{own}/redis" }}
[database]
url = {{ file = "{own}/database" }}
[tiers.enterprise]
rpm = 100000
"""
    hurried = '[providers.slow.timeouts]\nfirst_byte = "300ms"\n'
    for name, url, more in (
        ("good", provider.base_url, ""),
        *((f"echo-{status}", provider.base_url, "") for status in STATUSES),
        ("slow", provider.base_url, hurried),
        ("untrusted", untrusted.base_url, ""),
        ("nobody", f"http://127.0.0.1:{free_port()}/v1", ""),
    ):
        config += offered(name, url, more).replace('"spare"', f'"{own}/spare"')
    gateway = await Gateway.start(
        home,
        config,
        environ={
            "PROVIDER_KEY": STANDING["provider key"],
            "PYTHONPATH": str(home / "path"),
        },
    )
    made = Cage(gateway, home)
    keys = await gateway.cli("keys", "create", "--account", "default")
    made.canaries["client's key"] = keys["key"]
    token = await gateway.cli("admin-token", "create", "ci")
    made.canaries["admin token"] = token["token"]
    yield made
    await gateway.stop()


async def wrong_and_malformed(cage: Cage) -> None:
    """What a client does wrong, in each way that a door knows."""
    chat = "/v1/chat/completions"
    key = cage.canaries["client's key"]
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    cage.canaries["a wrong key"] = wrong
    for path in (chat, "/v1/messages", "/api/chat", "/v1/responses", "/admin/v1/keys"):
        await cage.ask("POST", path, key=wrong, body={"model": "good", "input": PROMPT})
    for body in (
        f'{{"model": "good", "messages": "{PROMPT}"}}'.encode(),
        f'{{"model": "good", "{PROMPT}'.encode(),
        f'{{"messages": [], "model": "good", "stream": "{PROMPT}"}}'.encode(),
        f"\xff{PROMPT}".encode("latin-1"),
    ):
        for path in (chat, "/v1/messages", "/v1/responses", "/v1/embeddings"):
            answer = await cage.ask("POST", path, key=key, body=body)
            assert answer.status >= 400
    await cage.ask("GET", f"/v1/models?key={key}&prompt={PROMPT}", key=key)
    token = cage.canaries["admin token"]
    await cage.ask("POST", "/admin/v1/keys", key=token, body={"account": 5})
    await cage.ask("GET", "/admin/v1/accounts", key=f"{token}x")


async def bad_providers(cage: Cage, provider: ScriptedProvider) -> None:
    """Each way in which a provider fails, its answers telling all that it was sent."""

    def repeating(status: int) -> None:
        def answer(request: Any) -> Any:
            said = repr(request.head) + repr(request.body)
            told = {"error": {"message": said, "code": said, "type": said}}
            return whole(
                status,
                {**JSON, "x-echo": repr(request.head)},
                json.dumps(told).encode(),
            )

        provider.choose(answer)

    for status in STATUSES:
        repeating(status)
        asked = len(provider.requests)
        for stream in (True, False):
            await cage.call(f"echo-{status}", stream=stream)
        assert len(provider.requests) > asked
    provider.always(SILENCE)
    for model, code in FAILS.items():
        assert (await cage.call(model)).json()["error"]["code"] == code
    provider.always(*streamed([EVENT], end="cut"))
    await cage.call("slow", stream=True)
    assert (await cage.call("good", user=BUG)).status == 500


async def signed_in(cage: Cage) -> None:
    """Somebody joins, signs in wrongly, and looks at pages that fail."""
    link = (cage.directory / "state" / "first-run.txt").read_text()
    found = re.search(r"invite=(\S+)", link)
    assert found is not None
    here = {
        "Origin": cage.gateway.root,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    form = {"token": found[1], "name": "ann", "password": SIGN_IN}
    joined = await fetch(
        f"{cage.gateway.root}/dashboard/join",
        method="POST",
        headers=here,
        body=urlencode(form).encode(),
    )
    assert joined.status == 303
    cookie = joined.headers["set-cookie"].split(";")[0]
    cage.canaries["session"] = cookie.partition("=")[2]
    for name in ("ann", "nobody"):
        form = {"name": name, "password": f"{SIGN_IN}x"}
        sent = urlencode(form).encode()
        await cage.ask("POST", "/dashboard/sign-in", headers=here, body=sent)
    mine = {**here, "Cookie": cookie}
    for page in ("", "/keys", "/requests", "/people", "/nowhere"):
        await cage.ask("GET", f"/dashboard{page}", headers=mine)
    await cage.ask("POST", "/dashboard/keys", headers=mine, body=b"csrf=wrong")


async def bad_reloads(cage: Cage) -> None:
    """Configurations that cannot serve, each with a secret in a wrong place."""
    config, good = cage.gateway.config, cage.gateway.config.read_text()
    secret = STANDING["refused secret"]
    for number, bad in enumerate(
        (
            f'\n[providers.x]\nkind = "openai"\napi_key = ["{secret}"]\n',
            f'\n[providers.x]\nbase_url = "http://ann:{secret}@ /v1"\n',
            f'\n[providers.x]\nbase_url = "http://ann:{secret}@127.0.0.1/v1"\nx = 1\n',
            f'\n[providers.x]\napi_key = "{secret}\n',
            f'\n[providers.x]\napi_key = {{ file = "/none", word = "{secret}" }}\n',
        ),
        1,
    ):
        config.write_text(good + bad)
        cage.gateway.child.send(signal.SIGHUP)
        await until(
            lambda n=number: cage.gateway.child.text.count("Reload refused") == n
        )
        cage.commands("check")
    await cage.command("doctor")
    cage.commands("status")
    config.write_text(good)


@pytest.mark.async_limit(110)
async def test_no_answer_and_no_line_tells(
    cage: Cage, provider: ScriptedProvider
) -> None:
    gateway, gate = cage.gateway, Gate()
    cage.look_at_command_lines()
    await signed_in(cage)
    await wrong_and_malformed(cage)
    provider.script(*streamed([EVENT, b""], gate))
    asked = len(provider.requests)
    stream = Deferred.fromCoroutine(cage.call("good", stream=True))
    await until(lambda: len(provider.requests) > asked)
    gateway.child.send(signal.SIGUSR2)
    await gateway.child.line("In flight: 1 call")
    gate.open()
    await stream
    await bad_providers(cage, provider)
    assert "Failed to handle" in gateway.child.text, "the bug was logged"
    metrics = cage.canaries["metrics token"]
    proxied = {"X-Forwarded-For": "192.0.2.7"}
    assert (await cage.ask("GET", "/metrics", key=metrics)).status == 200
    await cage.ask("GET", "/metrics", key=f"{metrics}x", headers=proxied)
    # A provider's own words go to the client who asked it, and to nobody else.
    echo = ("prompt", "POST /v1/chat/completions")
    assert cage.found() - {echo} == set()


@pytest.mark.async_limit(110)
async def test_no_reload_and_no_command_tells(cage: Cage) -> None:
    await bad_reloads(cage)
    cage.commands(
        "top", "usage --account default", "reconcile", "keys list", "admin-token list",
        "people list", "invites list", "accounts list", "models list", "db current",
        "keys show key_none",
    )  # fmt: skip
    assert cage.found() == set()


@pytest.mark.async_limit(110)
async def test_no_dead_store_and_no_file_tells(
    cage: Cage,
    provider: ScriptedProvider,
    redis: RedisServer,
    postgres_server: PostgresServer,
) -> None:
    await signed_in(cage)
    provider.always(*streamed([EVENT], end="cut"))
    await cage.call("good", stream=True)
    redis.command("SAVE", login=[STANDING["redis password"]])
    redis.kill()
    await cage.call("nobody")
    await cage.ask("GET", "/readyz")
    postgres_server.stop()
    try:
        await cage.gateway.child.line("Changes of keys do not arrive")
        key = mint(lambda count: b"\x07" * count)
        cage.canaries["a key that nobody has"] = key
        assert (await cage.ask("GET", "/v1/models", key=key)).status >= 400
        token = cage.canaries["admin token"]
        assert (await cage.ask("GET", "/admin/v1/keys", key=token)).status == 503
        cage.commands("keys list")
        await cage.command("doctor", "--online")
    finally:
        postgres_server.start()
    assert await cage.gateway.stop() == 0

    for file in [*cage.directory.rglob("*"), *postgres_server.directory.rglob("*")]:
        if file.is_file() and file.name != "password":
            cage.hear(f"file {file.name}", file.read_bytes().decode("latin-1"))
    saved = redis.socket.with_name("dump.rdb").read_bytes()
    assert b"lw:" in saved
    cage.hear("file of Redis", saved.decode("latin-1"))
    assert cage.found() == set()
