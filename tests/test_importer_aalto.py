from __future__ import annotations

import csv
import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_fixtures import AALTO, needs_aalto
from overt.datasets import importers
from overt.datasets.formats import aalto
from overt.datasets.reading import files, keycodes
from overt.datasets.reading.imported import Progress, Skipped
from overt.features.presses import presses_of
from overt.schema.batch import from_events
from overt.schema.errors import InvalidInput, Missing
from overt.schema.event import SYMBOL_NAMED_BASE, Edit, KeyClass, Kind, Modifier

NAMES = ["PARTICIPANT_ID", "TEST_SECTION_ID", "SENTENCE", "USER_INPUT", "KEYSTROKE_ID"]
NAMES += ["PRESS_TIME", "RELEASE_TIME", "LETTER", "KEYCODE"]
T0 = 1_471_948_497_000
# press, release, letter, code: lines in order of release; e before its shift, a 0 ms hold, a tie.
KEYS = [
    (T0 + 90, T0 + 200, "H", "72"),
    (T0, T0 + 210, "SHIFT", "16"),
    (T0 + 300, T0 + 390, "é", "69"),
    (T0 + 390, T0 + 390, '"', "222"),
    (T0 + 600, T0 + 660, "", "65"),
    (T0 + 800, T0 + 880, "BKSP", "8"),
    (T0 + 1000, T0 + 1100, "\x01", "32"),
]
Line = list[str]


def lines(person: str = "7", section: str = "100") -> list[Line]:
    return [
        [person, section, 'A "prompt".', "Hé", str(n), str(press), str(release), letter, code]
        for n, (press, release, letter, code) in enumerate(KEYS)
    ]


def written(rows: list[Line], names: list[str] = NAMES, end: str = "\n") -> bytes:
    return "".join("\t".join(row) + end for row in [names, *rows]).encode()


def people(tmp_path: Path, data: bytes, skipped: Skipped | None = None) -> list[pa.Table]:
    file = tmp_path / "7_keystrokes.txt"
    file.write_bytes(data)
    return [s for p in aalto.read(file, skipped=skipped) for s in p.sessions]


def test_presses_become_key_and_edit_events_in_order_of_time(tmp_path: Path) -> None:
    (events,) = people(tmp_path, written(lines()))
    made = events.to_pylist()
    kinds = [Kind(e["kind"]) for e in made]
    assert kinds.count(Kind.KEY_DOWN) == kinds.count(Kind.KEY_UP) == 7
    assert [e["seq"] for e in made] == list(range(len(made)))
    assert [e["t_us"] for e in made] == sorted(e["t_us"] for e in made)
    downs = [e for e in made if e["kind"] == Kind.KEY_DOWN]
    assert [KeyClass(e["key_class"]).name for e in downs] == (
        ["SHIFT", "LETTER", "LETTER", "PUNCTUATION", "LETTER", "BACKSPACE", "SPACE"]
    )
    assert [e["key_symbol"] for e in downs] == [
        SYMBOL_NAMED_BASE + KeyClass.SHIFT,
        *map(ord, 'Hé"a'),
        SYMBOL_NAMED_BASE + KeyClass.BACKSPACE,
        ord(" "),
    ]
    assert [e["modifiers"] for e in downs] == [Modifier.SHIFT, Modifier.SHIFT, 0, 0, 0, 0, 0]
    assert [e["slot"] for e in downs] == [1, 2, 1, 1, 1, 1, 1]
    edits = [(Edit(e["edit"]).name, e["edit_chars"]) for e in made if e["kind"] == Kind.EDIT]
    assert edits == [*[("INSERT_TEXT", 1)] * 4, ("DELETE_CHAR_BACKWARD", 1), ("INSERT_TEXT", 1)]
    presses = presses_of(events)
    assert presses.hold_us.tolist() == [h * 1000 for h in (210, 110, 90, 0, 60, 80, 100)]


def variations() -> dict[str, bytes]:
    rows = lines()
    order = [8, 7, 6, 5, 4, 3, 2, 1, 0]
    quoted = io.StringIO()
    csv.writer(quoted, delimiter="\t", quoting=csv.QUOTE_ALL).writerows([NAMES, *rows])
    minimal = io.StringIO()
    csv.writer(minimal, delimiter="\t", lineterminator="\n").writerows([NAMES, *rows])
    floats = [[*r[:5], f"{r[5]}.0", f"{float(r[6]):.15e}", *r[7:]] for r in rows]
    lower = [name.lower() for name in NAMES]
    return {
        "other order": written([[r[i] for i in order] for r in rows], [NAMES[i] for i in order]),
        "further columns": written([["x", *r, "y"] for r in rows], ["A", *NAMES, "B"]),
        "crlf": written(rows, end="\r\n"),
        "byte order mark": b"\xef\xbb\xbf" + written(rows),
        "blank lines": b"\n\n" + written(rows).replace(b"\n", b"\n\n") + b"\n",
        "no newline at the end": written(rows)[:-1],
        "decimal and exponent times": written(floats),
        "latin-1": written(rows).decode().encode("latin-1"),
        "all quoted": quoted.getvalue().encode(),
        "quoted where needed": minimal.getvalue().encode(),
        "trailing tabs": written([[*r, ""] for r in rows]),
        "lower case names": written(rows, lower),
        "key code as decimal": written([[*r[:8], f"{r[8]}.0"] for r in rows]),
    }


