"""What the dashboard stands on beside the office: the process itself."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lightweight.catalog.load import Preset
from lightweight.web.dashboard.views import LiveNow, Setting
from lightweight.web.office import Office


@dataclass(frozen=True, kw_only=True)
class Backstage:
    """What the pages show and ask besides the database."""

    office: Office
    live: Callable[[], Awaitable[LiveNow]]
    """Gives what is under way now; raises nothing, and waits for a moment at most."""
    leaving: Callable[[], bool]
    """Whether the process drains: then no page may hold a connection."""
    reload: Callable[[], None]
    """Asks for what SIGHUP asks for."""
    file: Path | None
    """The configuration's; None where there is none."""
    settings: Callable[[], Sequence[Setting]] = tuple
    presets: Mapping[str, Preset] = field(default_factory=dict)
