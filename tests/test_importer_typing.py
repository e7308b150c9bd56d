"""Importers of typing benchmarks: one password, one number, one text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_fixtures import DATA
from importer_fixtures import cmu_table, mobikey_table, monaco_table, people, written
from overt.datasets.formats import cmu, monaco
from overt.datasets.reading.keycodes import key_called
from overt.features.presses import presses_of
from overt.schema.errors import InvalidInput
from overt.schema.event import Edit, KeyClass, Kind

REAL = DATA / "cmu-password"
needs_cmu = pytest.mark.skipif(not REAL.exists(), reason=f"no recordings at {REAL}")


def test_a_typing_of_the_password_keeps_timing_and_classes_but_no_key(tmp_path: Path) -> None:
    first = people("cmu", written(tmp_path, {"StrongPasswordData.csv": cmu_table().csv()}))[0]
    (events, *_) = first.sessions
    presses = presses_of(events)
    assert [KeyClass(k).name for k in presses.key_class] == (
        ["PUNCTUATION", "LETTER", "DIGIT", "LETTER", "ENTER"]
    )
    assert presses.hold_us.tolist() == [81_000, 91_000, 101_000, 111_000, 121_000]
    downs = [e["t_us"] for e in events.to_pylist() if e["kind"] == Kind.KEY_DOWN]
    assert np.diff(downs).tolist() == [200_000, 50_000, 200_000, 200_000]
    assert set(events.column("key_symbol").to_pylist()) == {0}
    slots = [e["slot"] for e in events.to_pylist() if e["kind"] == Kind.KEY_DOWN]
    assert slots == [1, 1, 2, 1, 1], "the third key goes down while the second is held"


def test_a_password_on_a_touch_screen_keeps_classes_but_no_key(tmp_path: Path) -> None:
    data = mobikey_table().csv().replace(b"Shift", "Shift↑".encode())
    first, second = people("mobikey", written(tmp_path, {"Keystrokes.csv": data}))
    assert [len(p.sessions) for p in (first, second)] == [4, 2], "two devices, two typings each"
    presses = presses_of(first.sessions[0])
    names = [KeyClass(k).name for k in presses.key_class]
    assert names[:4] == ["PUNCTUATION", "OTHER", "DIGIT", "OTHER"]
    assert names[4:] == ["SHIFT", "LETTER", "BACKSPACE"]
    assert presses.hold_us.tolist() == [980_000] * 7
    for events in (*first.sessions, *second.sessions):
        assert set(events.column("key_symbol").to_pylist()) == {0}
        assert set(events.column("edit").to_pylist()) == {0}
        assert events.column("t_us").to_pylist()[0] == 0


def test_read_typings_gives_the_published_columns_in_the_order_of_typing() -> None:
    found = cmu.read_typings(cmu_table().csv(), "a.csv")
    assert found.subject.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.repetition.tolist() == [1, 2, 3] * 2
    assert (found.hold_s.shape, found.down_down_s.shape) == ((6, 5), (6, 4))
    header = cmu_table().header
    up_down = [i for i, name in enumerate(header) if name.startswith("UD")]
    published = np.array([[row[i] for i in up_down] for row in cmu_table().rows])
    assert np.allclose(found.up_down_s, published)


def test_columns_that_do_not_join_to_one_password_are_refused() -> None:
    table = cmu_table()
    table.header[table.header.index("DD.t.five")] = "DD.t.six"
    with pytest.raises(InvalidInput, match="one sequence"):
        cmu.read_typings(table.csv(), "a.csv")


def test_samples_are_sessions_in_order_of_their_number(tmp_path: Path) -> None:
    first, second = people("monaco", written(tmp_path, {"keypad.csv": monaco_table().csv()}))
    assert [len(p.sessions) for p in (first, second)] == [2, 2]
    made = first.sessions[0].to_pylist()
    downs = [KeyClass(e["key_class"]).name for e in made if e["kind"] == Kind.KEY_DOWN]
    assert downs == ["SHIFT", "LETTER", "SPACE", "DIGIT", "BACKSPACE", "ENTER"]
    edits = [Edit(e["edit"]).name for e in made if e["kind"] == Kind.EDIT]
    assert edits == [*["INSERT_TEXT"] * 3, "DELETE_CHAR_BACKWARD"]
    rows = monaco_table().rows
    late = [[*row[:3], row[3] + 50 * (row[1] == 1), row[4] + 50 * (row[1] == 1)] for row in rows]
    table = monaco_table()
    table.rows = late
    again = people("monaco", written(tmp_path / "b", {"keypad.csv": table.csv()}))
    assert again[0].sessions[0].equals(first.sessions[0]), "sample 1 first, though it began later"


def test_users_of_two_files_are_different_people(tmp_path: Path) -> None:
    data = monaco_table().csv()
    folder = written(tmp_path, {"keypad.csv": data, "fixed_text.csv": data})
    assert len(people("monaco", folder)) == 4


def test_key_codes_suffice_where_there_are_no_names() -> None:
    table = monaco_table()
    table.header[2] = "keycode"
    for row in table.rows:
        row[2] = {"shift": 16, "h": 72, "space": 32, "numpad_3": 99, "backspace": 8, "enter": 13}[
            row[2]
        ]
    by_code = monaco.read_presses(table.csv(), "keypad.csv")
    by_name = monaco.read_presses(monaco_table().csv(), "keypad.csv")
    assert by_code.keys.tolist() == by_name.keys.tolist()


@pytest.mark.parametrize(
    ("name", "key_class"),
    [
        ("Key.shift_r", "SHIFT"),
        ("alt_gr", "ALT"),
        ("Page Down", "NAVIGATION"),
        ("ArrowLeft", "ARROW"),
        ("left", "ARROW"),
        ("ctrl_l", "CONTROL"),
        ("F12", "FUNCTION"),
        ("numpad_enter", "ENTER"),
        ("quote", "PUNCTUATION"),
        ("ß", "LETTER"),
        ("print_screen", "OTHER"),
        ("", "OTHER"),
    ],
)
def test_words_for_keys_are_known(name: str, key_class: str) -> None:
    assert KeyClass(key_called(name).key_class).name == key_class


@needs_cmu
def test_the_real_password_imports_strictly_and_completely() -> None:
    found = people("cmu", REAL)
    assert len(found) == 51
    assert {len(person.sessions) for person in found} == {400}
    assert sum(person.presses for person in found) == 20_400 * 11
