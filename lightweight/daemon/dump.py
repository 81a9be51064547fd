"""What is in flight, in the log: SIGUSR2 asks for it."""

from collections.abc import Sequence

from twisted.logger import Logger

from lightweight.amounts import counted
from lightweight.web.live import InFlight

log = Logger()


def dump(calls: Sequence[InFlight]) -> None:
    """Log each call, and how many there are."""
    log.info("In flight: {calls}.", calls=counted(len(calls), "call"))
    for call in calls:
        log.info("In flight: {call}", call=shown(call))


def shown(call: InFlight) -> str:
    """Give one call as a line for a person; nothing of it is the client's word.

    But the model's name: it is quoted.
    """
    doing = "answering" if call.answering else "waiting"
    kind = "stream" if call.stream else "whole answer"
    return (
        f"{call.request_id} for {call.seconds:.1f} s, {doing} ({kind}), "
        f"model {call.model!r} at {call.provider or 'nobody yet'}, "
        f"{call.attempts} asked, account {call.account_id}, key {call.key_id}"
    )
