"""Exports: who may leave, what of them, and that the files say what their formats say."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_fixtures import STUDY, join, new_store, sessions, upload
from overt.datasets import exports, rows, synthetic
from overt.datasets.exports import actions, opencua, owamcap
from overt.datasets.exports.leaving import About, Leaving, in_time, leaving, notches
from overt.datasets.formats import ducktrack
from overt.gateway import history, population, release
from overt.gateway.ledger import openings_of
from overt.schema.errors import InvalidInput, TooFew
from overt.schema.event import Command, KeyClass, Kind
from overt.schema.fields import COLUMN_MEANING
from overt.store.store import Store

ABOUT = About(
    study="made-up",
    title="Made up",
    purpose="person-or-program",
    transform="rhythm/0",
    with_keys=False,
    version="0.1.0",
    origins={"synthetic": "<10"},
)
FORMS = tuple(exports.FORMATS)


@pytest.fixture(scope="module")
def person() -> synthetic.SyntheticPerson:
    return next(synthetic.people(1, 11, sessions=1, minutes=0.4))


@pytest.fixture(scope="module", params=[False, True], ids=["redacted", "with keys"])
def written(
    request: pytest.FixtureRequest,
    person: synthetic.SyntheticPerson,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, bool]:
    """One person in all formats."""
    root = tmp_path_factory.mktemp("exports")
    me = leaving("person-0001", "train", "synthetic", person.sessions, with_keys=request.param)
    for form in FORMS:
        done = exports.write(form, root / form, ABOUT, [me])
        assert (done.people, done.sessions) == (1, 1)
        assert len([p for p in (root / form).rglob("*") if p.is_file()]) == done.files
    return root, request.param


def test_characters_and_key_codes_leave_only_where_they_were_asked_for(
    person: synthetic.SyntheticPerson, written: tuple[Path, bool]
) -> None:
    root, with_keys = written
    symbol = person.sessions[0].column("key_symbol").to_numpy()
    typed = {chr(one) for one in symbol[(symbol > 32) & (symbol < 0x110000)].tolist()}
    assert typed
    (mcap,) = (root / "owamcap").rglob("*.mcap")
    codes = {m["vk"] for topic, _, m in _read(mcap)[0] if topic == "keyboard"}
    assert bool(codes & set(range(0x41, 0x5B))) == with_keys
    (lines,) = (root / "opencua").rglob("events.jsonl")
    names = {json.loads(line).get("name") for line in lines.read_text("utf-8").splitlines()}
    assert bool(names & typed) == with_keys
    for file in (root / "opencua").rglob("*.json*"):
        text = file.read_text("utf-8")
        assert with_keys or not any(f"Type: {sign}" in text for sign in typed)
    column = parquet.read_table(root / "huggingface" / "data" / "train.parquet")["key_symbol"]
    assert bool(np.any(column.to_numpy())) == with_keys
    assert owamcap.TITLE in json.dumps([m for t, _, m in _read(mcap)[0] if t == "window"])


def test_an_mcap_file_is_what_its_specification_says(written: tuple[Path, bool]) -> None:
    (mcap,) = (written[0] / "owamcap").rglob("*.mcap")
    messages, header, summary = _read(mcap)
    assert header[0] == "owa"
    assert header[1].startswith("mcap-owa-support ")
    times = [t_ns for _, t_ns, _ in messages]
    assert times == sorted(times)
    assert summary["messages"] == len(messages) > 50
    schemas = {topic: json.loads(schema) for topic, (_, schema) in owamcap.SCHEMAS.items()}
    for topic, _, message in messages:
        needed, known = schemas[topic]["required"], schemas[topic]["properties"]
        assert set(needed) <= message.keys() <= known.keys()
        for name, value in message.items():
            allowed = known[name].get("enum") or known[name].get("anyOf", [{}])[0].get("enum")
            assert allowed is None or value in allowed


def test_opencua_events_come_back_through_the_importer(
    person: synthetic.SyntheticPerson, written: tuple[Path, bool]
) -> None:
    (back,) = ducktrack.one_person(written[0] / "opencua", "opencua", None, None)
    (again,), session = back.sessions, person.sessions[0]
    for kinds in ((Kind.KEY_DOWN,), (Kind.KEY_UP,), (Kind.POINTER_DOWN,), (Kind.POINTER_MOVE,)):
        one, other = (
            np.sort(t.column("t_us").to_numpy()[np.isin(t.column("kind").to_numpy(), kinds)])
            for t in (session, again)
        )
        assert len(one) == len(other), kinds
        assert np.abs(np.diff(one) - np.diff(other)).max(initial=0) <= 1


def test_a_trajectory_has_shares_of_the_window_and_words_of_pyautogui(
    written: tuple[Path, bool],
) -> None:
    (file,) = (written[0] / "opencua").rglob("trajectory.json")
    made = json.loads(file.read_text("utf-8"))
    assert made["type"] == "end2end"
    assert made["task_id"] == "task-1"
    kinds = set()
    for step in made["content"]:
        assert set(step) == {"instruction", "guiactions"}
        for action in step["guiactions"]:
            kinds.add(action["action_type"])
            assert set(action) == {"action_type", "target", "args"}
            for name in {"x", "y"} & action["args"].keys():
                assert 0 <= action["args"][name] <= 1
    assert {"click", "write", "hotkey"} <= kinds
    reduced = [
        (file.parent / f"reduced_events_{name}.jsonl").read_text("utf-8").splitlines()
        for name in ("complete", "vis")
    ]
    assert reduced[0] == reduced[1]
    assert len(reduced[0]) == len(made["content"])


def test_a_table_has_a_row_an_event_and_each_column_its_meaning(
    person: synthetic.SyntheticPerson, written: tuple[Path, bool]
) -> None:
    folder = written[0] / "huggingface"
    table = parquet.read_table(folder / "data" / "train.parquet")
    session = person.sessions[0]
    assert table.num_rows == session.num_rows
    assert table["t_us"].to_pylist() == session["t_us"].to_pylist()
    assert table["kind"][0].as_py() == Kind(session["kind"][0].as_py()).name.lower()
    described = json.loads((folder / "croissant.json").read_text("utf-8"))
    (file,), (records,) = described["distribution"], described["recordSet"]
    import hashlib

    data = (folder / file["contentUrl"]).read_bytes()
    assert file["sha256"] == hashlib.sha256(data).hexdigest()
    fields = {f["name"]: f["description"] for f in records["field"]}
    assert list(fields) == table.column_names
    assert fields["edit"] == COLUMN_MEANING["edit"]
    card = (folder / "README.md").read_text("utf-8")
    assert "Synthetic: some or all of these people are made up" in card
    assert "path: data/train.parquet" in card


def test_a_shortcut_writes_nothing_and_a_command_is_its_usual_hotkey() -> None:
    kinds = [Kind.KEY_DOWN, Kind.KEY_DOWN, Kind.COMMAND, Kind.KEY_DOWN, Kind.KEY_DOWN]
    made = rows.table(
        5,
        {
            "kind": [int(kind) for kind in kinds],
            "t_us": [0, 10, 20, 30, 40],
            "key_class": [int(KeyClass.CONTROL), int(KeyClass.LETTER), 0, 1, 1],
            "key_symbol": [0, ord("v"), 0, ord("h"), ord("i")],
            "modifiers": [2, 2, 0, 0, 0],
            "value": [0, 0, int(Command.PASTE), 0, 0],
        },
    )
    found = [(act.kind, act.args) for act in actions.acts(in_time(made))]
    assert found == [("hotkey", {"keys": ["ctrl", "v"]}), ("write", {"message": "hi"})]
    (said, *_) = (act.description for act in actions.acts(in_time(made)))
    assert said == "Press: $ctrl$ + v"


def test_presses_become_clicks_double_clicks_and_drags() -> None:
    def clicks(*presses: tuple[int, int, int, int]) -> list[str]:
        """Return what presses at (ms, x, to x, button) are."""
        down, up = int(Kind.POINTER_DOWN), int(Kind.POINTER_UP)
        columns = {
            "kind": [down, up] * len(presses),
            "t_us": [t * 1000 + d for t, *_ in presses for d in (0, 50_000)],
            "button": [button for *_, button in presses for _ in (0, 1)],
            "x_8th_css_px": [8 * x for _, a, b, _ in presses for x in (a, b)],
        }
        return [act.kind for act in actions.acts(in_time(rows.table(2 * len(presses), columns)))]

    assert clicks((0, 5, 5, 1)) == ["click"]
    assert clicks((0, 5, 5, 3), (900, 5, 5, 2)) == ["rightClick", "middleClick"]
    assert clicks((0, 5, 5, 1), (200, 5, 6, 1)) == ["doubleClick"]
    assert clicks((0, 5, 5, 1), (200, 5, 5, 1), (400, 5, 5, 1)) == ["tripleClick"]
    assert clicks((0, 5, 5, 1), (900, 5, 5, 1)) == ["click", "click"]
    assert clicks((0, 5, 90, 1), (200, 5, 5, 1)) == ["dragTo", "click"]


def test_a_drag_and_turns_of_the_wheel_begin_with_a_move_to_their_place() -> None:
    kinds = [Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.WHEEL, Kind.WHEEL]
    made = rows.table(
        4,
        {
            "kind": [int(kind) for kind in kinds],
            "t_us": [0, 50_000, 900_000, 950_000],
            "button": [1, 1, 0, 0],
            "x_8th_css_px": [80, 400, 400, 480],
            "scroll_y_css_px": [0, 0, 100, 200],
        },
    )
    drag, turn = actions.acts(in_time(made))
    moved, dragged = opencua.content(drag, 100, 100)["guiactions"]
    assert (moved["action_type"], moved["args"]["x"]) == ("moveTo", 0.1)
    assert (dragged["action_type"], dragged["args"]["x"]) == ("dragTo", 0.5)
    moved, turned = opencua.content(turn, 100, 100)["guiactions"]
    assert (moved["action_type"], moved["args"]["x"]) == ("moveTo", 0.5)
    assert (turned["action_type"], turned["args"]) == ("scroll", {"clicks": -3})
    assert [(one["dx"], one["dy"]) for one in turn.reduced(1)["trace"]] == [(0, -1), (0, -2)]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-400, 400), max_size=30))
def test_no_turn_of_the_wheel_is_lost_in_steps(turns: list[int]) -> None:
    n = len(turns)
    column = in_time(
        rows.table(
            n,
            {
                "kind": [int(Kind.WHEEL)] * n,
                "t_us": list(range(n)),
                "scroll_y_css_px": turns,
            },
        )
    )
    up = notches(column, 100)[1]
    assert abs(up.sum() + sum(turns) / 100) <= 0.5


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(list(KeyClass)), st.integers(0, 0x110000 + 20))
def test_a_code_is_one_of_windows_and_says_a_letter_only_of_a_letter(
    key_class: KeyClass, symbol: int
) -> None:
    code = owamcap.code_of(key_class, symbol)
    assert 0 < code < 256
    assert opencua.name_of(key_class, symbol)
    hidden = owamcap.code_of(key_class, 0)
    assert not 0x30 <= hidden <= 0x39
    assert not 0x41 <= hidden <= 0x5A


def test_a_folder_that_is_there_and_an_export_that_breaks_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="already"):
        exports.write("opencua", tmp_path, ABOUT, [])
    with pytest.raises(InvalidInput, match="not known"):
        exports.write("csv", tmp_path / "x", ABOUT, [])

    def breaks() -> Iterator[Leaving]:
        yield leaving("person-0001", "train", "synthetic", [rows.table(1, {})], with_keys=False)
        raise OSError("full")

    for form in FORMS:
        with pytest.raises(OSError, match="full"):
            exports.write(form, tmp_path / form, ABOUT, breaks())
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Nine synthetic people, and a living one."""
    made = new_store(tmp_path_factory.mktemp("release") / "data")
    population.fill(made, STUDY, 9, seed=5, minutes=0.1)
    yield made
    made.close()


