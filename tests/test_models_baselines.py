"""The tables count what a loop counts, and the shards' tables add up to everyone's."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from models_fixtures import person
from overt.datasets.tokens import VOCABULARY
from overt.models.baselines import BACKOFF, BINS, PAIR_MIN, baselines, dense, sparse, tables
from overt.models.predict import BASELINES, predict_baselines
from overt.models.stream import stream_of

SIZE = len(VOCABULARY)
STREAMS = [stream_of(person(n).sessions) for n in range(6)]


def test_tables_of_shards_add_up_to_those_of_all_their_people() -> None:
    whole = tables(STREAMS, SIZE)
    parts = [tables(STREAMS[:2], SIZE), tables(STREAMS[2:], SIZE)]
    for name, counts in whole.items():
        assert np.array_equal(counts, parts[0][name] + parts[1][name])
        assert np.array_equal(dense(sparse(counts)), counts)
    one, two = baselines([whole], SIZE), baselines(parts, SIZE)
    assert np.array_equal(one.markov, two.markov)
    assert np.array_equal(one.pause_log_median, two.pause_log_median)


def test_probabilities_are_those_of_counted_contexts_with_backoff() -> None:
    singles, pairs, triples = Counter(), Counter(), Counter()
    for stream in STREAMS:
        token = stream.token.tolist()
        for i in range(len(token) - 1):
            if token[i + 1] == 0:
                continue
            before = token[i - 1] if i else SIZE
            singles[token[i + 1]] += 1
            pairs[token[i], token[i + 1]] += 1
            triples[before, token[i], token[i + 1]] += 1
    fitted = baselines([tables(STREAMS, SIZE)], SIZE)

    def slow(a: int, b: int, c: int) -> tuple[float, float, float]:
        one = (singles[c] + BACKOFF / SIZE) / (singles.total() + BACKOFF)
        of_b = sum(n for (x, _y), n in pairs.items() if x == b)
        two = (pairs[b, c] + BACKOFF * one) / (of_b + BACKOFF)
        of_ab = sum(n for (x, y, _z), n in triples.items() if (x, y) == (a, b))
        return one, two, (triples[a, b, c] + BACKOFF * two) / (of_ab + BACKOFF)

    for a, b, c in [*list(triples)[:40], (SIZE, 0, 3), (7, 7, 7)]:
        one, two, three = slow(a, b, c)
        assert fitted.unigram[c] == pytest.approx(one)
        assert fitted.pairs[b, c] == pytest.approx(two)
        assert fitted.markov[a, b, c] == pytest.approx(three)
    assert np.allclose(fitted.markov.sum(-1), 1)


def test_medians_and_log_normals_of_pairs_are_those_of_their_pauses() -> None:
    pauses: dict[tuple[int, int], list[float]] = {}
    for stream in STREAMS:
        for i in range(1, len(stream)):
            if stream.token[i] and stream.token[i - 1]:
                pair = (int(stream.token[i - 1]), int(stream.token[i]))
                pauses.setdefault(pair, []).append(math.log(stream.pause_us[i] / 1000))
    fitted = baselines([tables(STREAMS, SIZE)], SIZE)
    width = math.log(60_000) / BINS
    often = {pair: values for pair, values in pauses.items() if len(values) >= PAIR_MIN}
    assert often
    for pair, values in often.items():
        assert fitted.pause_log_median[pair] == pytest.approx(np.median(values), abs=2 * width)
        assert fitted.pause_log_mean[pair] == pytest.approx(np.mean(values), abs=width)
        assert fitted.pause_log_sigma[pair] == pytest.approx(np.std(values), abs=width)
    everything = [value for values in pauses.values() for value in values]
    assert fitted.all_log_median == pytest.approx(np.median(everything), abs=width)
    never_seen = fitted.pause_log_median[SIZE - 1, SIZE - 2]
    assert never_seen == fitted.all_log_median


def test_every_baseline_predicts_tokens_and_pauses_for_the_same_events() -> None:
    fitted = baselines([tables(STREAMS[1:], SIZE)], SIZE)
    rows = predict_baselines(fitted, STREAMS[0])
    assert tuple(rows) == BASELINES
    for row in rows.values():
        assert np.array_equal(row.token, rows["digraph"].token)
        assert np.array_equal(row.log_pause, rows["digraph"].log_pause, equal_nan=True)
        assert np.allclose(row.probability.sum(1), 1)
        assert (row.sigma > 0).all()


def test_tables_of_nobody_predict_without_a_crash() -> None:
    fitted = baselines([tables([], SIZE)], SIZE)
    assert np.allclose(fitted.unigram, 1 / SIZE)
    assert np.isfinite(fitted.pause_log_median).all()
