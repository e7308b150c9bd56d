"""A batch folded for the wire is the same batch, and whatever else claims to be one is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.schema.batch import decode, encode, inflate
from overt.schema.errors import InvalidInput
from overt.schema.event import WIRE
from overt.schema.fold import fold, unfold
from store_fixtures import header, wire_rows

VECTORS = sorted((Path(__file__).parents[1] / "spec" / "vectors").glob("batch-*.json"))
GOOD = encode(header(rows=9), wire_rows(3, 9))
FOLDED = fold(GOOD)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_golden_batch_folds_to_golden_bytes_and_back(path: Path) -> None:
    vector = json.loads(path.read_text("utf-8"))
    plain = bytes.fromhex(vector["bytes"])
    assert fold(plain).hex() == vector["folded"]
    assert inflate(bytes.fromhex(vector["folded"])) == plain


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


def test_cut_or_grown_it_is_refused() -> None:
    assert inflate(FOLDED) == GOOD
    for damaged in [FOLDED[:end] for end in range(4, len(FOLDED))] + [FOLDED + b"\0"]:
        with pytest.raises(InvalidInput):
            inflate(damaged)


@given(st.integers(4, len(FOLDED) - 1), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_a_changed_byte_is_refused_or_is_a_batch_in_order(at: int, flip: int) -> None:
    changed = FOLDED[:at] + bytes([FOLDED[at] ^ flip]) + FOLDED[at + 1 :]
    with suppress(InvalidInput):
        decode(inflate(changed))
