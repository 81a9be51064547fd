"""The table of the admin API: what the routes are, the checks, and /openapi.json.

An operation is an async function of a Case, with ``asked`` where it takes a body and
``query`` where it takes parameters; their types and that of its answer say the shapes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, get_type_hints

from lightweight.records import Role
from lightweight.web.admin.actor import Actor
from lightweight.web.office import Office

Operation: TypeAlias = Callable[..., Awaitable[object]]

O = TypeVar("O", bound=Operation)  # noqa: E741 -- an operation


@dataclass(frozen=True, kw_only=True)
class Case:
    """One request of somebody who may make it."""

    office: Office
    actor: Actor
    id: str
    """What the path names; empty where it names nothing."""
    request_id: str
    base_url: str
    """The URL that people reach this server by, without a slash at its end."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation and where it is found."""

    method: str
    path: str
    """Below /admin/v1; ``{id}`` is what it is about."""
    least: Role
    status: int
    """Of an answer without a fault."""
    work: Operation
    asked: type | None
    """The type of the body; None: there is none."""
    query: type | None
    given: Any
    """The type of the answer."""

    @property
    def name(self) -> str:
        """The name of the operation, also in OpenAPI's document."""
        return self.work.__name__

    @property
    def summary(self) -> str:
        """What it does, in one line."""
        return (self.work.__doc__ or "").partition("\n")[0]


class Table:
    """The routes of one kind of thing."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def route(
        self, method: str, path: str, *, least: Role = "member", status: int = 200
    ) -> Callable[[O], O]:
        """Put an operation at ``path``, for who has at least that role."""

        def put(work: O) -> O:
            hints = get_type_hints(work)
            route = Route(
                method=method,
                path=path,
                least=least,
                status=status,
                work=work,
                asked=hints.get("asked"),
                query=hints.get("query"),
                given=hints["return"],
            )
            self.routes.append(route)
            return work

        return put
