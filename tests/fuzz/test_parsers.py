"""No bytes at all make a parser do anything but parse or refuse.

For each parser tests/fuzz/corpus has sound input, a line each with Python's escapes.
What is tried grows out of it by cutting, doubling, mixing and spoiling, so most of it
gets past the first check.
"""

import codecs
from contextlib import suppress
from pathlib import Path

import pytest
from fuzz.parsers import PARSERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "corpus"

TOKENS = (
    *(b"\0", b"\r\n", b"\n", b"\r", b" ", b"\t", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80"),
    *(b'"', b"{", b"}", b"[", b"]", b":", b",", b";", b"=", b"@", b"/", b"%00", b"\\"),
    *(b"null", b"true", b"-1", b"1e999", b"99999999999999999999", b"0x10", b"\\ud800"),
    *(b"[" * 2000, b'{"a":' * 600, b"data: ", b"[DONE]", b'""', b"{}", b"[]"),
)


def seeds(name: str) -> list[bytes]:
    lines = (CORPUS / f"{name}.txt").read_bytes().splitlines()
    return [codecs.escape_decode(line)[0] for line in lines if line]


@st.composite
def spoiled(draw: st.DrawFn, sound: list[bytes]) -> bytes:
    data = draw(st.sampled_from(sound))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 40)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            data = data[:at] + data[end:]
        elif kind == 1:
            data = data[:end] + data[at:end] + data[end:]
        elif kind == 2:
            data = data[:at] + draw(st.sampled_from(TOKENS)) + data[end:]
        elif kind == 3:
            data = data[:at] + draw(st.binary(max_size=4)) + data[end:]
        else:
            other = draw(st.sampled_from(sound))
            data = data[:at] + other[len(other) - (len(data) - at) % (len(other) + 1) :]
    return data


@pytest.mark.parametrize("name", PARSERS)
def test_sound_input_is_taken(name: str) -> None:
    parser = PARSERS[name]
    assert seeds(name), "sound input of ours, a line each"
    for seed in seeds(name):
        parser.parse(seed)


@pytest.mark.parametrize("name", PARSERS)
def test_whatever_comes_is_parsed_or_refused(name: str) -> None:
    parser = PARSERS[name]
    sound = seeds(name)

    @settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
    @given(st.one_of(spoiled(sound), spoiled(sound), st.binary(max_size=200)))
    def run(data: bytes) -> None:
        with suppress(*parser.faults):
            parser.parse(data)

    run()


def test_no_corpus_is_left_over() -> None:
    assert {path.stem for path in CORPUS.iterdir()} == PARSERS.keys()
