"""What every importer promises, whatever the format."""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importer_fixtures import (
    SAMPLES,
    SECRET,
    Files,
    Table,
    chosen,
    mapping_file,
    people,
    written,
)
from overt.commands.importing import _document
from overt.datasets.formats import page
from overt.datasets.importers import IMPORTERS
from overt.datasets.reading.imported import ImportedPerson, Progress, Skipped
from overt.gateway import population, studies
from overt.schema import limits
from overt.schema.batch import from_events, to_events
from overt.schema.errors import InvalidInput, Missing
from overt.schema.event import EVENTS, MARKS, Kind
from overt.schema.purpose import PURPOSES
from overt.schema.study import load_study
from overt.store.store import Store

ALL = sorted(SAMPLES)
CSV = [(name, path) for name in ALL for path in SAMPLES[name].tables]


@pytest.fixture(params=ALL)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def hold_slots(events: pa.Table) -> None:
    """Assert that each release has the slot of a press before it that no other took since."""
    held: set[int] = set()
    for kind, slot, modifiers in zip(
        *(events.column(c).to_pylist() for c in ("kind", "slot", "modifiers")), strict=True
    ):
        if kind == Kind.KEY_DOWN and not modifiers & 16:
            assert slot == 0 or slot not in held
            held.add(slot)
        elif kind == Kind.KEY_UP and slot:
            assert slot in held
            held.remove(slot)


def check(found: list[ImportedPerson], name: str) -> None:
    kinds = chosen(name).kinds
    for person in found:
        for events in person.sessions:
            assert events.schema == EVENTS
            t_us = events.column("t_us").to_numpy()
            assert t_us[0] == 0
            assert (np.diff(t_us) >= 0).all()
            assert events.column("seq").to_pylist() == list(range(events.num_rows))
            assert {Kind(k) for k in events.column("kind").unique().to_pylist()} <= (kinds)
            hold_slots(events)
            anchor, rows = from_events(events.slice(0, limits.BATCH_ROWS_MAX))
            header = type("Header", (), anchor)
            back = to_events(header, rows)  # type: ignore[arg-type]
            assert back.equals(events.slice(0, limits.BATCH_ROWS_MAX))


def test_every_format_has_a_sample_here() -> None:
    assert set(SAMPLES) == set(IMPORTERS)


def test_events_are_in_order_and_survive_the_wire(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    found = people(name, written(tmp_path, sample.files()))
    assert len(found) == sample.people
    assert sum(len(person.sessions) for person in found) == sample.sessions
    check(found, name)
    made = {
        Kind(k)
        for person in found
        for events in person.sessions
        for k in events.column("kind").unique().to_pylist()
    }
    assert made == chosen(name).kinds, "the sample shows every kind the registry names"


def packed(path: Path, files: Files) -> Path:
    with (
        pa.CompressedOutputStream(str(path), "zstd") as stream,
        tarfile.open(fileobj=stream, mode="w|") as archive,
    ):
        for name, data in files.items():
            member = tarfile.TarInfo(f"./another/folder/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_archive_directory_and_directory_of_archives_give_the_same(
    name: str, tmp_path: Path
) -> None:
    files = SAMPLES[name].files()
    folder = written(tmp_path / "folder", files)
    only_archive = tmp_path / "packed"
    only_archive.mkdir()
    archive = packed(only_archive / "set.tar.zst", files)
    seen: list[Progress] = []
    plain = [p.sessions for p in chosen(name).read(folder, progress=seen.append)]
    assert seen
    assert seen[-1].bytes == seen[-1].bytes_total
    for path in (archive, only_archive):
        found = [person.sessions for person in people(name, path)]
        assert len(found) == len(plain)
        for one, other in zip(found, plain, strict=True):
            assert [a.equals(b) for a, b in zip(one, other, strict=True)] == [True] * len(one)


def test_a_path_that_holds_nothing_of_the_format_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Missing):
        people(name, tmp_path / "nowhere")
    (tmp_path / "README.txt").write_text("nothing here")
    with pytest.raises(InvalidInput, match="holds no"):
        people(name, tmp_path)