@pytest.mark.parametrize("name", variations())
def test_layouts_that_differ_a_little_give_the_same_events(tmp_path: Path, name: str) -> None:
    (plain,) = people(tmp_path, written(lines()))
    (events,) = people(tmp_path, variations()[name])
    assert events.equals(plain)


def test_without_key_codes_letters_suffice_and_the_other_way_round(tmp_path: Path) -> None:
    for column in (7, 8):
        names = [n for i, n in enumerate(NAMES) if i != column]
        rows = [[v for i, v in enumerate(r) if i != column] for r in lines()]
        (events,) = people(tmp_path, written(rows, names))
        classes = presses_of(events).key_class.tolist()
        assert classes[0] == KeyClass.SHIFT
        assert classes[5] == KeyClass.BACKSPACE


BROKEN = {
    "a press that is no number": (5, "14719 secret", "line 4, column 6 (PRESS_TIME)"),
    "a release that is missing": (6, "", "line 4, column 7 (RELEASE_TIME)"),
    "a press that is not finite": (5, "nan", "line 4, column 6 (PRESS_TIME)"),
    "a press before 1970": (5, "-4", "line 4, column 6 (PRESS_TIME)"),
    "a key code that is a word": (8, "secret", "line 4, column 9 (KEYCODE)"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_bad_value_is_named_by_line_and_column_and_never_repeated(
    tmp_path: Path, name: str
) -> None:
    column, value, where = BROKEN[name]
    rows = lines()
    rows[2][column] = value
    with pytest.raises(InvalidInput) as caught:
        people(tmp_path, written(rows))
    assert where in caught.value.where
    assert "secret" not in str(caught.value)
    assert "prompt" not in str(caught.value)
    skipped = Skipped()
    (events,) = people(tmp_path, written(rows), skipped)
    assert len(presses_of(events)) == 6
    assert sum(skipped.rows.values()) == 1


def test_a_line_cut_short_is_named_or_counted(tmp_path: Path) -> None:
    data = written([*lines(), ["7", "100", "A"]])
    with pytest.raises(InvalidInput, match="line 9"):
        people(tmp_path, data)
    skipped = Skipped()
    (events,) = people(tmp_path, data, skipped)
    assert len(presses_of(events)) == 7
    assert sum(skipped.rows.values()) == 1


@pytest.mark.parametrize("data", [b"", b"\n", b"PARTICIPANT_ID\tLETTER\n7\ta\n", b"\x00\xff\xfe"])
def test_a_file_of_another_kind_is_refused_or_counted(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        people(tmp_path, data)
    skipped = Skipped()
    assert people(tmp_path, data, skipped) == []
    assert sum(skipped.files.values()) == 1


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 30))
def test_damaged_files_are_refused_and_never_crash(noise: bytes, at: int, cut: int) -> None:
    data = written(lines())
    broken = data[:at] + noise + data[at + cut :]
    for skipped in (None, Skipped()):
        try:
            made = list(aalto._people_in(broken, "x", skipped))
        except InvalidInput:
            continue
        for _participant, person in made:
            for events in person.sessions:
                from_events(events)


def test_sentences_are_sessions_in_order_of_time_and_people_are_apart(tmp_path: Path) -> None:
    later = [[*r[:5], str(int(r[5]) + 60_000), str(int(r[6]) + 60_000), *r[7:]] for r in lines()]
    for row in later:
        row[1] = "101"
    other = lines(person="8")
    (tmp_path / "7_keystrokes.txt").write_bytes(written([*later, *other, *lines()]))
    found = list(aalto.read(tmp_path))
    assert [len(p.sessions) for p in found] == [2, 1]
    assert found[0].sessions[0].equals(found[0].sessions[1])


def test_a_release_before_its_press_is_dropped_and_counted(tmp_path: Path) -> None:
    rows = lines()
    rows[0][6] = str(T0 + 80)
    (tmp_path / "7_keystrokes.txt").write_bytes(written(rows))
    (person,) = aalto.read(tmp_path)
    assert (person.presses, person.releases_dropped) == (7, 1)
    assert (presses_of(person.sessions[0]).hold_us < 0).sum() == 1


def test_a_row_that_lies_there_twice_is_one_press(tmp_path: Path) -> None:
    rows = lines()
    once = people(tmp_path, written(rows))
    twice = people(tmp_path, written([row for row in rows for _ in range(2)]))
    assert [one.equals(other) for one, other in zip(once, twice, strict=True)] == [True] * len(once)


def test_a_gap_of_half_an_hour_begins_a_session_so_that_deltas_fit(tmp_path: Path) -> None:
    rows = lines()
    rows[6][5:7] = [str(T0 + 4_000_000), str(T0 + 4_000_100)]
    sessions = people(tmp_path, written(rows[::-1]))
    assert [len(presses_of(s)) for s in sessions] == [6, 1]
    for events in sessions:
        from_events(events)


def packed(tmp_path: Path, count: int) -> Path:
    path = tmp_path / "set.tar.zst"
    with (
        pa.CompressedOutputStream(str(path), "zstd") as stream,
        tarfile.open(fileobj=stream, mode="w|") as archive,
    ):
        for number in range(count):
            data = written(lines(person=str(number)))
            member = tarfile.TarInfo(f"some/folder/{number}_keystrokes.txt")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        archive.addfile(tarfile.TarInfo("some/README.md"))
    return path


def test_archive_directory_and_file_give_the_same_and_report_progress(tmp_path: Path) -> None:
    archive = packed(tmp_path, 3)
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}_keystrokes.txt").write_bytes(written(lines(person=str(number))))
    (folder / "README.md").write_text("nothing")
    seen: list[Progress] = []
    from_archive = list(aalto.read(archive, progress=seen.append))
    from_folder = list(importers.importer("aalto").read(folder, progress=seen.append))
    assert [p.sessions[0].equals(from_folder[0].sessions[0]) for p in from_archive] == [True] * 3
    assert [p.people for p in seen] == [1, 2, 3] * 2
    assert seen[-1].people_total == 3
    assert seen[-1].bytes == seen[-1].bytes_total
    assert all(0 < p.bytes <= p.bytes_total for p in seen)


