"""People who are imported again are there once, so that nobody is learned from and judged on."""

from pathlib import Path

import numpy as np
import pytest

from overt.gateway import population, studies
from overt.schema.batch import decode
from overt.schema.errors import InvalidInput
from overt.schema.study import template
from overt.store.store import Store

HEADER = "PARTICIPANT_ID\tTEST_SECTION_ID\tPRESS_TIME\tRELEASE_TIME\tLETTER\tKEYCODE\n"


def _write(folder: Path, person: int) -> Path:
    folder.mkdir(exist_ok=True)
    lines = [f"{person}\t1\t{n * 100 + person}\t{n * 100 + 70}\ta\t65\n" for n in range(12)]
    path = folder / f"{person}_keystrokes.txt"
    path.write_text(HEADER + "".join(lines))
    return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.open(tmp_path / "data", create=True)
    studies.register(made, template("pub", "Published", "imported").encode())
    return made


def test_an_import_that_ended_early_can_be_repeated(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    for person in range(40):
        _write(folder, person)
    broken = folder / "99_keystrokes.txt"
    broken.write_text(HEADER + "99\t1\tnever\t70\ta\t65\n")
    with pytest.raises(InvalidInput):
        population.import_people(store, "pub", "aalto", folder)
    before = len(store.subjects("pub"))
    assert 0 < before < 40
    broken.unlink()
    done = population.import_people(store, "pub", "aalto", folder)
    assert (done.people, done.already_here) == (40 - before, before)
    assert len(store.subjects("pub")) == 40
    again = population.import_people(store, "pub", "aalto", folder)
    assert (again.people, again.already_here) == (0, 40)


def test_the_same_person_twice_in_one_import_is_there_once(store: Store, tmp_path: Path) -> None:
    path = _write(tmp_path / "published", 1)
    path.with_name("1 copy_keystrokes.txt").write_bytes(path.read_bytes())
    done = population.import_people(store, "pub", "aalto", path.parent)
    assert (done.people, done.already_here) == (1, 1)


def test_the_tombstone_of_an_imported_person_refuses_them_too(store: Store, tmp_path: Path) -> None:
    path = _write(tmp_path / "published", 1)
    population.import_people(store, "pub", "aalto", path)
    (subject,) = store.subjects("pub")
    (grant,) = store.control.receipts_of(subject)
    store.bury(subject)
    store.overwrite_rows(subject)
    store.destroy_keys(subject)
    store.delete_control_rows(subject)
    assert population.import_people(store, "pub", "aalto", path).already_here == 1
    assert store.is_gone(grant.receipt)


def test_people_whose_rows_a_crash_kept_out_are_imported_the_next_time(
    store: Store, tmp_path: Path
) -> None:
    path = _write(tmp_path / "published", 1)
    events = population.import_people(store, "pub", "aalto", path).events
    (subject,) = store.subjects("pub")
    store.control.drop_batches([place.row for place in store.batches_of(subject)])
    assert population.import_people(store, "pub", "aalto", path).events == events
    assert store.subjects("pub") == [subject]


@pytest.mark.parametrize("level", ["keys", "rhythm"])
def test_which_key_it_was_is_kept_only_where_the_study_says_so(tmp_path: Path, level: str) -> None:
    with Store.open(tmp_path / "data", create=True) as store:
        document = template("pub", "Published", "imported").replace(
            'level = "rhythm"', f'level = "{level}"'
        )
        studies.register(store, document.encode())
        population.import_people(store, "pub", "aalto", _write(tmp_path / "published", 1))
        (subject,) = store.subjects("pub")
        told = [decode(plain)[1] for _, plain in store.read(store.batches_of(subject))]
    symbols = np.concatenate([rows.column("key_symbol").to_numpy() for rows in told])
    assert len(symbols) > 12
    assert symbols.any() == (level == "keys")
