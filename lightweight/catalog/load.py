"""The catalog that ships with the program: read once, checked, frozen."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from lightweight.records import DialectName, Price

Kind: TypeAlias = Literal["openai", "azure", "anthropic", "gemini", "ollama", "demo"]
"""How a provider is spoken to (SPEC section 7)."""

Record = TypeVar("Record", bound=Struct)

_CONTEXT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KM]?)\+?")


class CatalogProblem(ValueError):
    """An entry of the catalog or an operator's addition is wrong; the text names it."""


class CatalogTarget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place that may serve a model, if a provider of its preset is configured."""

    preset: str
    model: str
    """The model's id there."""
    dialect: DialectName
    shutdown: date | None = None
    """The first day on which it is gone."""
    quirks: frozenset[str] = frozenset()
    price: Price | None = None
    """None where no public list of the preset's vendor is known to say."""


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model we know of, offered or not."""

    id: str
    owned_by: str
    context: str
    """The documented context window: ``128K``, ``1M+``."""
    created: date
    status: Literal["GA", "Preview"]
    aliases: tuple[str, ...] = ()
    capabilities: frozenset[str] = frozenset()
    replacement: str | None = None
    """The model of this catalog to use once this one is retired."""
    targets: tuple[CatalogTarget, ...] = ()

    @property
    def context_window(self) -> int:
        """The context window in tokens."""
        return context_tokens(self.context)

    @property
    def created_at(self) -> int:
        """The release day's start in UTC, in seconds since the epoch."""
        return int(datetime.combine(self.created, time(), UTC).timestamp())

    @property
    def shutdown_date(self) -> date | None:
        """The day on which the last target is gone; None while one has no end."""
        return last_day(target.shutdown for target in self.targets)


class Preset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a provider before the operator says anything."""

    name: str
    kind: Kind
    base_url: str | None = None
    """None where only the operator can know it."""
    env: str | None = None
    """The environment variable that usually holds the key."""
    quirks: frozenset[str] = frozenset()


class Catalog(Struct, frozen=True, kw_only=True):
    """Every model and provider we know of, by id and by name, in the files' order."""

    models: Mapping[str, Entry]
    presets: Mapping[str, Preset]
    quirks: Mapping[str, str]
    """Each quirk's name with the sentence that explains it."""


def context_tokens(context: str) -> int:
    """Tokens of a context window as people write it: K is 1000, M a million.

    A trailing ``+`` says "or more". Raises CatalogProblem for anything else.
    """
    found = _CONTEXT.fullmatch(context)
    if found is None:
        raise CatalogProblem(
            f"the context {context!r} is no number of tokens such as 128K, 1M or 131072"
        )
    return int(Decimal(found[1]) * {"": 1, "K": 1000, "M": 1_000_000}[found[2]])


def last_day(days: Iterable[date | None]) -> date | None:
    """The latest of ``days``; None when there is none or one of them is open."""
    known = list(days)
    dated = [day for day in known if day is not None]
    return max(dated) if dated and len(dated) == len(known) else None


def load_catalog() -> Catalog:
    """Read the catalog from the package; raise CatalogProblem where it is wrong."""
    package = files("lightweight.catalog")
    return parse_catalog(
        package.joinpath("models.toml").read_text("utf-8"),
        package.joinpath("presets.toml").read_text("utf-8"),
    )


def parse_catalog(models: str, presets: str) -> Catalog:
    """Make a catalog of two TOML texts; raise CatalogProblem naming the wrong entry."""
    preset_file = tomllib.loads(presets)
    quirks: Mapping[str, str] = MappingProxyType(preset_file["quirks"])
    known: dict[str, Preset] = {}
    for name, fields in preset_file["presets"].items():
        preset = _convert({"name": name, **fields}, Preset, f"preset {name!r}")
        _check_quirks(preset.quirks, quirks, f"preset {name!r}")
        known[name] = preset
    entries: dict[str, Entry] = {}
    for fields in tomllib.loads(models)["models"]:
        entry = _convert(fields, Entry, f"model {fields.get('id')!r}")
        if entry.id in entries:
            raise CatalogProblem(f"model {entry.id!r}: listed twice")
        entries[entry.id] = entry
    _check_names(entries)
    for entry in entries.values():
        _check_entry(entry, entries, known, quirks)
    return Catalog(
        models=MappingProxyType(entries),
        presets=MappingProxyType(known),
        quirks=quirks,
    )


def _convert(fields: object, kind: type[Record], where: str) -> Record:
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise CatalogProblem(f"{where}: {error}") from error


def _check_names(entries: Mapping[str, Entry]) -> None:
    """Ids and aliases are one name space, and letter case tells none apart."""
    owners: dict[str, str] = {}
    for entry in entries.values():
        for name in (entry.id, *entry.aliases):
            owner = owners.setdefault(name.casefold(), entry.id)
            if owner != entry.id or entry.aliases.count(name) > 1:
                raise CatalogProblem(
                    f"model {entry.id!r}: the name {name!r} is taken by {owner!r}"
                )


def _check_entry(
    entry: Entry,
    entries: Mapping[str, Entry],
    presets: Mapping[str, Preset],
    quirks: Mapping[str, str],
) -> None:
    where = f"model {entry.id!r}"
    try:
        context_tokens(entry.context)
    except CatalogProblem as problem:
        raise CatalogProblem(f"{where}: {problem}") from problem
    if entry.replacement is not None and (
        entry.replacement not in entries or entry.replacement == entry.id
    ):
        raise CatalogProblem(
            f"{where}: the replacement {entry.replacement!r} is no other model"
        )
    for target in entry.targets:
        if target.preset not in presets:
            raise CatalogProblem(f"{where}: there is no preset {target.preset!r}")
        _check_quirks(target.quirks, quirks, where)


def _check_quirks(used: frozenset[str], known: Mapping[str, str], where: str) -> None:
    for quirk in sorted(used - known.keys()):
        raise CatalogProblem(f"{where}: the quirk {quirk!r} is not explained")
