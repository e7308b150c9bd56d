"""How long a key is held: what is asked about, what may be known, and who is better than whom."""

import numpy as np
import pytest

from overt.datasets.tokens import START, VOCABULARY
from overt.models import boosted, holds, typists
from overt.models.stream import Stream

LETTER, SPACE = VOCABULARY.index("key:letter"), VOCABULARY.index("key:space")


def _stream(token: list[int], hold_ms: list[float], rollover: list[int]) -> Stream:
    hold_us = np.round(np.array(hold_ms) * 1000).astype(np.int64)
    return Stream(
        np.array(token),
        np.full(len(token), 200_000),
        np.where(hold_us < 0, -1, hold_us),
        np.array(rollover),
    )


def _typed(seed: int, own_ms: float, count: int = 200) -> Stream:
    """Return a person who holds letters as long as is their way, and the space half as long."""
    rng = np.random.default_rng(seed)
    token = np.where(rng.random(count) < 0.2, SPACE, LETTER)
    held = own_ms * np.where(token == SPACE, 0.5, 1.0) * np.exp(rng.normal(0, 0.1, count))
    token[0] = START
    after = np.concatenate([[-1, -1], held[1:-1]])
    return _stream(token.tolist(), after.tolist(), [0] * count)


def test_a_hold_is_of_the_key_before_and_none_that_lasted_into_the_next() -> None:
    token = [START, LETTER, SPACE, LETTER, LETTER, LETTER]
    found = holds.held(_stream(token, [-1, -1, 90, 60, 70, 80], [0, 0, 0, 1, 0, 0]))
    assert found.key.tolist() == [LETTER, LETTER]
    assert np.exp(found.log_ms) == pytest.approx([90, 80])


def test_nothing_that_comes_after_the_press_is_known() -> None:
    one = _typed(1, 100.0)
    end = 100
    other = Stream(
        np.where(np.arange(len(one)) > end, SPACE, one.token),
        np.where(np.arange(len(one)) > end, 999_000, one.pause_us),
        np.where(np.arange(len(one)) > end, 5_000, one.hold_us),
        one.rollover,
    )
    # the row of the key at `end`, whose hold came with the next one and is what is asked
    assert np.array_equal(holds.held(one).before[:end], holds.held(other).before[:end], True)
    assert not np.array_equal(holds.held(one).log_ms[:end], holds.held(other).log_ms[:end])


def test_who_knows_a_persons_way_tells_better_than_who_knows_the_key() -> None:
    pytest.importorskip("lightgbm")
    ways = np.linspace(60, 200, 16)
    people = [_typed(seed, way) for seed, way in enumerate(ways)]
    rows = holds.rows(people[::2], people[1::2], typists.scores)
    value = {(row.name, row.metric): row.value for row in rows}
    assert all(row.low <= row.value <= row.high for row in rows)
    for metric in ("dwell nll", "dwell crps_ms", "dwell mae_ms"):
        best = max(value[name, metric] for name in (boosted.NAME, holds.LINE))
        assert best < value[holds.KEY, metric] < value[holds.EVERY, metric]
    assert holds.rows(people[:1], people[1:2], typists.scores) == []
