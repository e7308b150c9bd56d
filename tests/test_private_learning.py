"""Private by person: what an ε is made of, what one person can do to a model, who is too few."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from overt.audit.privacy import page
from overt.commands.privately import curve as curve_command
from overt.datasets import synthetic
from overt.datasets.tokens import sequences_of
from overt.models.enough.slipped import bits
from overt.models.private import curve, hand, pauses, rounds, spent
from overt.models.private.curve import Sums
from overt.models.private.rounds import Rounds
from overt.models.stream import Stream, stream_of
from overt.models.tensors import Array
from overt.models.typos.channel import edits
from overt.schema.errors import InvalidInput, TooFew
from overt.schema.people import SubjectEvents

UPDATES = arrays.arrays(
    np.float64,
    st.integers(1, 6),
    elements=st.floats(allow_nan=True, allow_infinity=True, width=64),
)


def quiet(*_: object) -> None:
    """Say nothing."""


def moved(weights: Array, person: Array) -> Array:
    """Learn alone: go where the person's data are, however many there are."""
    return weights + person.sum(axis=0)


def delta_of(epsilon: float, steps: int, noise: float) -> float:
    """δ of the Gaussian mechanism, exactly (Balle & Wang 2018, theorem 8)."""
    mu, phi = steps**0.5 / noise, NormalDist().cdf
    return float(phi(mu / 2 - epsilon / mu) - np.exp(epsilon) * phi(-mu / 2 - epsilon / mu))


@pytest.mark.parametrize(("noise", "steps"), [(5.0, 30), (2.0, 1)])
def test_epsilon_is_that_of_the_closed_form_where_there_is_one(noise: float, steps: int) -> None:
    found = spent.epsilon(1.0, noise, steps, 1e-5)
    assert delta_of(found, steps, noise) == pytest.approx(1e-5, rel=0.02)


def test_epsilon_of_a_published_example_is_just_below_its_looser_bound() -> None:
    # Abadi et al. 2016, section 3.2: q .01, σ 4, δ 1e-5, 10,000 steps: ε ≈ 1.26 (moments).
    assert 0.9 < spent.epsilon(0.01, 4.0, 10_000, 1e-5) < 1.26


def test_the_noise_that_is_found_never_costs_more_than_was_asked_for() -> None:
    noise = spent.noise_for(2.0, 1.0, 10, 1e-5)
    assert spent.epsilon(1.0, noise, 10, 1e-5) <= 2.0
    assert spent.epsilon(1.0, noise / 1.05, 10, 1e-5) > 2.0


def test_an_epsilon_never_stands_alone() -> None:
    said = spent.spent(1.0, 5.0, 30, 1e-5, 0.2).as_dict()
    assert said["privacy_unit"] == "person"
    assert said["delta"] == 1e-5
    assert {"sampling_rate", "noise_multiplier", "steps", "clip", "accountant"} <= said.keys()


@pytest.mark.parametrize(
    "bad",
    [(0.0, 1.0, 1, 1e-5), (1.1, 1.0, 1, 1e-5), (1.0, 0.0, 1, 1e-5), (1.0, float("nan"), 1, 1e-5),
     (1.0, 1.0, 0, 1e-5), (1.0, 1.0, 1, 0.0)],
)  # fmt: skip
def test_what_has_no_epsilon_is_refused(bad: tuple[float, float, int, float]) -> None:
    with pytest.raises(InvalidInput):
        spent.epsilon(*bad)


@given(UPDATES, st.floats(1e-3, 1e3))
def test_no_update_is_longer_than_the_clip_whatever_it_was(update: Array, clip: float) -> None:
    made, cut = rounds.clipped(update, clip)
    assert np.isfinite(made).all()
    assert np.linalg.norm(made) <= clip * (1 + 1e-12)
    if np.isfinite(update).all() and np.abs(update).max() <= clip / update.size**0.5:
        assert not cut
        assert (made == update).all()


PEOPLE = st.lists(
    arrays.arrays(np.float64, (3, 2), elements=st.floats(-1e6, 1e6)), min_size=1, max_size=5
)


