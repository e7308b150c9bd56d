"""Importers of pointer data: what their published columns become."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from datasets_fixtures import DATA
from importer_fixtures import Table, balabit_table, mousetrap_table, people, written
from overt.datasets.formats import balabit, mousetrap
from overt.datasets.reading.imported import Skipped
from overt.schema.errors import InvalidInput
from overt.schema.event import Kind
from overt.schema.limits import DT_US_MAX


def recording(table: Table) -> balabit.Recording:
    return balabit.read_recording(table.csv(), "session_1")


def test_a_balabit_recording_becomes_moves_presses_clicks_and_wheel_steps() -> None:
    (events,) = balabit.events_of(recording(balabit_table()))
    made = events.to_pylist()
    assert [Kind(e["kind"]).name for e in made] == [
        *["POINTER_MOVE"] * 2,
        *["POINTER_DOWN", "POINTER_UP", "CLICK"],
        *["WHEEL"] * 2,
        *["POINTER_DOWN", "POINTER_MOVE", "POINTER_UP"],
    ]
    assert [e["t_us"] for e in made][:5] == [0, 125_000, 328_000, 422_000, 422_000]
    assert [e["button"] for e in made] == [0, 0, 1, 1, 1, 0, 0, 3, 0, 3]
    assert [e["scroll_y_css_px"] for e in made if e["kind"] == Kind.WHEEL] == [100, -100]
    assert (made[0]["x_8th_css_px"], made[0]["y_8th_css_px"]) == (800, 1600)
    assert [e["value"] for e in made if e["kind"] == Kind.CLICK] == [1]


def test_lost_readings_are_left_out_and_counted(tmp_path: Path) -> None:
    (person,) = people("balabit", written(tmp_path, {"user1/session_1": balabit_table().csv()}))
    assert person.left_out == {balabit.LOST: 1}


def test_client_times_that_wrapped_are_put_right() -> None:
    plain = recording(balabit_table()).time_us
    for wrapped in ([4], [0, 1], range(5, 10)):
        table = balabit_table()
        for row in wrapped:
            table.rows[row][1] = float(table.rows[row][1]) + 2**32 / 1000
        assert np.allclose(recording(table).time_us, plain)
    rising = balabit_table()
    for number, row in enumerate(rising.rows):
        row[1] = (row[1] + 2**32 / 1000 - 0.6) % (2**32 / 1000)
        row.append(number)
    rising.header.append("more")
    del rising.header[0]
    rising.rows = [row[1:] for row in rising.rows]
    assert np.allclose(np.diff(recording(rising).time_us), np.diff(plain))


def test_one_of_the_two_times_is_enough() -> None:
    table = balabit_table()
    for column in (0, 1):
        header = [n for i, n in enumerate(table.header) if i != column]
        rows = [[v for i, v in enumerate(row) if i != column] for row in table.rows]
        found = recording(Table(header, rows))
        assert found.time_us[1] == pytest.approx(float(table.rows[1][1 - column]) * 1e6)
    with pytest.raises(InvalidInput, match="client timestamp"):
        recording(Table(table.header[2:], [row[2:] for row in table.rows]))


def test_test_recordings_are_never_taken_for_their_folders_account(tmp_path: Path) -> None:
    folder = written(tmp_path, {"test_files/user1/session_1": balabit_table().csv()})
    with pytest.raises(InvalidInput, match="holds no"):
        people("balabit", folder)
    for path in (folder / "test_files", folder / "test_files" / "user1"):
        with pytest.raises(InvalidInput, match="another account"):
            people("balabit", path)


def test_a_session_of_hours_is_cut_where_deltas_would_not_fit() -> None:
    from overt.gateway.streams import Origin, batches_of

    table = balabit_table()
    for number, row in enumerate(table.rows):
        row[0] = row[1] = 4000.0 * number
        row[4] = 6000 * (number % 2)
    (events,) = balabit.events_of(recording(table))
    assert np.diff(events.column("t_us").to_numpy()).max() > DT_US_MAX
    origin = Origin(
        source="import/balabit",
        study="s",
        receipt="0" * 32,
        purposes=("person-or-program",),
        level="rhythm",
        transform="raw/0",
        time_origin_ms=0,
        clock_resolution_us=1000,
    )
    assert sum(b.header.rows for b in batches_of(events, origin)) == events.num_rows


BROKEN = {
    "x": ("px", "column 5 (x)", "position in pixels"),
    "y": (1e9, "column 6 (y)", "position in pixels"),
    "client timestamp": ("1471948497000", "column 2 (client timestamp)", "time in seconds"),
    "state": ("Hovering", "column 4 (state)", "one of move"),
    "button": ("", "column 3 (button)", "one of nobutton"),
}


@pytest.mark.parametrize("column", BROKEN)
def test_a_wrong_value_is_named_by_line_column_and_expectation(column: str) -> None:
    value, where, expected = BROKEN[column]
    table = balabit_table()
    table.rows[3][table.header.index(column)] = value
    for data in (table.csv(), table.csv(end="\r\n"), b"\n" + table.csv().replace(b"\n", b"\n\n")):
        with pytest.raises(InvalidInput, match=expected) as caught:
            balabit.read_recording(data, "user1/session_1")
        blank = data.startswith(b"\n")
        assert caught.value.where == f"user1/session_1, line {10 if blank else 5}, {where}"
        assert str(value) not in str(caught.value) or not value
    skipped = Skipped()
    found = balabit.read_recording(table.csv(), "session_1", skipped)
    assert found.time_us.size == len(table.rows) - 2
    assert list(skipped.rows.values()) == [1]


def test_mousetrap_trials_are_sessions_whatever_types_the_columns_have(tmp_path: Path) -> None:
    table = mousetrap_table()
    plain = people(
        "mousetrap", written(tmp_path / "a", {"t_trajectories.parquet": table.parquet()})
    )
    text = pa.dictionary(pa.int8(), pa.string())
    narrow = dict.fromkeys(("subject", "trial", "t_ms"), pa.int32())
    wide = dict.fromkeys(("subject", "trial", "t_ms", "x", "y", "correct"), pa.float64())
    strange = {"subject": pa.large_string(), "x": pa.float32(), "condition": text}
    table.rows.reverse()
    for types in (narrow, wide, strange):
        rows = table.rows
        if "condition" in types:
            rows = [[str(row[0]), *row[1:]] for row in rows]
        data = Table(table.header, rows).parquet(types)
        path = written(tmp_path / "b", {"my_trajectories.parquet": data})
        found = people("mousetrap", path)
        assert len(found) == 2
        for person in found:
            match = [
                [a.equals(b) for a, b in zip(person.sessions, other.sessions, strict=True)]
                for other in plain
            ]
            assert [True, True] in match


def test_a_null_in_a_parquet_column_is_named_by_its_row() -> None:
    table = mousetrap_table()
    table.rows[7][7] = None
    with pytest.raises(InvalidInput) as caught:
        mousetrap.read_trajectories(table.parquet(), "t.parquet")
    assert caught.value.where == "t.parquet, row 8, column 8 (x)"
    skipped = Skipped()
    mousetrap.read_trajectories(table.parquet(), "t.parquet", skipped)
    assert skipped.rows == {"x is not a position in pixels": 1}


REAL = {
    "balabit": DATA / "balabit-mouse" / "balabit-mouse.tar.zst",
    "mousetrap": DATA / "mousetrap-kh2017",
}
needs_mousetrap = pytest.mark.skipif(not REAL["mousetrap"].exists(), reason="no recordings")


@needs_mousetrap
def test_real_choices_import_strictly_and_completely() -> None:
    found = people("mousetrap", REAL["mousetrap"])
    assert len(found) == 60
    assert sum(len(person.sessions) for person in found) == 1140
    assert sum(e.num_rows for person in found for e in person.sessions) == 235_261
