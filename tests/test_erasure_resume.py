"""An erasure that is killed at every step ends as one that was not, and forgets as much."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway_fixtures import STUDY, TINY, join, new_store, sessions, upload
from overt.gateway import enrol, erase, model, train
from overt.gateway.erasure import STEPS, TITLES, unfinished
from overt.gateway.ledger import log_of
from overt.log.verify import verify
from overt.schema.errors import Withdrawn
from overt.store.append import Outcome
from overt.store.scan import Traces, scan, traces_of
from overt.store.store import Store

STAGES = [
    *(TITLES[name] for name in STEPS["person"][:7]),
    f"{TITLES['derived']}: shards that knew the person are gone",
    f"{TITLES['derived']}: judging on people it has not seen",
    *(TITLES[name] for name in STEPS["person"][7:]),
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A data directory with a trained model that a live person is in; closed, to be copied."""
    root = tmp_path_factory.mktemp("prepared") / "data"
    with new_store(root, people=3) as store:
        joined, person = join(store)
        recorded = sessions()
        assert set(upload(store, person, recorded)) == {Outcome.STORED}
        before = train.train(store, STUDY, "next-action", config=TINY)
        traces = traces_of(store, person.subject)
    return {
        "root": root,
        "joined": joined,
        "person": person,
        "recorded": recorded,
        "traces": traces,
        "before": before["model"]["sha256"],
    }


def _copy(prepared: dict[str, Any], to: Path) -> Path:
    shutil.copytree(prepared["root"], to)
    return to