@settings(max_examples=40)
@given(PEOPLE, st.integers(0, 4))
def test_one_person_more_moves_a_step_by_no_more_than_the_clip(
    people: list[Array], at: int
) -> None:
    plan = Rounds(sampling_rate=1.0, steps=1, clip=0.5)
    without = people[: at % len(people)] + people[at % len(people) + 1 :]
    both = [rounds.train(some, np.zeros(2), moved, plan, 10).weights for some in (people, without)]
    assert np.linalg.norm(both[0] - both[1]) * 10 <= 0.5 * (1 + 1e-9)


def test_ten_times_as_much_of_one_person_moves_a_step_no_further() -> None:
    plan = Rounds(sampling_rate=1.0, steps=1, clip=0.5)
    much = rounds.train([np.ones((1000, 2))], np.zeros(2), moved, plan, 10).weights
    more = rounds.train([np.ones((10_000, 2))], np.zeros(2), moved, plan, 10).weights
    assert np.allclose(much, more)


def test_who_teaches_no_number_teaches_nothing() -> None:
    plan = Rounds(sampling_rate=1.0, steps=3, clip=0.5)
    broken = [np.full((1, 2), np.nan), np.full((1, 2), np.inf)]
    good = [np.ones((1, 2))] * 3
    found = rounds.train([*good, *broken], np.zeros(2), moved, plan, 5)
    assert (found.weights == rounds.train(good, np.zeros(2), moved, plan, 5).weights).all()


def test_each_person_is_drawn_by_a_coin_of_their_own() -> None:
    rng = np.random.Generator(np.random.PCG64(0))
    sizes = [rounds.drawn(1000, 0.2, rng).size for _ in range(200)]
    assert np.mean(sizes) == pytest.approx(200, abs=5)
    assert np.std(sizes) == pytest.approx(160**0.5, rel=0.2)


def test_too_few_people_are_refused_with_the_number_that_is_needed() -> None:
    plan = Rounds(noise_multiplier=1.0)
    some = [np.ones((1, 2))] * (spent.PEOPLE_MIN - 1)
    with pytest.raises(TooFew, match=f"At least {spent.PEOPLE_MIN}"):
        rounds.train(some, np.zeros(2), moved, plan, 100)


def test_a_delta_that_allows_for_losing_somebody_is_refused() -> None:
    plan = Rounds(noise_multiplier=1.0, delta=0.01)
    with pytest.raises(InvalidInput, match="losing somebody"):
        rounds.train([np.ones((1, 2))] * 60, np.zeros(2), moved, plan, 60)


@dataclass
class Toy:
    """Where is the middle of two numbers? People differ by about as much as it is far from 0."""

    people: list[Array]
    rounds: Rounds = field(default_factory=lambda: PLAN)
    name: str = "toy"
    title: str = "Toy"
    metrics: tuple[str, ...] = ("off",)
    notes: tuple[str, ...] = ()
    judged: int = 20
    asked: list[tuple[int, ...]] = field(default_factory=list)

    def start(self) -> Array:
        return np.zeros(2)

    def learn(self, weights: Array, person: Array) -> Array:
        return np.asarray(weights + 0.5 * (person.mean(axis=0) - weights))

    def judge(self, weights: Array) -> Sums:
        return {"off": (np.full(20, float(np.linalg.norm(weights - 1.0))), np.ones(20))}

    def plain(self, places: Sequence[int]) -> dict[str, Sums]:
        self.asked.append(tuple(places))
        return {"mean": self.judge(np.mean([self.people[at].mean(axis=0) for at in places], 0))}


def toy(people: int) -> Toy:
    rng = np.random.Generator(np.random.PCG64(5))
    return Toy([rng.normal(1.0, 1.0, (4, 2)) for _ in range(people)])


PLAN = Rounds(sampling_rate=1.0, steps=10, clip=0.5)


def test_the_curve_says_what_is_left_and_what_it_cost() -> None:
    found = curve.measure(toy(80), quiet, sizes=(60, 500), epsilons=(0.3, 5.0), drawings=2,
                          rounds=PLAN)  # fmt: skip
    by = {(one.people, one.epsilon): one.share for one in found.kept}
    assert by.keys() == {(60, 0.3), (60, 5.0), (80, 0.3), (80, 5.0)}
    assert by[80, 5.0] > 0.9 > by[60, 0.3]
    for size, cost in found.spent:
        assert cost.epsilon <= 5.0
        assert size in (60, 80)
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert all({"delta", "privacy_unit"} <= one.keys() for one in told["spent"])
    assert {row["name"] for row in told["rows"]} >= {curve.NOBODY, "without noise", "mean"}
    assert "δ 1e-05, unit: person" in page(found, "Toy.")