DAMAGE: dict[str, Any] = {
    "empty": lambda data: b"",
    "blank": lambda data: b"\n \n",
    "garbage": lambda data: bytes(range(256)) * 3,
    "zeros": lambda data: bytes(500),
    "half": lambda data: data[: len(data) // 2],
    "all but the end": lambda data: data[:-3],
    "a byte short of a header": lambda data: data[:7],
    "twice": lambda data: data + data,
    "text for numbers": lambda data: data.replace(b"0", SECRET.encode()),
    "a bracket more": lambda data: data.replace(b",", b",[", 7),
    "json of another shape": lambda data: b'{"events": 3, "a": [1, {}]}',
    "json lines of another shape": lambda data: b'3\n"text"\n[]\n{}\n',
    "deep": lambda data: b"[" * 5000,
}


def tried(name: str, path: Path) -> None:
    for skipped in (None, Skipped()):
        try:
            found = people(name, path, skipped)
        except InvalidInput as error:
            refused = error
        else:
            check(found, name)
            continue
        assert SECRET not in str(refused)
        assert refused.where


def test_a_damaged_file_is_refused_with_its_place_or_counted(name: str, tmp_path: Path) -> None:
    files = SAMPLES[name].files()
    written(tmp_path, files)
    for path in list(files)[-3:]:
        for damage in DAMAGE.values():
            written(tmp_path, {path: damage(files[path])})
            tried(name, tmp_path)
        written(tmp_path, {path: files[path]})


@settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_noise_in_a_file_never_crashes_an_importer(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    files = SAMPLES[name].files()
    path = data.draw(st.sampled_from(sorted(files)))
    whole = files[path]
    at = data.draw(st.integers(0, len(whole)))
    cut = data.draw(st.integers(0, 20))
    noise = data.draw(
        st.binary(max_size=12)
        | st.sampled_from([b"1e400", b"-1", b"null", b"99999999999999999999", b"nan", b'"'])
    )
    written(tmp_path, {**files, path: whole[:at] + noise + whole[at + cut :]})
    tried(name, tmp_path)


def variations(table: Table) -> dict[str, bytes]:
    order = list(reversed(range(len(table.header))))
    quoted = io.StringIO()
    csv.writer(quoted, quoting=csv.QUOTE_ALL).writerows([table.header, *table.rows])
    _, _, body = table.csv().partition(b"\n")
    mixed = ",".join(f'"{n}"' for n in table.header).encode() + b"\n" + body
    turned = Table([table.header[i] for i in order], [[r[i] for i in order] for r in table.rows])
    more = Table(["A", *table.header, "B"], [["x", *r, "y, z"] for r in table.rows])
    plain = table.csv()
    return {
        "other order": turned.csv(),
        "further columns": more.csv(),
        "tabs": table.csv("\t"),
        "semicolons": table.csv(";"),
        "crlf": table.csv(end="\r\n"),
        "byte order mark": b"\xef\xbb\xbf" + plain,
        "utf-16": plain.decode().encode("utf-16"),
        "blank lines": b"\n\n" + plain.replace(b"\n", b"\n\n"),
        "lines of spaces": plain.replace(b"\n", b"\n  \n"),
        "no newline at the end": plain[:-1],
        "all quoted": quoted.getvalue().encode(),
        "quoted names": mixed,
        "upper-case names": Table([n.upper() for n in table.header], table.rows).csv(),
        "spaces around names": Table([f" {n} " for n in table.header], table.rows).csv(),
        "separators at the end": plain.replace(b"\n", b",\n"),
        "separators at the end of rows": Table(table.header, [[*r, ""] for r in table.rows]).csv(),
        "spaces before values": Table(
            table.header, [[f" {v}" for v in r] for r in table.rows]
        ).csv(),
        "latin-1": Table([*table.header, "é"], [[*r, "ü"] for r in table.rows])
        .csv()
        .decode()
        .encode("latin-1"),
    }


@pytest.mark.parametrize(("name", "path"), CSV)
def test_csv_that_differs_a_little_gives_the_same_events(
    name: str, path: str, tmp_path: Path
) -> None:
    sample = SAMPLES[name]
    plain = people(name, written(tmp_path / "plain", sample.files()))
    for title, data in variations(sample.tables[path]).items():
        found = people(name, written(tmp_path / "plain", {path: data}))
        assert len(found) == len(plain), title
        for one, other in zip(found, plain, strict=True):
            for a, b in zip(one.sessions, other.sessions, strict=True):
                assert a.equals(b), title


@pytest.mark.parametrize(("name", "path"), CSV)
def test_a_line_cut_short_is_named_by_its_line_or_counted(
    name: str, path: str, tmp_path: Path
) -> None:
    sample = SAMPLES[name]
    table = sample.tables[path]
    broken = Table(table.header, [*table.rows, table.rows[0][:2]])
    folder = written(tmp_path, {**sample.files(), path: broken.csv()})
    with pytest.raises(InvalidInput) as caught:
        people(name, folder)
    assert f"line {len(table.rows) + 2}" in caught.value.where
    skipped = Skipped()
    assert len(people(name, folder, skipped)) == sample.people
    assert skipped.rows == {"another number of fields than the header": 1}


def test_the_study_of_a_format_names_purposes_that_need_all_it_holds(name: str) -> None:
    importer = chosen(name)
    study = load_study(_document("s", importer, source="", licence="", lawful_basis=""))
    assert set(study.purposes) == set(importer.purposes)
    assert study.level == importer.level
    served = set[Kind]().union(*(PURPOSES[p].kinds for p in importer.purposes))
    assert importer.kinds <= served | MARKS
    assert all(PURPOSES[p].kinds & importer.kinds for p in importer.purposes)


def test_what_is_imported_is_stored_and_decodes(name: str, tmp_path: Path) -> None:
    importer = chosen(name)
    store = Store.open(tmp_path / "data", create=True)
    studies.register(store, _document("s", importer, source="", licence="", lawful_basis=""))
    folder = written(tmp_path / "set", SAMPLES[name].files())
    done = population.import_people(
        store, "s", name, folder, mapping=mapping_file() if name == "generic" else None
    )
    assert (done.people, done.sessions) == (SAMPLES[name].people, SAMPLES[name].sessions)
    events = sum(e.num_rows for p in people(name, folder) for e in p.sessions)
    assert done.events == events


def test_groups_that_are_full_of_events_lose_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "GROUP_EVENTS", 3)
    store = Store.open(tmp_path / "data", create=True)
    mousetrap = _document("s", chosen("mousetrap"), source="", licence="", lawful_basis="")
    studies.register(store, mousetrap)
    folder = written(tmp_path / "set", SAMPLES["mousetrap"].files())
    assert population.import_people(store, "s", "mousetrap", folder).people == 2


def test_a_study_whose_purposes_need_nothing_of_the_format_is_refused(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "data", create=True)
    aalto = _document("s", IMPORTERS["aalto"], source="", licence="", lawful_basis="")
    studies.register(store, aalto)
    folder = written(tmp_path / "set", SAMPLES["mousetrap"].files())
    with pytest.raises(InvalidInput, match="purpose"):
        population.import_people(store, "s", "mousetrap", folder)


def test_the_page_of_formats_is_made_from_the_registry() -> None:
    assert page.PAGE.read_text("utf-8") == page.page()
