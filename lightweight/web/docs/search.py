"""Search in the pages of /docs: what they say by section, and where that is.

The script of the pages reads the index and finds as ``found`` does; without it the
form asks the server.
"""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

import msgspec
from msgspec import Struct

MOST = 20
"""Places that are shown."""

LONGEST = 200
"""Characters of a question that are looked for."""

_HEADING = re.compile("h[1-4]")
_SILENT = {"head", "header", "nav", "script", "button"}
_SPACE = re.compile(r"\s+")


class Entry(Struct, frozen=True):
    """A section."""

    place: str
    """Its address below the root: ``docs#models``."""
    title: str
    text: str


class Section(Struct):
    """One that is being read."""

    anchor: str
    title: str = ""
    text: str = ""


class _Sections(HTMLParser):
    """Parts a page of ours at its headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found = [Section("")]
        self._anchor = ""
        self._silent = 0
        self._heading = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a section at a heading; it is found at the last id before it."""
        if tag in _SILENT:
            self._silent += 1
        if tag == "section":
            self._anchor = dict(attrs).get("id") or self._anchor
        if _HEADING.fullmatch(tag):
            self._heading = True
            self.found.append(Section(self._anchor))

    def handle_endtag(self, tag: str) -> None:
        """End what was begun."""
        if tag in _SILENT:
            self._silent -= 1
        if _HEADING.fullmatch(tag):
            self._heading = False

    def handle_data(self, data: str) -> None:
        """Take what is said."""
        if self._silent:
            return
        if self._heading:
            self.found[-1].title += data
        else:
            self.found[-1].text += f"{data} "


def entries(place: str, html: str) -> list[Entry]:
    """Give the sections of one page, which is at ``place``."""
    return [
        Entry(
            f"{place}#{each.anchor}" if each.anchor else place,
            _plain(each.title),
            _plain(each.text),
        )
        for each in _Sections(html).found
        if each.title
    ]


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def as_json(found: Iterable[Entry]) -> bytes:
    """Give the index as the script of the pages reads it."""
    return msgspec.json.encode(list(found))


def found(question: str, among: Iterable[Entry]) -> list[Entry]:
    """Give the sections that have every word of the question, the best first.

    A word in the title counts more than any in the text.
    """
    words = question[:LONGEST].lower().split()
    if not words:
        return []
    fitting = []
    for number, each in enumerate(among):
        title, text = each.title.lower(), each.text.lower()
        if all(word in title or word in text for word in words):
            in_title = sum(word in title for word in words)
            fitting.append((-in_title, number, each))
    return [each for _, _, each in sorted(fitting, key=lambda it: it[:2])[:MOST]]


def around(text: str, question: str, size: int = 160) -> str:
    """Give the part of a text where the question's first word stands."""
    lowered = text.lower()
    places = [lowered.find(word) for word in question.lower().split()]
    at = min((place for place in places if place >= 0), default=0)
    begin = max(0, at - size // 3)
    part = text[begin : begin + size].strip()
    return f"{'… ' if begin else ''}{part}{' …' if begin + size < len(text) else ''}"
