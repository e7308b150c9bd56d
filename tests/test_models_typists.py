"""Published typing in, figures beside every baseline out; people are parted by their own number."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from models_fixtures import TINY, person, random_model
from overt.datasets.tokens import VOCABULARY
from overt.models import bursts, fluency, holds, pauses, peers, scored, typists
from overt.models.boosted import NAME as LIGHTGBM
from overt.models.metrics import figures
from overt.models.predict import Predicted, pooled
from overt.models.stream import stream_of
from overt.schema.errors import TooFew

HEAD = "PARTICIPANT_ID\tTEST_SECTION_ID\tPRESS_TIME\tRELEASE_TIME\tLETTER\tKEYCODE\n"


def silent(_what: str, _done: float) -> None:
    pass


def write(folder: Path, people: int) -> Path:
    """Write made-up participants: words of letters, each person at a pace of their own."""
    for number in range(people):
        rng = random.Random(number)
        lines, at = [], 1_000_000.0
        for press in range(60):
            letter, code = ("a", 65) if press % 5 else (" ", 32)
            if press % 17 == 16:
                letter, code = "BKSP", 8
            at += 2_400 if press % 29 == 28 else 0
            at += 90 + 4 * number + rng.random() * 80 + (150 if code == 32 else 0)
            lines.append(f"{number}\t{press // 30}\t{at:.0f}\t{at + 70:.0f}\t{letter}\t{code}")
        (folder / f"{number}_keystrokes.txt").write_text(HEAD + "\n".join(lines) + "\n")
    return folder


def test_who_is_judged_depends_on_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    (tmp_path / "fewer").mkdir()
    many = typists.read(write(tmp_path / "many", 40), silent)
    fewer = typists.read(write(tmp_path / "fewer", 36), silent)
    assert {p.tag for p in fewer.learned} < {p.tag for p in many.learned}
    assert {p.tag for p in fewer.unseen} < {p.tag for p in many.unseen}
    assert not {p.tag for p in many.learned} & {p.tag for p in many.unseen}
    (tmp_path / "none").mkdir()
    none = write(tmp_path / "none", 3)
    with pytest.raises(TooFew, match="to judge"):
        typists.read(none, silent)


def test_the_first_people_are_the_same_whether_the_rest_is_read_or_not(tmp_path: Path) -> None:
    write(tmp_path, 30)
    everybody = typists.all_in(tmp_path, silent)
    some = typists.all_in(tmp_path, silent, only=typists.first(tmp_path, 8))
    assert [one.tag for one in some[:8]] == [one.tag for one in everybody[:8]]
    assert len(some) < 12


def test_every_baseline_stands_beside_the_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typists, "fitted", lambda _people, _progress: random_model(TINY, 4))
    data = write(tmp_path, 40)
    alike = ["encoder", LIGHTGBM, peers.SHARDED, *peers.LESS.values()]
    for task, names, metrics in (
        (
            scored,
            [*alike, "Markov-2", "digraph", "most frequent"],
            [*scored.METRICS.values()],
        ),
        (
            pauses,
            [
                *alike,
                pauses.TOGETHER,
                fluency.NAME,
                "linear regression",
                "digraph median",
                "two log-normal states",
                "one log-normal",
                holds.KEY,
                f"{LIGHTGBM} less {holds.LINE}, paired",
            ],
            [*pauses.METRICS.values(), *holds.METRICS.values()],
        ),
    ):
        found = task.evaluate(data, silent).as_dict()
        assert {row["name"] for row in found["rows"]} == set(names)
        assert {row["metric"] for row in found["rows"]} == set(metrics)
        assert all(row["low"] <= row["value"] <= row["high"] for row in found["rows"])
        assert found["counts"]["people judged"] >= 5
        told = {(row["name"], row["metric"]): row["value"] for row in found["rows"]}
        for name, difference in peers.LESS.items():
            less = told["encoder", "nll"] - told[name, "nll"]
            assert told[difference, "nll"] == pytest.approx(less)
        assert told["encoder", "r2"] < told[LIGHTGBM, "r2"]  # nobody trained this encoder


def test_the_regression_is_that_of_least_squares() -> None:
    streams = [stream_of(person(n).sessions) for n in range(6)]
    fitted = pauses.linear(streams)
    known = [pauses.boosted.seen(stream) for stream in streams]
    inputs = np.concatenate([pauses._inputs(k)[~np.isnan(k.log_pause)] for k in known])
    aim = np.concatenate([k.log_pause[~np.isnan(k.log_pause)] for k in known])
    damped = np.concatenate([inputs, np.eye(inputs.shape[1])])
    slope = np.linalg.lstsq(damped, np.append(aim, np.zeros(inputs.shape[1])), rcond=None)[0]
    assert inputs @ fitted.slope == pytest.approx(inputs @ slope, abs=1e-6)
    assert fitted.sigma == pytest.approx(np.sqrt(np.mean((aim - inputs @ slope) ** 2)), rel=1e-6)


def test_two_states_are_found_where_there_are_two() -> None:
    rng = np.random.default_rng(2)
    fluent = rng.random(4000) < 0.7
    values = np.where(fluent, rng.normal(4.8, 0.2, 4000), rng.normal(6.5, 0.6, 4000))
    weight, mean, sigma = pauses.boosted.mixture(values, 2)
    assert weight == pytest.approx([0.7, 0.3], abs=0.03)
    assert mean == pytest.approx([4.8, 6.5], abs=0.1)
    assert sigma == pytest.approx([0.2, 0.6], abs=0.1)


def test_the_end_of_a_burst_is_told_as_an_obvious_count_of_pairs_says() -> None:
    rng = np.random.default_rng(4)
    people = []
    for _ in range(6):
        mean = rng.choice([5.0, 6.0, 7.0, 8.0], 40)
        n, one = len(mean), np.ones((len(mean), 1))
        log_pause = mean + rng.normal(0, 1, n)
        log_pause[0] = np.nan
        people.append(Predicted(np.zeros(n, int), one, log_pause, one, mean[:, None], one))
    found = bursts.figures(people)
    scored = [bursts.ends(one) for one in people]
    p, came = (np.concatenate(part) for part in zip(*scored, strict=True))
    pairs = [(a > b) + (a == b) / 2 for a in p[came] for b in p[~came]]
    assert found["burst_auc"].value == pytest.approx(np.mean(pairs))
    assert found["burst_nll"].value == pytest.approx(-np.log(np.where(came, p, 1 - p)).mean())
    assert found["burst_auc"].low < found["burst_auc"].value < found["burst_auc"].high


def test_states_know_the_persons_pace_and_where_in_the_text_a_key_stands() -> None:
    streams = [stream_of(person(n).sessions) for n in range(8)]
    fluent, plain = fluency.fit(streams[:6]), pauses.two_states(streams[:6])
    for stream in streams[6:]:
        made, other = (figures([one.predict(stream)]) for one in (fluent, plain))
        assert made["pause_nll"].value < other["pause_nll"].value + 0.05
    known = pauses.boosted.seen(streams[0])
    where = fluency.boundary(known)
    space = VOCABULARY.index("key:space")
    assert set(where[known.before[:, 0] == space].tolist()) <= {
        fluency.AFTER_SPACE,
        fluency.SENTENCE,
    }
    both = pooled(fluent.predict(streams[0]), plain.predict(streams[0]))
    assert both.weight.sum(1) == pytest.approx(np.ones(len(both.token)))
