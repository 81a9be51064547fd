"""What a person reads after the first start: the key, and a call that works."""

from lightweight.store.first_run import FirstRun

NO_MODEL = "MODEL"


def greeting(made: FirstRun, *, base_url: str, model: str | None) -> str:
    """Word the first-run file; ``model`` is one this server offers, if it offers any.

    The curl in it works as it stands.
    """
    lines = [
        "Lightweight is set up. This is your first key; it is shown only here.",
        "",
        f"  Base URL  {base_url}",
        f"  API key   {made.secret}",
        f"  Account   {made.account.name}",
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
