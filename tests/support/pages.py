"""One view of each screen, as full as a busy account makes it."""

from collections.abc import Mapping
from datetime import date, timedelta

from msgspec import Struct

from lightweight.policy.bill import Bill
from lightweight.policy.pace import Balance
from lightweight.policy.route import Health
from lightweight.records import (
    Account,
    ApiKey,
    Attempted,
    Limits,
    Model,
    Outcome,
    Price,
    Target,
    Usage,
    Use,
)
from lightweight.web.dashboard import views
from lightweight.web.docs.guides import filled, guides, render_guide

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
    key(1, "laptop"),
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

OVERVIEW = views.Overview(
    bill=BILL,
    p50=0.41,
    p95=1.8,
    chart=ONE_LINE,
    recent=USES[:5],
    key_names=NAMES,
    live=views.LiveNow(calls=3, streams=2, workers=1),
    quotas=QUOTAS,
    steps=(),
    providers=(),
    base_url=BASE,
    model="gpt-5.2",
)
FIRST_RUN = views.Overview(
    bill=Bill(),
    p50=None,
    p95=None,
    chart=views.Chart(days=DAYS, series={"Requests": [0] * 30}, unit="requests"),
    recent=(),
    key_names={},
    live=views.LiveNow(calls=0, streams=0, workers=2),
    quotas=(),
    steps=(
        views.Step(name="provider", done=False),
        views.Step(name="test", done=False),
        views.Step(name="key", done=True),
        views.Step(name="snippet", done=False),
    ),
    providers=PROVIDERS[2:],
    base_url=BASE,
    model="demo",
)
USAGE = views.UsageView(
    first=DAYS[0],
    last=DAYS[-1],
    group="model",
    metric="tokens",
    bill=BILL,
    rows=tuple(
        views.UsageRow(label=name, bill=BILL, share=part)
        for name, part in (
            ("gpt-5.2", 0.7),
            ("claude-opus-5", 0.25),
            ("mistral-large", 0.05),
        )
    ),
    chart=THREE_LINES,
    quotas=(),
    query="start=2026-10-24&end=2026-11-22&group=model&metric=tokens",
    groups=("model", "day", "key"),
    presets=(("7 days", "a=1", False), ("30 days", "a=2", True), ("Month", "", False)),
)
REQUEST = views.RequestView(
    use=use(2, tried=2),
    key_name="laptop",
    account="acme",
    bars=(
        views.Bar(
            provider="azure",
            model="gpt-5.2",
            start=1.0,
            width=16.0,
            seconds=0.4,
            status=429,
            fault="The provider is limited: too many requests.",
        ),
        views.Bar(
            provider="openai",
            model="gpt-5.2-2026",
            start=17.0,
            width=80.0,
            seconds=1.9,
            status=200,
            fault=None,
        ),
    ),
    first_byte=26.0,
)
TIERS = (
    views.TierLine(name="beta", limits=Limits(rpm=60), models=None),
    views.TierLine(
        name="team",
        limits=Limits(rpm=250, tpm=200_000, concurrency=20, quota_micro_usd=10**8),
        models=("gpt-5.2",),
    ),
)
KEY_LINES = tuple(
    views.KeyLine(
        key=each,
        account="acme",
        badge=views.Badge("revoked", "")
        if each.revoked_at
        else views.Badge("active", "good"),
        live=each.revoked_at is None,
    )
    for each in KEYS
)

