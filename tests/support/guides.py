"""The integration guides, as the tests of clients run them: never a copy."""

from collections.abc import Callable
from typing import TypeAlias

from lightweight.web.docs.guides import SAMPLE_KEY, filled, guides, snippets

Snippet: TypeAlias = Callable[[str, str], str]
"""Gives a file out of a guide, both by name."""


def snippet(
    guide: str,
    file: str,
    *,
    base_url: str = "http://localhost/v1",
    key: str = SAMPLE_KEY,
    model: str = "demo",
) -> str:
    """Give a file out of a guide, with the blanks filled in."""
    (found,) = (each for each in guides() if each.name == guide)
    markdown = filled(
        found,
        base_url=base_url,
        root=base_url.removesuffix("/v1"),
        key=key,
        model=model,
    )
    return snippets(markdown)[file]
