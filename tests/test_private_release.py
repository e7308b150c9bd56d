"""A private model is attacked before it leaves, and leaves as it is: through the same gate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import onnx_read
from gateway_fixtures import STUDY, join, new_store, sessions, upload
from models_fixtures import person as made_up
from overt.cli import app
from overt.gateway import (
    answering,
    erase,
    history,
    population,
    private_audit,
    private_kept,
    release,
    studies,
)
from overt.gateway.door import Door
from overt.gateway.private_kept import Private
from overt.gateway.private_tasks import task_of
from overt.gateway.privately import train_privately
from overt.models.onnx import pauses as as_onnx
from overt.models.private import pauses
from overt.models.private.rounds import Rounds
from overt.models.stream import stream_of
from overt.schema.errors import InvalidInput, Missing, NotConsented, OvertError, Refused
from overt.schema.study import template
from overt.store.store import Store

PURPOSE = "typing-assist"
HEADER = "PARTICIPANT_ID\tTEST_SECTION_ID\tPRESS_TIME\tRELEASE_TIME\tLETTER\tKEYCODE\n"


def silent(_what: str, _done: float) -> None:
    """Report nothing."""


def imported(store: Store, folder: Path, people: int) -> None:
    """Import people who typed `a` at paces of their own."""
    studies.register(store, template("pub", "Published", "imported").encode())
    folder.mkdir()
    rng = np.random.default_rng(5)
    for number in range(people):
        pace = rng.lognormal(5.2, 0.3)
        down = np.cumsum(rng.lognormal(np.log(pace), 0.4, 30)).astype(int)
        rows = [f"{number}\t1\t{ms}\t{ms + 60}\ta\t65\n" for ms in down]
        (folder / f"{number}_keystrokes.txt").write_text(HEADER + "".join(rows))
    population.import_people(store, "pub", "aalto", folder)


def kept(store: Store, study: str, attacks: tuple[dict[str, Any], ...] = ()) -> Private:
    """Keep a model as if it had been trained on everybody of a study."""
    weights = pauses.start() + np.random.default_rng(1).normal(0, 0.1, pauses.SIZE)
    selected = Door(store, "test", "trainer").select(study, PURPOSE, "train")
    made = Private(
        study,
        PURPOSE,
        task_of("pause"),
        weights.astype("<f4").astype(np.float64),
        Rounds(noise_multiplier=5.0),
        100,
        {one.subject: tuple(sorted(p.row for p in one.places)) for one in selected},
        {"card": "card/1", "attacks": list(attacks)},
    )
    private_kept.keep(store, made)
    return made


def attack(high: float) -> dict[str, Any]:
    """Return an attack as a card has it, with one test."""
    rate = {"value": 0.01, "low": 0.0, "high": high}
    row = {"access": "weights", "of": "halves", "attack": "RMIA", "auc": rate}
    return {
        "suite": "membership/1",
        "people": "100–199",
        "models": 16,
        "threats": {},
        "rows": [{**row, "true_rates": {"0.01": rate}}],
        "left_out": [],
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    root = tmp_path_factory.mktemp("private")
    made = new_store(root / "data", people=12)
    imported(made, root / "published", 12)
    yield made
    made.close()


def same(run: Any, weights: Any) -> None:
    """Compare what a file computes with what `pauses.mixture` does, over people."""
    for number in range(4):
        known = pauses.seen(stream_of(made_up(number).sessions))
        found = run({"inputs": known.inputs, "place": known.place, "own": known.own.astype("<f4")})
        wanted = pauses.mixture(weights, known)
        assert found["weight"] == pytest.approx(wanted[0], rel=1e-5, abs=1e-6)
        assert found["mean"] == pytest.approx(wanted[1], rel=1e-5, abs=1e-6)
        assert np.broadcast_to(found["sigma"], wanted[2].shape) == pytest.approx(
            wanted[2], rel=1e-5
        )


def test_what_imported_people_taught_privately_leaves_after_an_attack_in_the_bound(
    store: Store,
) -> None:
    with pytest.raises(Missing, match="no private model yet"):
        release.private_onnx(store, "pub", PURPOSE, "test")
    kept(store, "pub")
    with pytest.raises(Refused, match="No membership attack") as refused:
        release.private_onnx(store, "pub", PURPOSE, "test")
    assert "--private" in str(refused.value.do)
    kept(store, "pub", (attack(0.021),))
    with pytest.raises(Refused, match="the bound is 2%"):
        release.private_onnx(store, "pub", PURPOSE, "test")
    made = kept(store, "pub", (attack(0.02),))
    handed = release.private_onnx(store, "pub", PURPOSE, "test")
    read = onnx_read.read(handed.data)
    assert read.facts["sha256"] == handed.sha256 == made.sha256()
    assert json.loads(read.facts["card"])["attacks"] == [attack(0.02)]
    assert len(json.loads(read.facts["inputs"])) == pauses.INPUTS
    assert len(json.loads(read.facts["place"])) == pauses.PLACES
    same(lambda given: onnx_read.run(read, given), made.weights)
    told = [one for one in history.told(store, "pub") if one.entry.kind == "release"]
    assert [one.opening.detail["weights_sha256"] for one in told] == [made.sha256()]


def test_nobody_is_behind_synthetic_people_and_no_living_person_s_model_leaves(
    store: Store,
) -> None:
    made = kept(store, STUDY)
    assert release.private_onnx(store, STUDY, PURPOSE, "test").sha256 == made.sha256()
    _, person = join(store)
    upload(store, person, sessions(count=1))
    kept(store, STUDY, (attack(0.0),))
    with pytest.raises(NotConsented, match="living people"):
        release.private_onnx(store, STUDY, PURPOSE, "test")
    erase.begin(store, person)
    with pytest.raises(OvertError, match=r"has left|no private model"):
        release.private_onnx(store, STUDY, PURPOSE, "test")
    with pytest.raises(InvalidInput, match="typing-assist, text-assist"):
        release.private_onnx(store, STUDY, "next-action", "test")


def test_a_private_model_answers_where_there_is_no_other_until_somebody_left(
    tmp_path: Path,
) -> None:
    question = {"presses": [{"key": "letter", "down_ms": 0, "up_ms": 80}], "next": "space"}
    with new_store(tmp_path / "data") as store:
        _, person = join(store)
        upload(store, person, sessions(count=1))
        card = {"privacy": {"epsilon": 0.99}}
        made = replace(kept(store, STUDY), card=card)
        private_kept.keep(store, made)
        asker = answering.asker(store, STUDY, "pause")
        assert "ε 0.99 a person" in asker.taught_by
        assert len(asker.answer(question)["mixture"]) == pauses.STATES
        erase.begin(store, person)
        with pytest.raises(Missing):
            asker.answer(question)


@pytest.mark.soak
def test_onnxruntime_computes_the_same_pauses() -> None:
    runtime, library = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    weights = pauses.start() + np.random.default_rng(1).normal(0, 0.1, pauses.SIZE)
    data = as_onnx.onnx(weights, "", {}, "0.1.0")
    library.checker.check_model(library.load_from_string(data), full_check=True)
    session = runtime.InferenceSession(data)
    names = [output.name for output in session.get_outputs()]
    same(lambda given: dict(zip(names, session.run(None, given), strict=True)), weights)


@pytest.mark.soak
def test_from_import_to_a_file_with_what_the_attack_found_inside(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data", create=True) as store:
        imported(store, tmp_path / "published", 140)
        trained = train_privately(store, "pub", 1.0)
        done = private_audit.audit(store, "pub", PURPOSE, "test", silent, models=16)
        after = private_kept.standing(store, "pub", PURPOSE)
        assert after.sha256() == trained["model"]["sha256"]
        assert after.card == {**trained, "attacks": after.card["attacks"]}
        (attacked,) = after.card["attacks"]
        assert (attacked["people"], attacked["models"], attacked["shards"]) == ("100–199", 16, 1)
        assert {row["of"] for row in attacked["rows"]} == {"halves", "itself"}
        (told,) = (t for t in history.told(store, "pub") if t.entry.kind == "audit")
        assert told.opening.detail["weights_sha256"] == after.sha256()
        # Noise is drawn anew each time: what is found may lie on either side of the bound.
        if done.verdict:
            with pytest.raises(Refused, match="the bound is 2%"):
                release.private_onnx(store, "pub", PURPOSE, "test")
            private_kept.keep(store, replace(after, card={**after.card, "attacks": [attack(0.0)]}))
    out = tmp_path / "pauses.onnx"
    named = ["--study", "pub", "--purpose", PURPOSE, "--private"]
    named += ["--data-dir", str(tmp_path / "data")]
    run = CliRunner().invoke(app, ["model", "export", str(out), *named])
    assert run.exit_code == 0, run.output
    assert json.loads(onnx_read.read(out.read_bytes()).facts["card"])["attacks"]
    card = CliRunner().invoke(app, ["model", "card", *named])
    assert "Attacked by membership/1" in card.output
    assert "a person" in card.output
