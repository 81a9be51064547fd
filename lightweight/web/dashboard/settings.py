"""The configuration in force with the places it comes from, and the audit log."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from lightweight.config.merge import Origin
from lightweight.config.schema import Config
from lightweight.config.secret import Secret
from lightweight.config.words import KeyPath, dotted
from lightweight.errors import BadRequest
from lightweight.records import Answer
from lightweight.store.audit import AuditEntry, audit_log
from lightweight.web.admin.actor import require_role
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.views import AuditLine, Setting, SettingsView

PAGE = 50

HIDDEN = "set, not shown"


async def show_settings(asked: Asked) -> Answer:
    """Show the configuration and who changed what, to operators."""
    require_role(asked.actor, "operator")
    before = asked.query("before")
    if before and not (before.isascii() and before.isdigit()):
        raise BadRequest("This address of a page is broken: begin anew.")
    entries = await asked.read(
        lambda c: audit_log(c, before=int(before) if before else None, most=PAGE + 1)
    )
    shown = entries[:PAGE]
    view = SettingsView(
        settings=asked.backstage.settings(),
        audit=[_line(entry) for entry in shown],
        older=f"before={shown[-1].id}" if len(entries) > PAGE else "",
    )
    return asked.page("settings", view)


def _line(entry: AuditEntry) -> AuditLine:
    details = [
        f"{name} {value}" for name, value in entry.details.items() if value is not None
    ]
    return AuditLine(
        at=entry.at,
        who=entry.who,
        what=entry.what,
        subject=entry.subject,
        details=", ".join(details),
    )


def settings_of(config: Config, origins: Mapping[str, Origin]) -> Sequence[Setting]:
    """Give every setting of a configuration; no secret is in it."""
    return [
        Setting(path=path, value=value, origin=_origin(path, origins))
        for path, value in _flat(config, ())
    ]


def _origin(path: str, origins: Mapping[str, Origin]) -> str:
    found = origins.get(path)
    return "" if found is None else f"{found.file}:{found.line}"


def _flat(value: Any, path: KeyPath) -> Sequence[tuple[str, str]]:
    if isinstance(value, Secret):
        return [(dotted(path), HIDDEN)]
    if isinstance(value, Struct):
        value = asdict(value)
    if isinstance(value, Mapping) and value:
        return [
            found for name in value for found in _flat(value[name], (*path, str(name)))
        ]
    if isinstance(value, tuple) and any(isinstance(e, Struct | Secret) for e in value):
        return [
            found for n, each in enumerate(value) for found in _flat(each, (*path, n))
        ]
    if value is None or value in ({}, ()):
        return []
    return [(dotted(path), _written(value))]


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple | frozenset):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
