"""What a busy account has: keys, uses, sums, providers, models."""

from datetime import date, timedelta

from lightweight.policy.bill import Bill
from lightweight.policy.pace import Balance
from lightweight.policy.route import Health
from lightweight.records import (
    Account,
    ApiKey,
    Attempted,
    Kept,
    Model,
    Outcome,
    Price,
    Target,
    Usage,
    Use,
)
from lightweight.web.dashboard import views
from lightweight.web.docs.guides import guides

NOW = 1_795_343_400.0
"""2026-11-22 10:30 UTC."""

FRAME = views.Frame(
    visitor=views.Visitor(
        name="ada@example.org", account="acme", operator=True, may_invite=True
    ),
    csrf="csrf-token",
    here="overview",
    now=NOW,
)

DOOR = views.Frame(csrf="csrf-token", now=NOW)

SECRET = "lw-" + "s" * 49

ACCOUNT = Account(id="acc_1", name="acme", tier="pro", created_at=NOW - 9e6)


def key(number: int, name: str, **fields: object) -> ApiKey:
    known = {"created_at": NOW - 86_400.0 * number, "last_used_at": NOW - 60 * number}
    return ApiKey(
        id=f"key_{number}",
        account_id=ACCOUNT.id,
        name=name,
        shown="lw-Ab3dE…9xYz",
        **(known | fields),  # type: ignore[arg-type]  # fields are the test's own
    )


KEYS = (
    key(1, "laptop", keep_prompts_days=7),
    key(2, "ci", expires_at=NOW + 9e5, models=frozenset({"gpt-5.2"})),
    key(3, "old", revoked_at=NOW - 100, last_used_at=None),
)


def use(number: int = 1, *, broken: bool = False, tried: int = 1) -> Use:
    last = Attempted(
        provider="openai",
        model="gpt-5.2-2026",
        status=500 if broken else 200,
        fault="The provider failed." if broken else None,
        seconds=1.9,
    )
    before = Attempted(
        provider="azure",
        model="gpt-5.2",
        status=429,
        fault="The provider is limited: too many requests.",
        seconds=0.4,
    )
    return Use(
        at=NOW - 37.0 * number,
        micro_usd=0 if broken else 4_210 + number,
        outcome=Outcome(
            request_id=f"req_{number:06d}",
            account_id=ACCOUNT.id,
            key_id="key_1",
            model="gpt-5.2",
            provider="openai",
            upstream_model="gpt-5.2-2026",
            dialect="openai_chat",
            stream=True,
            status=502 if broken else 200,
            ending="failed" if broken else "finished",
            fault="The provider failed." if broken else None,
            usage=None if broken else Usage(fresh=812, cached=400, answer=96 * number),
            provenance=None if broken else "reported",
            first_byte_s=None if broken else 0.62,
            duration_s=2.4,
            attempts=(*[before] * (tried - 1), last),
        ),
    )


USES = tuple(use(n, broken=n == 3, tried=2 if n in (2, 3) else 1) for n in range(1, 9))

BILL = Bill(
    succeeded=18_204,
    failed=71,
    usage=Usage(fresh=31_400_000, cached=9_900_000, answer=6_120_000, reasoning=88_000),
    micro_usd=182_340_000,
    unpriced=12,
)
DAYS = [date(2026, 10, 24) + timedelta(n) for n in range(30)]
ONE_LINE = views.Chart(
    days=DAYS,
    series={"Requests": [300 + (n * 137) % 420 + 9 * n for n in range(30)]},
    unit="requests",
)
THREE_LINES = views.Chart(
    days=DAYS,
    series={
        name: [base + (n * step) % 90_000 for n in range(30)]
        for name, base, step in (
            ("gpt-5.2", 210_000, 31_337),
            ("claude-opus-5", 120_000, 17_011),
            ("mistral-large", 20_000, 7_919),
        )
    },
    unit="tokens",
)
QUOTAS = (
    views.Quota(
        name="tokens",
        balance=Balance(
            limit=100_000_000,
            used=47_508_000,
            reserved=2_000,
            resets_at_ms=1_796_083_200_000,
        ),
    ),
    views.Quota(
        name="dollars",
        balance=Balance(
            limit=180_000_000,
            used=182_340_000,
            reserved=0,
            resets_at_ms=1_796_083_200_000,
        ),
    ),
)
WELL = Health(state="closed", wait=0.0, resting={})
SAID = Kept(
    request_id="req_000002",
    key_id="key_1",
    at=NOW - 70,
    prompt='{"model": "gpt-5.2", "messages": [{"role": "user", "content": '
    '"Which of these two sorts is stable, and why does it matter here?"}]}',
    prompt_bytes=131,
    answer='{"choices": [{"message": {"role": "assistant", "content": '
    '"Merge sort is: equal items keep their order."}, "finish_reason": "stop"}]}',
    answer_bytes=70_412,
)
PROVIDERS = (
    views.ProviderLine(
        name="openai",
        preset="openai",
        kind="openai",
        host="api.openai.example",
        credentials=2,
        models=14,
        health=WELL,
        badge=views.Badge("well", "good"),
        model="gpt-5.2",
    ),
    views.ProviderLine(
        name="azure",
        preset="azure",
        kind="azure",
        host="acme.azure.example",
        credentials=1,
        models=6,
        health=Health(state="open", wait=12.0, resting={"gpt-5.2": 30.0}),
        badge=views.Badge("left alone", "bad"),
        model="gpt-5.2",
    ),
    views.ProviderLine(
        name="demo",
        preset="",
        kind="demo",
        host="",
        credentials=0,
        models=1,
        health=WELL,
        badge=views.Badge("well", "good"),
        model="demo",
    ),
)


def model(id_: str, *providers: str, **fields: object) -> Model:
    price = Price(input=1_750_000, output=14_000_000, cached=175_000)
    known = {"created": 1, "context": "400K", "context_window": 400_000}
    return Model(
        id=id_,
        targets=tuple(
            Target(provider=p, model=id_, dialect="openai_chat", price=price)
            for p in providers
        ),
        **(known | {"owned_by": "openai"} | fields),  # type: ignore[arg-type]  # the test's own
    )


MODELS = (
    model("gpt-5.2", "openai", "azure", aliases=("gpt-5-2", "openai/gpt-5.2")),
    model("claude-opus-5", "anthropic", owned_by="anthropic"),
    model("mistral-large", "mistral", owned_by="mistral", status="Preview"),
)
MADE = views.MadeKey(id="key_9", name="laptop", secret=SECRET)
TOML = """[providers.mistral]
api_key = { file = "/etc/lightweight/mistral.key" }
"""
BASE = "https://ai.example.org/v1"
NAMES = {"key_1": "laptop"}
GUIDE = next(each for each in guides() if each.name == "aider")
