"""What one generation of configuration means: built whole, swapped by one assignment.

A call keeps the runtime it started with, so a reload never changes a call in flight.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lightweight.catalog.offer import Offering
from lightweight.config.schema import Config
from lightweight.dialects.dialect import Dialect
from lightweight.records import DialectName
from lightweight.upstream.provider import Provider


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Config, models on offer, dialects and providers that belong together."""

    config: Config
    offering: Offering
    dialects: Mapping[DialectName, Dialect]
    providers: Mapping[str, Provider]
