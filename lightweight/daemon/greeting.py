"""What a person reads after the first start: the key, a link, a call that works."""

import json
import re
from contextlib import suppress
from pathlib import Path

from lightweight.store.first_run import FirstRun, write_first_run
from lightweight.store.problems import StoreUnusable
from lightweight.store.tokens import INVITE_S
from lightweight.web.links import join_link

NO_MODEL = "MODEL"

DAYS = int(INVITE_S / 86_400)

_MODEL = re.compile(r'"model": "[^"]*"')


def greeting(made: FirstRun, *, base_url: str, model: str | None) -> str:
    """Word the first-run file.

    ``base_url`` ends with ``/v1``; ``model`` is one this server offers, if it offers
    any. The curl in it works as it stands.
    """
    lines = [
        "Lightweight is set up. This is your first key; it is shown only here.",
        "",
        f"  Base URL  {base_url}",
        f"  API key   {made.secret}",
        f"  Account   {made.account.name}",
        "",
        f"Make yourself the operator of its dashboard, once, within {DAYS} days:",
        "",
        f"  {join_link(base_url.removesuffix('/v1'), made.invite)}",
        "",
    ]
    if model is None:
        lines += [
            "No provider is configured yet: set OPENAI_API_KEY, or write a",
            "configuration with a [providers.…] table, and start again. Then:",
            "",
        ]
    body = (
        f'{{"model": "{model or NO_MODEL}", "stream": true, '
        '"messages": [{"role": "user", "content": "Hello!"}]}'
    )
    lines += [
        f"curl -N {base_url}/chat/completions \\",
        f"  -H 'Authorization: Bearer {made.secret}' \\",
        "  -H 'Content-Type: application/json' \\",
        f"  -d '{body}'",
        "",
    ]
    return "\n".join(lines)


def name_model(first_run: Path, model: str | None) -> str:
    """Have the first-run file ask for a model that is offered now; give its text.

    It was worded before local servers were looked for, and what they serve takes the
    place of the demo. Raises OSError where the file cannot be read.
    """
    text = first_run.read_text()
    if model is None:
        return text
    # It stands between single quotes of the shell.
    quoted = json.dumps(model).replace("'", "'\\''")
    named = _MODEL.sub(lambda _: f'"model": {quoted}', text, count=1)
    if named != text:
        # The key in it is what counts: no start fails for the example beside it.
        with suppress(StoreUnusable):
            write_first_run(first_run.parent, named)
    return named
