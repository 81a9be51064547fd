import tomllib

from lightweight.config.lines import lines_of
from lightweight.config.merge import Layers, Origin
from lightweight.config.words import dotted


def laid(*texts: str) -> Layers:
    layers = Layers()
    for number, text in enumerate(texts, 1):
        layers.lay(tomllib.loads(text), f"{number}.toml", lines_of(text))
    return layers


def where(layers: Layers) -> dict[str, str]:
    origins = layers.origins.items()
    return {dotted(path): f"{at.file}:{at.line}" for path, at in origins}


def test_later_files_win_key_by_key() -> None:
    layers = laid("[a]\nx = 1\ny = 2", "\n[a]\ny = 3\nz = 4")
    assert layers.data == {"a": {"x": 1, "y": 3, "z": 4}}
    assert where(layers) == {
        "a": "1.toml:1",
        "a.x": "1.toml:2",
        "a.y": "2.toml:3",
        "a.z": "2.toml:4",
    }


def test_arrays_of_tables_append() -> None:
    layers = laid("[[m]]\nid = 1", "[[m]]\nid = 2\nt = [{u = 1}]\n[[m]]\nid = 3")
    assert [m["id"] for m in layers.data["m"]] == [1, 2, 3]
    assert where(layers) == {
        "m": "1.toml:1",
        "m[0]": "1.toml:1",
        "m[0].id": "1.toml:2",
        "m[1]": "2.toml:1",
        "m[1].id": "2.toml:2",
        "m[1].t": "2.toml:3",
        "m[1].t[0]": "2.toml:3",
        "m[1].t[0].u": "2.toml:3",
        "m[2]": "2.toml:4",
        "m[2].id": "2.toml:5",
    }


def test_other_arrays_are_replaced_with_their_origins() -> None:
    layers = laid("a = ['x', 'y']", "\na = ['z']")
    assert layers.data == {"a": ["z"]}
    assert where(layers) == {"a": "2.toml:2", "a[0]": "2.toml:2"}


def test_two_places_of_one_secret_do_not_mix() -> None:
    layers = laid("[p]\nkey = {env = 'A'}", "[p]\nkey = {file = 'b'}")
    assert layers.data == {"p": {"key": {"file": "b"}}}
    assert "p.key.env" not in where(layers)
    assert laid("[p]\nkey = 'x'", "[p]\nkey = {env = 'A'}").data == {
        "p": {"key": {"env": "A"}}
    }


def test_tables_named_like_places_of_secrets_do_mix() -> None:
    layers = laid("[p.env]\na = 1", "[p.env]\nb = 2")
    assert layers.data == {"p": {"env": {"a": 1, "b": 2}}}


def test_what_is_absent_stands_in_the_nearest_table() -> None:
    layers = laid("a = 1\n[p.x]\n", "[p.x]\ny = 1")
    assert layers.origin(("p", "x", "kind")) == Origin("1.toml", 2)
    assert layers.origin(("p", "x", "y", 5)) == Origin("2.toml", 2)
    assert layers.origin(("nowhere",)) == Origin("1.toml", 1)
