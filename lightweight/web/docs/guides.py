"""Guides: how each tool is told of this server, in Markdown with four blanks.

A guide's first line is its title, its next paragraph says in one sentence what the tool
is. A fenced block whose info string is ``language FILE`` is that file, word for word:
tests run it, so a reader can. The blanks are ``{{ base_url }}``, ``{{ root }}``,
``{{ key }}`` and ``{{ model }}``.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup
from msgspec import Struct

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

KINDS: Mapping[str, tuple[str, ...]] = {
    "Coding agents and editors": (
        "opencode",
        "cursor",
        "aider",
        "zed",
        "continue",
        "cline",
        "windsurf",
        "codex",
        "claude-code",
    ),
    "SDKs and frameworks": (
        "openai-python",
        "openai-node",
        "anthropic-sdk",
        "ollama",
        "ollama-js",
        "langchain",
        "langchain-js",
        "vercel-ai-sdk",
        "litellm",
    ),
    "Everything else": (
        "curl",
        "any-tool",
    ),
}
"""The names of the guides by kind, in the order of display."""

SAMPLE_KEY = "lw-your-key-here"
"""What stands for the key of a visitor we do not know."""

_URL = re.compile(r"https?://[\w.~:/\[\]@%+,=-]+", re.ASCII)

BLANKS = {
    "base_url": _URL,
    "root": _URL,
    "key": re.compile(r"lw-[A-Za-z0-9-]+"),
    "model": re.compile(r"[A-Za-z0-9][\w.:/@+-]*", re.ASCII),
}
"""What may stand in each blank: nothing that ends a string, a word of a shell or a
code span, so a guide may put it in any of them."""

_BLANK = re.compile(r"\{\{ (\w+) \}\}")


class Guide(Struct, frozen=True):
    """How one tool is told of this server."""

    name: str
    """In URLs: ``claude-code``."""
    title: str
    about: str
    """One sentence: what the tool is."""
    text: str
    """Markdown, title included, with the blanks."""


@cache
def guides() -> tuple[Guide, ...]:
    """Give all guides in the order of display."""
    order = [name for names in KINDS.values() for name in names]
    there = files("lightweight.web.docs").joinpath("integrations").iterdir()
    read = (_read(path.name.removesuffix(".md"), path.read_bytes()) for path in there)
    return tuple(sorted(read, key=lambda guide: order.index(guide.name)))


def by_kind() -> Mapping[str, tuple[Guide, ...]]:
    """Give all guides by their kind, both in the order of display."""
    return {
        kind: tuple(guide for guide in guides() if guide.name in names)
        for kind, names in KINDS.items()
    }


def _read(name: str, content: bytes) -> Guide:
    text = content.decode()
    title, about, _rest = text.split("\n\n", maxsplit=2)
    return Guide(name, title.removeprefix("# "), about.replace("\n", " "), text)


def filled(guide: Guide, *, base_url: str, root: str, key: str, model: str) -> str:
    """Give the guide's Markdown with its blanks filled in.

    ``base_url`` is what clients are told to set, ``/v1`` included; ``root`` the same
    without it. Raise ValueError for a value that is not as ``BLANKS`` says.
    """
    values = {"base_url": base_url, "root": root, "key": key, "model": model}
    for name, value in values.items():
        if not BLANKS[name].fullmatch(value):
            raise ValueError(f"{name} cannot stand in a guide: {value!r}")
    return _BLANK.sub(lambda blank: values[blank[1]], guide.text)


def snippets(markdown: str) -> Mapping[str, str]:
    """Give the text of each fenced block that is a file, by the file's name."""
    blocks = (token for token in _markdown().parse(markdown) if token.type == "fence")
    named = ((_language_and_file(block.info), block.content) for block in blocks)
    return {file: text for (_, file), text in named if file}


def render_guide(markdown: str) -> Markup:
    """Give a guide as HTML: what stands in ``main``. No HTML of the text survives."""
    return Markup(_markdown().render(markdown))  # noqa: S704 -- the renderer escapes


def _language_and_file(info: str) -> tuple[str, str]:
    language, _, file = info.strip().partition(" ")
    return language, file


def _figure(
    _renderer: object,
    tokens: "list[Token]",
    index: int,
    _options: object,
    _env: object,
) -> str:
    """A fenced block, framed as those of the page are."""
    language, file = _language_and_file(tokens[index].info)
    return Markup(
        '<figure class="code"><figcaption><span>{title}</span>'
        '<span class="language">{language}</span></figcaption>\n'
        '<pre tabindex="0" aria-label="{title}"><code>{text}</code></pre>\n'
        '<button type="button" data-copy hidden>Copy</button></figure>\n'
    ).format(title=file or language, language=language, text=tokens[index].content)


@cache
def _markdown() -> "MarkdownIt":
    # A worker starts without it: most never show a guide.
    from markdown_it import MarkdownIt  # noqa: PLC0415 -- as it says

    markdown = MarkdownIt("commonmark", {"html": False})
    markdown.add_render_rule("fence", _figure)
    return markdown
