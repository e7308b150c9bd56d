"""Mouse recordings: cut into actions, told apart, and never with the attacker's help unsaid."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from overt.audit import balabit as challenge
from overt.audit.actions import (
    CLICK,
    DRAG,
    FIGURES,
    MOVE,
    NONE,
    PRESSED,
    RELEASED,
    WHEEL,
    Recording,
    figures,
)
from overt.audit.rates import auc
from overt.datasets.formats.balabit import read_recording
from overt.schema.errors import InvalidInput, TooFew

HEAD = "record timestamp,client timestamp,button,state,x,y\n"


def silent(_what: str, _done: float) -> None:
    pass


def recording(rows: list[tuple[float, int, float, float]]) -> Recording:
    t, what, x, y = (np.array(column) for column in zip(*rows, strict=True))
    return Recording(t.astype(float), what.astype(np.int64), x.astype(float), y.astype(float))


def line(start_s: float, count: int, what: int = NONE, x: float = 0.0) -> list:
    return [(start_s + 0.02 * i, what, x + 5.0 * i, 100.0 + 3.0 * i) for i in range(count)]


def of(made: np.ndarray, name: str) -> list[float]:
    return made[:, FIGURES.index(name)].tolist()


def test_a_rest_a_click_a_drag_and_a_wheel_step_end_actions() -> None:
    rows = line(0, 6)  # a move, then a rest
    rows += line(5, 6)  # a move that leads to a click
    rows += [(5.2, PRESSED, 25.0, 115.0), (5.3, RELEASED, 25.0, 115.0)]
    rows += [(6.0, PRESSED, 25.0, 115.0), *line(6.1, 5, x=30.0), (6.3, RELEASED, 60.0, 130.0)]
    rows += [*line(6.5, 5), (6.7, WHEEL, 20.0, 112.0), *line(6.8, 3)]
    made = figures(recording(rows))
    assert of(made, "kind") == [MOVE, CLICK, DRAG, MOVE]
    assert of(made, "readings") == [6, 8, 7, 5]
    assert of(made, "hold_s") == pytest.approx([-1, 0.1, 0.3, -1])
    assert of(made, "pause_before_s")[1] == pytest.approx(4.9)


def test_figures_are_those_of_an_obvious_loop() -> None:
    rng = np.random.default_rng(4)
    x, y = np.cumsum(rng.integers(-4, 9, (2, 30)), axis=1).astype(float)
    t = np.cumsum(rng.choice([0.0, 0.015, 0.016, 0.031], 30))
    made = figures(Recording(t, np.zeros(30, np.int64), x, y))
    assert len(made) == 1
    steps = [math.hypot(x[i] - x[i - 1], y[i] - y[i - 1]) for i in range(1, 30)]
    long = math.hypot(x[-1] - x[0], y[-1] - y[0])
    kept = [i for i in range(30) if i == 0 or t[i] > t[i - 1]]
    # Of readings with one time only the first ends an interval.
    speeds = [math.hypot(x[b] - x[a], y[b] - y[a]) / (t[b] - t[a]) for a, b in pairwise(kept)]
    away = [
        abs((x[i] - x[0]) * (y[-1] - y[0]) - (y[i] - y[0]) * (x[-1] - x[0])) / long
        for i in range(30)
    ]
    turns = []
    moved = [(x[i] - x[i - 1], y[i] - y[i - 1]) for i in range(1, 30)]
    moved = [one for one in moved if one != (0, 0)]
    for (ax, ay), (bx, by) in pairwise(moved):
        turns.append(abs(math.atan2(ax * by - ay * bx, ax * bx + ay * by)))
    wanted = {
        "path_px": sum(steps),
        "distance_px": long,
        "straightness": long / sum(steps),
        "speed_mean": np.mean(speeds),
        "speed_median": np.median(speeds),
        "speed_sd": np.std(speeds),
        "away_max_px": max(away),
        "away_mean_px": np.mean(away),
        "turn_sum_rad": sum(turns),
        "turns_sharp": sum(turn > math.pi / 2 for turn in turns),
        "same_time_share": (30 - len(kept)) / 29,
        "interval_median_s": np.median(np.diff(t)),
    }
    for name, value in wanted.items():
        assert of(made, name)[0] == pytest.approx(value), name


def test_moving_a_recording_in_time_and_place_changes_positions_only() -> None:
    rng = np.random.default_rng(5)
    x, y = np.cumsum(rng.integers(-4, 9, (2, 40)), axis=1).astype(float)
    t = np.cumsum(rng.choice([0.015625, 0.03125], 40))
    what = np.zeros(40, np.int64)
    here = figures(Recording(t, what, x, y))
    there = figures(Recording(t + 64, what, x + 256, y + 128))
    moved = np.flatnonzero(~np.isclose(here[0], there[0]))
    assert {FIGURES[i] for i in moved} == set(FIGURES[:10])


def test_lost_readings_doubled_rows_and_a_wrapped_clock_are_put_right() -> None:
    wrap = 2.0**32 / 1000
    text = HEAD + "".join(
        f"{0.1 * i:.3f},{0.1 * i - (wrap if i > 4 else 0):.6f},NoButton,Move,{x},{10 + i}\n"
        for i, x in enumerate([1, 2, 65535, 4, 5, 6, 7, 8])
        for _twice in range(2)
    )
    made = challenge.readings(read_recording(text.encode(), "session_1"))
    assert made.x_px.tolist() == [1, 2, 4, 5, 6, 7, 8]
    assert made.time_s == pytest.approx([0, 0.1, 0.3, 0.4, 0.5, 0.6, 0.7], abs=1e-3)


def test_an_area_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(6)
    scores, positive = rng.integers(0, 5, 40).astype(float), rng.random(40) < 0.4
    right = [(a > b) + (a == b) / 2 for a in scores[positive] for b in scores[~positive]]
    found = auc(positive, scores, np.arange(40), np.zeros(40, np.int64))
    assert found.value == pytest.approx(np.mean(right))
    assert found.low <= found.value <= found.high
    assert math.isnan(auc(np.ones(3, bool), np.arange(3.0), np.arange(3), np.zeros(3)).value)


def test_no_model_that_has_met_the_attacker_is_asked() -> None:
    rng = np.random.default_rng(7)
    against = rng.normal(0, 1, (6, 4, 4))
    owner, out = np.array([0, 1, 2, 3, 0, 1]), np.array([1, 2, 3, 0, 3, 0])
    before = challenge.scores(against, owner, out)
    changed = against.copy()
    changed[np.arange(6), owner, out] = rng.normal(0, 9, 6)
    assert np.array_equal(challenge.scores(changed, owner, out), before)
    assert not np.allclose(challenge.scores(changed, owner), challenge.scores(against, owner))
    smallest = [min(against[i, owner[i], w] for w in range(4) if w != owner[i]) for i in range(6)]
    assert (challenge.scores(against, owner) >= smallest).all()
    is_owner, session, _known, _left = challenge.strangers(against, owner)
    assert is_owner.sum() == 6 * 3
    assert np.bincount(session).tolist() == [6] * 6


def write(path: Path, accounts: int = 3, sessions: int = 4) -> Path:
    """Made-up accounts: each moves at a pace and in steps of its own."""
    rng = np.random.default_rng(8)
    labels = ["filename,is_illegal"]

    def text(hand: int, actions: int) -> str:
        rows, t, x, y = [], 0.0, 300.0, 300.0
        for _ in range(actions):
            t += 2.0
            for _ in range(8):
                t += 0.01 * (hand + 1) + rng.random() * 0.005
                x, y = x + (hand + 1) * 2 + rng.integers(0, 3), y + rng.integers(-2, 3)
                rows.append(f"{t:.3f},{t:.4f},NoButton,Move,{int(x)},{int(y)}")
        return HEAD + "\n".join(rows) + "\n"

    for account in range(accounts):
        for part in ("training_files", "test_files"):
            (path / part / f"u{account}").mkdir(parents=True)
        (path / "training_files" / f"u{account}" / "session_0").write_text(text(account, 60))
        for number in range(sessions):
            name = f"session_{account}{number}"
            illegal = number % 2
            hand = (account + illegal) % accounts
            (path / "test_files" / f"u{account}" / name).write_text(text(hand, 6))
            labels.append(f"{name},{illegal}")
    (path / "public_labels.csv").write_text("\n".join(labels) + "\n")
    return path


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenge, "ROUNDS", 5)


def test_other_accounts_in_the_same_layout_are_scored(tmp_path: Path, few_trees: None) -> None:
    data = write(tmp_path)
    with (data / "public_labels.csv").open("a") as labels:
        labels.write("session_nowhere,1\n")
    (data / "test_files" / "u0" / "session_unlabelled").write_text(HEAD)
    found = challenge.reproduce(data, silent).as_dict()
    assert found["counts"]["test recordings"] == 12
    assert any("1 labels have no recording" in note for note in found["notes"])
    rows = {row["name"]: row for row in found["rows"]}
    assert len(rows) == 4 * len(challenge.VARIANTS)
    assert [row["published"] for row in found["rows"]].count(0.92) == 1
    assert rows["geometry only: challenge"]["measured"] > 0.9
    assert challenge.reproduce(data, silent).as_dict() == found


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("training_files", "no training recordings"),
        ("test_files", "no test recordings"),
        ("public_labels.csv", "no file of labels"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, gone: str, said: str) -> None:
    data = write(tmp_path, sessions=1)
    (data / gone).rename(tmp_path / "elsewhere.txt")
    if gone.endswith("files"):
        for file in sorted((tmp_path / "elsewhere.txt").rglob("session_*")):
            file.unlink()
    with pytest.raises(InvalidInput, match=said):
        challenge.reproduce(data, silent)


def test_one_account_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(TooFew):
        challenge.reproduce(write(tmp_path, accounts=1), silent)
