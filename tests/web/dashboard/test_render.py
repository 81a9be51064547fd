"""Every page: well formed, without a script or style of its own, safe with any name."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from msgspec import Struct
from msgspec.structs import asdict, replace
from support.pages import SCREENS
from support.samples import DOOR, FRAME, SECRET

from lightweight.web.dashboard import views
from lightweight.web.dashboard.assets import asset
from lightweight.web.dashboard.render import PAGE, page, page_answer

VOID = {"meta", "link", "img", "br", "hr", "input"}
NASTY = "<script>alert('x')</script>\"&"


class Seen(HTMLParser):
    """The tags of a page, which must nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.tags if name == tag)


@pytest.mark.parametrize("name", SCREENS)
def test_a_page_is_well_formed_and_needs_nothing_its_policy_forbids(name: str) -> None:
    seen = Seen(page(*SCREENS[name]))
    for tag, attributes in seen.tags:
        assert tag != "style"
        assert "style" not in attributes
        assert not [each for each in attributes if each.startswith("on")]
    sources = [attributes["src"] for attributes in seen.named("script")]
    sources += [attributes["href"] for attributes in seen.named("link")]
    sources += [attributes["src"] for attributes in seen.named("img")]
    for source in sources:
        found = re.fullmatch(r"/dashboard/static/(.+)\?v=[0-9a-f]{10}", source or "")
        assert found, source
        assert asset(found[1], "") is not None


@pytest.mark.parametrize("name", SCREENS)
def test_every_form_that_changes_something_has_the_token(name: str) -> None:
    html = page(*SCREENS[name])
    posts = re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL)
    for form in posts:
        assert '<input type="hidden" name="csrf" value="csrf-token">' in form


@pytest.mark.parametrize("name", SCREENS)
def test_every_field_has_a_label_and_no_id_is_there_twice(name: str) -> None:
    seen = Seen(page(*SCREENS[name]))
    ids = [attributes["id"] for _, attributes in seen.tags if "id" in attributes]
    assert len(ids) == len(set(ids)), ids
    labelled = {attributes.get("for") for attributes in seen.named("label")}
    for tag in ("input", "select", "textarea"):
        for attributes in seen.named(tag):
            kind = attributes.get("type")
            if kind not in ("hidden", "checkbox"):
                assert "aria-label" in attributes or attributes["id"] in labelled


def nasty(value: object) -> object:
    """Give a view like ``value`` in which every text is an attack."""
    if isinstance(value, Struct):
        return replace(
            value,
            **{
                name: nasty(each)
                for name, each in asdict(value).items()
                # Words of ours, and HTML that is made from Markdown.
                if name not in KEPT
            },
        )
    if isinstance(value, str):
        return NASTY if value else value
    if isinstance(value, tuple | list):
        return [nasty(each) for each in value]
    return value


KEPT = {
    *("state", "theme", "unit", "html", "group", "metric", "health", "key_names"),
    *("ending", "provenance", "groups", "presets", "query", "older", "name", "chart"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_whatever_people_write_stays_text(name: str) -> None:
    template, frame, view = SCREENS[name]
    changed = nasty(view)
    assert isinstance(changed, Struct)
    told = replace(frame, notice=NASTY, problem=NASTY)
    html = page(template, told, changed)
    assert "<script>alert" not in html
    Seen(html)


def test_the_names_in_a_chart_stay_text() -> None:
    chart = views.Chart(days=[], series={NASTY: []}, unit="tokens")
    template, frame, view = SCREENS["usage"]
    assert isinstance(view, views.UsageView)
    assert "<script>alert" not in page(template, frame, replace(view, chart=chart))


def test_a_secret_is_on_the_page_that_made_it_and_nobody_keeps_it() -> None:
    answer = page_answer(*SCREENS["keys"])
    assert SECRET in answer.body.decode()
    assert answer.headers["cache-control"] == "no-store"


def test_the_policy_allows_no_inline_script_or_style() -> None:
    policy = PAGE["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_member_sees_no_way_to_what_operators_do() -> None:
    member = replace(FRAME, visitor=views.Visitor(name="m", account="acme"))
    html = page("overview", member, SCREENS["first-run"][2])
    for path in ("providers", "people", "settings"):
        assert f'"/dashboard/{path}' not in html


def test_the_theme_is_the_visitors() -> None:
    assert 'data-theme="dark"' in page(
        "overview", replace(FRAME, theme="dark"), SCREENS["overview"][2]
    )
    assert "data-theme" not in page("sign_in", DOOR, views.DoorView())


def test_an_unknown_template_is_an_error() -> None:
    with pytest.raises(Exception, match="nowhere"):
        page("nowhere", FRAME)
