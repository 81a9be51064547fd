"""The guides: whole, filled in safely, and each file in them run by a test."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.guides import snippet

from lightweight.web.docs.guides import (
    BLANKS,
    KINDS,
    SAMPLE_KEY,
    Guide,
    by_kind,
    filled,
    guides,
    render_guide,
    snippets,
)

CLIENTS = Path(__file__).parents[2] / "clients"
CALLED = {"snippet", "snippet_of"}
"""What the function of tests/support/guides.py is called there."""

NOT_RUN = {
    ("zed", "settings.json"): "an editor with a window; below its JSON is read",
}
"""Files of guides that no test can run, each with the reason."""

VALUES = {
    "base_url": "https://ai.example.org/v1",
    "root": "https://ai.example.org",
    "key": SAMPLE_KEY,
    "model": "claude-sonnet-4.6",
}


def run_by_tests() -> Iterator[tuple[object, object]]:
    """Give guide and file of each call of ``snippet`` in the tests of clients."""
    for path in CLIENTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in CALLED:
                guide, file = node.args
                assert isinstance(guide, ast.Constant), path
                assert isinstance(file, ast.Constant), path
                yield guide.value, file.value


@pytest.mark.parametrize("guide", guides(), ids=lambda guide: guide.name)
class TestEachGuide:
    def test_it_has_a_title_and_says_what_the_tool_is(self, guide: Guide) -> None:
        assert guide.text.startswith(f"# {guide.title}\n\n")
        assert re.fullmatch(r"[^.\n`]+(\.\w[^.\n`]*)*\.", guide.about)
        assert guide.text.count("\n# ") == sum(
            text.count("\n# ") for text in snippets(guide.text).values()
        )

    def test_it_is_filled_in_to_the_last_blank(self, guide: Guide) -> None:
        text = filled(guide, **VALUES)
        assert "{{" not in text
        assert "{%" not in text
        used = set(re.findall(r"\{\{ (\w+) \}\}", guide.text))
        assert used <= BLANKS.keys()
        assert used & {"base_url", "root"}

    def test_it_names_no_host_of_its_own(self, guide: Guide) -> None:
        named = set(re.findall(r"https?://([^/\s\"'`:]*)", guide.text))
        assert named <= {"localhost"}

    def test_each_block_is_a_file_that_a_test_runs(self, guide: Guide) -> None:
        fences = re.findall(r"^```(.+)$", guide.text, re.MULTILINE)
        files = snippets(guide.text)
        assert len(fences) == len(files), "a block without a name, or one name twice"
        wanted = {(guide.name, file) for file in files}
        assert wanted - set(run_by_tests()) - NOT_RUN.keys() == set()

    def test_as_a_page_it_has_its_blocks_and_no_markup_of_others(
        self, guide: Guide
    ) -> None:
        html = render_guide(filled(guide, **VALUES))
        assert html.count("<figure") == len(snippets(guide.text))
        assert html.count("<h1>") == 1
        assert "```" not in html


def test_they_are_shown_by_kind_and_each_once() -> None:
    shown = [guide for those in by_kind().values() for guide in those]
    assert tuple(shown) == guides()
    assert [guide.name for guide in shown] == [n for ns in KINDS.values() for n in ns]


def test_zeds_settings_are_json_with_this_servers_address_and_model() -> None:
    text = snippet("zed", "settings.json", base_url="http://x/v1", model="a/b")
    providers = json.loads(text)["language_models"]["openai_compatible"]
    assert providers["Lightweight"]["api_url"] == "http://x/v1"
    (offered,) = providers["Lightweight"]["available_models"]
    assert offered["name"] == "a/b"


def test_what_no_test_runs_is_still_there() -> None:
    files = {(guide.name, file) for guide in guides() for file in snippets(guide.text)}
    assert files >= NOT_RUN.keys()
    assert not NOT_RUN.keys() & set(run_by_tests())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_url", 'https://x/"; rm -rf /'),
        ("base_url", "https://x/$(id)/v1"),
        ("base_url", "https://x/`id`/v1"),
        ("base_url", "javascript:alert(1)"),
        ("root", "https://x/<script>"),
        ("root", "https://x\n"),
        ("key", "lw-'"),
        ("key", "sk-other"),
        ("model", "a b"),
        ("model", "-flag"),
        ("model", "a\\"),
        ("model", ""),
    ],
)
def test_what_could_break_out_of_a_snippet_is_refused(name: str, value: str) -> None:
    guide = Guide("x", "X", "It is.", "{{ base_url }}")
    with pytest.raises(ValueError, match=f"{name} cannot stand in a guide"):
        filled(guide, **(VALUES | {name: value}))


def test_a_block_is_found_by_its_name_and_keeps_every_character() -> None:
    text = "```sh run.sh\na \\\n  <b> '&'\n```\n\n```json\n{}\n```\n"
    assert snippets(text) == {"run.sh": "a \\\n  <b> '&'\n"}


def test_no_html_of_a_text_survives() -> None:
    html = render_guide(
        "# <script>\n\n<img src=x>\n\n[a](javascript:b)\n\n"
        "```<b> <i>\n</code><script>\n```\n"
    )
    assert (
        re.findall(r"<(?!/?(h1|p|figure|figcaption|span|pre|code|button)\b)", html)
        == []
    )
    assert "&lt;/code&gt;&lt;script&gt;" in html


def test_tests_of_clients_get_a_guides_own_text() -> None:
    text = snippet(
        "openai-python",
        "hello.py",
        base_url="http://127.0.0.1:1/v1",
        key="lw-x",
        model="test-model",
    )
    assert 'base_url="http://127.0.0.1:1/v1"' in text
    assert 'api_key="lw-x"' in text
    assert 'model="test-model"' in text
    compile(text, "hello.py", "exec")
