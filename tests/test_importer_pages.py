"""Importers of what people did in pages and on desktops: secrets, units and who is who."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datasets_fixtures import DATA
from importer_fixtures import (
    SAMPLES,
    SECRET,
    T0,
    Table,
    cursory_list,
    desktop_lines,
    miniwob_tables,
    people,
    rrweb_events,
    scroll_table,
    written,
)
from overt.datasets.formats import miniwob, rrweb
from overt.datasets.reading.imported import Skipped
from overt.schema.errors import InvalidInput
from overt.schema.event import Edit, KeyClass, Kind, Role

Event = dict[str, Any]


def events_of(name: str, folder: Path) -> list[Event]:
    """Return all events of everyone at a path."""
    return [
        event
        for person in people(name, folder)
        for session in person.sessions
        for event in session.to_pylist()
    ]


def miniwob_files(**tables: Table) -> dict[str, bytes]:
    made = {**miniwob_tables(), **{f"{name}.parquet": table for name, table in tables.items()}}
    return {name: table.parquet() for name, table in made.items()}


def test_a_demonstration_becomes_presses_keys_and_edits_with_roles(tmp_path: Path) -> None:
    first = people("miniwob", written(tmp_path, miniwob_files()))[0]
    made = first.sessions[0].to_pylist()
    assert [(Kind(e["kind"]).name, Role(e["role"]).name, e["element"]) for e in made] == [
        ("POINTER_DOWN", "BUTTON", 1),
        ("POINTER_UP", "BUTTON", 1),
        ("CLICK", "BUTTON", 1),
        ("KEY_DOWN", "TEXT_FIELD", 2),
        ("EDIT", "TEXT_FIELD", 2),
        ("KEY_UP", "TEXT_FIELD", 2),
        ("KEY_DOWN", "TEXT_FIELD", 2),
        ("EDIT", "TEXT_FIELD", 2),
        ("KEY_UP", "TEXT_FIELD", 2),
    ]
    edits = [Edit(e["edit"]).name for e in made if e["kind"] == Kind.EDIT]
    assert edits == ["INSERT_TEXT", "DELETE_CHAR_BACKWARD"]
    assert {e["x_8th_css_px"] for e in made} == {400}, "keys are where the pointer was"
    assert len(first.sessions) == 2


def test_keys_in_password_fields_and_unknown_ones_become_no_event(tmp_path: Path) -> None:
    found = people("miniwob", written(tmp_path / "a", miniwob_files()))
    symbols = {
        symbol
        for person in found
        for events in person.sessions
        for symbol in events.column("key_symbol").to_pylist()
    }
    assert ord("h") in symbols
    assert ord("s") not in symbols
    assert found[0].left_out[miniwob.SECRET] == 2 * 4
    plain = miniwob_tables()["elements.parquet"]
    for row in plain.rows:
        row[2], row[3] = row[2].replace("password", "text"), row[3].replace("p", "password")
    named = people("miniwob", written(tmp_path / "b", miniwob_files(elements=plain)))
    assert named[0].left_out[miniwob.SECRET] == 2 * 4, "a field called password is one"


def test_without_elements_no_key_is_imported(tmp_path: Path) -> None:
    files = miniwob_files()
    del files["elements.parquet"]
    made = events_of("miniwob", written(tmp_path, files))
    assert {Kind(e["kind"]).name for e in made} == {"POINTER_DOWN", "POINTER_UP", "CLICK"}


def test_a_double_click_is_one_click_counted_two(tmp_path: Path) -> None:
    events = miniwob_tables()["events.parquet"]
    events.rows.insert(3, [10, 200, "dblclick", 50, 60, None, 4])
    made = events_of("miniwob", written(tmp_path, miniwob_files(events=events)))
    assert [e["value"] for e in made if e["kind"] == Kind.CLICK] == [1, 2, 1]


def test_events_of_an_episode_there_is_not_are_refused_or_counted(tmp_path: Path) -> None:
    events = miniwob_tables()["events.parquet"]
    events.rows.append([999, 5, "click", 1, 1, None, 4])
    folder = written(tmp_path, miniwob_files(events=events))
    with pytest.raises(InvalidInput, match="episodes"):
        people("miniwob", folder)
    skipped = Skipped()
    assert len(people("miniwob", folder, skipped)) == 2
    assert list(skipped.rows.values()) == [1]


def test_one_file_of_the_three_says_what_belongs_to_it(tmp_path: Path) -> None:
    folder = written(tmp_path, miniwob_files())
    with pytest.raises(InvalidInput, match="side by side"):
        people("miniwob", folder / "events.parquet")


def rrweb_made(folder: Path, events: list[Event] | bytes) -> list[Event]:
    data = events if isinstance(events, bytes) else json.dumps(events).encode()
    return events_of("rrweb", written(folder, {"log.json": data}))


def test_a_log_of_the_present_schema_becomes_events_in_order_of_time(tmp_path: Path) -> None:
    made = rrweb_made(tmp_path, rrweb_events())
    moves = [e for e in made if e["kind"] == Kind.POINTER_MOVE]
    assert [e["t_us"] for e in moves][:2] == [0, 9000]
    assert [e["pointer"] for e in moves] == [1, 1, 2, 1]
    scrolls = [e["scroll_y_css_px"] for e in made if e["kind"] == Kind.SCROLL]
    assert scrolls == [80, -20], "from where the snapshot says the page was"
    roles = [Role(e["role"]).name for e in made if e["kind"] == Kind.CLICK]
    assert roles == ["BUTTON"]


def test_of_inputs_only_lengths_of_plain_fields_are_read(tmp_path: Path) -> None:
    (person,) = people("rrweb", written(tmp_path, SAMPLES["rrweb"].files()))
    made = [e for s in person.sessions for e in s.to_pylist() if e["kind"] == Kind.EDIT]
    assert [(Edit(e["edit"]).name, e["edit_chars"]) for e in made] == [
        ("INSERT_TEXT", 1),
        ("DELETE_OTHER", 2),
    ]
    assert person.left_out[rrweb.UNREAD] == 2
    for session in person.sessions:
        assert set(session.column("key_symbol").to_pylist()) == {0}
        assert SECRET.encode() not in b"".join(c.to_numpy().tobytes() for c in session.columns)


@pytest.mark.parametrize("change", ["attributes", "adds", "second snapshot"])
def test_a_password_that_is_shown_stays_secret(tmp_path: Path, change: str) -> None:
    events = rrweb_events()
    shown = {"type": 2, "id": 5, "tagName": "input", "attributes": {"type": "text"}}
    mutation: Event = {"source": 0, "attributes": [], "adds": []}
    if change == "attributes":
        mutation["attributes"] = [{"id": 5, "attributes": {"type": "text"}}]
    else:
        mutation["adds"] = [{"parentId": 3, "node": shown}]
    added: list[Event] = [{"type": 3, "data": mutation, "timestamp": T0 + 5000}]
    if change == "second snapshot":
        added = [{"type": 2, "data": {"node": shown}, "timestamp": T0 + 5000}]
    typed = {"source": 5, "id": 5, "text": SECRET, "isChecked": False}
    events += [*added, {"type": 3, "data": typed, "timestamp": T0 + 6000}]
    assert max(e["t_us"] for e in rrweb_made(tmp_path, events)) < 2_000_000


def test_json_lines_objects_and_lists_of_events_are_the_same(tmp_path: Path) -> None:
    events = rrweb_events()
    plain = rrweb_made(tmp_path / "a", events)
    lines = "\n".join(json.dumps(e) for e in events).encode()
    assert rrweb_made(tmp_path / "b", lines) == plain
    assert rrweb_made(tmp_path / "c", json.dumps({"events": events}).encode()) == plain
    strange = [*events, {"type": 17, "data": None, "timestamp": T0}]
    assert rrweb_made(tmp_path / "d", strange) == plain


def test_what_is_wrong_in_a_log_is_named_by_event_and_field(tmp_path: Path) -> None:
    for number, change, where in (
        (2, {"positions": [{"x": SECRET, "y": 1, "id": 3, "timeOffset": 0}]}, "positions[0].x"),
        (3, {"x": None}, "event 3, data.x"),
        (7, {"text": 5}, "event 7, data.text"),
    ):
        events = rrweb_events()
        events[number]["data"] |= change
        with pytest.raises(InvalidInput) as caught:
            rrweb_made(tmp_path, events)
        assert where in caught.value.where
        assert SECRET not in str(caught.value)
    packed = json.dumps([*rrweb_events(), "x\x9c packed"]).encode()
    with pytest.raises(InvalidInput, match="packed"):
        rrweb_made(tmp_path, packed)


def test_desktop_recordings_keep_classes_of_keys_and_turn_the_wheel_as_browsers_do(
    tmp_path: Path,
) -> None:
    made = events_of("ducktrack", written(tmp_path, {"a/events.jsonl": desktop_lines()}))
    assert [Kind(e["kind"]).name for e in made] == [
        *("POINTER_MOVE", "POINTER_DOWN", "POINTER_UP", "CLICK", "WHEEL"),
        *("KEY_DOWN", "KEY_DOWN", "KEY_UP", "KEY_UP"),
    ]
    assert [e["t_us"] for e in made][-1] == 700_000
    assert made[4]["scroll_y_css_px"] == 100, "one step down"
    assert made[0]["x_8th_css_px"] == 84
    keys = made[5:]
    assert {e["key_symbol"] for e in keys} == {0}
    assert [KeyClass(e["key_class"]).name for e in keys] == ["SHIFT", "LETTER", "LETTER", "SHIFT"]
    assert [e["slot"] for e in keys] == [1, 2, 2, 1]
    assert [e["modifiers"] for e in keys] == [1, 1, 1, 0]


def test_recordings_of_the_other_format_are_not_taken_for_ones_own(tmp_path: Path) -> None:
    files = {"a/events.jsonl": desktop_lines(), "b/events.jsonl": desktop_lines(numbered=True)}
    folder = written(tmp_path, files)
    for name in ("ducktrack", "opencua"):
        (person,) = people(name, folder)
        assert len(person.sessions) == 1
    with pytest.raises(InvalidInput, match="event_idx"):
        people("opencua", folder / "a")


def test_a_bad_line_of_a_recording_is_named_by_line_and_field(tmp_path: Path) -> None:
    data = desktop_lines().replace(b'"dy": -1', b'"dy": "' + SECRET.encode() + b'"')
    folder = written(tmp_path, {"a/events.jsonl": data})
    with pytest.raises(InvalidInput) as caught:
        people("ducktrack", folder)
    assert caught.value.where == "a/events.jsonl, line 4, field dy"
    assert SECRET not in str(caught.value)
    skipped = Skipped()
    assert people("ducktrack", folder, skipped)
    assert skipped.rows == {"dy is not a number of wheel steps": 1}


def test_a_movement_of_nobody_in_particular_is_a_session(tmp_path: Path) -> None:
    movements = cursory_list()
    plain = written(tmp_path / "a", {"trajectories.json": json.dumps(movements).encode()})
    (person,) = people("cursory", plain)
    assert [s.num_rows for s in person.sessions] == [5, 5]
    movements[1]["timing"].pop()
    broken = written(tmp_path / "b", {"trajectories.json": json.dumps(movements).encode()})
    with pytest.raises(InvalidInput, match="another number") as caught:
        people("cursory", broken)
    assert "movement 1" in caught.value.where
    (person,) = people("cursory", broken, Skipped())
    assert len(person.sessions) == 1


def test_scroll_offsets_become_changes_after_a_mark_of_the_phase(tmp_path: Path) -> None:
    table = scroll_table()
    made = people(
        "scroll-readability", written(tmp_path, {"a_scroll_readability.csv": table.csv()})
    )
    first = made[0].sessions[0].to_pylist()
    assert [(Kind(e["kind"]).name, e["t_us"], e["scroll_y_css_px"], e["value"]) for e in first] == [
        ("TASK", 0, 0, 1),
        ("SCROLL", 15_000, 0, 0),
        ("SCROLL", 900_000, 250, 0),
    ]
    assert [s.column("value").to_pylist()[0] for s in made[1].sessions] == [1, 2, 3]
    table.rows[0][2] = "['15']"
    with pytest.raises(InvalidInput, match="another number of offsets") as caught:
        people("scroll-readability", written(tmp_path, {"a_scroll_readability.csv": table.csv()}))
    assert "line 2, column 4" in caught.value.where


REAL = {
    "scroll-readability": ("scroll-readability", (397, 1588, 30_364 + 1588)),
    "ducktrack": ("desktop-recordings", (1, 1, None)),
    "opencua": ("desktop-recordings", (1, 1, None)),
    "rrweb": ("desktop-recordings", (1, 1, None)),
    "mobikey": ("touch-keystroke", (54, 3457, None)),
    "monaco": ("monaco-keystroke", (90, 840, None)),
    "cursory": ("cursory-human-trajectories", (1, 2356, 112_984)),
}


@pytest.mark.parametrize("name", REAL)
def test_real_recordings_import_strictly_and_completely(name: str) -> None:
    folder, (persons, sessions, events) = REAL[name]
    if not (DATA / folder).exists():
        pytest.skip(f"no recordings at {DATA / folder}")
    found = people(name, DATA / folder)
    assert len(found) == persons
    assert sum(len(person.sessions) for person in found) == sessions
    if events is not None:
        assert sum(e.num_rows for person in found for e in person.sessions) == events
