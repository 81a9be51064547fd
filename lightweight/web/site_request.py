"""One HTTP request in Twisted's hands, from its head to its line in the access log."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure
from twisted.web.server import Request as ServerRequest

from lightweight.errors import Fault
from lightweight.observe.access import Visit
from lightweight.policy.trace import parent_of
from lightweight.records import Answer, Headers, Identity, Outcome
from lightweight.records import Request as RequestRecord
from lightweight.web.cors import preflight_headers
from lightweight.web.edge import body_too_large
from lightweight.web.forwarded import client_address, client_scheme_is_https
from lightweight.web.response_head import PHRASES
from lightweight.web.shapes import bug_answer, error_answer
from lightweight.web.visiting import CLIENT_LEFT, Visiting

if TYPE_CHECKING:
    from lightweight.web.site_channel import GatewayChannel


class GatewayRequest(ServerRequest):
    """Twisted's Request without its HTML, its form parser and its files on disk."""

    defaultContentType = b"application/json"

    def __init__(self, channel: "GatewayChannel", queued: int = 0) -> None:
        super().__init__(channel, queued)
        self.site = self._gateway = channel.site
        self._edge = channel
        self.request_id = channel.site.next_id()
        self.arrived = channel.arrival()
        self.digest: bytes | None = None
        self.identity: Identity | None = None
        self._config = channel.site.current().config
        self._visiting = Visiting()
        self._visiting.report = self._report
        self._body_size = 0
        self._cut = False
        self._closes = False

    # -- arriving ------------------------------------------------------------------

    def named(self, command: bytes, uri: bytes, version: bytes) -> None:
        """Learn the request line before the body arrived."""
        self.method, self.uri, self.clientproto = command, uri, version
        self.path = uri.partition(b"?")[0]

    def gotLength(self, length: int | None) -> None:  # noqa: ARG002 -- Twisted's
        """Keep the body in memory; its length was judged with the head."""
        self.content = self._body = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """Take the next bytes of the body; refuse one that grows too long."""
        if self.finished:
            return
        self._body_size += len(data)
        if self._body_size > self._config.edge.max_body:
            self.refuse(body_too_large(self._config.edge.max_body))
        else:
            super().handleContentChunk(data)

    def process(self) -> None:
        """Answer a preflight, which needs no routing, else ask the resource."""
        preflight = self._preflight()
        if preflight is not None:
            self.answer(Answer(status=204, headers=preflight, body=b""))
            return
        self.prepath = []
        self.postpath = list(map(unquote_to_bytes, self.path[1:].split(b"/")))
        asked = maybeDeferred(self.render, self._gateway.getResourceFor(self))
        asked.addErrback(self._failed)

    def _preflight(self) -> Headers | None:
        if self.method != b"OPTIONS":
            return None
        asked = self.sent(b"access-control-request-headers") or ""
        return preflight_headers(
            self._shown_path(), self.sent(b"origin"), asked, self._config.cors_origins
        )

    def getRequestHostname(self) -> bytes:
        """Give Klein's router a name it can always encode: no route depends on it."""
        return b"gateway"

    def record(self) -> RequestRecord:
        """Give the request as the rest of the house knows it."""
        return RequestRecord(
            id=self.request_id,
            method=self.method.decode("ascii"),
            path=self._shown_path(),
            query=self.uri.partition(b"?")[2].decode("utf-8", "replace"),
            headers=self.fields(),
            body=self._body.getvalue(),
            arrived=self.arrived,
            peer=self.peer(),
        )

    def fields(self) -> Headers:
        """Give the client's header fields as the rest of the house knows them."""
        return {
            name.decode("ascii").lower(): ", ".join(
                value.decode("utf-8", "replace") for value in values
            )
            for name, values in self.requestHeaders.getAllRawHeaders()
        }

    def sent(self, name: bytes) -> str | None:
        """Give a header field of the client, whatever bytes it is made of."""
        value = self.getHeader(name)
        return None if value is None else value.decode("utf-8", "replace")

    def _shown_path(self) -> str:
        return (self.path or b"").decode("utf-8", "backslashreplace")

    @property
    def neighbour(self) -> str:
        """The address at the other end of the connection; empty for a UNIX socket."""
        return str(getattr(self.client, "host", "") or "")

    def peer(self) -> str:
        """Give the client's address, also from behind a proxy that is trusted."""
        return client_address(
            self.neighbour,
            self._forwarded(b"x-forwarded-for"),
            self._config.trusted_proxies,
        )

    def over_tls(self) -> bool:
        """Whether the client came over TLS, also to a proxy that is trusted."""
        return self.isSecure() or client_scheme_is_https(
            self.neighbour,
            self._forwarded(b"x-forwarded-proto"),
            self._config.trusted_proxies,
        )

    def _forwarded(self, name: bytes) -> str | None:
        said = self.requestHeaders.getRawHeaders(name)
        return None if said is None else b",".join(said).decode("latin-1")

    # -- answering -----------------------------------------------------------------

    @property
    def streaming(self) -> bool:
        """Whether an answer of unknown length is on its way."""
        if not self.startedWriting or self.finished:
            return False
        return not self.responseHeaders.hasHeader(b"content-length")

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Decide status and header fields; they leave with the first bytes."""
        # Twisted has no words for 429 and others.
        self.setResponseCode(status, PHRASES.get(status))
        for name, value in headers.items():
            self.setHeader(name.encode(), value.encode())

    def answer(self, answer: Answer) -> None:
        """Send a whole answer."""
        self.head(answer.status, answer.headers)
        if answer.status != 204:  # noqa: PLR2004 -- RFC 9110 section 8.6: no length there
            self.setHeader(b"Content-Length", str(len(answer.body)).encode())
        self.write(answer.body)
        self.finish()

    def answer_or_cut(self, answer: Answer) -> None:
        """Send a whole answer, or cut the one that was begun."""
        if self.startedWriting:
            self.cut()
        elif not self._disconnected:
            self.answer(answer)

    def told(self, fault: Fault) -> Answer:
        """Give the answer that tells this client of ``fault`` in its dialect."""
        return error_answer(fault, self._shown_path(), self.request_id)

    def refuse(self, fault: Fault) -> None:
        """Answer before the request arrived whole, and close after it."""
        self._edge.discard_rest()
        self._closes = True
        self.answer(self.told(fault))

    def write(self, data: bytes) -> None:
        """Send the next bytes; complete the head before the first."""
        if not self.startedWriting and not self._disconnected:
            self._complete_head()
        super().write(data)

    def _complete_head(self) -> None:
        fields = self._gateway.fields_of_all(
            self._shown_path(), self.sent(b"origin"), self.identity, self.request_id
        )
        for name, value in fields.items():
            self.setHeader(name.encode(), value.encode())
        if self._closes or self._gateway.closes_after(self.code):
            self.setHeader(b"Connection", b"close")
            self._edge.persistent = 0

    def finish(self) -> None:
        """End the answer, once: Klein finishes whatever returns, answered or cut."""
        if not self._cut and not self.finished:
            super().finish()

    def cut(self) -> None:
        """Cut the connection: what was sent must not pass for whole."""
        if not self._disconnected and not self.finished:
            self._cut = True
            self._edge.abort()

    def processingFailed(self, reason: Failure) -> Failure:
        """Log a bug of ours with its traceback, and answer without a word of it."""
        self._failed(reason)
        return reason

    def _failed(self, reason: Failure) -> None:
        self.answer_or_cut(bug_answer(reason, self._shown_path(), self.request_id))

    # -- the line in the access log ------------------------------------------------

    def hold_line(self) -> Callable[[Outcome | None], None]:
        """Hold the line back until the Outcome is given to what is returned."""
        self._visiting.call_began()
        return self._visiting.call_ended

    def answered(self) -> None:
        """Learn that the answer was sent."""
        self._visiting.answered(self.code)

    def connectionLost(self, reason: Failure) -> None:
        """Learn that the client left before the answer was sent."""
        status = self.code if self.startedWriting else CLIENT_LEFT
        super().connectionLost(reason)
        # Without a whole head there was no request that a line could tell of.
        if self.content is not None:
            self._visiting.answered(status)

    def _report(self, status: int, outcome: Outcome | None) -> None:
        self._gateway.record(
            Visit(
                request_id=self.request_id,
                peer=self.peer(),
                method=self.method.decode("ascii"),
                path=self._shown_path(),
                status=status,
                sent=self.sentLength,
                at=self._gateway.wall(),
                duration_s=self._gateway.reactor.seconds() - self.arrived,
                traceparent=parent_of(self.sent(b"traceparent")),
                account_id=self.identity.account.id if self.identity else None,
                key_id=self.identity.key.id if self.identity else None,
                outcome=outcome,
            )
        )


def of(request: object) -> GatewayRequest:
    """Give Klein's request its type back."""
    assert isinstance(request, GatewayRequest)
    return request
