"""The compiled check says yes only to what the obvious one lets pass, whatever the bytes are."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overt.schema import batch as batches
from overt.schema import columns, limits
from overt.schema import header as headers
from overt.schema.batch import BatchHeader
from overt.schema.coarse import COARSE
from overt.schema.errors import InvalidInput
from overt.schema.event import EVENT_SETS, EVENTS, VALUE_MAX, WIRE
from overt.schema.purpose import PURPOSES
from overt.schema.rows import layout
from store_fixtures import header, wire_rows

ROWS = 12
HEAD = header(rows=ROWS)
GOOD = batches.encode(HEAD, wire_rows(3, ROWS))


def obvious(head: BatchHeader, rows: pa.RecordBatch) -> None:
    """What a batch must hold, in words as plain as they come: the reference."""
    table = rows.to_pydict()
    kinds = {
        p: {int(k) for k in PURPOSES[p].kinds} | {20, 21, 22, 23, 24, 25} for p in head.purposes
    }
    for name, members in EVENT_SETS.items():
        known = {int(m) for m in members} | ({0} if name != "kind" else set())
        assert set(table[name]) <= known
    assert table["dseq"][0] == 0
    assert all(step >= 1 for step in table["dseq"][1:])
    assert head.first_seq + sum(table["dseq"]) < head.produced
    assert table["dt_us"][0] == 0
    assert min(table["dt_us"]) >= limits.DT_US_MIN
    assert table["dx_8th_css_px"][0] == table["dy_8th_css_px"][0] == 0
    for name in ("slot", "modifiers", "edit_chars", "element", "button"):
        assert min(table[name]) >= 0
    pairs = zip(table["kind"], table["value"], strict=True)
    assert all(0 <= value <= VALUE_MAX.get(kind, 0) for kind, value in pairs)
    assert head.level != "rhythm" or not any(table["key_symbol"])
    assert all(set(table["kind"]) <= allowed for allowed in kinds.values())


def passes(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except (InvalidInput, AssertionError):
        return False
    return True


def in_order(head: BatchHeader, plain: bytes) -> bool:
    found = layout(plain, batches.read_header(plain)[1], head.rows)
    return found is not None and batches._in_order(head, plain, *found)


@st.composite
def rows_that_may_be_wrong(draw: st.DrawFn) -> pa.RecordBatch:
    """Good rows with up to three values changed to anything the column's type can hold."""
    rows = wire_rows(draw(st.integers(0, 5)), ROWS)
    columns = {name: rows.column(name).to_numpy().copy() for name in WIRE.names}
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(WIRE.names))
        low, high = np.iinfo(columns[name].dtype).min, np.iinfo(columns[name].dtype).max
        value = draw(st.integers(int(low), int(high)) | st.integers(-1, 25))
        columns[name][draw(st.integers(0, ROWS - 1))] = value
    return pa.record_batch([pa.array(columns[f.name], f.type) for f in WIRE], schema=WIRE)


@given(
    rows_that_may_be_wrong(),
    st.sampled_from([("next-action",), ("person-or-program",), ("next-action", "typing-assist")]),
    st.sampled_from(["rhythm", "keys"]),
    st.integers(5, 40),
)
@settings(max_examples=300, deadline=None)
def test_three_checks_agree(
    rows: pa.RecordBatch, purposes: tuple[str, ...], level: str, produced: int
) -> None:
    head = HEAD._replace(purposes=purposes, level=level, transform=f"{level}/0", produced=produced)
    plain = batches.encode(head, rows)
    good = passes(obvious, head, rows)
    assert passes(batches.check, head, rows) == good
    assert in_order(head, plain) == good
    assert passes(batches.decode, plain) == good
    assert passes(batches.check_body, plain) == good
    if good:
        assert batches.decode(plain) == (head, rows)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
