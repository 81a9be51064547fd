r"""Every integer in these documents is the number of the line it stands on."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.config.lines import lines_of
from lightweight.config.words import KeyPath


def leaves(value: Any, path: KeyPath = ()) -> list[tuple[KeyPath, Any]]:
    if isinstance(value, dict):
        return [x for k, v in value.items() for x in leaves(v, (*path, k))]
    if isinstance(value, list):
        return [x for i, v in enumerate(value) for x in leaves(v, (*path, i))]
    return [(path, value)]


def every_path(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    found = {path} if path else set()
    if isinstance(value, dict):
        return found.union(*(every_path(v, (*path, k)) for k, v in value.items()))
    if isinstance(value, list):
        return found.union(*(every_path(v, (*path, i)) for i, v in enumerate(value)))
    return found


def assert_true(text: str) -> None:
    data = tomllib.loads(text)
    lines = lines_of(text)
    assert set(lines) == every_path(data)
    for path, value in leaves(data):
        if isinstance(value, int) and not isinstance(value, bool):
            assert lines[path] == value, path


DOCUMENTS = {
    "plain": "a = 1\n\n# c = 9\nb = 4 # b = 5\nc.d = 5\n  e . f\t= 6",
    "crlf": "a = 1\r\n[b]\r\nc = 3\r\nd = '''\r\nx\r\n'''\r\ne = 7\r\n",
    "tables": "[a]\nb = 2\n[a.c.d]\ne = 4\n[a.c]\nf = 6\n[ g . 'h.i' ]\nj = 8",
    "quoted": '"a.b" = 1\n\'c"\' = 2\n"\\u00e9\\U00000022\\t" = 3\n"".\'\' = 4',
    "array tables": (
        "[[m]]\na = 2\n[[m]]\na = 4\n[m.s]\nb = 6\n[[m.t]]\nc = 8\n[[m.t]]\nc = 10\n"
        "[m.t.u]\nd = 12\n[[m]]\n[[m.t]]\nc = 15\n[[x.y]]\nz = 17"
    ),
    "arrays": "a = [1, 1,\n 2, # ]\n 3\n,\n [5, [5]], []\n]\nb = [[]]\nc = 8",
    "inline": "a = { b = 1, c = [ {d = 1}, \n {d = 2} ], e.f = 2 }\ng = {}\nh = 4",
    "strings": (
        'a = """\n[x]\nb = 9 \\""" "" \\\\""""\nc = 4\n'
        "d = '''\ne = 9'''''\nf = 7\n"
        'g = \'it # [z]\'\nh = 9\ni = "\\" # = \\\\"\nj = 11\nk = \'\'\nl = ""\nm = 14'
    ),
    "strings in arrays": 'a = ["]", "#", \'\'\'\n]\n\'\'\', 3,\n"""\n,""", 5]\nb = 6',
    "scalars": (
        "a = 1979-05-27 07:32:00Z # x\nb = 1e3\nc = inf\nd = 4\ne = true\nf = 0x6\n"
        "g = [1979-05-27, 07:32:00, 7]\nh = {i=8,j=+8}"
    ),
    "nothing": "",
    "comments": "# a = 1\n\n   # b\n",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_value_has_its_line(name: str) -> None:
    assert_true(DOCUMENTS[name])


def test_tables_have_the_line_of_their_header_or_of_the_first_below_them() -> None:
    lines = lines_of("\n[a.b]\nc = 1\n[a]\n[[m]]\n[[m]]\n[x.y]\n")
    assert lines[("a", "b")] == 2
    assert lines[("a",)] == 4
    assert lines[("m",)] == 5
    assert lines[("m", 0)] == 5
    assert lines[("m", 1)] == 6
    assert lines[("x",)] == 7


@pytest.mark.parametrize("text", ["= 1", "a = '", "[", "a = {"])
def test_what_is_no_toml_ends_in_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no valid"):
        lines_of(text)


# -- documents put together at random ---------------------------------------------

FILLERS = st.sampled_from(
    [
        "# [[m]]",
        "",
        "{key} = '''\n[x] \"\"\"\n# '' \n'''",
        '{key} = """\n[[x]]\ny = 5 \\"""\n"""',
        "{key} = [ '[', # ]\n \"]\", {{ }}, [\n] ]",
        "{key} = {{ \"#\" = '}}', x.y = [{{}},\n] }}",
        "[{table}]",
        "[[{array}]]",
        "[{table}.sub]",
    ]
)
KEYS = st.sampled_from(["{key}", '"{key}.x"', "'{key}#'", "{key}.x", '{key}."\\t="'])
VALUES = st.sampled_from(
    ["{n}", "[{n}, {n}]", "{{ a = {n} }}", "[[{n}], {{b.c = {n}}}]"]
)


@given(st.lists(st.tuples(FILLERS, KEYS, VALUES), max_size=12))
def test_random_documents(parts: list[tuple[str, str, str]]) -> None:
    text = ""
    for number, (filler, key, value) in enumerate(parts):
        names = {"key": f"k{number}", "table": f"t{number}", "array": f"m{number % 2}"}
        text += filler.format(**names) + "\n"
        line = text.count("\n") + 1
        text += f"{key.format(key=f'v{number}')} = {value.format(n=line)}\n"
    assert_true(text)
    assert_true(text.replace("\n", "\r\n"))