def test_files_packed_one_by_one_and_other_archives_give_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    data = written(lines())
    (folder / "1_keystrokes.txt.gz").write_bytes(gzip.compress(data))
    (folder / "2_KEYSTROKES.TXT").write_bytes(data)
    (folder / "3_keystrokes.txt.zst").write_bytes(pa.compress(data, "zstd", asbytes=True))
    (folder / "1_keystrokes.txt").write_bytes(data)
    for name, mode in (("set.tar.gz", "w:gz"), ("set.tar", "w")):
        with tarfile.open(tmp_path / name, mode) as archive:
            archive.add(folder / "3_keystrokes.txt.zst", "3_keystrokes.txt.zst")
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as packed_by_zip:
        packed_by_zip.mkdir("set")
        packed_by_zip.write(folder / "2_KEYSTROKES.TXT", "set/2_keystrokes.txt")
        packed_by_zip.writestr("__MACOSX/set/._2_keystrokes.txt", b"what a Mac adds")
    alone = list(aalto.read(folder / "1_keystrokes.txt.gz"))
    archives = (tmp_path / f"set.{end}" for end in ("tar.gz", "tar", "zip"))
    for path, count in ((folder, 3), *((archive, 1) for archive in archives)):
        found = list(aalto.read(path))
        assert [one.sessions[0].equals(alone[0].sessions[0]) for one in found] == [True] * count
    (folder / "1_keystrokes.txt.gz").write_bytes(gzip.compress(data)[:-20])
    with pytest.raises(InvalidInput, match="whole packed file"):
        list(aalto.read(folder / "1_keystrokes.txt.gz"))
    whole = (tmp_path / "set.zip").read_bytes()
    (tmp_path / "set.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="not a whole archive"):
        list(aalto.read(tmp_path / "set.zip"))


def test_a_path_with_nothing_in_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Missing):
        list(aalto.read(tmp_path / "none"))
    with pytest.raises(InvalidInput, match="no file"):
        list(aalto.read(tmp_path))
    archive = packed(tmp_path, 3)
    archive.write_bytes(archive.read_bytes()[:60])
    with pytest.raises(InvalidInput, match="whole"):
        list(aalto.read(archive))
    with pytest.raises(InvalidInput, match="format"):
        importers.importer("nothing")


def test_a_file_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FILE_BYTES_MAX", 100)
    with pytest.raises(InvalidInput, match="larger"):
        people(tmp_path, written(lines()))


@given(st.text(max_size=3), st.integers(0, 300))
def test_every_letter_and_code_is_a_key_of_the_schema(letter: str, code: int) -> None:
    key = keycodes.key_of(letter, code)
    assert KeyClass(key.key_class) is not KeyClass.NONE
    assert 0 < key.symbol < 2**31


@needs_aalto
def test_real_people_import_strictly_and_completely() -> None:
    presses = sessions = 0
    for _, person in zip(range(40), aalto.read(AALTO), strict=False):
        sessions += len(person.sessions)
        found = [presses_of(events) for events in person.sessions]
        assert sum(len(p) for p in found) == person.presses
        holds = np.concatenate([p.hold_us for p in found])
        assert (holds < 0).sum() == person.releases_dropped
        presses += person.presses
    assert sessions == 40 * 15
    assert presses > 40 * 500
