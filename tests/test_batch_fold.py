"""A batch folded for the wire is the same batch, and whatever else claims to be one is refused."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.schema import rice
from overt.schema.batch import decode, encode, inflate
from overt.schema.errors import InvalidInput
from overt.schema.event import WIRE
from overt.schema.fold import fold, unfold
from store_fixtures import header, wire_rows


def _body(rows: int) -> int:
    """Return how many bytes the columns of so many rows take in Arrow's form."""
    widths = [field.type.bit_width // 8 for field in WIRE]
    return sum(rows * width + -rows * width % 8 for width in widths)


VECTORS = sorted((Path(__file__).parents[1] / "spec" / "vectors").glob("batch-*.json"))
GOOD = encode(header(rows=9), wire_rows(3, 9))
FOLDED = fold(GOOD)
HEADER_END = len(FOLDED) - len(rice.fold(GOOD[-_body(9) :], 9))
PLANES = bytes.fromhex(json.loads(VECTORS[-1].read_text("utf-8"))["planes"])


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_golden_batch_folds_to_golden_bytes_and_back(path: Path) -> None:
    vector = json.loads(path.read_text("utf-8"))
    plain = bytes.fromhex(vector["bytes"])
    assert fold(plain).hex() == vector["folded"]
    assert inflate(bytes.fromhex(vector["folded"])) == plain
    before = bytes.fromhex(vector.get("planes", vector["bytes"]))
    assert inflate(gzip.compress(before)) == plain, "devices send what they have written before"


@st.composite
def any_rows(draw: st.DrawFn) -> pa.RecordBatch:
    rows = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = []
    for field in WIRE:
        ends = np.iinfo(field.type.to_pandas_dtype())
        wide = rng.integers(ends.min, ends.max, rows, endpoint=True)
        small = rng.integers(-2, 3, rows) * draw(st.sampled_from([1, 5]))
        columns.append(pa.array(np.where(rng.random(rows) < 0.1, wide, small), field.type))
    return pa.record_batch(columns, schema=WIRE)


@given(any_rows(), st.sampled_from([1, 5, 100]))
@settings(max_examples=40, deadline=None)
def test_whatever_the_columns_hold_comes_back(rows: pa.RecordBatch, step_us: int) -> None:
    head = header(rows=rows.num_rows)._replace(clock_resolution_us=step_us)
    plain = encode(head, rows)
    assert unfold(fold(plain)) == plain


@pytest.mark.parametrize("folded", [FOLDED, PLANES], ids=["folded", "as before"])
def test_cut_or_grown_it_is_refused(folded: bytes) -> None:
    inflate(folded)
    for damaged in [folded[:end] for end in range(4, len(folded))] + [folded + b"\0"]:
        with pytest.raises(InvalidInput):
            inflate(damaged)


@given(st.sampled_from([FOLDED, PLANES]), st.data(), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_a_changed_byte_is_refused_or_is_a_batch_in_order(
    folded: bytes, data: st.DataObject, flip: int
) -> None:
    at = data.draw(st.integers(4, len(folded) - 1))
    changed = folded[:at] + bytes([folded[at] ^ flip]) + folded[at + 1 :]
    with suppress(InvalidInput):
        decode(inflate(changed))


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_whatever_follows_the_magic_bytes_is_refused_or_is_a_batch(tail: bytes) -> None:
    for begin in (b"OVB3", FOLDED[:HEADER_END]):
        with suppress(InvalidInput):
            decode(inflate(begin + tail))


def test_what_a_person_does_takes_few_bytes() -> None:
    vector = json.loads((VECTORS[0].parent / "batch-moves.json").read_text("utf-8"))
    folded, rows = bytes.fromhex(vector["folded"]), vector["header"]["rows"]
    assert len(folded) < 0.8 * len(gzip.compress(bytes.fromhex(vector["bytes"])))
    assert (len(folded) - 170) / rows < 3
