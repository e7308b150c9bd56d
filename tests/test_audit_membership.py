"""Membership inference finds what there is to find, no more, and says when it cannot tell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from models_fixtures import TINY, person
from overt.audit import attackable, membership, operating, rates
from overt.audit.membership import Asked, Membership, attacked, halves
from overt.audit.membership_page import page
from overt.cli import app
from overt.datasets.tokens import VOCABULARY
from overt.models import many, shadows, shard
from overt.models.predict import predict
from overt.models.shadows import nats_an_event
from overt.models.stream import stream_of
from overt.schema.errors import InvalidInput, TooFew

NORMAL = NormalDist()


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw people fewer times: what is tested are the figures, and intervals within reason."""
    monkeypatch.setattr(rates, "RESAMPLES", 100)


def toy(people: int, models: int, apart: float, shards: int = 1, seed: int = 0) -> Asked:
    """Return losses around each person's own difficulty, lower by `apart` where they taught."""
    rng = np.random.default_rng(seed)
    design = halves(people, models, shards)
    inside = design[:, None] == np.arange(shards)[None, :, None]
    loss = rng.normal(0, 3, people) - apart * inside + rng.normal(size=(models, shards, people))
    return Asked(design, loss, loss.mean(1))


def row(found: Membership, attack: str, access: str = "weights"):
    return next(r.found for r in found.rows if (r.access, r.attack) == (access, attack))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 5), st.integers(0, 9))
def test_everyone_is_in_exactly_half_of_the_models_and_in_one_shard_of_each(
    people: int, pairs: int, shards: int, seed: int
) -> None:
    design = halves(people, 2 * pairs, shards, seed)
    inside = design >= 0
    assert (inside[::2] ^ inside[1::2]).all()
    for target in range(2 * pairs):
        others = inside[membership.attackers(target, 2 * pairs)]
        assert (others.sum(0) == pairs - 1).all(), "counting would tell"
    for model in design:
        sizes = np.bincount(model[model >= 0], minlength=shards)
        assert sizes.max() - sizes.min() <= 1
        assert sizes.size == shards


def test_lira_finds_what_two_normal_distributions_allow_and_no_more() -> None:
    apart, models = 3.0, 24
    found = attacked(toy(250, models, apart), "toy")
    # A person's mean without them is known from so many models: the difference to it is wider.
    width = (1 + 1 / (models / 2 - 1)) ** 0.5
    at_one = 1 - NORMAL.cdf(NORMAL.inv_cdf(0.99) - apart / width)
    area = NORMAL.cdf(apart / width / 2**0.5)
    best = 1 - NORMAL.cdf(NORMAL.inv_cdf(0.99) - apart)
    offline = row(found, "LiRA offline")
    rate = offline.true_rates[0.01]
    assert rate is not None
    assert rate.low <= at_one <= rate.high
    assert offline.auc.value == pytest.approx(area, abs=0.01)
    for attack in ("LiRA online", "RMIA"):
        rate = row(found, attack).true_rates[0.01]
        assert rate is not None
        assert at_one - 0.1 < rate.value < best + 0.03


def test_of_several_shards_the_file_tells_more_than_the_answers() -> None:
    found = attacked(toy(150, 12, 3.0, shards=4), "toy", false_rates=(0.1,))
    for attack in ("LiRA online", "LiRA offline"):
        assert row(found, attack).auc.low > row(found, attack, "answers").auc.high
    assert found.strongest("weights", 0.1).access == "weights"


def test_a_model_that_is_there_is_attacked_as_well_unless_everybody_taught_it() -> None:
    people, apart = 200, 3.0
    asked = toy(people, 12, apart)
    rng, member = np.random.default_rng(5), np.arange(people) < 140
    hard = np.where(asked.shard < 0, asked.loss[:, 0], 0).sum(0) / 6
    loss = hard - apart * member + rng.normal(size=people)
    one = membership.Itself(loss[None], loss, member)
    rows = [r for r in attacked(asked, "toy", itself=one).rows if r.of == "itself"]
    assert len(rows) == 3
    assert all(r.found.auc.low > 0.9 and r.found.true_rates[0.01] is None for r in rows)
    everybody = replace(one, member=np.ones(people, bool))
    assert {r.of for r in attacked(asked, "toy", itself=everybody).rows} == {"halves"}


def test_models_that_met_nobody_come_out_at_chance_by_every_test() -> None:
    asked, strangers = toy(200, 12, 3.0), toy(200, 12, 0.0, seed=1)
    found = attacked(asked, "strangers", instead=(strangers.loss, strangers.answered))
    for one in found.rows:
        assert one.found.auc.low <= 0.5 <= one.found.auc.high, one.attack
        rate = one.found.true_rates[0.01]
        assert rate is not None
        assert rate.value < 0.03
    assert row(attacked(asked, "toy"), "LiRA online").auc.low > 0.9


def test_what_cannot_be_measured_is_refused_with_the_number_that_is_needed() -> None:
    with pytest.raises(TooFew, match="20 people and 8 models"):
        attacked(toy(19, 8, 1.0), "toy")
    with pytest.raises(TooFew, match="there are 40 and 6"):
        attacked(toy(40, 6, 1.0), "toy")
    few = attacked(toy(99, 12, 1.0), "toy")
    assert row(few, "RMIA").true_rates == {0.01: None, 0.001: None}
    assert "needs 100 people" in few.left_out[0]
    assert "needs 1,000 people and 10,000 trials, there are 99" in few.left_out[1]
    assert row(attacked(toy(100, 20, 1.0), "toy"), "RMIA").true_rates[0.01] is not None
    assert operating.needed(0.001).trials == 10_000


