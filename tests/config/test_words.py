from datetime import date, datetime, time

import pytest

from lightweight.config.words import (
    KeyPath,
    closest,
    dotted,
    kind_of,
    mismatch,
    suggestion,
)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ((), ""),
        (("listen",), "listen"),
        (("models", 2, "targets", 0, "dialect"), "models[2].targets[0].dialect"),
        (("providers", "my.own", "kind"), 'providers."my.own".kind'),
        (("", "a"), '"".a'),
        (("a\nb",), r'"a\nb"'),
    ],
)
def test_paths_are_written_as_in_toml(path: KeyPath, written: str) -> None:
    assert dotted(path) == written


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "a boolean"),
        (1, "an integer"),
        (1.5, "a float"),
        ("", "a string"),
        ([], "an array"),
        ({}, "a table"),
        (date(2026, 1, 1), "a date"),
        (datetime(2026, 1, 1), "a date"),  # noqa: DTZ001 -- TOML's local date-time
        (time(1), "a time"),
        (None, "something else"),
    ],
)
def test_kinds(value: object, kind: str) -> None:
    assert kind_of(value) == kind


def test_a_mismatch_tells_the_kind_and_not_the_value() -> None:
    assert str(mismatch("a string", ["hush"])) == "must be a string, not an array"


def test_the_closest_word_is_suggested_whatever_its_case() -> None:
    assert closest("mib", ["MiB", "GiB"]) == "MiB"
    assert suggestion("timout", ["timeouts", "kind"]) == ", did you mean 'timeouts'?"
    assert suggestion("zebra", ["timeouts", "kind"]) == ""
