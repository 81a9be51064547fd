"""The page people read: true for this server, safe with any input, whole without JS."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import date
from html.parser import HTMLParser

import pytest

from lightweight.catalog.load import load_catalog
from lightweight.catalog.offer import offer
from lightweight.records import Model
from lightweight.web.docs.guides import SAMPLE_KEY, Guide, guides
from lightweight.web.docs.page import (
    render_docs,
    render_integration,
    render_search,
    static_file,
)
from lightweight.web.docs.search import Entry

BASE = "https://ai.example.org/v1"
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Seen(HTMLParser):
    """What a browser would make of the page, as far as these tests ask."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.snippets: list[str] = []
        self.headings: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "pre":
            self.snippets.append("")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "pre" in self.open and "code" in self.open:
            self.snippets[-1] += data
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            tag, so_far = self.headings[-1]
            self.headings[-1] = (tag, so_far + data)

    def values(self, attribute: str) -> list[str]:
        return [a[attribute] or "" for _, a in self.tags if attribute in a]


def model(id_: str = "gpt-5.2", **fields: object) -> Model:
    known = {"owned_by": "openai", "created": 1, "context": "128K"}
    return Model(id=id_, context_window=128_000, **(known | fields))  # type: ignore[arg-type]  # fields are the test's own


def page(
    *,
    base_url: str = BASE,
    models: Sequence[Model] = (model(),),
    example_model: str = "gpt-5.2",
    tiers: Mapping[str, int | None] | None = None,
    key: str = SAMPLE_KEY,
) -> str:
    return render_docs(
        base_url=base_url,
        models=models,
        catalog_size=41,
        example_model=example_model,
        tiers=tiers or {},
        key=key,
    )


def test_it_shows_this_servers_address_everywhere() -> None:
    seen = Seen(page())
    assert f"Set your tool's API base URL to {BASE}." in seen.text
    assert seen.text.count(BASE) >= 6
    assert "lightweight.one" not in seen.text
    with_slash = Seen(page(base_url=BASE + "/"))
    assert with_slash.text == seen.text


def test_its_markup_is_whole_and_needs_no_script_or_inline_style() -> None:
    html = page(tiers={"beta": 60})
    seen = Seen(html)
    assert seen.open == []
    assert html.startswith("<!DOCTYPE html>")
    used = {tag for tag, _ in seen.tags}
    assert not used & {"style", "iframe", "object"}
    scripts = [attrs for tag, attrs in seen.tags if tag == "script"]
    assert all(
        static_file((each["src"] or "").removeprefix("static/")) for each in scripts
    )
    assert {"header", "nav", "main", "section", "table"} <= used
    attributes = {name for _, attrs in seen.tags for name in attrs}
    assert "style" not in attributes
    assert not [name for name in attributes if name.startswith("on")]


def test_every_link_leads_somewhere() -> None:
    seen = Seen(page(tiers={"beta": 60}))
    ids = seen.values("id")
    assert len(ids) == len(set(ids))
    names = {guide.name for guide in guides()}
    for target in seen.values("href") + seen.values("src"):
        if target.startswith("#"):
            assert target[1:] in ids
        elif target.startswith("docs/integrations/"):
            assert target.removeprefix("docs/integrations/") in names
        elif target not in {"docs", "dashboard", "dashboard/keys"}:
            assert static_file(target.removeprefix("static/")) is not None
    assert [text for tag, text in seen.headings if tag == "h2"] == [
        "Getting started",
        "API reference",
        "Models catalog",
        "Integration guides",
        "Rate limits",
        "Frequently asked questions",
    ]
    assert [tag for tag, _ in seen.headings].count("h1") == 1


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", '"><img src=x onerror=a()>', "{{ 7 * 7 }}"]
)
def test_nothing_from_outside_becomes_markup(evil: str) -> None:
    plain = Seen(page(tiers={"beta": 60}))
    odd = model(evil, owned_by=evil, context=evil)
    html = page(
        base_url=f"https://{evil}/v1",
        models=[odd],
        example_model=evil,
        tiers={evil: 60},
    )
    seen = Seen(html)
    assert [tag for tag, _ in seen.tags] == [tag for tag, _ in plain.tags]
    assert seen.values("href") == plain.values("href")
    assert evil in seen.text


def test_every_model_is_listed_with_context_status_and_end() -> None:
    catalog = load_catalog()
    dialects = ("openai_chat", "openai_responses", "anthropic")
    everyone = {name: name for name in catalog.presets}
    models = offer(catalog, everyone, [], dialects, date(2026, 11, 22)).listed()
    assert len(models) > 25
    html = page(models=models)
    table = html[html.index('<table class="models">') :]
    rows = re.findall(r'<tr>\s*<th scope="row"><code>(.*?)</tr>', table, re.DOTALL)
    assert len(rows) == len(models)
    for row, each in zip(rows, models, strict=True):
        assert row.startswith(f"{each.id}</code>")
        assert f"<td>{each.context}</td>" in row
        assert f">{each.status}</span>" in row
        assert ("until" in row) == (each.shutdown_date is not None)
    assert f"offers {len(models)} models" in html
    assert "its catalog knows 41" in html


