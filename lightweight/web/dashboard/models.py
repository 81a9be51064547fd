"""The models: what is offered, and why not the rest."""

from lightweight.policy.admission import Tier, tier_of
from lightweight.records import Answer, Model
from lightweight.store.accounts import find_account
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.views import Badge, ModelLine, ModelsView


async def show_models(asked: Asked) -> Answer:
    """Show the catalog."""
    runtime = asked.backstage.office.current()
    tier = await _tier(asked)
    lines = [_line(model, tier) for model in runtime.offering.listed()]
    missing = sorted(runtime.offering.reasons.items())
    view = ModelsView(
        offered=lines,
        # Members can do nothing about it, and operators' sentences name settings.
        missing=missing if asked.actor.scope is None else (),
    )
    return asked.page("models", view)


async def _tier(asked: Asked) -> Tier:
    """Give what binds the visitor's account; cancelling is harmless."""
    account_id = asked.signed.person.account_id
    if account_id is None:
        return Tier()
    account = await asked.read(lambda c: find_account(c, account_id))
    return tier_of(account.tier, asked.backstage.office.current().tiers)


def _line(model: Model, tier: Tier) -> ModelLine:
    names = {model.id, *model.aliases}
    allowed = tier.models is None or bool(names & tier.models)
    if not allowed:
        badge = Badge("not in your tier", "warn")
    elif model.status == "GA":
        badge = Badge("available", "good")
    else:
        badge = Badge("preview", "warn")
    return ModelLine(model=model, badge=badge, allowed=allowed)
