"""LightGBM sees what the encoder sees and nothing that is known only later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models_fixtures import TINY, people, person, random_model
from overt.models import boosted
from overt.models.evaluate import MODEL, evaluate
from overt.models.metrics import figures
from overt.models.stream import Stream, stream_of, targets


def cut(stream: Stream, end: int) -> Stream:
    columns = ("token", "pause_us", "hold_us", "rollover")
    return Stream(**{name: getattr(stream, name)[:end] for name in columns})


def test_what_is_seen_at_an_event_does_not_change_with_what_comes_later() -> None:
    stream = stream_of(person(3).sessions)
    whole = boosted.seen(stream)
    there = np.flatnonzero(targets(stream).token >= 0)
    for end in (1, 5, 17, 44, 60):
        part = boosted.seen(cut(stream, end + 1))
        known = int((there < end).sum())
        assert len(part.token) == known
        assert np.array_equal(part.before, whole.before[:known], equal_nan=True)
        assert np.array_equal(part.given, whole.given[:known], equal_nan=True)


def test_the_pause_to_come_is_not_among_what_is_seen() -> None:
    stream = stream_of(person(4).sessions)
    longer = replace(stream, pause_us=stream.pause_us.copy())
    longer.pause_us[20] *= 7
    before, after = boosted.seen(stream), boosted.seen(longer)
    row = int((targets(stream).token[:20] >= 0).sum()) - 1
    assert before.log_pause[row] != after.log_pause[row]
    assert np.array_equal(before.given[: row + 1], after.given[: row + 1], equal_nan=True)
    assert not np.array_equal(before.given[row + 1], after.given[row + 1], equal_nan=True)


def test_running_means_are_those_of_an_obvious_loop() -> None:
    rng = np.random.default_rng(1)
    values, group = rng.normal(size=50), rng.integers(0, 4, 50)
    values[rng.random(50) < 0.2] = np.nan
    mean, count = boosted._before(values, group)
    for i in range(50):
        own = [values[j] for j in range(i) if group[j] == group[i] and values[j] == values[j]]
        assert count[i] == len(own)
        assert mean[i] == pytest.approx(np.mean(own) if own else np.nan, nan_ok=True)


def test_trees_learn_what_there_is_to_learn_and_repeat_themselves() -> None:
    streams = [stream_of(p.sessions) for p in people(24)]
    trees = boosted.fit(streams[:18])
    assert trees is not None
    predicted = [trees.predict(stream) for stream in streams[18:]]
    found = figures(predicted)
    assert found["top1"].value > 0.6  # tokens follow a cycle four times of five
    assert found["pause_r2"].value > 0.1  # pauses follow the token
    assert all(np.allclose(p.probability.sum(1), 1) for p in predicted)
    assert all((p.sigma > 0).all() and np.isfinite(p.mean).all() for p in predicted)
    again = boosted.fit(streams[:18])
    assert again is not None
    assert np.array_equal(again.predict(streams[20]).mean, predicted[2].mean)


def test_too_little_grows_no_tree() -> None:
    assert boosted.fit([]) is None
    assert boosted.fit([stream_of(person(1).sessions)]) is None


def test_a_card_without_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    everyone = people(30)
    monkeypatch.setattr(boosted, "installed", lambda: False)
    judged = evaluate(random_model(TINY), everyone)
    assert MODEL in judged.rows
    assert boosted.NAME not in judged.rows
    assert judged.as_dict()["remarks"] == ["LightGBM is not installed: its row is left out."]


def test_nobody_is_judged_by_trees_they_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    shards = [replace(p, split="train", shard=i % 2) for i, p in enumerate(people(10))]
    taught: list[set[int]] = []
    judged: list[set[int]] = []

    class Trees:
        def predict(self, stream: Stream) -> object:
            judged[-1].add(int(stream.pause_us.sum()))
            return object()

    def fit(streams: list[Stream]) -> Trees:
        taught.append({int(s.pause_us.sum()) for s in streams})
        judged.append(set())
        return Trees()

    monkeypatch.setattr(boosted, "fit", fit)
    monkeypatch.setattr("overt.models.evaluate.figures", lambda _people: {})
    evaluate(random_model(TINY), shards)
    assert len(taught) == 2
    assert all(
        len(a) == 5 and len(b) == 5 and not a & b for a, b in zip(taught, judged, strict=True)
    )
