"""Cards and manifests tell the truth and name nobody."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_fixtures import TINY, people, random_model
from overt.datasets.tokens import TOKENS_ID, Sequences
from overt.models import evaluate as judging
from overt.models.boosted import NAME as LIGHTGBM
from overt.models.card import by_group, card, halves_of, markdown
from overt.models.evaluate import MODEL, evaluate
from overt.models.metrics import FIGURES
from overt.models.predict import BASELINES
from overt.models.shard import ENVIRONMENT
from overt.models.train import Trained, weights_hash
from overt.schema.errors import InvalidInput
from overt.schema.manifest import Manifest, Source, bucket, manifest_from

MANIFEST = Manifest(
    study="five-minutes",
    purpose="next-action",
    transform="rhythm/0",
    tokens=TOKENS_ID,
    origins={"imported": bucket(1637)},
    splits={"train": bucket(1100), "test": bucket(330)},
    subjects_root="ab" * 32,
    dataset_sha256="cd" * 32,
    sources=(Source(name="Aalto", licence="non-commercial", lawful_basis="research"),),
)


@given(st.integers(0, 10**7))
def test_a_count_lies_in_its_range_and_the_range_does_not_tell_it(count: int) -> None:
    low, high = 0, 10
    if not bucket(count).startswith("<"):
        low, high = (int(end) for end in bucket(count).split("–"))
    assert low <= count <= high
    assert high - low >= 9


def test_a_manifest_survives_its_json_and_says_which_field_is_wrong() -> None:
    data = json.loads(MANIFEST.to_json())
    assert manifest_from(data) == MANIFEST
    for change, field in (
        ({"study": 1}, "study"),
        ({"origins": {"stolen": "<10"}}, "origins"),
        ({"splits": [1]}, "splits"),
        ({"sources": [{"name": "x"}]}, "sources"),
    ):
        with pytest.raises(InvalidInput) as error:
            manifest_from({**data, **change})
        assert error.value.where == f"manifest.{field}"
    with pytest.raises(InvalidInput):
        manifest_from({**data, "names": ["A. Person"]})


def test_the_people_of_a_split_are_judged_by_every_shard() -> None:
    everyone = people(40)
    judged = evaluate(random_model(TINY), everyone)
    test = [p for p in everyone if p.split == "test"]
    assert (judged.protocol, judged.persons, judged.too_few) == ("test", len(test), False)
    assert judged.events == sum(p.tokens for p in test)
    assert list(judged.rows) == [MODEL, LIGHTGBM, *BASELINES]
    assert all(set(row) == set(FIGURES) for row in judged.rows.values())
    assert evaluate(random_model(TINY), everyone[::-1]) == judged


def test_with_few_people_no_one_is_judged_by_a_shard_that_saw_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained = random_model(TINY, shards=3)
    few = [replace(p, split="train", shard=i % 3) for i, p in enumerate(people(4))]
    seen: list[tuple[Sequences, tuple[int, ...]]] = []
    judge = judging._judge
    monkeypatch.setattr(
        judging,
        "_judge",
        lambda t, judged, *more: seen.extend(judged) or judge(t, judged, *more),
    )
    judged = evaluate(trained, few)
    assert len(seen) == 4
    assert all(person.shard not in shards for person, shards in seen)
    assert (judged.protocol, judged.persons, judged.too_few) == ("leave-shard-out", 4, True)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_people_are_said_to_be_too_few(count: int) -> None:
    one = [replace(p, split="train", shard=0) for p in people(count)]
    judged = evaluate(random_model(TINY, shards=count), one)
    assert (judged.protocol, judged.too_few) == ("none", True)
    text = markdown(card(random_model(TINY, shards=count), judged, MANIFEST))
    assert "say next to nothing" in text
    json.dumps(judged.as_dict(), allow_nan=False)


def _card(trained: Trained, manifest: Manifest = MANIFEST) -> dict:
    return card(trained, evaluate(trained, people(12)), manifest)


def test_a_card_states_hashes_people_in_ranges_figures_and_limits() -> None:
    trained = random_model(TINY)
    made = _card(trained)
    json.dumps(made, allow_nan=False)
    assert made["model"]["sha256"] == weights_hash(trained)
    assert made["people"]["origins"] == {"imported": "1000–1999"}
    assert made["evaluation"]["persons"] == "10–19" or made["evaluation"]["persons"] == "<10"
    text = markdown(made)
    for words in (
        "non-commercial",
        "lawful basis",
        "Markov-2",
        "ab" * 32,
        "not certified",
        "health",
    ):
        assert words in text
    assert "Synthetic" not in text
    for person in people(12):
        assert person.tag.hex() not in json.dumps(made) + text


def test_a_card_says_what_for_under_which_licence_how_private_and_whether_attacked() -> None:
    made = _card(random_model(TINY))
    assert made["data"]["licence"] == ["Aalto: non-commercial."]
    assert (made["privacy"]["epsilon"], made["privacy"]["unit"]) == (None, "person")
    text = markdown(made)
    for words in ("what pause", "without differential privacy", "No attack has been run"):
        assert words in text
    private = {"epsilon": 8.0, "delta": 1e-5, "unit": "person", "words": "By its accountant."}
    assert "ε 8, δ 1e-05, a person." in markdown({**made, "privacy": private})
    rate = {"value": 0.02, "low": 0.01, "high": 0.03}
    attack = {
        "suite": "membership/1",
        "people": "100–199",
        "models": 16,
        "threats": {"weights": "The attacker has the file."},
        "rows": [
            {
                "access": "weights",
                "of": "halves",
                "attack": "RMIA",
                "auc": rate,
                "true_rates": {"0.01": rate, "0.001": None},
            }
        ],
        "left_out": ["true positives at 0.001 false ones: needs 1,000 people"],
    }
    text = markdown({**made, "attacks": [attack]})
    for words in ("100–199 people, 16 models", "2.0% [1.0%, 3.0%] | –", "needs 1,000 people"):
        assert words in text


def test_figures_by_group_are_of_ten_people_or_more_and_of_everybody_once() -> None:
    made = evaluate(random_model(TINY, shards=2), [replace(p, split="train") for p in people(32)])
    (division,) = made.groups
    assert division == "pace"
    assert list(made.groups["pace"]) == ["quick", "middling", "slow"]
    sizes = [group.people for group in made.groups["pace"].values()]
    assert sum(sizes) == 32
    assert min(sizes) >= 10
    text = markdown(card(random_model(TINY), made, MANIFEST))
    assert "| quick | 10–19 |" in text
    assert evaluate(random_model(TINY), people(29)[:9]).groups == {}


def test_a_division_with_a_part_of_fewer_than_ten_is_left_out() -> None:
    def figures(places: list[int]) -> dict[str, int]:
        return {"n": len(places)}

    origins = ["live"] * 15 + ["synthetic"] * 10
    amount = halves_of(list(range(25)))
    made = by_group({"origin": origins, "input": amount}, figures)
    assert {name: group["figures"]["n"] for name, group in made["origin"].items()} == {
        "live": 15,
        "synthetic": 10,
    }
    assert set(made["input"]) == {"less", "more"}
    assert by_group({"origin": origins[:-1], "one": ["all"] * 25}, figures) == {}


def test_what_is_made_up_is_labelled_so() -> None:
    made = _card(random_model(TINY), replace(MANIFEST, origins={"synthetic": "<10"}, sources=()))
    assert made["synthetic"] is True
    assert "**Synthetic" in markdown(made)


def test_a_card_says_certified_only_of_a_certified_model() -> None:
    fixed = {"processor": "P", "torch": "2", "capability": "AVX2", **ENVIRONMENT}
    trained = replace(random_model(TINY), machine=fixed)
    made = _card(trained)
    assert made["certified"] is True
    assert "bit for bit" in markdown(made)
    assert _card(random_model(TINY))["certified"] is False


def test_a_card_of_other_tokens_is_refused() -> None:
    with pytest.raises(InvalidInput):
        _card(random_model(TINY), replace(MANIFEST, tokens="tokens/0"))
