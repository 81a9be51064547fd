"""What would happen to a call, and why: POST /admin/v1/explain."""

from collections.abc import Sequence
from datetime import datetime

from lightweight.catalog.left_out import LeftOut
from lightweight.errors import Fault, ModelDenied, ModelNotFound
from lightweight.policy.pace import ACCOUNT, Balance, Room, Verdict
from lightweight.policy.price import dollars
from lightweight.policy.route import arranged, fitting
from lightweight.records import Account, ApiKey, Identity, Model, Target
from lightweight.runtime import Runtime
from lightweight.store.accounts import find_account
from lightweight.store.api_keys import state_of_key
from lightweight.store.connect import Connection
from lightweight.web.admin import drafts, shapes, shown
from lightweight.web.admin.actor import account_for, key_for, own_account
from lightweight.web.admin.identities import without_key
from lightweight.web.admin.table import Case, Table
from lightweight.web.auth import require_model

TABLE = Table()


@TABLE.route("POST", "/explain")
async def explain(case: Case, *, asked: drafts.Question) -> shapes.Explanation:
    """Say which limits a call would meet, and which targets it would try and why."""
    office = case.office
    account, key = await office.database.read(lambda c: _whose(c, case, asked))
    identity = without_key(account) if key is None else Identity(account, key)
    runtime = office.current()
    verdict, refusal = await office.rates.foresee(identity, case.request_id, tokens=1)
    model, denied = _model(runtime, identity, asked.model)
    places = [] if model is None else _places(case, account, model, asked)
    known = runtime.offering.known_id(asked.model)
    left_out = runtime.offering.left_out.get(known or "", ())
    places += [_left_out(each) for each in left_out]
    why_not = _dead(account, key, office.wall())
    for fault in (denied, refusal):
        if why_not is None and fault is not None:
            why_not = fault.message
    if why_not is None and not any(place.tried for place in places):
        why_not = "No target can be asked now: 'places' says why."
    return shapes.Explanation(
        model=known,
        allowed=why_not is None,
        why_not=why_not,
        subjects=[
            shapes.Subject(
                kind="account" if subject.name == ACCOUNT else "key",
                id=subject.name or account.id,
                limits=shown.limits(subject.limits),
            )
            for subject in office.rates.subjects(identity)
        ],
        standing=_standing(verdict),
        places=places,
    )


def _whose(
    connection: Connection, case: Case, asked: drafts.Question
) -> tuple[Account, ApiKey | None]:
    if asked.key is None:
        account = own_account(case.actor, asked.account)
        return account_for(case.actor, connection, account), None
    key = key_for(case.actor, connection, asked.key)
    return find_account(connection, key.account_id), key


def _model(
    runtime: Runtime, identity: Identity, name: str
) -> tuple[Model | None, Fault | None]:
    try:
        model = runtime.offering.find(name)
    except ModelNotFound as fault:
        return None, fault
    try:
        require_model(identity, model, runtime.tiers)
    except ModelDenied as fault:
        return model, fault
    return model, None


def _dead(account: Account, key: ApiKey | None, now: float) -> str | None:
    if account.disabled:
        return "The account is disabled."
    if key is None:
        return None
    state = state_of_key(key, now)
    return f"The key is {state}." if state in ("revoked", "expired") else None


def _places(
    case: Case, account: Account, model: Model, asked: drafts.Question
) -> list[shapes.Place]:
    """Give every target: those to be tried in their order, then the others."""
    runtime = case.office.current()
    now = case.office.clock.seconds()
    fit = fitting(model.targets, asked.dialect)
    # As a call's: where nothing names a session the order of equals is drawn anew.
    seed = f"{account.id}/{asked.session or case.request_id}"
    places = []
    for target in arranged(fit, seed):
        health = runtime.standings[target.provider]
        wait = health.wait(target.model, now)
        why_not = None
        if health.breaker.wait(now) > 0:
            why_not = f"The provider failed and is left alone for {wait:.0f} s."
        elif wait > 0:
            why_not = f"The provider limits this model for {wait:.0f} s."
        places.append(_place(model.targets, target, why_not))
    others = [target for target in model.targets if target not in fit]
    why = "The same provider serves the model in the client's own dialect."
    return places + [_place(model.targets, target, why) for target in others]


def _place(
    targets: Sequence[Target], target: Target, why_not: str | None
) -> shapes.Place:
    return shapes.Place(
        provider=target.provider,
        model=target.model,
        dialect=target.dialect,
        priority=target.priority or 1 + targets.index(target),
        weight=target.weight,
        tried=why_not is None,
        why_not=why_not,
    )


def _left_out(target: LeftOut) -> shapes.Place:
    return shapes.Place(
        provider=target.provider,
        model=target.model,
        dialect=target.dialect,
        priority=None,
        weight=None,
        tried=False,
        why_not=target.why,
    )


def _standing(verdict: Verdict) -> shapes.Standing:
    money = verdict.quota_usd
    tokens = verdict.quota_tokens
    return shapes.Standing(
        requests=_room(verdict.requests),
        tokens=_room(verdict.tokens),
        quota=None
        if tokens is None
        else shapes.Quota(
            limit=tokens.limit,
            used=tokens.used,
            reserved=tokens.reserved,
            remaining=tokens.remaining,
            resets_at=_resets(tokens),
        ),
        quota_usd=None
        if money is None
        else shapes.MoneyQuota(
            limit=dollars(money.limit),
            used=dollars(money.used),
            reserved=dollars(money.reserved),
            remaining=dollars(money.remaining),
            resets_at=_resets(money),
        ),
    )


def _room(room: Room | None) -> shapes.Room | None:
    if room is None:
        return None
    return shapes.Room(
        limit=room.limit, remaining=room.remaining, reset_s=room.reset_ms / 1000
    )


def _resets(balance: Balance) -> datetime | None:
    at = balance.resets_at_ms
    return shown.moment_or_none(None if at is None else at / 1000)
