"""A training that is broken off is taken up, ends with the same bits, and forgets who leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_fixtures import STUDY, TINY, join, new_store, sessions, upload
from overt.gateway import erase, train
from overt.gateway.halfway import KIND
from overt.store.store import Store

PURPOSE = "next-action"
CONFIG = replace(TINY, epochs=6, epochs_max=6)


class Broken(Exception):
    """Somebody stopped it."""


def broken_off(store: Store) -> int:
    """Train until something is kept, and stop; return how many shards are halfway."""

    def stop(_what: str, _done: float) -> None:
        if store.artefacts.filed(STUDY, KIND):
            raise Broken

    with pytest.raises(Broken):
        train.train(store, STUDY, PURPOSE, config=CONFIG, progress=stop)
    return len(store.artefacts.filed(STUDY, KIND))


def test_it_is_taken_up_and_ends_with_the_same_bits(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        for seed in (1, 2):
            upload(store, join(store)[1], sessions(seed))
        assert broken_off(store) >= 1
        told: list[str] = []
        card = train.train(
            store, STUDY, PURPOSE, config=CONFIG, progress=lambda what, _done: told.append(what)
        )
        assert "taking up what was broken off" in told
        assert not store.artefacts.filed(STUDY, KIND), "it lives no longer than it is needed"
        told.clear()
        again = train.train(
            store, STUDY, PURPOSE, config=CONFIG, progress=lambda what, _done: told.append(what)
        )
        assert "taking up what was broken off" not in told
        assert card["model"]["sha256"] == again["model"]["sha256"]
        assert card["certified"] == again["certified"]


def test_what_is_kept_halfway_goes_with_a_person_in_it(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        _, person = join(store)
        upload(store, person, sessions())
        assert broken_off(store) == 1
        (kept,) = store.artefacts.filed(STUDY, KIND)
        assert store.artefacts.members(kept.row) == [person.subject]
        certificate = erase.finish(store, erase.begin(store, person))
        assert KIND in certificate["reached"]["artefacts_destroyed"]
        assert not store.artefacts.filed(STUDY, KIND)


@pytest.mark.soak
def test_a_killed_training_is_taken_up_by_the_next_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    new_store(data, people=12).close()
    command = [sys.executable, "-m", "overt", "train", "--study", STUDY, "--purpose", PURPOSE]
    command += ["--epochs", "40", "--json", "--data-dir", str(data)]
    hashes = []
    for kills in (2, 0):
        for _kill in range(kills):
            folder = data / "artefacts"
            before = set(folder.glob("*.art"))
            seen = set(before)
            running = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
            # A file is there before it is filed: that of the third, two are for certain.
            while len(seen - before) < 3:
                assert running.poll() is None, "it ended before it could be killed"
                seen |= set(folder.glob("*.art"))
                os.sched_yield()
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        done = subprocess.run(command, capture_output=True, check=True)
        assert (b"broken off" in done.stderr) == bool(kills)
        hashes.append(json.loads(done.stdout)["model"]["sha256"])
    assert hashes[0] == hashes[1]
