"""Every fault that a client can meet, and whose it is.

The tree has branches that are never mixed: the client's fault, what a client's limits
refuse, the provider's fault, ours. A fault knows what the client is told (status, type,
code, param: SPEC section 4), whether another target may be tried before the first byte,
and when to come back. Its text is for the client: no secret, no upstream URL, no
traceback.
"""

import math
from typing import ClassVar, Literal, Self

_QUOTING = (
    "The provider refused the request. Its words went to the client alone, since they "
    "may repeat what was asked."
)


class Fault(Exception):
    """Something went wrong that a client must be told in its dialect."""

    status: ClassVar[int] = 500
    type: str = "server_error"
    code: str | None = None
    should_retry: bool | None = None
    """What ``x-should-retry`` tells the SDKs; None leaves it to their rules."""
    retry_after_ms: int | None = None
    """``retry_after`` to the millisecond, where that is known."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        """``retry_after`` is in whole seconds, at least 1."""
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after
        if code is not None:
            self.code = code
        self._quotes = False

    def quoting(self) -> Self:
        """Say that the words are a provider's: they may repeat what a client asked."""
        self._quotes = True
        return self

    @property
    def noted(self) -> str:
        """What logs and ledger may hold of the words: nothing of what was asked."""
        return _QUOTING if self._quotes else self.message


# -- the client's fault ------------------------------------------------------------


class ClientFault(Fault):
    """The request itself is wrong: sending it again unchanged will not help."""

    status = 400
    type = "invalid_request_error"
    should_retry = False


class BadRequest(ClientFault):
    """The body or a parameter is not acceptable; ``param`` names it."""


class InvalidKey(ClientFault):
    """Missing, malformed, unknown, revoked, expired: one answer, told apart by none."""

    status = 401
    code = "invalid_api_key"

    def __init__(self) -> None:
        super().__init__(
            "Incorrect API key provided. Send a Lightweight key (lw-…) as "
            "'Authorization: Bearer KEY' or 'x-api-key: KEY'."
        )


class NotSignedIn(ClientFault):
    """Nobody is signed in, or what they signed in with is wrong."""

    status = 401
    code = "not_signed_in"


class Forbidden(ClientFault):
    """Somebody is signed in, and this is not theirs to do."""

    status = 403
    code = "forbidden"


class ModelDenied(ClientFault):
    """The model exists, but not for this account or key."""

    status = 403
    code = "model_access_denied"


class AccessDenied(ClientFault):
    """What is asked for is not for this client."""

    status = 403
    code = "access_denied"


class ModelNotFound(ClientFault):
    """No such model, or none of its targets has a configured provider."""

    status = 404
    code = "model_not_found"


class NotFound(ClientFault):
    """No such path."""

    status = 404
    code = "not_found"


class MethodNotAllowed(ClientFault):
    """The path exists, with other methods."""

    status = 405
    code = "method_not_allowed"


class RequestTimedOut(ClientFault):
    """The client did not send its request within the deadline."""

    status = 408
    code = "request_timeout"
    should_retry = True


class Conflict(ClientFault):
    """It cannot be done to what is there."""

    status = 409
    code = "conflict"


class TooLarge(ClientFault):
    """The body is larger than ``edge.max_body``."""

    status = 413
    code = "request_too_large"


class TargetTooLong(ClientFault):
    """The request line is longer than what is read of one."""

    status = 414
    code = "uri_too_long"


class ExpectationFailed(ClientFault):
    """The client expects something that this server does not do."""

    status = 417
    code = "expectation_failed"


class HeadTooLarge(ClientFault):
    """The header fields are too many or too long."""

    status = 431
    code = "headers_too_large"


class Unprocessable(ClientFault):
    """A provider judged the request well-formed but unusable."""

    status = 422


class LoopDetected(ClientFault):
    """The request already passed this gateway: a provider points back at us."""

    status = 400
    code = "loop_detected"


# -- what limits refuse ------------------------------------------------------------


class RateLimited(Fault):
    """Too many requests or tokens in a minute, or too many calls at the same time."""

    status = 429
    code = "rate_limit_exceeded"
    should_retry = True

    def __init__(
        self,
        message: str,
        *,
        kind: Literal["requests", "tokens", "concurrency"],
        retry_after_ms: int | None,
    ) -> None:
        """Waiting ``retry_after_ms`` succeeds; None: waiting never helps."""
        super().__init__(message)
        self.type = kind
        if retry_after_ms is None:
            self.should_retry = False
        else:
            self.retry_after_ms = max(1, retry_after_ms)
            self.retry_after = math.ceil(self.retry_after_ms / 1000)


class QuotaExceeded(Fault):
    """What the account or key may use in its period, or has paid for, is used up."""

    status = 403
    type = "insufficient_quota"
    code = "insufficient_quota"
    should_retry = False


# -- the provider's fault ----------------------------------------------------------


class ProviderFault(Fault):
    """A provider failed. Before the first byte another target may be tried."""

    status = 502
    code = "upstream_error"
    retryable: ClassVar[bool] = True


class ProviderUnreachable(ProviderFault):
    """No connection: refused, reset, no such name, TLS not trusted."""


class ProviderTimeout(ProviderFault):
    """Connect, first byte, idle or total time ran out."""

    code = "upstream_timeout"


class ProviderGarbage(ProviderFault):
    """The answer breaks its dialect: not JSON, not SSE, an impossible value."""

    code = "upstream_invalid_response"


class ProviderCut(ProviderFault):
    """The answer broke off before its end."""


class ProviderRefused(ProviderFault):
    """The provider answered with an error of its own or rejected our credential."""


class ProviderLacks(ProviderFault):
    """The provider does not serve this model at the client's endpoint."""

    status = 404
    type = "invalid_request_error"
    code = "model_not_found"
    should_retry = False


class ProviderBusy(ProviderFault):
    """The provider has no room and may say when: its own 429, with its Retry-After.

    A 503 or 529 that says when to come back is one too.
    """

    status = 429
    type = "requests"
    code = "rate_limit_exceeded"
    should_retry = True


# -- ours --------------------------------------------------------------------------


class OwnFault(Fault):
    """A bug of ours. The log has the traceback; the client gets an id to quote."""

    def __init__(self) -> None:
        super().__init__(
            "Lightweight failed to handle this request. Quote the x-request-id "
            "when you report it."
        )


class Unimplemented(Fault):
    """A part of HTTP that this server does not have: asking again will not help."""

    status = 501
    type = "invalid_request_error"
    code = "not_implemented"
    should_retry = False


class Overloaded(Fault):
    """Draining, overloaded, or the use could not be recorded: come back in a moment."""

    status = 503
    code = "overloaded"
    should_retry = True

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message, retry_after=retry_after)