def test_living_people_do_not_leave_and_ten_others_may(store: Store, tmp_path: Path) -> None:
    _, person = join(store)
    upload(store, person, sessions(count=1))

    def leave(folder: str, **more: Any) -> exports.Counted:
        purpose = more.pop("purpose", "next-action")
        return release.data(
            store, STUDY, purpose, "huggingface", tmp_path / folder, "test", _silent, **more
        )

    with pytest.raises(TooFew, match="10 imported or synthetic"):
        leave("few")
    assert not (tmp_path / "few").exists()
    population.fill(store, STUDY, 10, seed=5, minutes=0.1)
    for wrong in ({"purpose": "mood"}, {"with_keys": True}):
        with pytest.raises(InvalidInput):
            leave("wrong", **wrong)
    done = leave("out")
    assert done.people >= 10
    left = pa.concat_tables(parquet.read_table(f) for f in (tmp_path / "out").rglob("*.parquet"))
    assert set(left["origin"].to_pylist()) == {"synthetic"}
    assert len(set(left["person"].to_pylist())) == done.people
    mine = [opening.detail for opening in openings_of(store, person.subject)]
    assert not any(detail.get("action") == "release" for detail in mine)
    with pytest.raises(InvalidInput, match="already"):
        leave("out")
    logged = [t.opening.detail for t in history.told(store, STUDY) if t.entry.kind == "release"]
    assert [(d["what"], d["people"]) for d in logged] == [("huggingface", {"synthetic": "10–19"})]


