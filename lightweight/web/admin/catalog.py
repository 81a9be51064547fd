"""Models and providers: read here, defined in the configuration."""

from lightweight.errors import NotFound, ProviderFault
from lightweight.policy.price import dollars
from lightweight.records import Model, Price
from lightweight.runtime import Runtime
from lightweight.store.accounts import find_account
from lightweight.upstream.http import HttpProvider
from lightweight.web.admin import shapes, shown
from lightweight.web.admin.identities import without_key
from lightweight.web.admin.table import Case, Table
from lightweight.web.auth import permits
from lightweight.web.office import NOT_HERE

TABLE = Table()


@TABLE.route("GET", "/models")
async def list_models(case: Case) -> shapes.Page[shapes.Model]:
    """List the models on offer; operators also see those that are not, and why."""
    runtime, account_id = case.office.current(), case.actor.account_id
    offered = runtime.offering.listed()
    if case.actor.role == "operator":
        shown_models = [_model(model) for model in offered]
        shown_models += [
            _absent(name, runtime.offering.reasons[name])
            for name in sorted(runtime.offering.reasons)
        ]
        return shapes.Page(data=shown_models, next=None)
    assert account_id is not None
    account = await case.office.database.read(lambda c: find_account(c, account_id))
    identity = without_key(account)
    return shapes.Page(
        data=[
            _model(model)
            for model in offered
            if permits(identity, model, runtime.tiers)
        ],
        next=None,
    )


@TABLE.route("GET", "/providers", least="operator")
async def list_providers(case: Case) -> shapes.Page[shapes.Provider]:
    """List the providers of the configuration, with how each of them fares."""
    runtime, now = case.office.current(), case.office.clock.seconds()
    data = [_provider(runtime, name, now) for name in runtime.providers]
    return shapes.Page(data=data, next=None)


@TABLE.route("POST", "/providers/{id}/test", least="operator")
async def test_provider(case: Case) -> shapes.ProviderTest:
    """Ask a provider for its list of models, which costs no token."""
    provider = case.office.current().providers.get(case.id)
    if provider is None:
        raise NotFound(NOT_HERE)
    clock = case.office.clock
    began, fault = clock.seconds(), None
    # What is built in is always well.
    if isinstance(provider, HttpProvider):
        try:
            await provider.probe()
        except ProviderFault as problem:
            fault = problem.message
    return shapes.ProviderTest(
        ok=fault is None, fault=fault, seconds=round(clock.seconds() - began, 3)
    )


def _model(model: Model) -> shapes.Model:
    return shapes.Model(
        id=model.id,
        offered=True,
        why_not=None,
        aliases=list(model.aliases),
        context=model.context,
        status=model.status,
        shutdown_date=model.shutdown_date,
        replacement=model.replacement,
        targets=[
            shapes.ModelTarget(
                provider=target.provider,
                model=target.model,
                dialect=target.dialect,
                price=None if target.price is None else _price(target.price),
            )
            for target in model.targets
        ],
    )


def _absent(name: str, why_not: str) -> shapes.Model:
    return shapes.Model(
        id=name,
        offered=False,
        why_not=why_not,
        aliases=[],
        context=None,
        status=None,
        shutdown_date=None,
        replacement=None,
        targets=[],
    )


def _price(price: Price) -> shapes.Price:
    return shapes.Price(
        input=dollars(price.input),
        output=dollars(price.output),
        cached=shown.dollars_or_none(price.cached),
        cache_write=shown.dollars_or_none(price.cache_write),
    )


def _provider(runtime: Runtime, name: str, now: float) -> shapes.Provider:
    plan, health = runtime.plans.get(name), runtime.standings[name].health(now)
    return shapes.Provider(
        name=name,
        preset=None if plan is None else plan.preset,
        kind="" if plan is None else plan.kind,
        base_url=None if plan is None else plan.base_url,
        credentials=0
        if plan is None or plan.credential is None
        else 1 + len(plan.spares),
        state=health.state,
        wait_s=health.wait,
        resting=dict(health.resting),
        models=[
            model.id
            for model in runtime.offering.listed()
            if any(target.provider == name for target in model.targets)
        ],
    )