def test_equal_scores_are_a_coin_toss() -> None:
    member = np.tile([True, False], 1000)
    found = operating.operating(member, np.zeros(2000), np.arange(2000), 2000, (0.01,))
    assert found.auc.value == 0.5
    assert found.true_rates[0.01] is not None
    assert found.true_rates[0.01].value == pytest.approx(0.01)


def test_a_report_holds_rates_and_says_of_nobody_that_they_were_recognised() -> None:
    asked = toy(120, 10, 2.0)
    found = attacked(asked, "toy")
    text = page(found, ("Not released.",), synthetic=True)
    assert "Not released." in text
    assert "Synthetic" in text
    plain = json.dumps(found.as_dict(), allow_nan=False)
    assert plain.count("[") <= 4, "no list of people"
    assert len(row(found, "RMIA").curve) == 120


CONFIG = replace(TINY, chunk=24, batch=80, steps_min=1, weight_decay=0.0)


def test_many_at_once_are_fitted_as_each_alone() -> None:
    config = replace(CONFIG, batch=4, epochs=2)
    streams = [stream_of(person(number).sessions) for number in range(6)]
    chunks = many.Chunks(streams, config.chunk, "cpu")
    taught = [np.arange(2), np.arange(1, 6)]
    fitted = many.fit(chunks, taught, [3, 7], config).members()
    for members, people, seed in zip(fitted, taught, (3, 7), strict=True):
        alone = shard.fit([streams[i] for i in people], config, len(VOCABULARY), seed)
        for name, weight in alone.items():
            assert np.allclose(members[name], weight, atol=1e-5), name


def test_many_at_once_are_asked_what_a_prediction_says_through_whole_streams() -> None:
    streams = [stream_of(person(number).sessions) for number in range(3)]
    chunks = many.Chunks(streams, CONFIG.chunk, "cpu")
    asked = many.Many.fresh([1, 2], CONFIG)
    assert (np.bincount(chunks.owner) > 2).all(), "streams of several chunks"
    each, together = many.asked(asked, chunks)
    members = asked.members()
    for found, shards in ((each[0], members[:1]), (each[1], members[1:]), (together, members)):
        said = predict(shards, CONFIG, streams)
        assert np.allclose(found, [nats_an_event(one) for one in said], atol=1e-5)


def test_a_model_trained_far_too_long_is_seen_through() -> None:
    config = replace(
        CONFIG, hidden=24, pause_hidden=24, chunk=12, batch=20, epochs=60, learning_rate=0.03
    )
    config = replace(config, epochs_max=60)
    people = 20
    streams = [stream_of(person(number, length=11).sessions) for number in range(people)]
    design = halves(people, 8, 1)
    chunks = many.Chunks(streams, config.chunk, "cpu")
    taught = [np.flatnonzero(one >= 0) for one in design]
    losses, _ = many.asked(many.fit(chunks, taught, list(range(8)), config), chunks)
    found = attacked(Asked(design, losses[:, None], losses), "overfitted")
    for one in found.rows:
        assert one.found.auc.low > 0.7, one.attack


def test_losses_of_models_trained_elsewhere_are_attacked_too(tmp_path: Path) -> None:
    asked, file = toy(120, 8, 2.0), tmp_path / "losses.npz"
    np.savez(file, shard=asked.shard, loss=asked.loss, answered=asked.answered)
    arguments = ["audit", "membership", "--model", "federated", "--losses", str(file), "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.exception
    told = json.loads(done.stdout)
    assert (told["model"], told["people"]) == ("federated", 120)
    for change in (
        {"loss": asked.loss[:, :, :9]},
        {"shard": asked.shard[[0, 0, 2, 2, 4, 4, 6, 6]]},
    ):
        np.savez(file, **{**vars(asked), **change})
        with pytest.raises(InvalidInput):
            attackable.elsewhere("federated", file, lambda _what, _done: None)
    for damaged in (b"", b"PK\x03\x04 not a zip", b"text"):
        file.write_bytes(damaged)
        with pytest.raises(InvalidInput, match="holds no losses"):
            attackable.elsewhere("federated", file, lambda _what, _done: None)
    with pytest.raises(InvalidInput, match="Known: encoder"):
        attackable.published("mood", file, 20, 8, 1, "cpu", lambda _what, _done: None)
    with pytest.raises(InvalidInput, match="encoder alone"):
        attackable.published("lightgbm", file, 20, 8, 1, "cpu", lambda *_: None, epochs=4)


def test_a_kind_of_model_without_shards_needs_one_function() -> None:
    def taught(member: np.ndarray, seed: int) -> np.ndarray:
        return np.where(member, 1.0, 2.0) + seed

    design = halves(30, 8, 1)
    losses, answered = shadows.one_by_one(taught, 30, workers=1)(design, lambda _w, _d: None)
    assert (losses[:, 0] == answered).all()
    assert answered[3, design[3] >= 0].max() == 4.0
    with pytest.raises(InvalidInput):
        shadows.one_by_one(taught, 30)(halves(30, 8, 2), lambda _w, _d: None)


def test_a_training_tells_about_how_long_it_takes_still_and_not_at_every_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(shadows.time, "monotonic", lambda: now[0])
    said: list[str] = []
    told = shadows._telling(lambda what, _done: said.append(what))
    for step in range(1001):
        now[0] = step * 1.2  # twenty minutes in all
        told(step / 1000)
    assert said[0] == said[10] == "training on halves of the people"
    assert said[500].endswith("about 11 min left")
    assert said[-1].endswith("about 1 min left")
    assert len(set(said)) < 12
