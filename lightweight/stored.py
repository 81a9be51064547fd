"""The state of a process with its database, as its configuration wants them.

A part of the composition root that the parent does without.
"""

import secrets
import time
from pathlib import Path

from lightweight.daemon.greeting import greeting
from lightweight.daemon.judge import imagined
from lightweight.daemon.prepare import make_first_key, open_database
from lightweight.daemon.state import State, open_state
from lightweight.ground import Ground
from lightweight.store.first_run import FirstRun


def migrated(ground: Ground) -> State:
    """Give the state, its database brought to this code; raises StoreProblem."""
    state = open_state(ground.loaded.config, ground.environ, secrets.token_bytes)
    open_database(state).dispose()
    return state


def first_started(ground: Ground, url: str) -> tuple[State, Path | None]:
    """Give the state, made ready for a server at ``url``, with a first key in it.

    And where that key is shown if it was made now. Raises StoreProblem.
    """
    config = ground.loaded.config
    state = open_state(config, ground.environ, secrets.token_bytes)

    def describe(made: FirstRun) -> str:
        offered = imagined(config, ground.environ, ground.catalog).offering.listed()
        return greeting(
            made,
            base_url=f"{config.public_url or url}/v1",
            model=offered[0].id if offered else None,
        )

    made = make_first_key(
        state,
        describe,
        now=time.time(),  # noqa: TID251 -- the composition root
        random_bytes=secrets.token_bytes,
    )
    return state, made
