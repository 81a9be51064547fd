"""One view of each screen, as full as a busy account makes it."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace
from support.samples import (
    ACCOUNT,
    BASE,
    BILL,
    DAYS,
    DOOR,
    FRAME,
    GUIDE,
    KEYS,
    MADE,
    MODELS,
    NAMES,
    NOW,
    ONE_LINE,
    PROVIDERS,
    QUOTAS,
    SAID,
    THREE_LINES,
    TOML,
    USES,
    use,
)

from lightweight.policy.bill import Bill
from lightweight.policy.pace import Balance
from lightweight.records import Limits
from lightweight.web.dashboard import views
from lightweight.web.docs.guides import filled, guides, render_guide

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
PREPAID = Limits(rpm=500, quota_tokens=100_000_000, prepaid=True)
PREPAID_LEFT = views.Quota(
    name="tokens",
    balance=Balance(
        limit=100_000_000, used=47_508_000, reserved=2_000, resets_at_ms=None
    ),
)
LIMIT_ROWS = (
    views.LimitRow(name="rpm", tier=250, own=500, counts=500),
    views.LimitRow(name="tpm", tier=2_000_000, own=None, counts=2_000_000),
    views.LimitRow(name="concurrency", tier=None, own=None, counts=None),
    views.LimitRow(name="quota_tokens", tier=10**7, own=10**8, counts=10**8),
    views.LimitRow(name="quota_micro_usd", tier=None, own=None, counts=None),
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
            keeping=KEYS[:1],
            looked_at=5000,
            looked_back_to=NOW - 86_400,
            further="key=key_1&after=1",
        ),
    ),
    "request": ("request", FRAME, REQUEST),
    "kept": ("request", FRAME, replace(REQUEST, kept=SAID, kept_until=NOW + 6e5)),
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
    "accounts": (
        "accounts",
        FRAME,
        views.AccountsView(
            accounts=(
                ACCOUNT,
                replace(ACCOUNT, id="acc_2", name="umbrella", limits=PREPAID),
            ),
            older="after=1",
        ),
    ),
    "account": (
        "account",
        FRAME,
        views.AccountView(
            account=replace(ACCOUNT, name="umbrella", limits=PREPAID),
            tiers=("beta", "pro", "team"),
            configured=True,
            limits=LIMIT_ROWS,
            quotas=(PREPAID_LEFT,),
            top_ups=(
                views.TopUp(
                    at=NOW - 9e4,
                    who="ada@example.org",
                    tokens=100_000_000,
                    micro_usd=0,
                ),
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
    "me": ("me", FRAME, views.MeView(has_password=True)),
    "me-elsewhere": ("me", FRAME, views.MeView(has_password=False)),
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
