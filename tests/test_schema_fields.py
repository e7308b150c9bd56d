"""What is written of each field is all there is to it, and nothing is there without words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from overt.schema import generate, reference
from overt.schema.coarse import GONE, TOUCHED
from overt.schema.event import MARKS, VALUE_MAX, WIRE, Kind
from overt.schema.fields import USES, strangers
from overt.schema.header import BatchHeader
from overt.schema.purpose import PURPOSES, purposes_for

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "fields.md"


def rows(kind: Kind, **columns: int) -> pa.RecordBatch:
    said = {"kind": int(kind), **columns}
    return pa.record_batch([pa.array([said.get(f.name, 0)], f.type) for f in WIRE], schema=WIRE)


def test_every_field_has_its_words_and_no_kind_two_of_them() -> None:
    assert tuple(USES) == tuple(WIRE.names)
    assert tuple(reference.HEADER) == BatchHeader._fields
    for name, uses in USES.items():
        kinds = [kind for use in uses for kind in use.kinds]
        assert len(set(kinds)) == len(kinds), name
    assert {kind for use in USES["value"] for kind in use.kinds} == set(VALUE_MAX)


def test_a_field_serves_the_purposes_that_need_one_of_its_kinds_and_no_others() -> None:
    for use in (use for uses in USES.values() for use in uses):
        every = {p for kind in use.kinds - MARKS for p in purposes_for(kind, PURPOSES)}
        assert set(use.purposes) == (every or set(PURPOSES))


def test_what_the_page_says_of_rhythm_1_is_what_the_collector_refuses() -> None:
    always = {name for name, uses in USES.items() if any(use.coarse == "always 0" for use in uses)}
    assert always == {"key_symbol", "slot", "modifiers", *TOUCHED}
    gone = [use for uses in USES.values() for use in uses if use.left == "does not exist"]
    assert {kind for use in gone for kind in use.kinds} <= set(GONE)


@pytest.mark.parametrize(
    ("kind", "column", "found"),
    [
        (Kind.KEY_DOWN, "key_class", []),
        (Kind.POINTER_MOVE, "key_class", ["key_class in pointer_move"]),
        (Kind.BLUR, "button", ["button in blur"]),
        (Kind.CLICK, "value", []),
        (Kind.KEY_UP, "value", ["value in key_up"]),
    ],
)
def test_a_number_where_none_belongs_is_found(kind: Kind, column: str, found: list[str]) -> None:
    assert strangers(rows(kind, **{column: 1})) == found


def test_the_page_has_a_row_for_each_use_with_unit_and_precision() -> None:
    text = PAGE.read_text("utf-8")
    assert text == generate.outputs()[PAGE]
    table = text.partition("## Fields of an event")[2].partition("##")[0].splitlines()
    cells = [line.strip("|").split("|") for line in table if line.startswith("|")][2:]
    assert len(cells) == sum(map(len, USES.values()))
    assert all(len(row) == 7 and all(cell.strip() for cell in row[1:]) for row in cells)
    assert np.all([name in text for name in (*WIRE.names, *BatchHeader._fields)])
