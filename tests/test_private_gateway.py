"""A study's private model: who is too few, what its card says, and that it goes with a person."""

from pathlib import Path

import numpy as np
import pytest

from gateway_fixtures import STUDY, join, new_store, sessions, upload
from overt.gateway import erase, population, studies
from overt.gateway.budget import TRAINING, total
from overt.gateway.history import told
from overt.gateway.private_kept import KIND
from overt.gateway.privately import train_privately
from overt.models.card import markdown
from overt.schema.errors import InvalidInput, Refused, TooFew


def test_a_study_of_too_few_people_is_refused_with_the_number_it_needs(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        _, person = join(store)
        upload(store, person, sessions(count=1))
        with pytest.raises(TooFew, match="50 are needed"):
            train_privately(store, STUDY, 3.0)
        assert not store.artefacts.filed(STUDY, KIND)
        before = len(told(store, STUDY))
        for epsilon in (float("nan"), float("inf"), 0.0, -1.0):
            with pytest.raises(InvalidInput, match="not a positive number"):
                train_privately(store, STUDY, epsilon)
        with pytest.raises(InvalidInput, match=r"lacks the purpose text-assist.*It has: "):
            train_privately(store, STUDY, 3.0, task="slips")
        assert len(told(store, STUDY)) == before, "nobody was read for it"


def test_a_study_never_costs_more_privacy_than_who_is_in_it_was_told(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        plain = (store.control.study(STUDY) or pytest.fail("it is registered")).document
        stated = {e: f"epsilon_max = {e}\n".encode() + plain for e in (1, 2, 3)}
        studies.register(store, stated[3])
        studies.register(store, stated[2])
        studies.register(store, stated[3])  # nobody has been told anything yet
        _, person = join(store)
        studies.register(store, stated[1])
        for dearer in (stated[2], plain):
            with pytest.raises(Refused, match="beyond the ε of 1 "):
                studies.register(store, dearer)
        assert total(store, studies.study_of(store, STUDY)).limit == 1
        erase.begin(store, person)
        studies.register(store, stated[2])


@pytest.mark.soak
def test_how_hands_slip_is_learned_by_the_learner_that_devices_have(tmp_path: Path) -> None:
    from test_gateway_text import STUDY as WRITING  # it trains a model as it is loaded
    from test_gateway_text import keys_store

    with keys_store(tmp_path / "data") as store:
        population.fill(store, WRITING, 72, seed=3, minutes=2.0)
        card = train_privately(store, WRITING, 4.0, task="slips")
        rows = card["evaluation"]["rows"]
        assert {name: list(row) for name, row in rows.items()} == {
            "learned privately": ["bits_a_slip"],
            "nobody: before it learned": ["bits_a_slip"],
        }
        assert all(np.isfinite(row["bits_a_slip"]["value"]) for row in rows.values())
        assert (card["privacy"]["steps"], card["privacy"]["sampling_rate"]) == (1, 1.0)
        with pytest.raises(InvalidInput, match="Known: pause, slips"):
            train_privately(store, WRITING, 4.0, task="words")
        with pytest.raises(InvalidInput, match="lacks the purpose typing-assist"):
            train_privately(store, WRITING, 4.0)


@pytest.mark.soak
def test_a_card_says_what_was_spent_and_the_model_goes_with_a_person(tmp_path: Path) -> None:
    with new_store(tmp_path / "data", people=72) as store:
        _, person = join(store)
        upload(store, person, sessions())
        card = train_privately(store, STUDY, 4.0)
        private = card["privacy"]
        assert 3.9 < private["epsilon"] <= 4.0
        assert private["privacy_unit"] == private["unit"] == "person"
        assert {"delta", "sampling", "sampling_rate", "noise_multiplier", "clip", "steps"} <= (
            private.keys()
        )
        assert f"δ {private['delta']:g}, a person" in markdown(card)
        rows = card["evaluation"]["rows"]
        learned, nobody = (row["pause_nll"]["value"] for row in rows.values())
        assert learned < nobody
        (entry,) = (one for one in told(store, STUDY) if one.opening.detail["event"] == TRAINING)
        assert entry.opening.detail["privacy_unit"] == "person"
        again = train_privately(store, STUDY, 4.0)["privacy"]["with_trainings_before"]
        assert again["courses"] == 2
        assert 4.0 < again["epsilon"] < 8.0
        assert len(store.artefacts.filed(STUDY, KIND)) == 1
        certificate = erase.finish(store, erase.begin(store, person))
        assert KIND in certificate["reached"]["artefacts_destroyed"]
        assert not store.artefacts.filed(STUDY, KIND)