def test_a_model_of_unknown_context_has_a_dash() -> None:
    html = page(models=[model("demo", context="", owned_by="demo")])
    assert "<td>\N{EN DASH}</td>" in html
    assert "offers 1 model\n" in html


def test_without_models_it_says_what_helps() -> None:
    seen = Seen(page(models=[]))
    assert "offers no model yet" in seen.text
    assert "configures a provider" in seen.text


def test_rate_limits_appear_with_tiers_only() -> None:
    assert "Rate limits" not in page()
    text = Seen(page(tiers={"beta": 60, "enterprise": None})).text
    assert re.search(r"beta\s*60 RPM", text)
    assert re.search(r"enterprise\s*set for each account", text)


def test_it_promises_only_what_exists() -> None:
    html = page(tiers={"beta": 60})
    for path in ("/v1/usage", "/v1/messages", "/v1/responses", "/api/chat"):
        assert path in html
    assert "/dashboard" not in html


@pytest.mark.parametrize("name", ["gpt-5.2", """it's "odd" \\ $(x) `y`"""])
def test_the_snippets_say_what_they_should_to_a_shell(name: str) -> None:
    snippets = Seen(page(example_model=name)).snippets
    export, chat, listing, usage = snippets

    assert shlex.split(export)[-1] == f"OPENAI_BASE_URL={BASE}"

    words = shlex.split(chat)
    assert words[:2] == ["curl", f"{BASE}/chat/completions"]
    body = json.loads(words[words.index("-d") + 1])
    assert body["model"] == name
    assert body["stream"] is True
    assert shlex.split(listing)[:2] == ["curl", f"{BASE}/models"]
    assert shlex.split(usage)[:2] == ["curl", f"{BASE}/usage"]


@pytest.mark.parametrize("guide", guides(), ids=lambda guide: guide.name)
def test_a_guide_stands_in_the_same_frame(guide: Guide) -> None:
    html = render_integration(guide, root="https://ai.example.org", model="gpt-5.2")
    seen = Seen(html)
    assert seen.open == []
    assert [text for tag, text in seen.headings if tag == "h1"] == [guide.title]
    assert not {tag for tag, _ in seen.tags} & {"style", "iframe"}
    assert not [name for _, attrs in seen.tags for name in attrs if name == "style"]
    assert "https://ai.example.org" in seen.text
    names = {each.name for each in guides()}
    for target in seen.values("href") + seen.values("src"):
        page, _, anchor = target.removeprefix("../../").partition("#")
        if target.startswith("../../static/"):
            assert static_file(page.removeprefix("static/")) is not None
        elif target.startswith("../../"):
            assert page == "docs"
            assert anchor in {"", "models"}
        else:
            assert target == "#content" or target in names


def test_the_beginning_of_the_visitors_key_is_filled_in() -> None:
    html = page(key="lw-Ab3dE-mine")
    assert html.count("lw-Ab3dE-mine") == 4
    assert SAMPLE_KEY not in html
    guide = next(each for each in guides() if each.name == "curl")
    told = render_integration(guide, root="http://a.b", model="m", key="lw-Ab3dE-mine")
    assert SAMPLE_KEY not in told
    assert "lw-Ab3dE-mine" in told


def test_every_snippet_can_be_copied() -> None:
    html = page()
    assert html.count("data-copy hidden") == html.count("<pre ") == 4
    guide = next(each for each in guides() if each.name == "curl")
    told = render_integration(guide, root="http://a.b", model="m")
    assert told.count("data-copy hidden") == told.count("<pre ") > 0


def test_what_was_found_leads_to_its_place() -> None:
    entry = Entry("docs#models", "Models <x>", "text")
    html = render_search('<i>"', [(entry, "a <b> part")])
    assert Seen(html).open == []
    assert (
        '<a href="../docs#models">Models &lt;x&gt;</a><p>a &lt;b&gt; part</p>' in html
    )
    assert 'value="&lt;i&gt;&#34;"' in html
    assert "Try fewer" in render_search("x", [])
    assert "Type a few words" in render_search("", [])


def test_files_are_served_by_a_fixed_list() -> None:
    found = static_file("theme.css")
    assert found is not None
    body, content_type = found
    assert content_type == "text/css; charset=utf-8"
    assert b"color-scheme: light dark" in body
    assert b"url(" not in body
    assert b"@import" not in body
    icon = static_file("icon.svg")
    assert icon is not None
    assert icon[1] == "image/svg+xml"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../docs/page.html",
        "page.py",
        "docs.css/",
        "DOCS.CSS",
        "docs.css\0",
    ],
)
def test_no_other_file_is_served(name: str) -> None:
    assert static_file(name) is None
