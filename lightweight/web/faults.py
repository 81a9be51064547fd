"""How a Klein app of ours tells of what goes wrong on its routes."""

from twisted.python.failure import Failure
from twisted.web.iweb import IRequest

from werkzeug.exceptions import MethodNotAllowed as WrongMethod

from lightweight.errors import Fault, MethodNotAllowed, NotFound
from lightweight.web.answers import with_headers
from lightweight.web.site_request import of


def answer_fault(request: IRequest, failure: Failure) -> None:
    """Tell the client of a fault in its dialect."""
    assert isinstance(failure.value, Fault)
    ours = of(request)
    ours.answer_or_cut(ours.told(failure.value))


def answer_unrouted(request: IRequest, failure: Failure) -> None:
    """Tell the client of a path or method that does not exist.

    Also where Werkzeug would redirect (doubled slashes).
    """
    error = failure.value
    ours = of(request)
    if not isinstance(error, WrongMethod):
        answer = ours.told(no_such_path())
    else:
        allowed = ", ".join(sorted(error.valid_methods or ()))
        answer = with_headers(
            ours.told(MethodNotAllowed(f"This path takes {allowed}.")),
            {"allow": allowed},
        )
    ours.answer_or_cut(answer)


def cut_cancelled(request: IRequest, failure: Failure) -> None:  # noqa: ARG001 -- Klein's
    """Cut what nobody may take for whole; there is nothing to log."""
    of(request).cut()


def no_such_path() -> NotFound:
    """Say that a path does not exist."""
    return NotFound("No such path. /docs describes the ones there are.")