def test_a_person_takes_their_own_in_any_format(store: Store, tmp_path: Path) -> None:
    _, person = join(store)
    recorded = sessions(seed=4, count=1)
    upload(store, person, recorded)
    done = release.own(store, person, "huggingface", tmp_path / "mine")
    assert (done.people, done.events) == (1, recorded[0].num_rows)
    assert openings_of(store, person.subject)[-1].detail["action"] == "export-own"
    with pytest.raises(InvalidInput, match="no key codes"):
        release.own(store, person, "huggingface", tmp_path / "keys", with_keys=True)


def _silent(_what: str, _done: float) -> None: ...


def _read(path: Path) -> tuple[list[tuple[str, int, Any]], list[str], dict[str, int]]:
    """Return messages, header and counts of an MCAP file, read as its specification says."""
    data = path.read_bytes()
    magic = b"\x89MCAP0\r\n"
    assert data.startswith(magic)
    assert data.endswith(magic)
    start, _, crc = struct.unpack("<QQI", data[-28:-8])
    assert zlib.crc32(data[start : -8 - 4]) == crc
    topics: dict[int, str] = {}
    found: list[tuple[str, int, Any]] = []
    header: list[str] = []
    counts: dict[str, int] = {}

    def texts(content: bytes) -> list[str]:
        made, at = [], 0
        while at < len(content):
            size = int.from_bytes(content[at : at + 4], "little")
            made.append(content[at + 4 : at + 4 + size].decode())
            at += 4 + size
        return made

    def walk(part: bytes) -> None:
        at = 0
        while at < len(part):
            code, size = struct.unpack("<BQ", part[at : at + 9])
            content = part[at + 9 : at + 9 + size]
            assert len(content) == size
            if code == 0x01:
                header.extend(texts(content))
            elif code == 0x04:
                length = int.from_bytes(content[4:8], "little")
                topics[int.from_bytes(content[:2], "little")] = content[8 : 8 + length].decode()
            elif code == 0x05:
                topic, _, t_ns, _ = struct.unpack("<HIQQ", content[:22])
                found.append((topics[topic], t_ns, json.loads(content[22:])))
            elif code == 0x06:
                _, _, whole, chunk_crc, name = struct.unpack("<QQQII", content[:32])
                assert name == 0
                assert zlib.crc32(content[40:]) == chunk_crc
                assert whole == len(content) - 40
                walk(content[40:])
            elif code == 0x0B:
                counts["messages"] = int.from_bytes(content[:8], "little")
            at += 9 + size

    walk(data[len(magic) : -len(magic)])
    return found, header, counts
