"""The study's model of person or program: trained through the door, forgotten bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gateway_fixtures import STUDY, join, new_store, sessions, upload
from overt.gateway import erase, train
from overt.gateway.model import newest
from overt.models.card import markdown
from overt.models.programs import fitted
from overt.models.programs.fitted import Fitted
from overt.models.programs.judged import page
from overt.models.programs.sample import Sample
from overt.schema.errors import Damaged, InvalidInput, TooFew
from overt.schema.event import Kind
from overt.schema.manifest import bucket

PURPOSE = "person-or-program"


def test_a_person_leaves_and_the_model_equals_one_that_never_met_them(tmp_path: Path) -> None:
    with new_store(tmp_path / "data", people=10) as store:
        stranger, person = (join(store)[1] for _ in range(2))
        recorded = sessions(count=2)
        upload(store, person, recorded)
        upload(store, stranger, sessions(seed=7, count=1), minutes_ago=30)
        card = train.train(store, STUDY, PURPOSE)
        before = newest(store, STUDY, PURPOSE)
        assert before is not None
        assert person.subject in before.manifest
        assert card["certified"]
        assert card["model"]["sha256"] == before.trained.sha256()
        assert "AUC" in markdown(card)
        assert card["synthetic"]
        _only_what_no_other_living_person_taught(store, person, before)
        done = erase.finish(store, erase.begin(store, person))
        after = newest(store, STUDY, PURPOSE)
        assert after is not None
        assert person.subject not in after.manifest
        (model,) = done["models"]
        assert model["equal"]
        assert model["certified"]
        assert model["sha256_before"] != model["sha256_after"] == model["sha256_never_met"]
        gone = before.manifest[person.subject].shard
        hashes = before.trained.shard_hashes(), after.trained.shard_hashes()  # type: ignore[attr-defined]
        assert {n for n in hashes[0] if hashes[0][n] != hashes[1].get(n)} == {gone}
        assert done["bytes_found"] == 0


def _only_what_no_other_living_person_taught(store, person, model) -> None:  # type: ignore[no-untyped-def]
    given = train.page_model(store, person, PURPOSE)
    others = set(store.control.subjects(STUDY, "live")) - {person.subject}
    theirs = {model.manifest[subject].shard for subject in others if subject in model.manifest}
    assert theirs
    assert given is not None
    assert len(given["shards"]) == len(set(model.trained.shards) - theirs)


def test_no_figures_where_fewer_than_ten_of_the_living_point(tmp_path: Path) -> None:
    recorded = sessions(count=2)
    kind = recorded[0].column("kind").to_numpy()
    typed = [recorded[0].filter(np.isin(kind, [Kind.KEY_DOWN, Kind.KEY_UP, Kind.EDIT]))]
    with new_store(tmp_path / "data") as store:
        for number in range(12):
            upload(store, join(store)[1], recorded if number < 4 else typed)
        judged = train.train(store, STUDY, PURPOSE)["evaluation"]
    assert judged["rows"] == {}
    assert judged["events"] == bucket(0)


def test_nobody_who_points_is_too_few_to_learn_from(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        join(store)
        with pytest.raises(TooFew):
            train.train(store, STUDY, PURPOSE)
        with pytest.raises(InvalidInput):
            train.train(store, STUDY, "mind-reading")


def _samples(count: int = 8) -> list[Sample]:
    rng = np.random.default_rng(5)
    made = []
    for number in range(count):
        kind = np.repeat(np.arange(6), 4).astype(np.int8)
        rows = rng.normal(0, 1, (kind.size, 49)) + 1.5 * (kind[:, None] > 0)
        rows[rng.random(rows.shape) < 0.1] = np.nan
        tag = bytes([number]) * 32
        made.append(Sample(tag, "synthetic", "train", number % 2, rows, kind))
    return made


def test_neither_order_nor_who_else_is_trained_with_changes_a_bit() -> None:
    people = _samples()
    whole = fitted.train(people)
    assert fitted.train(people[::-1]).to_bytes() == whole.to_bytes()
    left = [one for one in people if one.tag != people[1].tag]
    again = fitted.train(left, shards=[1], before=whole.only([0]))
    assert again.to_bytes() == fitted.train(left).to_bytes()
    assert again.shard_hashes()[0] == whole.shard_hashes()[0]
    assert again.sha256() != whole.sha256()
    assert Fitted.from_bytes(whole.to_bytes()).sha256() == whole.sha256()
    for damaged in (whole.to_bytes()[:-9], b"", b"\0" * 64):
        with pytest.raises(Damaged):
            Fitted.from_bytes(damaged)


def test_it_tells_what_it_has_learned_and_says_so_when_it_cannot() -> None:
    people = _samples()
    model = fitted.train(people)
    verdict = fitted.judge(list(model.shards.values()), np.concatenate([p.rows for p in people]))
    program = np.concatenate([p.kind > 0 for p in people])
    told = verdict.said >= 0
    assert ((verdict.said == 1) == program)[told].mean() > 0.95
    assert (verdict.low <= verdict.odds).all()
    assert (verdict.odds <= verdict.high).all()
    nothing = fitted.judge(list(model.shards.values()), np.full((1, 49), np.nan))
    strange = fitted.judge(list(model.shards.values()), np.full((1, 49), 1e6))
    assert nothing.said.tolist() == strange.said.tolist() == [-1]
    assert len(page(model)["shards"]) == 2
