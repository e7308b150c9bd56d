"""Every figure agrees with an obvious loop."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.models.metrics import (
    ECE_BINS,
    FIGURES,
    figures,
    mixture_crps,
    mixture_nll,
    mixture_quantile,
)
from overt.models.predict import Predicted


def _predicted(seed: int, n: int = 30, vocabulary: int = 5, parts: int = 3) -> Predicted:
    rng = np.random.default_rng(seed)
    log_pause = rng.normal(5, 1, n)
    log_pause[rng.random(n) < 0.2] = np.nan
    return Predicted(
        rng.integers(0, vocabulary, n),
        rng.dirichlet(np.ones(vocabulary), n),
        log_pause,
        rng.dirichlet(np.ones(parts), n),
        rng.normal(5, 0.7, (n, parts)),
        rng.uniform(0.2, 1, (n, parts)),
    )


def _phi(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def _crps_by_integration(weight: list, mean: list, sigma: list, y: float) -> float:
    """∫ (F(x) − [x ≥ y])² dx over x from 0, by the trapezium rule on ln x; slow and plain."""
    grid = np.linspace(-2, 14, 8001)
    total = 0.0
    for left, right in itertools.pairwise(grid):
        middle = (left + right) / 2
        f = sum(w * _phi((middle - m) / s) for w, m, s in zip(weight, mean, sigma, strict=True))
        total += (f - (math.exp(middle) >= y)) ** 2 * (math.exp(right) - math.exp(left))
    return total


def test_crps_is_the_integral_it_is_defined_as() -> None:
    p = _predicted(1, n=4)
    at = np.array([3.0, 4.9, 5.5, 8.0])
    for i, found in enumerate(mixture_crps(p.weight, p.mean, p.sigma, at)):
        wanted = _crps_by_integration(
            p.weight[i].tolist(), p.mean[i].tolist(), p.sigma[i].tolist(), math.exp(at[i])
        )
        assert found == pytest.approx(wanted, rel=2e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_mixtures_agree_with_loops(seed: int) -> None:
    p = _predicted(seed, n=3)
    at = np.nan_to_num(p.log_pause, nan=4.0)
    nll = mixture_nll(p.weight, p.mean, p.sigma, at)
    median = mixture_quantile(p.weight, p.mean, p.sigma)
    for i in range(3):
        parts = list(zip(p.weight[i], p.mean[i], p.sigma[i], strict=True))
        density = sum(
            w * math.exp(-(((at[i] - m) / s) ** 2) / 2) / (s * math.sqrt(2 * math.pi))
            for w, m, s in parts
        )
        assert nll[i] == pytest.approx(-math.log(density), rel=1e-9)
        assert sum(w * _phi((median[i] - m) / s) for w, m, s in parts) == pytest.approx(0.5)


def _slow(people: list[Predicted]) -> dict[str, float]:
    events = right = among = nll = 0.0
    bins = [[0.0, 0.0, 0] for _ in range(ECE_BINS)]
    pauses, residuals, absolute, crps, pause_nll = [], [], [], [], []
    for p in people:
        for i, token in enumerate(p.token.tolist()):
            row = p.probability[i].tolist()
            order = sorted(range(len(row)), key=lambda j: -row[j])
            events += 1
            right += order[0] == token
            among += token in order[:3]
            nll -= math.log(row[token])
            place = bins[min(int(max(row) * ECE_BINS), ECE_BINS - 1)]
            place[0] += max(row)
            place[1] += order[0] == token
            place[2] += 1
            y = float(p.log_pause[i])
            if math.isnan(y):
                continue
            one = (p.weight[i : i + 1], p.mean[i : i + 1], p.sigma[i : i + 1])
            pauses.append(y)
            mean = sum(w * m for w, m in zip(p.weight[i], p.mean[i], strict=True))
            residuals.append((y - mean) ** 2)
            absolute.append(abs(math.exp(y) - math.exp(mixture_quantile(*one)[0])))
            crps.append(mixture_crps(*one, np.array([y]))[0])
            pause_nll.append(mixture_nll(*one, np.array([y]))[0])
    middle = sum(pauses) / len(pauses)
    return {
        "top1": right / events,
        "top3": among / events,
        "nll": nll / events,
        "ece": sum(abs(c - a) for c, a, _n in bins) / events,
        "pause_nll": sum(pause_nll) / len(pauses),
        "pause_crps_ms": sum(crps) / len(pauses),
        "pause_mae_ms": sum(absolute) / len(pauses),
        "pause_r2": 1 - sum(residuals) / sum((y - middle) ** 2 for y in pauses),
    }


def test_figures_agree_with_a_loop_over_events() -> None:
    people = [_predicted(seed, n=5 + seed) for seed in range(6)]
    slow = _slow(people)
    found = figures(people)
    assert list(found) == list(FIGURES)
    for name, figure in found.items():
        assert figure.value == pytest.approx(slow[name], rel=1e-9), name
        assert figure.low <= figure.high


def test_intervals_are_over_persons_and_shrink_with_more_of_them() -> None:
    few = figures([_predicted(seed) for seed in range(6)])
    many = figures([_predicted(seed) for seed in range(120)])
    for name in FIGURES:
        assert many[name].high - many[name].low < few[name].high - few[name].low, name
    one_person_often = figures([_predicted(1)] * 30)
    assert one_person_often["top1"].low == pytest.approx(one_person_often["top1"].high)
    assert figures([_predicted(s) for s in range(6)]) == few


def test_a_given_median_is_the_one_that_is_judged() -> None:
    p = _predicted(3)
    exact = Predicted(
        p.token, p.probability, p.log_pause, p.weight, p.mean, p.sigma, point=p.log_pause
    )
    assert figures([exact])["pause_mae_ms"].value == 0


def test_nobody_to_judge_gives_no_figures_and_no_crash() -> None:
    assert all(math.isnan(f.value) for f in figures([]).values())
    only_tokens = Predicted(
        np.array([1]), np.full((1, 3), 1 / 3), np.array([np.nan]), *[np.ones((1, 1))] * 3
    )
    found = figures([only_tokens])
    assert found["nll"].value == pytest.approx(math.log(3))
    assert math.isnan(found["pause_crps_ms"].value)
