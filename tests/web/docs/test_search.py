"""Search in the docs: sections of what the pages say, found by words."""

import json

from lightweight.web.docs.search import (
    LONGEST,
    MOST,
    Entry,
    around,
    as_json,
    entries,
    found,
)

PAGE = """<!DOCTYPE html><html><head><title>Not this</title></head><body>
<header>Nor this</header><nav>nor that</nav><main>
<section id="top"><h1>One key</h1><p>For &amp; every <b>model</b>.</p></section>
<section id="errors"><h2>Error <code>codes</code></h2><p>429 says wait.</p>
<h3>When?</h3><p>Soon.</p></section></main></body></html>"""

SOME = [
    Entry("a", "Streams", "how an answer arrives"),
    Entry("b", "Errors", "what goes wrong in streams"),
    Entry("c", "Streaming errors", "both"),
]


def places(question: str) -> str:
    return "".join(each.place for each in found(question, SOME))


def test_a_page_is_parted_at_its_headings() -> None:
    assert entries("docs", PAGE) == [
        Entry("docs#top", "One key", "For & every model ."),
        Entry("docs#errors", "Error codes", "429 says wait."),
        Entry("docs#errors", "When?", "Soon."),
    ]
    assert entries("g", "<h1>Tool</h1><p>x") == [Entry("g", "Tool", "x")]


def test_every_word_must_be_there_and_titles_go_first() -> None:
    assert places("stream") == "acb"
    assert places("ERRORS stream") == "cb"
    assert places("both wrong") == ""
    assert places("  ") == ""
    assert places("x" * 10 * LONGEST) == ""


def test_so_many_and_no_more() -> None:
    assert len(found("a", [Entry(str(n), "a", "") for n in range(99)])) == MOST


def test_the_part_around_the_first_word() -> None:
    text = "x " * 200 + "needle " + "y " * 200
    part = around(text, "Needle")
    assert part.startswith("… x")
    assert "needle" in part
    assert part.endswith(" …")
    assert around("short", "nowhere") == "short"


def test_the_index_is_plain_json() -> None:
    told = json.loads(as_json(SOME))
    assert told[0] == {"place": "a", "title": "Streams", "text": SOME[0].text}
