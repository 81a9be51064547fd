"""Lines that were damaged give nothing, and those beside them give what was written.

Whatever is cut off, overwritten or lost, a reader gives no record that nobody wrote,
and every record whose line and whose predecessor's newline are untouched.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.uses import dispatch, use

from lightweight.records import Attempted, Dispatch, Use
from lightweight.store.segments import (
    FINISH_BYTES,
    START_BYTES,
    End,
    Record,
    TooLong,
    finish_line,
    line_of,
    records_in,
    segment_numbers,
    segment_path,
    start_line,
    writer_names,
)

RECORDS: list[Record] = [
    dispatch("req_1"),
    use("req_1"),
    dispatch("req_2", model="modèle", micro_usd=None),
    use("req_2", fault='a "quoted"\nfault\0', usage=None, provenance=None),
    End(),
]
LINES = [line_of(record) for record in RECORDS]
WHOLE = b"".join(LINES)


def read(data: bytes, *, live: bool = False) -> list[Record | None]:
    return [record for record, _ in records_in(data, live=live)]


def whole(data: bytes) -> list[Record]:
    return [record for record in read(data) if record is not None]


@pytest.mark.parametrize("live", [True, False])
def test_what_was_written_is_read(*, live: bool) -> None:
    assert read(WHOLE + bytes(500), live=live) == RECORDS
    ends = [end for _, end in records_in(WHOLE + bytes(500), live=live)]
    assert ends[-1] == len(WHOLE)
    for end, record in zip(ends, RECORDS[1:], strict=False):
        assert next(records_in(WHOLE[end:], live=live))[0] == record


def test_a_line_is_one_line_in_json() -> None:
    for line in LINES:
        assert line.index(b"\n") == len(line) - 1
    assert LINES[0].startswith(b'start {"id":"req_1",')


@given(cut=st.integers(0, len(WHOLE)), live=st.booleans())
def test_a_cut_takes_only_what_it_cuts(cut: int, *, live: bool) -> None:
    kept = [r for i, r in enumerate(RECORDS) if len(b"".join(LINES[: i + 1])) <= cut]
    assert read(WHOLE[:cut], live=live) == kept


damage = st.one_of(
    st.binary(min_size=1, max_size=300),
    st.integers(1, 900).map(bytes),
    st.lists(st.sampled_from([b"\n", b"\0", b" ", b"start ", *LINES]), min_size=1).map(
        b"".join
    ),
)


@given(at=st.integers(0, len(WHOLE) - 1), damage=damage)
def test_damage_takes_only_what_it_hits(at: int, damage: bytes) -> None:
    damaged = WHOLE[:at] + damage + WHOLE[at + len(damage) :]
    found = whole(damaged)
    assert all(record in RECORDS for record in found)
    begin = 0
    for line, record in zip(LINES, RECORDS, strict=True):
        end = begin + len(line)
        # The newline before a line is what parts it from damage.
        if end <= at or begin > at + len(damage):
            assert record in found
        begin = end


@given(st.lists(st.binary(max_size=40), max_size=5), st.randoms(use_true_random=False))
def test_garbage_between_lines_is_skipped(garbage: list[bytes], random: Any) -> None:
    pieces = [*(each + b"\n" for each in garbage), *LINES]
    random.shuffle(pieces)
    order = [RECORDS[LINES.index(piece)] for piece in pieces if piece in LINES]
    assert [r for r in whole(b"".join(pieces)) if r in RECORDS] == order


@given(position=st.integers(0, len(WHOLE) * 8 - 1))
def test_no_flipped_bit_is_believed(position: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[position // 8] ^= 1 << position % 8
    found = whole(bytes(damaged))
    assert all(record in RECORDS for record in found)
    assert len(RECORDS) - 2 <= len(found) < len(RECORDS)


def test_a_lost_page_does_not_take_what_follows_it() -> None:
    lost = bytes(len(LINES[1]))
    assert read(LINES[0] + lost + LINES[2]) == [RECORDS[0], RECORDS[2]]
    torn = LINES[1][:10] + bytes(len(LINES[1]) - 10)
    assert read(LINES[0] + torn + LINES[2]) == [RECORDS[0], RECORDS[2]]


def test_a_page_that_is_not_to_be_seen_yet_is_waited_for() -> None:
    """A writer's later page may be seen before an earlier one."""
    for unseen in (bytes(len(LINES[1])), LINES[1][:10] + bytes(len(LINES[1]) - 10)):
        assert read(LINES[0] + unseen + LINES[2], live=True) == [RECORDS[0]]


def test_another_versions_lines_are_not_understood_and_in_nobodys_way() -> None:
    unknown = line_of(End()).replace(b"end", b"eNd")
    assert read(unknown + LINES[0]) == [None, RECORDS[0]]


def test_a_start_too_long_for_a_line_is_refused() -> None:
    assert len(start_line(dispatch("r", model="m" * 400))) <= START_BYTES
    with pytest.raises(TooLong, match="model's name is too long"):
        start_line(dispatch("r", model="m" * START_BYTES))


texts = st.text(st.characters(exclude_categories=[]), max_size=4000)
attempts = st.builds(
    Attempted,
    provider=texts,
    model=texts,
    status=st.none() | st.integers(100, 599),
    fault=st.none() | texts,
    seconds=st.floats(0, 1e6),
)


@given(
    begun=st.builds(lambda model: dispatch("req_" + "x" * 40, model=model), st.text()),
    fault=st.none() | texts,
    provider=st.none() | texts,
    tried=st.lists(attempts, max_size=12),
)
def test_whatever_a_start_had_its_finish_fits(
    begun: Dispatch, fault: str | None, provider: str | None, tried: list[Attempted]
) -> None:
    try:
        start_line(begun)
    except TooLong:
        return
    ended = use(
        begun.id,
        model=begun.model,
        fault=fault,
        provider=provider,
        upstream_model=provider,
        attempts=tuple(tried),
    )
    line = finish_line(ended)
    assert len(line) <= FINISH_BYTES
    [found] = read(line)
    assert isinstance(found, Use)
    assert found.outcome.model == begun.model
    assert found.outcome.usage == ended.outcome.usage
    assert (found.at, found.micro_usd) == (ended.at, ended.micro_usd)


def test_the_longest_finish_of_the_longest_start_fits() -> None:
    begun = dispatch("req_" + "x" * 40, model="")
    begun = replace(begun, model="m" * (START_BYTES - len(start_line(begun))))
    assert len(start_line(begun)) == START_BYTES
    control = "\x01" * 5000
    tried = Attempted(
        provider=control, model=control, status=500, fault=control, seconds=1e-300
    )
    ended = use(
        begun.id,
        model=begun.model,
        fault=control,
        provider=control,
        upstream_model=control,
        attempts=(tried,) * 20,
    )
    assert len(line_of(ended)) > 100_000
    assert len(finish_line(ended)) <= FINISH_BYTES


def test_a_finish_that_fits_is_kept_whole() -> None:
    ended = use("req", fault="f" * 500)
    assert read(finish_line(ended)) == [ended]


def test_files_are_found_in_their_order(tmp_path: Path) -> None:
    assert writer_names(tmp_path / "none") == []
    writer = tmp_path / "w1"
    for number in (2, 10, 1):
        writer.mkdir(exist_ok=True)
        segment_path(writer, number).touch()
    (writer / "3.spare").touch()
    (tmp_path / ".w2").mkdir()
    assert segment_numbers(writer) == [1, 2, 10]
    assert writer_names(tmp_path) == ["w1"]
