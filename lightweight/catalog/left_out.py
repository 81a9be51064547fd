"""Which targets of a model do not count here, and why not."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from msgspec import Struct

from lightweight.catalog.load import CatalogTarget
from lightweight.records import DialectName


class LeftOut(Struct, frozen=True, kw_only=True):
    """A target that nobody is sent to."""

    provider: str
    """The name of the provider that would serve it, or of its preset."""
    model: str
    dialect: DialectName
    why: str
    """One sentence for operators."""


class GivenTarget(Protocol):
    """A target as the operator wrote it."""

    @property
    def provider(self) -> str:
        """A provider's name."""

    @property
    def model(self) -> str:
        """The model's id there."""

    @property
    def dialect(self) -> DialectName:
        """What it is spoken to in."""


def left_out_of_catalog(
    targets: Sequence[CatalogTarget],
    providers: Mapping[str, str | None],
    dialects: Collection[str],
    today: date,
) -> Sequence[LeftOut]:
    """Give those of the catalog's targets that do not count; see ``offer``."""
    configured = set(providers.values())

    def why(target: CatalogTarget) -> str | None:
        if target.shutdown is not None and target.shutdown <= today:
            return f"The provider shut it down on {target.shutdown}."
        if target.preset not in configured:
            return f"No provider is configured for it: add [providers.{target.preset}]."
        return _unspoken(target.dialect, dialects)

    return tuple(
        LeftOut(
            provider=target.preset, model=target.model, dialect=target.dialect, why=told
        )
        for target in targets
        if (told := why(target)) is not None
    )


def left_out_of_given(
    targets: Iterable[GivenTarget],
    providers: Collection[str],
    dialects: Collection[str],
) -> Sequence[LeftOut]:
    """Give those of the operator's own targets that do not count."""

    def found() -> Iterator[LeftOut]:
        for target in targets:
            why = _unspoken(target.dialect, dialects)
            if target.provider not in providers:
                why = f"[providers.{target.provider}] is not configured."
            if why is not None:
                yield LeftOut(
                    provider=target.provider,
                    model=target.model,
                    dialect=target.dialect,
                    why=why,
                )

    return tuple(found())


def _unspoken(dialect: str, dialects: Collection[str]) -> str | None:
    if dialect in dialects:
        return None
    return f"This version of Lightweight does not speak {dialect}."
