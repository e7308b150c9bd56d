from __future__ import annotations

import numpy as np
import pytest

from overt.datasets import synthetic, tokens
from overt.features import windows
from overt.schema import limits
from overt.schema.batch import from_events
from overt.schema.event import EVENTS, Kind, Pointer


@pytest.fixture(scope="module")
def crowd() -> list[synthetic.SyntheticPerson]:
    return list(synthetic.people(40, 7, sessions=1))


def test_a_seed_makes_the_same_people_whatever_their_number(
    crowd: list[synthetic.SyntheticPerson],
) -> None:
    again = list(synthetic.people(3, 7, sessions=1))
    for person, other in zip(again, crowd, strict=False):
        assert person.sessions[0].equals(other.sessions[0])
    (different,) = synthetic.people(1, 8, sessions=1)
    assert not different.sessions[0].equals(crowd[0].sessions[0])


def test_everything_is_labelled_synthetic(crowd: list[synthetic.SyntheticPerson]) -> None:
    assert {person.origin for person in crowd} == {"synthetic"}


def test_sessions_are_events_that_fit_into_batches(
    crowd: list[synthetic.SyntheticPerson],
) -> None:
    for person in crowd[:10]:
        (events,) = person.sessions
        assert events.schema == EVENTS
        t_us = events.column("t_us").to_numpy()
        assert (np.diff(t_us) >= 0).all()
        assert 4.5 * 60e6 < t_us[-1] < 8 * 60e6
        _, rows = from_events(events)
        assert np.abs(rows.column("dx_8th_css_px").to_numpy()).max() <= limits.POSITION_8TH_MAX
        kinds = events.column("kind").to_numpy()
        assert kinds[0] == Kind.SESSION_START
        assert kinds[-1] == Kind.SESSION_END
        assert (kinds == Kind.KEY_DOWN).sum() == (kinds == Kind.KEY_UP).sum()


def test_typing_is_near_what_was_published(crowd: list[synthetic.SyntheticPerson]) -> None:
    made = windows.features([s for person in crowd for s in person.sessions])
    hold_ms = np.mean(made["hold_us_mean"].to_numpy()) / 1000
    between_ms = np.exp(np.mean(made["down_down_log_mean"].to_numpy())) / 1000
    assert hold_ms == pytest.approx(synthetic.MEAN_HOLD_MS, rel=0.15)
    assert 140 < between_ms < synthetic.MEAN_INTER_KEY_MS
    keys = np.mean(made["keys_per_character"].to_numpy())
    assert keys == pytest.approx(synthetic.MEAN_KEYS_PER_CHARACTER, rel=0.06)
    assert 0.12 < np.mean(made["rollover_share"].to_numpy()) < 0.35


def test_sessions_hold_more_than_typing(crowd: list[synthetic.SyntheticPerson]) -> None:
    seen = {
        tokens.VOCABULARY[token]
        for person in crowd
        for events in person.sessions
        for made in tokens.tokens_of(events)
        for token in made.token
    }
    assert {
        "key:backspace", "key:shift", "key:tab", "click:select", "click:option", "click:target",
        "click:field", "click:button", "scroll:down", "scroll:up", "focus:field", "edit:undo",
    } <= seen  # fmt: skip


def test_pointer_moves_are_left_out_on_request() -> None:
    with_moves, without = (
        next(synthetic.people(1, 1, minutes=1, pointer_moves=wanted)).sessions[0]
        for wanted in (True, False)
    )
    assert (with_moves.column("kind").to_numpy() == Kind.POINTER_MOVE).sum() > 500
    assert (without.column("kind").to_numpy() == Kind.POINTER_MOVE).sum() == 0
    assert set(with_moves.column("pointer").to_numpy()) == {Pointer.NONE, Pointer.MOUSE}
