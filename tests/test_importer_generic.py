"""Tables that a mapping file describes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer_fixtures import GENERIC, SECRET, generic_table, mapping_file, people, written
from overt.datasets.importers import importer
from overt.datasets.reading.imported import ImportedPerson, Skipped
from overt.schema.errors import InvalidInput, Missing
from overt.schema.event import Edit, KeyClass, Kind

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "import-your-own-format.md"


def read(folder: Path, text: str, skipped: Skipped | None = None) -> list[ImportedPerson]:
    return list(importer("generic", mapping_file(text)).read(folder, skipped=skipped))


def kinds(person: ImportedPerson) -> list[list[str]]:
    return [[Kind(k).name for k in events.column("kind").to_pylist()] for events in person.sessions]


def example(number: int) -> tuple[bytes, str]:
    """Return table and mapping of an example in the how-to page."""
    page = PAGE.read_text("utf-8")
    tables = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    mappings = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    return tables[number].encode(), mappings[number]


def test_the_first_example_of_the_page_is_as_it_says(tmp_path: Path) -> None:
    table, text = example(0)
    first, second = read(written(tmp_path, {"mouse1.csv": table}), text)
    assert kinds(first) == [["POINTER_MOVE", "POINTER_DOWN", "POINTER_UP", "CLICK", "WHEEL"]]
    events = first.sessions[0]
    assert events.column("t_us").to_pylist() == [0, 125_000, 200_000, 200_000, 750_000]
    assert events.column("x_8th_css_px").to_pylist() == [400, 416, 416, 416, 416]
    assert events.column("button").to_pylist() == [0, 1, 1, 1, 0]
    assert events.column("scroll_y_css_px").to_pylist() == [0, 0, 0, 0, -300]
    assert kinds(second) == [["POINTER_MOVE"]]
    assert list(second.left_out.values()) == [1]
    chosen = importer("generic", mapping_file(text))
    assert chosen.purposes == ("next-action", "person-or-program")
    assert (chosen.title, chosen.licence) == ("Mouse log of a lab", "CC BY 4.0")


def test_the_second_example_of_the_page_is_as_it_says(tmp_path: Path) -> None:
    table, text = example(1)
    (person,) = read(written(tmp_path, {"p1.csv": table}), text)
    (events,) = person.sessions
    made = events.to_pylist()
    assert [(Kind(e["kind"]).name[4:], KeyClass(e["key_class"]).name, e["slot"]) for e in made] == [
        ("DOWN", "SHIFT", 1),
        ("DOWN", "LETTER", 2),
        ("UP", "SHIFT", 1),
        ("UP", "LETTER", 2),
        ("DOWN", "LETTER", 1),
        ("UP", "LETTER", 1),
        ("DOWN", "BACKSPACE", 1),
        ("UP", "BACKSPACE", 1),
    ]
    assert {e["key_symbol"] for e in made} == {0}
    assert list(person.left_out.values()) == [1]


def test_characters_are_kept_only_where_the_mapping_says_what_is_secret(tmp_path: Path) -> None:
    table, text = example(1)
    folder = written(tmp_path, {"p1.csv": table})
    keys = text.replace('level = "rhythm"', 'level = "keys"')
    (person,) = read(folder, keys)
    symbols = person.sessions[0].column("key_symbol").to_pylist()
    assert ord("h") in symbols
    assert ord("s") not in symbols
    unstated = keys[: keys.index("[secret]")]
    with pytest.raises(InvalidInput, match="level keys"):
        read(folder, unstated)
    assert read(folder, unstated + '[secret]\nnone = "A copy task."\n')


def test_a_row_that_names_no_field_is_secret(tmp_path: Path) -> None:
    table, text = example(1)
    folder = written(tmp_path, {"p1.csv": table.replace(b"title", b"")})
    assert read(folder, text) == []


def test_one_person_in_several_files_is_one_person(tmp_path: Path) -> None:
    table = generic_table()
    folder = written(tmp_path, {f"{n}/log.csv": table.csv() for n in range(3)})
    assert [len(p.sessions) for p in people("generic", folder)] == [6, 6]
    by_folder = GENERIC.replace('person = "who"', 'person = "@folder"')
    assert [len(p.sessions) for p in read(folder, by_folder)] == [2, 2, 2]
    nobody = GENERIC.replace('person = "who"\n', "")
    assert [len(p.sessions) for p in read(folder, nobody)] == [6]


def parquet(columns: dict[str, Any]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


SCROLLS = """
title = "Scrolls"
files = ["*.parquet"]
element = "where"
[time]
column = "at"
unit = "timestamp"
[kind]
always = "scroll"
[scroll]
y = "top"
is = "offset"
"""


def test_offsets_of_each_element_become_changes_and_timestamps_times(tmp_path: Path) -> None:
    at = [1_000_000, 1_500_000, 1_400_000, 2_000_000]
    columns = {
        "at": pa.array(at, pa.timestamp("us")),
        "top": pa.array([10, 50, 7, 30], pa.int16()),
        "where": pa.array(["a", "a", "b", "a"]).dictionary_encode(),
    }
    texts = [f"1970-01-01T00:00:0{value / 1e6:.1f}Z" for value in at]
    for when in (columns["at"], pa.array(texts)):
        data = parquet({**columns, "at": when})
        (person,) = read(written(tmp_path, {"a.parquet": data}), SCROLLS)
        (events,) = person.sessions
        assert events.column("t_us").to_pylist() == [0, 400_000, 500_000, 1_000_000]
        assert events.column("scroll_y_css_px").to_pylist() == [10, 7, 40, -20]
        assert events.column("element").to_pylist() == [1, 2, 1, 1]


WRONG = {
    "a misspelt key": ('person = "who"', 'persn = "who"', "persn", "Did you mean `person`"),
    "a misspelt key within": ('unit = "ms"', 'units = "ms"', "time.units", "`unit`"),
    "an unknown unit": ('unit = "ms"', 'unit = "minutes"', "time.unit", "one of"),
    "an unknown kind": ('"pointer_move"', '"glance"', "kind.values.move", "Known"),
    "no time": ('column = "t"\n', "", "time.column", "missing"),
    "no position": ('x = "px"\n', "", "position", "x and y"),
    "no key": ('column = "key"\n', "", "key.column", "missing"),
    "an unknown button": ('L = "left"', 'L = "thumb"', "button.values.L", "Known"),
    "a purpose there is not": ("[time]", 'purposes = ["mood"]\n[time]', "purposes", "registry"),
    "no scale": ("px_per_unit = 0.5", "px_per_unit = 0", "position.px_per_unit", "CSS px"),
    "a table for a text": ('title = "Log of a lab"', "title = 3", "title", "text"),
    "a text for a table": ("[button]\n", "button = 3\n[buttons]\n", "", ""),
    "half a secret": ('values = ["password"]', "", "secret.column", "needs"),
    "not TOML": ("[kind]", "[kind", "", "TOML"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mapping_that_is_wrong_is_refused_with_the_path_of_the_key(name: str) -> None:
    old, new, where, expected = WRONG[name]
    assert old in GENERIC
    with pytest.raises(InvalidInput) as caught:
        importer("generic", mapping_file(GENERIC.replace(old, new, 1)))
    assert where in caught.value.where
    assert expected in str(caught.value)


def test_a_mapping_belongs_to_generic_and_generic_needs_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--mapping"):
        importer("generic")
    with pytest.raises(InvalidInput, match="generic only"):
        importer("cmu", mapping_file())
    with pytest.raises(Missing):
        importer("generic", tmp_path / "none.toml")


BROKEN = {
    "px": (0, "px", "a position"),
    "t": (0, "t", "a time in milliseconds"),
    "what": (0, "what", "one of"),
    "button": (1, "button", "one of"),
    "until": (3, "until", "a time in milliseconds"),
    "key": (3, "key", "is empty"),
    "who": (2, "who", "is empty"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_value_is_named_by_line_and_column_or_counted(name: str, tmp_path: Path) -> None:
    row, column, expected = BROKEN[name]
    table = generic_table()
    table.rows[row][table.header.index(column)] = "" if "empty" in expected else SECRET
    folder = written(tmp_path, {"log.csv": table.csv()})
    with pytest.raises(InvalidInput, match=expected) as caught:
        people("generic", folder)
    assert f"line {row + 2}, column" in caught.value.where
    assert f"({column})" in caught.value.where
    assert SECRET not in str(caught.value)
    skipped = Skipped()
    assert people("generic", folder, skipped)
    assert sum(skipped.rows.values()) == 1


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.booleans()), max_size=40))
def test_releases_are_paired_with_presses_whatever_was_recorded(
    found: list[tuple[int, int, bool]],
) -> None:
    from overt.datasets.reading import sessions

    keys = np.array([key for key, _, _ in found], np.int64)
    time_us = np.cumsum([step * 50_000.0 for _, step, _ in found])
    down = np.array([pressed for _, _, pressed in found], np.bool_)
    columns = {
        "kind": np.where(down, int(Kind.KEY_DOWN), int(Kind.KEY_UP)),
        "key_class": np.full(keys.size, int(KeyClass.LETTER)),
        "edit": np.full(keys.size, int(Edit.NONE)),
    }
    made = sessions.tables(np.zeros(keys.size, np.int64), time_us, columns, key=keys)
    held: dict[int, int] = {}
    for events in made:
        slots, marks = (events.column(c).to_pylist() for c in ("slot", "modifiers"))
        for (key, _, pressed), slot, mark in zip(found, slots, marks, strict=True):
            if pressed:
                assert slot > 0
                if mark & 16:
                    assert held[key] == slot
                held.pop(key, None)
                assert slot not in held.values()
                held[key] = slot
            else:
                assert slot == held.pop(key, 0)