@example(GOOD.index(b"rhythm/0") + len("rhythm/"), 1)
@settings(max_examples=600, deadline=None)
def test_a_changed_byte_is_a_typed_error_or_a_batch_that_is_in_order(at: int, flip: int) -> None:
    damaged = bytearray(GOOD)
    damaged[at] ^= flip
    _typed_or_in_order(bytes(damaged))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_cut_grown_or_overwritten_bytes_are_a_typed_error_or_in_order(data: st.DataObject) -> None:
    damaged = bytearray(GOOD)
    begin = data.draw(st.integers(0, len(damaged)))
    end = data.draw(st.integers(begin, min(len(damaged), begin + 40)))
    damaged[begin:end] = data.draw(st.binary(max_size=40))
    _typed_or_in_order(bytes(damaged))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_after_the_magic_are_a_typed_error(tail: bytes) -> None:
    for body in (b"OVB1" + tail, b"\x1f\x8b" + tail, tail, gzip.compress(tail)):
        with pytest.raises(InvalidInput):
            batches.decode(batches.inflate(body))


def _typed_or_in_order(plain: bytes) -> None:
    batches.check_body(GOOD)  # so that its layout and header are among those remembered
    try:
        head, rows = batches.decode(plain)
    except InvalidInput as error:
        _says_nothing_of_the_data(error)
        with pytest.raises(InvalidInput) as quickly:
            batches.check_body(plain)
        assert quickly.value.as_dict() == error.as_dict()  # noqa: PT017 - both are caught
        return
    assert batches.check_body(plain) == head
    obvious(head, rows)
    rows.validate(full=True)
    # Encoding it again gives a batch that decodes to the same.
    assert batches.decode(batches.encode(head, rows)) == (head, rows)


def _says_nothing_of_the_data(error: InvalidInput) -> None:
    assert error.where.split(".")[0] in ("body", "header", "rows")
    assert not any(character.isdigit() for character in _without_names(error)) or (
        "32 hexadecimal" in error.what or "is not 0" in error.what or "must be 0" in error.what
        or "at least 1" in error.what or "OVB1" in error.what
    )  # fmt: skip


def _without_names(error: InvalidInput) -> str:
    return error.what.replace("event/1", "").replace(COARSE, "")


@pytest.mark.parametrize(
    "change",
    [
        {"removed": HEAD.produced, "lost": 1},
        {"lost": -1},
        {"rows": 0},
        {"first_seq": limits.SESSION_SEQ_MAX},
        {"t0_us": 2**53},
        {"x0_8th_css_px": -(2**31) - 1},
    ],
)
def test_numbers_are_checked_in_headers_whose_words_are_known_too(change: dict[str, int]) -> None:
    headers.read(HEAD.to_json())
    with pytest.raises(InvalidInput):
        headers.read(HEAD._replace(**change).to_json())


