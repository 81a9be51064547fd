"""An Exchange over a connection itself: the express lane."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure

from lightweight.errors import Fault
from lightweight.observe.access import Visit
from lightweight.policy.trace import parent_of
from lightweight.records import Answer, Headers, Outcome, Request
from lightweight.upstream.eager import send_now
from lightweight.web.answers import send
from lightweight.web.exchange import Flow
from lightweight.web.forwarded import client_address
from lightweight.web.front_head import Asking
from lightweight.web.handling import Handling
from lightweight.web.leaving import not_at_all
from lightweight.web.response_head import CHUNKED, CLOSE, STATUS_LINES, lines_of
from lightweight.web.shapes import bug_answer, error_answer
from lightweight.web.visiting import CLIENT_LEFT, Visiting

if TYPE_CHECKING:
    from lightweight.web.front import Front

_LAST_CHUNK = b"0\r\n\r\n"


class FrontExchange:
    """One request of a Front and its answer, whose head leaves with its first bytes."""

    def __init__(self, front: "Front", asking: Asking, body: bytes, host: str) -> None:
        """``host`` is the address that the connection comes from."""
        site, headers, identity = front.site, asking.headers, asking.identity
        forwarded = headers.get("x-forwarded-for")
        if forwarded is not None:
            trusted = site.current().config.trusted_proxies
            host = client_address(host, forwarded, trusted)
        self.request = Request(
            id=site.next_id(),
            method="POST",
            path=asking.path.decode(),
            query=asking.query,
            headers=headers,
            body=body,
            arrived=asking.arrived,
            peer=host,
        )
        self.identity = identity
        self.identified = asking.fresh and identity is not None
        """The identity needs no second look."""
        self.started = False
        self.lost = False
        self.lingers: Callable[[], float] = not_at_all
        self._handling: Handling | None = None
        self.persists = asking.persists
        """The connection may serve another request after this one."""
        self._front = front
        self._visiting = Visiting()
        self._visiting.report = self._report
        self._status = CLIENT_LEFT
        self._over = False
        self._attached = False
        self._head = b""
        self._chunked = False
        self._sent = 0

    @property
    def streaming(self) -> bool:
        """Whether an answer of unknown length is on its way."""
        return self._chunked and not self._over

    def hold_line(self) -> Callable[[Outcome | None], None]:
        """Hold the access line back until the Outcome is given to what is returned."""
        self._visiting.call_began()
        return self._visiting.call_ended

    def serve(self, handler: Coroutine[Any, Any, None]) -> None:
        """Have it served, and cut what was not answered whole when that ended."""
        self._handling = handling = Handling(handler, self._served)
        handling.run()

    def _served(self, error: Exception | None) -> None:
        # No circle is left for the garbage collector to find.
        self._handling = None
        if isinstance(error, Fault):
            self.answer_or_cut(self.told(error))
        elif error is not None and not isinstance(error, CancelledError):
            self.failed(Failure(error))
        if not self._over:
            # Only what was answered may pass for whole.
            self.abort()

    # -- answering -----------------------------------------------------------------

    def start(
        self, status: int, headers: Headers, *, length: int | None = None
    ) -> None:
        """Decide the head; ``headers`` are beside those that every answer carries."""
        if self.lost or self._over:
            return
        self.started = True
        self._status = status
        request, site = self.request, self._front.site
        first = "" if self.persists else CLOSE
        last = ""
        if self.persists and site.closes_after(status):
            last = CLOSE
            self.persists = False
        if length is None:
            framed = ""
            last += CHUNKED
            self._chunked = True
        else:
            framed = f"Content-Length: {length}\r\n"
        of_all = site.lines_of_all(
            request.path, request.headers.get("origin"), self.identity, request.id
        )
        self._head = (
            f"{STATUS_LINES[status]}{first}{lines_of(headers)}{framed}{of_all}{last}\r\n"
        ).encode()

    def write(self, data: bytes) -> None:
        """Send the next bytes of the body."""
        if self.lost or self._over or not data:
            return
        self._sent += len(data)
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self._head:
            data, self._head = self._head + data, b""
        send_now(self._front.transport, data)

    def finish(self) -> None:
        """End the answer."""
        if self._attached:
            self.detach()
        if self.lost or self._over:
            return
        self._over = True
        rest = self._head + (_LAST_CHUNK if self._chunked else b"")
        if rest:
            self._head = b""
            send_now(self._front.transport, rest)
        self._visiting.answered(self._status)
        self._front.answered(persists=self.persists)

    def abort(self) -> None:
        """Cut the connection."""
        self.detach()
        if not self.lost and not self._over:
            self._over = True
            self._front.abort()

    # -- the client's speed, and its leaving ---------------------------------------

    def attach(self, flow: Flow) -> None:
        """Let the client's speed pause and resume ``flow``."""
        if not self.lost and not self._over:
            self._attached = True
            self._front.flow = flow

    def detach(self) -> None:
        """Stop steering the flow."""
        # By now the flow may be that of the next exchange.
        if self._attached:
            self._attached = False
            self._front.flow = None

    def left(self) -> None:
        """Learn that the connection is lost: everything later is a no-op.

        The handler is cancelled as soon as it lingers no more.
        """
        self.lost = True
        self._visiting.answered(self._status)
        if self._handling is not None:
            self._handling.leave(self._front.site.reactor, self.lingers())

    def stop(self) -> None:
        """Cancel the handler."""
        if self._handling is not None:
            self._handling.cancel()

    # -- what goes wrong -----------------------------------------------------------

    def told(self, fault: Fault) -> Answer:
        """Give the answer that tells this client of ``fault`` in its dialect."""
        return error_answer(fault, self.request.path, self.request.id)

    def answer_or_cut(self, answer: Answer) -> None:
        """Send a whole answer, or cut the one that was begun."""
        if self.started:
            self.abort()
        else:
            send(self, answer)

    def failed(self, reason: Failure) -> None:
        """Log a bug of ours with its traceback, and answer without a word of it."""
        self.answer_or_cut(bug_answer(reason, self.request.path, self.request.id))

    # -- the line in the access log ------------------------------------------------

    def _report(self, status: int, outcome: Outcome | None) -> None:
        request, site, identity = self.request, self._front.site, self.identity
        traceparent = request.headers.get("traceparent")
        site.record(
            Visit(
                request_id=request.id,
                peer=request.peer,
                method=request.method,
                path=request.path,
                status=status,
                sent=self._sent,
                at=site.wall(),
                duration_s=site.reactor.seconds() - request.arrived,
                traceparent=parent_of(traceparent) if traceparent else None,
                account_id=identity.account.id if identity else None,
                key_id=identity.key.id if identity else None,
                outcome=outcome,
            )
        )
