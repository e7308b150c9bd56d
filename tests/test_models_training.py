"""Promise 9: a shard is a function of its people alone, so leaving it is exact."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from select import select
from socket import socket

import pytest

from models_fixtures import TINY, people
from overt.datasets.tokens import Sequences
from overt.models import process
from overt.models.config import ENCODER_ID, Config
from overt.models.shard import ENVIRONMENT, steps_of
from overt.models.train import (
    Halfway,
    Progress,
    Trained,
    dataset_hash,
    train,
    trained_from,
    weights_hash,
)
from overt.schema.errors import Damaged, InvalidInput

PEOPLE = people(14)
REPORTS: list[Progress] = []


def _leaver() -> Sequences:
    return next(p for p in PEOPLE if p.split == "train" and p.shard == 1)


WITHOUT = [p for p in PEOPLE if p is not _leaver()]


class Killed(process._Loaded):
    """One that ends while it is asked for a fork."""

    def forked(self) -> socket | None:
        connection = super().forked()
        self._process.kill()
        self._process.wait()
        return connection


def test_a_training_goes_on_where_what_had_loaded_torch_was_killed() -> None:
    """Comes first, since the next training loads torch again."""
    process._close()
    killed = Killed()
    process._loaded.append(killed)
    assert train(PEOPLE[:2], TINY, workers=1).shards
    assert process._loaded != [killed]
    assert killed.forked() is None


@pytest.fixture(scope="module")
def whole() -> Trained:
    return train(PEOPLE, TINY, workers=2, progress=REPORTS.append)


@pytest.fixture(scope="module")
def never_met() -> Trained:
    """The model trained from scratch by one process on everyone but the leaver, in other order."""
    return train(WITHOUT[::-1], TINY, workers=1)


def test_leaving_rebuilds_one_shard_and_equals_a_model_that_never_met_the_person(
    whole: Trained, never_met: Trained
) -> None:
    rebuilt = train(WITHOUT, shards={1}, before=whole)
    assert weights_hash(rebuilt) == weights_hash(never_met)
    assert rebuilt.to_bytes() == never_met.to_bytes()
    assert whole.shard_hashes()[0] == never_met.shard_hashes()[0]
    assert whole.shard_hashes()[1] != never_met.shard_hashes()[1]
    assert weights_hash(whole) != weights_hash(never_met)


def test_other_process_order_split_and_silent_people_change_no_bit(whole: Trained) -> None:
    trained_on = [p for p in PEOPLE if p.split == "train"]
    assert len(trained_on) < len(PEOPLE)
    silent = replace(trained_on[0], tag=bytes(32), sessions=())
    again = train([*trained_on[::-1], silent], TINY, workers=1)
    assert again.to_bytes() == whole.to_bytes()


def test_the_hash_of_a_data_set_is_that_of_its_training_people_in_any_order() -> None:
    trained_on = [p for p in PEOPLE if p.split == "train"]
    assert dataset_hash(trained_on) == dataset_hash(PEOPLE[::-1])
    assert dataset_hash(trained_on) != dataset_hash(trained_on[1:])


def test_the_last_person_of_a_shard_takes_the_shard_along(whole: Trained) -> None:
    others = [p for p in PEOPLE if p.shard == 0]
    left = train(others, shards={1}, before=whole)
    assert list(left.shards) == [0]
    assert left.shard_hashes()[0] == whole.shard_hashes()[0]
    assert left.machine == whole.machine


def test_nobody_to_learn_from_gives_a_model_without_shards() -> None:
    nobody = train([], TINY)
    assert nobody.shards == {}
    assert weights_hash(nobody) == weights_hash(trained_from(nobody.to_bytes()))


def test_progress_goes_to_the_end_of_every_shard(whole: Trained) -> None:
    for shard in whole.shards:
        seen = [r for r in REPORTS if r.shard == shard]
        assert seen[-1].done == seen[-1].steps
        assert {r.shards for r in seen} == {len(whole.shards)}


def test_whoever_stops_listening_stops_the_training() -> None:
    fitting: list[int] = []

    def stop(_report: Progress) -> None:
        (loaded,) = process._loaded
        pid = loaded._process.pid
        assert os.getsid(pid) == pid, "Ctrl+C in a terminal is for who asked alone"
        forks = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        fitting.extend(os.pidfd_open(int(fork)) for fork in forks)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(PEOPLE, replace(TINY, steps_min=10**6, epochs_max=10**6), workers=1, progress=stop)
    assert fitting
    for fork in fitting:
        assert select([fork], [], [], 10)[0], "it goes on though nobody listens"
        os.close(fork)


def test_torch_is_loaded_once_for_all_trainings(whole: Trained, never_met: Trained) -> None:
    (loaded,) = process._loaded
    rebuilt = train(PEOPLE, TINY, workers=2)
    assert process._loaded == [loaded]
    assert rebuilt.to_bytes() == whole.to_bytes()


def test_a_model_is_certified_only_under_the_fixed_environment(whole: Trained) -> None:
    assert whole.machine.items() >= ENVIRONMENT.items()
    assert whole.machine["threads"] == "1"
    if whole.machine["capability"] == "AVX2":
        assert whole.certified
    for name in ENVIRONMENT:
        assert not replace(whole, machine={**whole.machine, name: "other"}).certified
    assert not replace(whole, config=replace(TINY, device="cuda")).certified
    assert not replace(whole, machine={**whole.machine, "torch": "2.13.0 | 2.14.0"}).certified


def test_a_model_survives_its_bytes_and_damage_is_seen(whole: Trained) -> None:
    data = whole.to_bytes()
    back = trained_from(data)
    assert weights_hash(back) == weights_hash(whole)
    assert back.config == whole.config
    for damaged in (data[:-9], data + b"\0", data[:40], b"", data.replace(b"OVM1", b"OVM2")):
        with pytest.raises(Damaged):
            trained_from(damaged)
    older = data.replace(ENCODER_ID.encode(), b"encoder/2")
    assert older != data
    with pytest.raises(Damaged, match=f"another kind than {ENCODER_ID}"):
        trained_from(older)
    changed = bytearray(data)
    changed[-6] ^= 1
    assert weights_hash(trained_from(bytes(changed))) != weights_hash(whole)


def test_a_model_is_not_continued_with_another_configuration(whole: Trained) -> None:
    with pytest.raises(InvalidInput):
        train(PEOPLE, replace(TINY, hidden=7), before=whole, shards={1})


def test_passes_over_a_shard_come_from_its_own_size_alone() -> None:
    config = replace(TINY, batch=4, epochs=2, steps_min=10, epochs_max=6)
    assert steps_of(config, 1) == (1, 6)
    assert steps_of(config, 12) == (3, 4)
    assert steps_of(config, 400) == (100, 2)


def test_a_training_that_is_taken_up_ends_as_one_that_was_never_broken_off() -> None:
    config = replace(TINY, epochs=4, epochs_max=4)
    kept: dict[int, list[bytes]] = {0: [], 1: []}
    whole = train(PEOPLE, config, halfway=Halfway(keep=lambda n, data: kept[n].append(data)))
    assert min(map(len, kept.values())) >= 4

    def taken_up(begun: dict[int, bytes], people: list[Sequences], config: Config) -> Trained:
        steps.clear()
        return train(people, config, progress=steps.append, halfway=Halfway(begun))

    steps: list[Progress] = []
    for place in (0, 2, -1):
        begun = {shard: each[place] for shard, each in kept.items()}
        again = taken_up(begun, PEOPLE, config)
        assert again.sha256() == whole.sha256()
        assert again.shard_hashes() == whole.shard_hashes()
    assert not steps, "nothing is left to do after the last pass"
    # Of other people, settings or a shard of another number nothing is taken up.
    nearly = {shard: each[-1] for shard, each in kept.items()}
    assert taken_up(nearly, WITHOUT, config).sha256() == train(WITHOUT, config).sha256()
    assert steps
    other = replace(config, learning_rate=config.learning_rate / 2)
    assert taken_up(nearly, PEOPLE, other).sha256() == train(PEOPLE, other).sha256()
    assert taken_up({0: nearly[1], 1: b"no such bytes"}, PEOPLE, config).sha256() == whole.sha256()