SCREENS: Mapping[str, tuple[str, views.Frame, Struct]] = {
    "overview": ("overview", FRAME, OVERVIEW),
    "first-run": ("overview", FRAME, FIRST_RUN),
    "usage": ("usage", FRAME, USAGE),
    "keys": (
        "keys",
        FRAME,
        views.KeysView(
            keys=KEY_LINES,
            models=[m.id for m in MODELS],
            accounts=(ACCOUNT,),
            base_url=BASE,
            model="gpt-5.2",
            made=MADE,
        ),
    ),
    "requests": (
        "requests",
        FRAME,
        views.RequestsView(
            uses=USES,
            key_names=NAMES,
            keys=KEYS,
            models=[m.id for m in MODELS],
            older="after=1",
        ),
    ),
    "request": ("request", FRAME, REQUEST),
    "models": (
        "models",
        FRAME,
        views.ModelsView(
            offered=[
                views.ModelLine(model=m, badge=views.Badge(m.status, "good"))
                for m in MODELS
            ],
            missing=(("goldeneye", "No public API serves it: map it to a target."),),
        ),
    ),
    "providers": (
        "providers",
        FRAME,
        views.ProvidersView(
            providers=PROVIDERS,
            presets=("anthropic", "mistral"),
            preset="mistral",
            toml=TOML,
            file="/etc/lightweight/lightweight.toml",
            tested=views.Tested(
                provider="openai", model="gpt-5.2", seconds=0.62, problem=None
            ),
        ),
    ),
    "playground": (
        "playground",
        FRAME,
        views.PlaygroundView(models=MODELS, base_url=BASE, accounts=(ACCOUNT,)),
    ),
    "people": (
        "people",
        FRAME,
        views.PeopleView(
            people=(
                views.PersonLine(
                    id="per_1",
                    name="ada@example.org",
                    account="acme",
                    role="operator",
                    created_at=NOW - 9e6,
                    disabled=False,
                    self=True,
                ),
                views.PersonLine(
                    id="per_2",
                    name="grace@example.org",
                    account="acme",
                    role="member",
                    created_at=NOW - 9e5,
                    disabled=True,
                    self=False,
                ),
            ),
            invites=(
                views.InviteLine(
                    id="inv_1",
                    account="",
                    tier="beta",
                    role="owner",
                    expires_at=NOW + 4e5,
                ),
            ),
            tiers=TIERS,
            accounts=(ACCOUNT,),
            made=views.Link(
                url="https://ai.example.org/dashboard/join?invite=abc",
                what="an owner of a new account",
                expires_at=NOW + 6e5,
            ),
        ),
    ),
    "integrations": (
        "integrations",
        FRAME,
        views.GuidesView(
            guides=[
                views.GuideLine(name=each.name, title=each.title, about=each.about)
                for each in guides()
            ],
            base_url=BASE,
        ),
    ),
    "guide": (
        "integrations",
        FRAME,
        views.GuidesView(
            guides=(),
            open=GUIDE.name,
            title=GUIDE.title,
            html=render_guide(
                filled(
                    GUIDE,
                    base_url=BASE,
                    root=BASE.removesuffix("/v1"),
                    key="lw-your-key-here",
                    model="gpt-5.2",
                )
            ),
            base_url=BASE,
        ),
    ),
    "settings": (
        "settings",
        FRAME,
        views.SettingsView(
            settings=(
                views.Setting(path="workers", value="2", origin="lightweight.toml:3"),
                views.Setting(path="drain.reload", value="600 s", origin=""),
            ),
            audit=(
                views.AuditLine(
                    at=NOW - 300,
                    who="ada@example.org",
                    what="key.create",
                    subject="key_9",
                    details="name laptop",
                ),
            ),
        ),
    ),
    "explain": (
        "explain",
        FRAME,
        views.ExplainView(
            keys=KEY_LINES,
            models=[m.id for m in MODELS],
            key="key_1",
            model="gpt-5.2",
            explained=views.Explained(
                verdict="It would pass: openai is asked first.",
                good=True,
                limits=(
                    views.LimitLine(name="Requests a minute", limit="250", left="249"),
                ),
                targets=(
                    views.TargetLine(
                        provider="openai",
                        model="gpt-5.2",
                        tried=True,
                        why="Asked first.",
                    ),
                    views.TargetLine(
                        provider="azure",
                        model="gpt-5.2",
                        tried=False,
                        why="Left alone for 12 s after it failed.",
                    ),
                ),
            ),
        ),
    ),
    "me": ("me", FRAME, views.DoorView()),
    "sign-in": ("sign_in", DOOR, views.DoorView()),
    "sign-up": (
        "sign_up",
        DOOR,
        views.DoorView(token="abc", new_account=True, account="acme"),
    ),
    "set-password": (
        "set_password",
        DOOR,
        views.DoorView(token="abc", name="ada@example.org"),
    ),
    "stop": (
        "stop",
        DOOR,
        views.DoorView(name="This link was used", account="Ask for a new one."),
    ),
}
"""Template, frame and view by the name of the screen."""
