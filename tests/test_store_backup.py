from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from overt.schema.errors import InvalidInput
from overt.store.backup import tombstones
from overt.store.control import today
from overt.store.store import Store
from store_fixtures import join, new_store

SESSION = "ab" * 16


def test_a_backup_restores_with_the_master_key_and_is_useless_without(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        person = join(store)
        item = person.incoming(SESSION, 0)
        store.append_batches([item])
        art = store.artefacts.put("model", "s", "next-action", "m", b"weights", [person.subject])
        made = store.backup(tmp_path / "elsewhere", days=7)
        assert made.expires == dt.datetime.now(dt.UTC).date() + dt.timedelta(days=7)
        assert store.backups_last_until() == made.expires
        store.bury(person.subject)
    assert not (made.place / "master.key").exists()
    assert {p.stat().st_mode & 0o777 for p in made.place.rglob("*")} <= {0o600, 0o700}
    shutil.copy(tmp_path / "d" / "master.key", made.place / "master.key")
    with Store.open(made.place) as restored:
        assert not restored.is_gone(person.receipt)
        restored.control.put_tombstones(tombstones(tmp_path / "d"))
        assert restored.is_gone(person.receipt), "who left since then is told by a mark"
        assert len(list(restored.read(restored.batches_of(person.subject)))) == 1
        assert restored.artefacts.get(art) == b"weights"


def test_a_backup_past_its_day_is_destroyed_and_one_out_of_reach_is_named(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        join(store)
        near = store.backup(tmp_path / "near", days=3)
        far = store.backup(tmp_path / "far", days=5)
        assert store.expire_backups(day=today() + 3) == []
        assert near.place.is_dir()
        kept = tmp_path / "what a disk keeps of the keyring"
        kept.hardlink_to(near.place / "keyring")
        assert store.expire_backups(day=today() + 4) == []
        assert not near.place.exists()
        assert kept.read_bytes()[:4] != b"OVK1", "its keys are overwritten, not only removed"
        assert store.backups_last_until() == far.expires
        (tmp_path / "far").rename(tmp_path / "unplugged")
        assert [b.place for b in store.expire_backups(day=today() + 9)] == [str(far.place)]
        (tmp_path / "unplugged").rename(tmp_path / "far")
        assert store.expire_backups(day=today() + 9) == []
        assert store.backups_last_until() is None


def test_a_backup_is_not_made_inside_the_data_directory(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        with pytest.raises(InvalidInput):
            store.backup(tmp_path / "d" / "backups")
        assert store.backups_last_until() is None