def test_the_same_seed_teaches_the_same_and_another_does_not() -> None:
    plan = replace(PLAN, noise_multiplier=2.0)
    task = toy(60)
    one, same, other = (
        rounds.train(task.people, task.start(), task.learn, replace(plan, seed=seed), 60)
        for seed in (1, 1, 2)
    )
    assert (one.weights == same.weights).all()
    assert (one.weights != other.weights).any()
    assert one.spent is not None
    assert one.spent.epsilon > 0


def test_a_curve_of_too_few_people_is_refused() -> None:
    with pytest.raises(TooFew, match=str(spent.PEOPLE_MIN)):
        curve.measure(toy(20), quiet, rounds=PLAN)


def test_a_curve_is_not_drawn_over_a_study_or_a_task_without_a_private_model() -> None:
    with pytest.raises(InvalidInput, match="--data"):
        curve_command("pause", None, (), None, as_json=True)
    with pytest.raises(InvalidInput, match="no private model"):
        curve_command("person-or-program", None, (), None, as_json=True)


@pytest.fixture(scope="module")
def typed() -> list[Stream]:
    """Six made-up people who typed for two minutes."""
    made = synthetic.people(6, 3, sessions=1, minutes=2, pointer_moves=False)
    return [
        stream_of(sequences_of(SubjectEvents(bytes([k]), "synthetic", one.sessions), 1).sessions)
        for k, one in enumerate(made)
    ]


def test_the_gradient_of_pauses_is_that_of_small_steps(typed: list[Stream]) -> None:
    known = pauses.timed(typed[0])
    rng = np.random.Generator(np.random.PCG64(2))
    weights = pauses.start() + rng.normal(0, 0.1, pauses.SIZE)
    slope = pauses.gradient(weights, known)[1]
    for at in range(pauses.SIZE):
        step = np.zeros(pauses.SIZE)
        step[at] = 1e-4
        up, down = (pauses.gradient(weights + way * step, known)[0] for way in (1, -1))
        assert slope[at] == pytest.approx((up - down) / 2e-4, abs=1e-5)


def test_pauses_learned_privately_are_told_better_than_nobody_tells_them(
    typed: list[Stream],
) -> None:
    people = pauses.people_of(typed[:5]) * 10
    plan = Rounds(sampling_rate=1.0, steps=6, noise_multiplier=1.0)
    found = rounds.train(people, pauses.start(), pauses.learn, plan, len(people))
    unseen = pauses.timed(typed[5])
    before, after = (pauses.gradient(w, unseen)[0] for w in (pauses.start(), found.weights))
    assert after < before - 0.1


def test_a_hand_that_swaps_letters_is_expected_to() -> None:
    slips = (("teh", "the"), ("wrod", "word"), ("nad", "and"), ("waht", "what"))
    given = hand.counted(slips)
    assert given[hand.SWAPPED] > 0
    assert np.linalg.norm(given) <= hand.ROUNDS.clip
    before, after = (bits(one, ("frist", "first")) for one in (edits(), hand.channel(given, 400)))
    assert after < before - 2
    assert np.allclose(hand.counted(slips * 50), 2 * given)


@given(arrays.arrays(np.float64, hand.SIZE, elements=st.floats(-5, 5)))
@settings(max_examples=20)
def test_a_channel_of_noise_is_still_a_channel(noise: Array) -> None:
    found = hand.channel(noise, 400)
    assert np.isfinite(bits(found, ("teh", "the")))
    assert np.isfinite(found.change).all()
    assert (np.exp(-found.change).sum(axis=2) <= 1.001).all()


def test_an_input_knows_nothing_of_what_comes_after(typed: list[Stream]) -> None:
    whole = typed[0]
    cut = Stream(*(getattr(whole, name)[:60] for name in Stream.__dataclass_fields__))
    seen, part = pauses.seen(whole), pauses.seen(cut)
    n = part.token.size
    assert (seen.inputs[:n] == part.inputs).all()
    assert (seen.place[:n] == part.place).all()