@pytest.fixture
def mortal() -> Iterator[Callable[[Path, str, str | None], None]]:
    """Give what runs an erasure in a process of its own and kills it when it stands at a stage."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "erasure_child.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:

        def erase_until(root: Path, stage: str, code: str | None) -> None:
            assert parent.stdin is not None
            assert parent.stdout is not None
            parent.stdin.write(json.dumps([str(root), stage, code]) + "\n")
            parent.stdin.flush()
            process = int(parent.stdout.readline())
            assert process, f"did not come to: {stage}"
            os.kill(process, signal.SIGKILL)

        yield erase_until


def _end_state(store: Store) -> dict[str, Any]:
    """What must be the same however an erasure went: certificate, rows, keys, model, log."""
    ((_, step, facts),) = store.erasures()
    certificate = {
        name: value
        for name, value in facts["certificate"].items()
        if name not in ("job", "signature")
    }
    kinds = [entry.kind for entry in log_of(store).entries()]
    kept = model.newest(store, STUDY, "next-action")
    assert kept is not None
    return {
        "step": step,
        "certificate": certificate,
        "stored": store.control.stored_in_study(STUDY),
        "subjects": store.subjects(STUDY),
        "keys": sorted(key.row for key in store.keyring.data_keys()),
        "model": kept.card["model"]["sha256"],
        "models": len(store.artefacts.filed(STUDY)),
        "withdrawals": kinds.count("withdrawal"),
        "erasures": kinds.count("erasure"),
    }


def _assert_forgotten(store: Store, prepared: dict[str, Any]) -> None:
    root = store.layout.root
    assert scan(root, prepared["traces"], store) == []
    with pytest.raises(Withdrawn):
        enrol.by_token(store, prepared["joined"].token)
    again = upload(store, prepared["person"], prepared["recorded"])
    assert set(again) == {Outcome.WITHDRAWN}
    assert store.is_gone(prepared["person"].receipt)


@pytest.mark.parametrize(
    "stages",
    [
        pytest.param((STAGES[0], *STAGES[3::4]), id="some"),
        pytest.param(STAGES, id="all", marks=pytest.mark.soak),
    ],
)
def test_killed_at_any_step_it_ends_like_one_that_was_not(
    prepared: dict[str, Any],
    mortal: Callable[[Path, str, str | None], None],
    tmp_path: Path,
    stages: Sequence[str],
) -> None:
    whole, broken = _copy(prepared, tmp_path / "whole"), _copy(prepared, tmp_path / "broken")
    code = prepared["joined"].receipt["recovery_code"]
    with Store.open(whole) as store:
        assert scan(whole, prepared["traces"], store), "the scan must find what is still there"
        job = erase.begin(store, enrol.by_recovery(store, code))
        erase.finish(store, job)
        expected = _end_state(store)
        _assert_forgotten(store, prepared)
    for stage in stages:
        mortal(broken, stage, code if stage == STAGES[0] else None)
    with Store.open(broken) as store:
        assert len(unfinished(store)) == 1
        erase.resume_erasures(store)
        assert unfinished(store) == []
        assert _end_state(store) == expected
        _assert_forgotten(store, prepared)
        status = erase.status(store, store.erasures()[0][0])
    certificate = expected["certificate"]
    assert certificate["bytes_found"] == 0
    assert certificate["model_equals_never_seen"]
    (judged,) = certificate["models"]
    assert judged["was_in_it"]
    assert judged["sha256_before"] == prepared["before"] != judged["sha256_after"]
    assert judged["sha256_after"] == judged["sha256_never_met"] == expected["model"]
    assert verify(status["bundle"], prepared["joined"].receipt).ok


def test_keys_are_gone_when_begin_returns(prepared: dict[str, Any], tmp_path: Path) -> None:
    with Store.open(_copy(prepared, tmp_path / "data")) as store:
        subject = prepared["person"].subject
        before = store.keyring.data_keys(subject)
        sealed = [
            store.segments.read(place.segment, place.offset, place.length).sealed
            for place in store.batches_of(subject)
        ]
        erase.begin(store, prepared["person"])
        assert before
        assert sealed
        at_rest = b"".join(path.read_bytes() for path in store.layout.segments.iterdir())
        assert not any(row[:32] in at_rest for row in sealed)
        assert store.keyring.subject(subject) is None
        left = {key.row for key in store.keyring.data_keys()}
        assert not left & {key.row for key in before}
        assert store.batches_of(subject) == []


def test_the_note_for_the_scan_cannot_open_anything(
    prepared: dict[str, Any], tmp_path: Path
) -> None:
    with Store.open(_copy(prepared, tmp_path / "data")) as store:
        keys = [key.key for key in store.keyring.data_keys(prepared["person"].subject)]
        erase.begin(store, prepared["person"])
        ((_, _, facts),) = store.erasures()
        noted = str(facts)
        assert facts["needles"]
        for key in keys:
            assert base64.b64encode(key).decode() not in noted


def test_a_person_whose_erasure_is_under_way_is_not_learned_from(
    prepared: dict[str, Any], tmp_path: Path
) -> None:
    with Store.open(_copy(prepared, tmp_path / "data")) as store:
        erase.begin(store, prepared["person"])
        card = train.train(store, STUDY, "next-action", config=TINY)
        assert "live" not in card["people"]["origins"]


def test_a_scan_that_finds_nothing_finds_what_is_planted(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with new_store(root) as store:
        _, person = join(store)
        upload(store, person, sessions(count=1))
        traces: Traces = traces_of(store, person.subject)
        certificate = erase.finish(store, erase.begin(store, person))
        assert certificate["bytes_found"] == 0
        assert scan(root, traces, store) == []
        (root / "left-over.bin").write_bytes(b"junk" + traces.needles["pseudonym"] + b"junk")
        assert {finding.path for finding in scan(root, traces, store)} == {"left-over.bin"}


def test_a_certificate_owns_up_to_what_was_found(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with new_store(root) as store:
        _, person = join(store)
        upload(store, person, sessions(count=1))
        traces = traces_of(store, person.subject)
        (root / "left-over.bin").write_bytes(traces.needles["wrapped key 0"])
        certificate = erase.finish(store, erase.begin(store, person))
        assert certificate["bytes_found"] == 1
        assert certificate["found"] == ["left-over.bin: wrapped key 0"]
