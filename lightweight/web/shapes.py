"""In whose words a client is told of a fault: its path says which dialect it speaks.

Also what comes before any route: a refused head, a bad key, overload, an unknown path.
"""

from functools import lru_cache

from twisted.logger import Logger
from twisted.python.failure import Failure

import msgspec

from lightweight.dialects.dialect import Dialect
from lightweight.dialects.splice import replaced
from lightweight.errors import Fault, OwnFault
from lightweight.records import Answer, Headers
from lightweight.runtime import DIALECTS

_OPENAI = DIALECTS["openai_chat"]
_ANTHROPIC = DIALECTS["anthropic"]
_BY_ROOT = (
    ("/v1/messages", "/v1/messages/", _ANTHROPIC),
    ("/api", "/api/", DIALECTS["ollama"]),
)
_log = Logger()
_NO_ID = b'"request_id":null'


def error_answer(fault: Fault, path: str, request_id: str) -> Answer:
    """Give the answer that tells whoever asked ``path`` of ``fault``."""
    return told(_dialect_at(path), fault, request_id)


def bug_answer(reason: Failure, path: str, request_id: str) -> Answer:
    """Log where a bug of ours is; give the answer, without a word of it."""
    _log.failure("Failed to handle {id}", failure=reason, id=request_id, wordless=True)
    return error_answer(OwnFault(), path, request_id)


def told(dialect: Dialect, fault: Fault, request_id: str) -> Answer:
    """Give a dialect's answer, with the request id where its body has one."""
    answer = dialect.render_error(fault)
    if _NO_ID not in answer.body:
        return answer
    body = replaced(answer.body, "request_id", msgspec.json.encode(request_id))
    return Answer(status=answer.status, headers=answer.headers, body=body)


def id_headers(path: str, request_id: str) -> Headers:
    """Give the headers of every answer that name the request.

    Anthropic's SDKs read ``request-id`` and no other.
    """
    if _dialect_at(path) is _ANTHROPIC:
        return {"x-request-id": request_id, "request-id": request_id}
    return {"x-request-id": request_id}


@lru_cache(maxsize=256)
def _dialect_at(path: str) -> Dialect:
    for root, below, dialect in _BY_ROOT:
        if path == root or path.startswith(below):
            return dialect
    return _OPENAI
