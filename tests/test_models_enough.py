"""How much is enough: nobody is learned from and asked, levels see no more than they have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from datasets_fixtures import sessions as drawn_sessions
from gateway_fixtures import STUDY, join, new_store, sessions, upload
from overt.audit.growth import page
from overt.commands.curving import Task, curve
from overt.datasets import synthetic
from overt.datasets.tokens import VOCABULARY
from overt.datasets.transform import to_rhythm0, to_rhythm1
from overt.gateway import enough
from overt.gateway.ledger import log_of
from overt.models.enough import grid as grids
from overt.models.enough import slipped, tables
from overt.models.enough.advice import advise
from overt.models.enough.law import fit
from overt.models.enough.measured import measure, part_of
from overt.models.enough.tables import TASKS, Sum, tables_of
from overt.models.enough.typed import KEYS, RHYTHM, SECONDS, Acts, acts_of
from overt.models.typos.letters import codes
from overt.schema.errors import InvalidInput, TooFew


def quiet(*_: object) -> None:
    """Say nothing."""


@dataclass
class Toy:
    """Utility is known: what n people and m minutes give, times `worth`."""

    worth: float
    learned: set[int]
    asked: set[int]

    def start(self) -> list[tuple[int, float]]:
        return []

    def add(
        self, state: list[tuple[int, float]], people: Sequence[int], minutes: float
    ) -> list[tuple[int, float]]:
        return [*state, *((one, minutes) for one in people)]

    def parts(
        self, state: list[tuple[int, float]], whole: list[tuple[int, float]], person: int
    ) -> tuple[float, float]:
        assert person not in {one for one, _ in (*state, *whole)}
        assert len({one for one, _ in state}) == len(state)
        minutes = min(state[0][1], 4.0)
        return self.worth * (1 - len(state) ** -0.5) * minutes**0.1, 1.0


def _toy(**worth: float) -> grids.Grid:
    return grids.grid(
        {level: Toy(value, set(), set()) for level, value in worth.items()},
        80,
        (1.0, 2.0, 4.0),
        resamplings=2,
        seed=0,
        progress=quiet,
    )


def test_nobody_is_learned_from_and_asked_and_more_people_hold_the_fewer() -> None:
    found = _toy(low=1.0, high=2.0)
    assert (found.sizes, found.asked) == ((5, 10, 20, 40, 55), 24)
    assert np.allclose(found.value[1], 2 * found.value[0])


def test_the_smallest_study_of_the_least_detail_that_is_enough_is_recommended() -> None:
    both = advise(_toy(low=1.99, high=2.0), 0.9).chosen
    assert both is not None
    assert (both.level, both.people, both.minutes) == ("low", 40, 2.0)
    fine = advise(_toy(low=1.0, high=2.0), 0.9)
    assert fine.chosen is not None
    assert fine.chosen.level == "high"
    assert "low 50%" in fine.sentence
    assert [one.level for one in fine.within] == ["low", "high"]


def test_a_study_that_has_learned_nothing_for_certain_recommends_nothing() -> None:
    found = advise(_toy(low=0.0))
    assert found.chosen is None
    assert "do not tell" in found.sentence


def test_a_law_is_found_again_and_noise_has_none() -> None:
    sizes = np.array([5.0, 10, 20, 40, 80])
    rng = np.random.default_rng(0)
    rows = 0.4 - 0.5 * sizes**-0.7 + rng.normal(0, 0.002, (50, 5))
    law, _ = fit(sizes, rows)
    assert law is not None
    assert law.limit_low < 0.4 < law.limit_high
    assert law.doubled_low < 0.5 * (80**-0.7 - 160**-0.7) < law.doubled_high
    none, why = fit(sizes, rng.normal(0, 1, (50, 5)))
    assert none is None
    assert "rise" in why
    assert fit(sizes[:3], rows[:, :3])[0] is None


def test_a_law_that_bends_too_slowly_has_no_end_in_sight() -> None:
    sizes = np.array([5.0, 10, 20, 40, 80])
    law, _ = fit(sizes, np.tile(np.log(sizes), (20, 1)))
    assert law is not None
    assert np.isnan(law.limit)
    assert law.doubled == pytest.approx(np.log(2), rel=0.1)


@pytest.fixture(scope="module")
def people() -> list[Sequence[pa.Table]]:
    return [one.sessions for one in synthetic.people(32, 4, minutes=0.4, pointer_moves=False)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn_sessions(events_max=20))
def test_a_level_is_given_what_it_has_and_no_more(events: pa.Table) -> None:
    whole = acts_of([events])
    assert (acts_of([to_rhythm0(events)]) is None) == (whole is None)
    if whole is None:
        return
    bare = acts_of([to_rhythm0(events)])
    assert bare is not None
    assert not bare.symbols.any()
    columns = {f.name for f in fields(Acts)} - {"symbols", "symbol"}
    for name in columns:
        assert np.array_equal(getattr(whole, name), getattr(bare, name), equal_nan=True)


def test_whole_seconds_are_all_that_the_coarse_level_looks_at(
    people: list[Sequence[pa.Table]],
) -> None:
    (events, *_) = people[0]
    acts = acts_of([events])
    assert acts is not None
    assert acts.has_keys
    coarse = acts_of([to_rhythm1(events)])
    assert coarse is not None
    assert not coarse.has_times
    assert part_of("pause", [to_rhythm1(events)], 0) is None
    chain = TASKS["next-action"].chain(SECONDS)
    for mine, theirs in zip(chain(acts), chain(coarse), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
    looked = TASKS["next-action"].chain(SECONDS)(acts)
    fine = {id(acts.pace), id(acts.held), id(acts.symbols), id(acts.classes)}
    assert not {id(column) for context in looked for column in context} & fine
    assert set(np.unique(acts.seconds)) <= {-1, 0, 1, 2, 3, 4}


def test_a_table_says_what_an_obvious_loop_says(people: list[Sequence[pa.Table]]) -> None:
    everyone = [one for one in map(acts_of, people[:4]) if one is not None]
    made = tables_of(TASKS["next-action"], KEYS, everyone)
    total = Sum(made)
    total.add([0, 1, 2], np.inf)
    chain = TASKS["next-action"].chain(KEYS)
    keys = [
        [
            [tuple(int(c[i]) for c in context) for context in chain(acts)]
            for i in range(acts.came.size)
        ]
        for acts in everyone
    ]
    lean, bits = tables.LEANS[1], 0.0
    for row, came in zip(keys[3], everyone[3].came.tolist(), strict=True):
        guess = 1 / len(VOCABULARY)
        for place, context in enumerate(row):
            seen = [
                int(acts.came[i])
                for acts, rows in zip(everyone[:3], keys[:3], strict=True)
                for i, other in enumerate(rows)
                if other[place] == context
            ]
            guess = (seen.count(came) + lean * guess) / (len(seen) + lean)
        bits -= np.log2(guess)
    assert total.losses(3)[1, -1] == pytest.approx(bits)


def test_the_first_minutes_are_the_first_and_order_of_people_does_not_matter(
    people: list[Sequence[pa.Table]],
) -> None:
    everyone = [one for one in map(acts_of, people[:6]) if one is not None]
    made = tables_of(TASKS["pause"], RHYTHM, everyone)
    one, other, short = Sum(made), Sum(made), Sum(made)
    one.add([0, 1, 2], 0.2)
    other.add([2, 0, 1], 0.2)
    short.add([0, 1, 2], 0.0)
    assert np.allclose(one.losses(5), other.losses(5))
    assert np.allclose(short.losses(5), short.losses(5)[0, 0])


def test_a_curve_of_people_is_plain_json_and_a_page(people: list[Sequence[pa.Table]]) -> None:
    parts = [one for one in (part_of("pause", s, 0) for s in people) if one is not None]
    found = measure("pause", parts, resamplings=2, progress=quiet)
    again = measure("pause", parts, resamplings=2, progress=quiet)
    told = found.as_dict()
    assert told == again.as_dict()
    assert json.dumps(told, allow_nan=False)
    assert {cell["level"] for cell in told["cells"]} == {RHYTHM, KEYS}
    assert any("rhythm/1" in note for note in told["notes"])
    assert "<polyline" in page(found, "Made up.")


def test_a_hand_that_was_watched_foretells_its_slips_better_than_one_that_was_not() -> None:
    some = slipped.Slips((("teh", "the"), ("hwo", "how")) * 10, np.linspace(0, 2, 20), 2.0)
    model = slipped.Slipped([some, some])
    taught = model.add(model.start(), [0], np.inf)
    few = model.add(model.start(), [0], 0.0)
    saved, slips = model.parts(taught, taught, 1)
    assert slips == 20
    assert saved > model.parts(few, taught, 1)[0] > model.parts(model.start(), taught, 1)[0] == 0
    costs = slipped.edits()
    t = int(codes("t")[0])
    by_hand = costs.change[0, t, t] + costs.swap
    assert slipped.bits(costs, ("teh", "the")) == pytest.approx(by_hand / np.log(2))


def test_slips_are_mined_where_there_are_keys_and_nowhere_else(
    people: list[Sequence[pa.Table]],
) -> None:
    found = [one for one in (part_of("slips", s, 0) for s in people[:8]) if one is not None]
    assert found
    assert all(one.minute.max() <= one.minutes for one in found)
    assert all(part_of("slips", [to_rhythm0(e) for e in s], 0) is None for s in people[:8])


def test_too_few_people_are_refused_with_the_number_needed(
    people: list[Sequence[pa.Table]],
) -> None:
    parts = [one for one in (part_of("pause", s, 0) for s in people[:12]) if one is not None]
    with pytest.raises(TooFew, match="30 are needed"):
        measure("pause", parts, progress=quiet)
    with pytest.raises(InvalidInput, match="Known"):
        part_of("mood", people[0], 0)


def test_a_few_living_people_are_left_out_beside_synthetic_ones_and_the_read_is_logged(
    tmp_path: Path,
) -> None:
    with new_store(tmp_path / "data", people=3) as store:
        _, person = join(store)
        upload(store, person, sessions())
        before = log_of(store).size
        with pytest.raises(TooFew, match="has <10 people"):
            enough.curve(store, STUDY, "pause", "test", quiet)
        assert log_of(store).size > before
        for task, why in (("mood", "Known"), ("slips", "level keys")):
            with pytest.raises(InvalidInput, match=why):
                enough.curve(store, STUDY, task, "test", quiet)


@pytest.mark.soak
def test_a_studys_curve_is_that_of_its_synthetic_people_whoever_joins(tmp_path: Path) -> None:
    with new_store(tmp_path / "data", people=32) as store:
        before = enough.curve(store, STUDY, "pause", "test", quiet, resamplings=2)
        _, person = join(store)
        upload(store, person, sessions())
        after = enough.curve(store, STUDY, "pause", "test", quiet, resamplings=2)
        assert before.synthetic
        assert before.curve.as_dict() == after.curve.as_dict()


def test_a_command_without_a_study_or_with_both_is_refused(tmp_path: Path) -> None:
    for study, data in ((None, None), ("s", tmp_path)):
        with pytest.raises(InvalidInput, match="not both"):
            curve(Task.PAUSE, study=study, data=data)