def test_a_column_that_claims_fewer_bytes_than_its_rows_take_is_refused() -> None:
    _, at = batches.read_header(GOOD)
    body = at + 8 + int.from_bytes(GOOD[at + 4 : at + 8], "little")
    lengths = {size for width in (1, 2, 4) for size in (ROWS * width, -(-ROWS * width // 8) * 8)}
    claims = [
        place
        for place in range(at + 8, body - 8, 4)
        if int.from_bytes(GOOD[place : place + 8], "little") in lengths
    ]
    assert len(claims) >= len(WIRE)
    for place in claims:
        _typed_or_in_order(GOOD[:place] + (1).to_bytes(8, "little") + GOOD[place + 8 :])


@pytest.mark.parametrize("changed", [GOOD[:-8], GOOD[:-80], GOOD + bytes(8)])
def test_a_known_layout_over_a_body_of_another_length_is_refused(changed: bytes) -> None:
    batches.check_body(GOOD)
    with pytest.raises(InvalidInput):
        batches.check_body(changed)


def test_stretched_metadata_pass_but_are_not_remembered() -> None:
    _, at = batches.read_header(GOOD)
    size = int.from_bytes(GOOD[at + 4 : at + 8], "little")
    body = at + 8 + size
    grown = (size + 8192).to_bytes(4, "little")
    stretched = GOOD[: at + 4] + grown + GOOD[at + 8 : body] + bytes(8192) + GOOD[body:]
    before = len(batches._layouts)
    assert batches.check_body(stretched) == batches.decode(stretched)[0]
    assert len(batches._layouts) == before


def test_messages_never_repeat_what_was_sent() -> None:
    secret = "hunter2-" + os.urandom(4).hex()
    for field in BatchHeader._fields:
        head = HEAD._replace(**{field: secret})
        data = head.to_json()
        data += b" " * (-(len(data) + 8) % 8)
        forged = b"OVB1" + len(data).to_bytes(4, "little") + data + GOOD[-100:]
        with pytest.raises(InvalidInput) as caught:
            batches.decode(forged)
        assert secret not in str(caught.value)
        assert secret not in repr(caught.value)


def test_bytes_behind_the_message_are_refused() -> None:
    with pytest.raises(InvalidInput, match="do not belong"):
        batches.decode(GOOD + b"hidden!!")


def test_a_message_laid_out_otherwise_is_still_judged_by_its_values() -> None:
    """Compressed Arrow buffers are beyond the compiled check; the obvious one decides."""
    rows = wire_rows(3, ROWS)
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, WIRE, options=options) as writer:
        writer.write_batch(rows)
    stream = sink.getvalue().to_pybytes()
    schema_bytes = 8 + int.from_bytes(stream[4:8], "little")
    message = stream[schema_bytes:-8]
    start = batches.read_header(GOOD)[1]
    plain = GOOD[:start] + message
    assert not in_order(HEAD, plain)
    assert batches.decode(plain) == (HEAD, rows)


def test_a_compression_bomb_is_refused_before_it_unfolds() -> None:
    with pytest.raises(InvalidInput, match="beyond the limit"):
        batches.inflate(gzip.compress(bytes(50_000_000)))


@given(st.integers(1, 64), st.integers(0, 2**40 - 100), st.integers(-(2**31), 2**31 - 1))
@settings(max_examples=50, deadline=None)
def test_events_and_rows_convert_into_each_other(rows: int, first_seq: int, x: int) -> None:
    head = HEAD._replace(rows=rows, first_seq=first_seq, x0_8th_css_px=x, produced=2**41)
    record = wire_rows(rows, rows)
    events = batches.to_events(head, record)
    anchor, back = batches.from_events(events)
    assert back == record
    assert anchor == {
        "rows": rows,
        "first_seq": first_seq,
        "t0_us": head.t0_us,
        "x0_8th_css_px": x,
        "y0_8th_css_px": 0,
    }
    plain = batches.encode(head, record)
    read, by_name = columns.to_columns(plain)
    assert read == head
    assert pa.table(by_name).cast(EVENTS) == events
    assert columns.from_columns(by_name) == (anchor, record.serialize().to_pybytes())
    ended = columns.reheaded(plain, end=True, produced=2**42)
    assert batches.decode(ended) == (head._replace(end=True, produced=2**42), record)


def test_a_value_too_large_for_its_column_is_never_cut_to_fit() -> None:
    by_name = columns.to_columns(batches.encode(HEAD, wire_rows(1, HEAD.rows)))[1]
    by_name["t_us"] = np.arange(HEAD.rows) << 40
    with pytest.raises(ValueError, match="dt_us"):
        columns.from_columns(by_name)


def test_an_agent_with_its_own_batches_loads_neither_arrow_nor_a_compiler() -> None:
    """Which is most of what the agent would take of a person's memory."""
    work = (
        "import sys; from overt.commands import alone, recording; from overt.schema import columns;"
        "from overt.device import agent, outbox_page;"
        "plain = sys.stdin.buffer.read(); header, rows = columns.to_columns(plain);"
        "columns.from_columns(rows); columns.reheaded(plain, end=True);"
        "print(sorted(set(sys.argv[1].split()) & set(sys.modules)))"
    )
    heavy = "numba pandas torch scipy pyarrow typer pydantic"
    plain = batches.encode(HEAD, wire_rows(1, HEAD.rows))
    done = subprocess.run([sys.executable, "-c", work, heavy], input=plain, capture_output=True)
    assert (done.stdout, done.stderr) == (b"[]\n", b"")
