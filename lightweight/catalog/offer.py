"""What this server offers: catalog, configured providers, the operator's own word.

Pure: the same arguments give the same offering. Nothing is substituted: a model is
served by its own targets or not at all.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Literal

import msgspec
from msgspec import Struct

from lightweight.catalog.left_out import (
    LeftOut,
    left_out_of_catalog,
    left_out_of_given,
)
from lightweight.catalog.load import (
    Catalog,
    CatalogProblem,
    CatalogTarget,
    Entry,
    context_tokens,
    last_day,
)
from lightweight.errors import ModelNotFound
from lightweight.records import DialectName, Model, Price, Target

_SUGGESTIONS = 3
"""How many models or providers a sentence names at most."""

_SHOWN = 100
"""Characters of an unknown name that are repeated to the client."""


class AddedTarget(Struct, frozen=True, kw_only=True):
    """A place the operator names: a configured provider, not a preset."""

    provider: str
    model: str
    dialect: DialectName
    quirks: frozenset[str] = frozenset()
    priority: int | None = None
    weight: int = 1


class Addition(Struct, frozen=True, kw_only=True):
    """An operator's model: a new one, or fields laid over the catalog's entry.

    None leaves the catalog's field alone. Targets that are given replace the entry's
    and count whatever its shutdown date says.
    """

    id: str
    owned_by: str | None = None
    created: int | None = None
    """Seconds since the epoch; 0 where nobody knows."""
    context: str | None = None
    context_window: int | None = None
    """In tokens; taken from ``context`` where absent."""
    status: Literal["GA", "Preview"] | None = None
    aliases: tuple[str, ...] | None = None
    capabilities: frozenset[str] | None = None
    shutdown_date: date | None = None
    replacement: str | None = None
    targets: tuple[AddedTarget, ...] | None = None
    price: Price | None = None
    """At every target, whatever the catalog says of it."""


class Offering(Struct, frozen=True, kw_only=True):
    """The models on offer, and a true answer for each name that is not."""

    models: Mapping[str, Model]
    """What is offered, by id."""
    names: Mapping[str, str]
    """Every name of every known model, case-folded, to its id."""
    reasons: Mapping[str, str]
    """Why a known model is not offered, by id: a sentence for users and operators."""
    left_out: Mapping[str, Sequence[LeftOut]] = MappingProxyType({})
    """The targets of each known model, by id, that nobody is sent to."""

    def find(self, name: str) -> Model:
        """Give the model that a client calls ``name``.

        Its id, an alias, either of them behind ``openai/`` (as LiteLLM writes it), in
        any letter case. Raises ModelNotFound with a text that says what to do.
        """
        known = self.models.get(name)
        if known is not None:
            return known
        found = self.known_id(name)
        if found is None:
            raise ModelNotFound(self._unknown(name, name.casefold()), param="model")
        if found in self.reasons:
            raise ModelNotFound(self.reasons[found], param="model")
        return self.models[found]

    def known_id(self, name: str) -> str | None:
        """Give the id of the model that a client calls ``name``, offered or not."""
        return next(
            filter(None, map(self.names.get, _spellings(name.casefold()))), None
        )

    def listed(self) -> Sequence[Model]:
        """The models on offer, sorted by id without regard to letter case."""
        return sorted(self.models.values(), key=lambda model: model.id.casefold())

    def _unknown(self, name: str, folded: str) -> str:
        offered = {key: id_ for key, id_ in self.names.items() if id_ in self.models}
        close = difflib.get_close_matches(
            folded.removeprefix("openai/"), offered, n=_SUGGESTIONS
        )
        ids = list(dict.fromkeys(offered[key] for key in close))
        said = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
        hint = (
            f"Did you mean {_either(_quoted(ids))}?"
            if ids
            else "GET /v1/models lists the models this server offers."
        )
        return f"The model '{said}' does not exist. {hint}"


def offer(
    catalog: Catalog,
    providers: Mapping[str, str | None],
    additions: Sequence[Addition],
    dialects: Collection[str],
    today: date,
    quirks: Mapping[str, frozenset[str]] = MappingProxyType({}),
) -> Offering:
    """Say which models are offered and by whom.

    ``providers`` maps each configured provider to its preset, in the order in which
    they are preferred; ``dialects`` are those this build speaks; ``quirks`` are those
    of providers that do not have their preset's. Raises CatalogProblem for an addition
    or a quirk that cannot be right.
    """
    laid = _by_id(additions, {*providers, *catalog.presets})
    told = _quirks(catalog, providers, quirks)
    models: dict[str, Model] = {}
    reasons: dict[str, str] = {}
    left: dict[str, Sequence[LeftOut]] = {}
    for id_ in dict.fromkeys([*catalog.models, *laid]):
        entry, addition = catalog.models.get(id_), laid.get(id_)
        model = (
            Model(id=id_, owned_by="operator", created=0, context="", context_window=0)
            if entry is None
            else _from_entry(entry, providers, told, dialects, today)
        )
        if addition is not None:
            model = _lay_over(model, addition, told, dialects)
        if addition is not None and addition.targets is not None:
            left[id_] = left_out_of_given(addition.targets, providers, dialects)
        elif entry is not None:
            left[id_] = left_out_of_catalog(entry.targets, providers, dialects, today)
        if model.targets:
            models[id_] = model
        elif entry is None or (addition is not None and addition.targets is not None):
            reasons[id_] = _why_none(id_, addition, providers, dialects)
        else:
            reasons[id_] = _why_not(entry, providers, dialects, today)
    return Offering(
        models=MappingProxyType(models),
        names=MappingProxyType(_names(catalog, models, laid)),
        reasons=MappingProxyType(reasons),
        left_out=MappingProxyType(left),
    )


def _by_id(
    additions: Sequence[Addition], known: Collection[str]
) -> Mapping[str, Addition]:
    laid: dict[str, Addition] = {}
    for addition in additions:
        if addition.id in laid:
            raise CatalogProblem(f"model {addition.id!r}: given twice")
        for target in addition.targets or ():
            if target.provider not in known:
                raise CatalogProblem(
                    f"model {addition.id!r}: there is no provider {target.provider!r}"
                )
        laid[addition.id] = addition
    return laid


def _quirks(
    catalog: Catalog,
    providers: Mapping[str, str | None],
    given: Mapping[str, frozenset[str]],
) -> Mapping[str, frozenset[str]]:
    """Give each provider's quirks: what is said of it, else its preset's."""
    for name, quirks in given.items():
        for quirk in sorted(quirks - catalog.quirks.keys()):
            raise CatalogProblem(
                f"provider {name!r}: there is no quirk {quirk!r}; known are "
                f"{', '.join(catalog.quirks)}"
            )
    return {
        name: given.get(name, catalog.presets[preset].quirks if preset else frozenset())
        for name, preset in providers.items()
    }


def _from_entry(
    entry: Entry,
    providers: Mapping[str, str | None],
    quirks: Mapping[str, frozenset[str]],
    dialects: Collection[str],
    today: date,
) -> Model:
    counted = [
        target
        for target in _living(entry, today)
        if target.dialect in dialects and target.preset in providers.values()
    ]
    targets = tuple(
        Target(
            provider=provider,
            model=target.model,
            dialect=target.dialect,
            quirks=target.quirks | quirks[provider],
            price=target.price,
        )
        for target in counted
        for provider, preset in providers.items()
        if preset == target.preset
    )
    return Model(
        id=entry.id,
        owned_by=entry.owned_by,
        created=entry.created_at,
        context=entry.context,
        context_window=entry.context_window,
        status=entry.status,
        aliases=entry.aliases,
        capabilities=entry.capabilities,
        shutdown_date=last_day(target.shutdown for target in counted),
        replacement=entry.replacement,
        targets=targets,
    )


def _lay_over(
    model: Model,
    addition: Addition,
    quirks: Mapping[str, frozenset[str]],
    dialects: Collection[str],
) -> Model:
    given = {
        field: value
        for field in addition.__struct_fields__
        if (value := getattr(addition, field)) is not None
    }
    if addition.context is not None and addition.context_window is None:
        try:
            given["context_window"] = context_tokens(addition.context)
        except CatalogProblem as problem:
            raise CatalogProblem(f"model {addition.id!r}: {problem}") from problem
    if addition.targets is not None:
        given["targets"] = tuple(
            Target(
                provider=target.provider,
                model=target.model,
                dialect=target.dialect,
                quirks=target.quirks | quirks[target.provider],
                priority=target.priority,
                weight=target.weight,
            )
            for target in addition.targets
            if target.dialect in dialects and target.provider in quirks
        )
        given["shutdown_date"] = addition.shutdown_date
    price = given.pop("price", None)
    laid = msgspec.structs.replace(model, **given)
    if price is None:
        return laid
    priced = (msgspec.structs.replace(each, price=price) for each in laid.targets)
    return msgspec.structs.replace(laid, targets=tuple(priced))


def _living(entry: Entry, today: date) -> Sequence[CatalogTarget]:
    return [
        target
        for target in entry.targets
        if target.shutdown is None or today < target.shutdown
    ]


def _why_none(
    id_: str,
    addition: Addition | None,
    providers: Mapping[str, str | None],
    dialects: Collection[str],
) -> str:
    """Say why none of the targets that the operator gave counts."""
    given = addition.targets if addition is not None else None
    absent = [
        f"[providers.{target.provider}]"
        for target in given or ()
        if target.dialect in dialects and target.provider not in providers
    ]
    if absent:
        return (
            f"The model '{id_}' is configured, but none of its providers is: it needs "
            f"{_either(absent)}."
        )
    return (
        f"The model '{id_}' is configured, but with no target that this version of "
        "Lightweight can speak to."
    )


def _why_not(
    entry: Entry,
    providers: Mapping[str, str | None],
    dialects: Collection[str],
    today: date,
) -> str:
    living = _living(entry, today)
    if not entry.targets:
        return (
            f"The model '{entry.id}' is known, but no public provider serves it. This "
            "server's operator can map it to a target with a [[models]] entry."
        )
    if not living:
        use = f" Use '{entry.replacement}' instead." if entry.replacement else ""
        return (
            f"The model '{entry.id}' was retired on {entry.shutdown_date} and has no "
            f"provider any more.{use}"
        )
    absent = [
        f"[providers.{target.preset}]"
        for target in living
        if target.dialect in dialects
    ]
    if absent:
        reason = (
            f"The model '{entry.id}' is known, but no provider of this server serves "
            f"it. Its operator can add {_either(absent)} to the configuration."
        )
    else:
        spoken = _either([target.dialect for target in living])
        reason = (
            f"The model '{entry.id}' is known, but its providers speak only {spoken}, "
            "which this version of Lightweight does not."
        )
    gone = any(
        target.preset in providers.values()
        for target in entry.targets
        if target not in living
    )
    if gone and entry.replacement:
        reason += f" A provider of this server retired it: use '{entry.replacement}'."
    return reason


def _names(
    catalog: Catalog, models: Mapping[str, Model], laid: Mapping[str, Addition]
) -> Mapping[str, str]:
    """Every name to its model: the operator's word first, ids before aliases.

    An operator's alias may take the id of a model that is not offered.
    """
    claims = [
        *((id_, id_) for id_ in laid),
        *((id_, id_) for id_ in models),
        *((name, a.id) for a in laid.values() for name in a.aliases or ()),
        *((id_, id_) for id_ in catalog.models),
        *((name, e.id) for e in catalog.models.values() for name in e.aliases),
    ]
    names: dict[str, str] = {}
    for name, id_ in claims:
        names.setdefault(name.casefold(), id_)
    return names


def _spellings(name: str) -> Iterator[str]:
    """Give what else clients write for a name.

    LiteLLM puts a vendor before it; for Ollama no tag means ``:latest``.
    """
    yield name
    yield name.removeprefix("openai/")
    yield name.removesuffix(":latest")
    yield f"{name}:latest"


def _quoted(names: Sequence[str]) -> Sequence[str]:
    return [f"'{name}'" for name in names]


def _either(names: Sequence[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``; each once, the first few."""
    first = list(dict.fromkeys(names))[:_SUGGESTIONS]
    return " or ".join(filter(None, (", ".join(first[:-1]), first[-1])))
