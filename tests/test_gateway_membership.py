"""A model is attacked before it leaves; without that, or beyond the bound, it stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_fixtures import STUDY, TINY, new_store
from models_fixtures import random_model
from overt.gateway import history, membership, release, train
from overt.gateway.model import Member, Model, keep
from overt.models.card import markdown
from overt.schema.errors import Missing, Refused, TooFew
from overt.store.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = new_store(tmp_path_factory.mktemp("membership") / "data")
    yield made
    made.close()


def attack(high: float | None, access: str = "weights") -> dict[str, Any]:
    """Return an attack as a card has it, with one rate."""
    rate = None if high is None else {"value": 0.01, "low": 0.0, "high": high}
    return {
        "suite": "membership/1",
        "rows": [
            {"access": access, "of": "halves", "attack": "RMIA", "true_rates": {"0.01": rate}},
            {"access": access, "of": "itself", "attack": "RMIA", "true_rates": {"0.01": None}},
        ],
        "left_out": ["true positives at 0.01 false ones: needs 100 people"],
    }


@pytest.mark.parametrize(
    ("attacks", "reason"),
    [
        ([], "No membership attack"),
        ([{"suite": "linkage/2", "rows": []}], "No membership attack"),
        ([attack(None)], "needs 100 people"),
        ([attack(0.01, "answers")], "could not be measured"),
        ([attack(0.0201)], "the bound is 2%"),
        ([attack(0.02)], ""),
    ],
)
def test_what_imported_people_taught_leaves_only_after_an_attack_within_the_bound(
    store: Store, attacks: list[dict[str, Any]], reason: str
) -> None:
    members = {
        subject: Member(0, "train", ("row",))
        for subject in store.add_subjects(STUDY, "imported", 10)
    }
    card = {"attacks": attacks}
    keep(store, Model(STUDY, "next-action", random_model(TINY, 1), members, 1, card))
    if reason:
        with pytest.raises(Refused, match=reason):
            release.onnx(store, STUDY, "next-action", "test")
    else:
        assert release.onnx(store, STUDY, "next-action", "test").shards == (0,)


def test_too_few_people_are_refused_with_the_number_and_no_model_says_what_to_do(
    store: Store,
) -> None:
    keep(store, Model(STUDY, "typing-assist", random_model(TINY, 1), {}, 1, {}))
    with pytest.raises(TooFew, match="20 people"):
        membership.audit(store, STUDY, "typing-assist", "test", lambda _w, _d: None)
    with pytest.raises(Missing, match="no model yet"):
        membership.audit(store, STUDY, "person-or-program", "test", lambda _w, _d: None)


@pytest.mark.soak
@pytest.mark.parametrize("purpose", ["typing-assist", "person-or-program"])
def test_an_attack_is_in_the_log_and_in_the_card_until_the_model_is_another(
    tmp_path: Path, purpose: str
) -> None:
    with new_store(tmp_path / "data", people=24) as store:
        before = train.train(store, STUDY, purpose, config=TINY)
        assert before["attacks"] == []
        done = membership.audit(store, STUDY, purpose, "test", lambda _w, _d: None, models=8)
        assert done.synthetic
        assert 20 <= done.found.people <= 24, "who did nothing of the kind is in no model"
        assert "could not be measured" in done.verdict[0]
        after = train.card(store, STUDY, purpose)
        assert after is not None
        (attacked,) = after["attacks"]
        assert (attacked["people"], attacked["models"]) == ("20–49", 8)
        assert after["model"]["sha256"] == before["model"]["sha256"]
        text = markdown(after)
        assert "LiRA online" in text
        assert "needs 100 people" in text
        (told,) = (t for t in history.told(store, STUDY) if t.entry.kind == "audit")
        assert told.opening.detail["suite"] == "membership/1"
        assert train.train(store, STUDY, purpose, config=TINY)["attacks"] == []
