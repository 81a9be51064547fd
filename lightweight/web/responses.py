"""What Responses clients ask beside responses.

API reference, "Responses". Nothing is kept here, so there is nothing to fetch; input
tokens are estimated.
"""

from lightweight.dialects.dialect import Dialect
from lightweight.errors import NotFound
from lightweight.policy.estimate import estimate
from lightweight.records import Answer, Request
from lightweight.web.answers import json_answer


def count_input(request: Request, dialect: Dialect) -> Answer:
    """Estimate the tokens of a request, and say that it is an estimate.

    Raises ClientFault for a request that could not be served either.
    """
    call = dialect.parse_request(request)
    counted = {
        "object": "response.input_tokens",
        "input_tokens": estimate(call).prompt,
        "estimated": True,
    }
    return json_answer(counted)


def not_kept() -> NotFound:
    """Give the fault of whoever asks for a response of earlier."""
    return NotFound(
        "Lightweight keeps no responses (store is always false). Send the whole "
        "conversation in 'input' to POST /v1/responses."
    )
