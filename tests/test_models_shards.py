"""The price of leaving: exact ways beside shortcuts, on people nobody learned from."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from models_fixtures import TINY, people, person
from overt.commands import sharding
from overt.models.enough import shards
from overt.models.metrics import FIGURES, figures, figures_of, sums
from overt.models.predict import Predicted
from overt.schema.errors import InvalidInput, TooFew


def _silent(_what: str, _done: float) -> None:
    pass


def _random(seed: int) -> list[Predicted]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(6):
        n = 20
        p = rng.dirichlet(np.ones(5), n)
        ones = np.ones((n, 1))
        made.append(
            Predicted(np.arange(n) % 5, p, rng.normal(5, 1, n), ones, 5 * ones, ones + rng.random())
        )
    return made


def test_a_difference_is_of_the_same_people_and_of_oneself_nothing() -> None:
    one, other = sums(_random(1)), sums(_random(2))
    assert figures_of(one) == figures(_random(1))
    own = figures_of(one, less=one)
    assert all((own[name].value, own[name].low, own[name].high) == (0, 0, 0) for name in FIGURES)
    apart = figures_of(one, less=other)
    for name in FIGURES:
        wanted = figures_of(one)[name].value - figures_of(other)[name].value
        assert apart[name].value == pytest.approx(wanted)
        assert apart[name].low <= apart[name].value <= apart[name].high


@pytest.mark.soak
def test_more_shards_cost_less_a_departure_and_shortcuts_are_said_not_to_be_exact() -> None:
    learned = [replace(p, split="train") for p in people(32)]
    unseen = [person(number) for number in range(100, 105)]
    config = replace(TINY, steps_min=1, chunk=32)
    found = shards.price(learned, unseen, _silent, counts=(1, 4), config=config, workers=1)
    ways = {way.name: way for way in found.ways}
    assert list(ways)[:2] == ["one model", "4 shards"]
    assert [way.exact for way in found.ways] == [True, True, False, False]
    assert ways["4 shards"].cost_s.value < ways["one model"].cost_s.value
    assert ways["one model"].against["nll"].value == 0
    assert ways["4 shards"].against["nll"].value != 0


def test_what_is_told_says_which_way_is_exact_and_where_it_was_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = sums(_random(1))
    spent = [(16, 2.5, 3.0), (16, 3.5, 4.0)]
    ways = [shards._way(name, spent, table, table) for name in ("16 shards", "one model on a GPU")]
    found = shards.Priced(32, 6, 2, "a processor", tuple(ways))
    assert json.dumps(found.as_dict(), allow_nan=False).count('"exact": true') == 1
    sharding._show(found)
    shown = capsys.readouterr().out
    assert "GPU, not exact" in shown
    assert "2.5 … 3.5" in shown
    for text in (shown, sharding._page(found)):
        assert "a processor" in text
        assert "bit for bit" in text


def test_too_few_people_and_a_study_are_refused_with_what_is_needed() -> None:
    with pytest.raises(TooFew, match="needs 32 people to learn from and 5 to judge"):
        shards.price(people(5), people(2), _silent)
    with pytest.raises(InvalidInput, match="published data"):
        sharding.curve(None, 400, 1, None, gpu=False, as_json=True)
