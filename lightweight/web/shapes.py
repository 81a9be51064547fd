"""In whose words a client is told of a fault: its path says which dialect it speaks.

Also what comes before any route: a refused head, a bad key, overload, an unknown path.
"""

from lightweight.errors import Fault
from lightweight.records import Answer
from lightweight.runtime import DIALECTS

_OPENAI = DIALECTS["openai_chat"]
_BY_ROOT = (("/api", DIALECTS["ollama"]),)


def error_answer(fault: Fault, path: str) -> Answer:
    """Give the answer that tells whoever asked ``path`` of ``fault``."""
    for root, dialect in _BY_ROOT:
        if path == root or path.startswith(f"{root}/"):
            return dialect.render_error(fault)
    return _OPENAI.render_error(fault)
