"""The shared encoder sees the past only, nothing of what is hidden, and is probed for sources."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models_fixtures import stretch
from overt.datasets import rows
from overt.datasets.tokens import VOCABULARY, tokens_of
from overt.models.neural.fitting import Plan
from overt.models.pretrained import fitted, heads, probe, sources, tasks
from overt.models.pretrained.erased import erasure
from overt.models.pretrained.frames import (
    GRID_MS,
    MOVE,
    NUMBERS,
    PRESS,
    TOKENS,
    VIEWS,
    Frames,
    frames_of,
    of_motion,
    of_typing,
    on_grid,
    seen,
)
from overt.models.pretrained.network import BODIES, SPAN, Batch, shared
from overt.models.pretrained.sources import POINTER, Person
from overt.models.stream import stream_of
from overt.schema.errors import InvalidInput
from overt.schema.event import Kind


def _motion(step_ms: float, speed: float = 0.5, count: int = 90, seed: int = 0) -> Person:
    rng = np.random.Generator(np.random.PCG64(seed))
    t = np.arange(count) * step_ms
    x = np.cumsum(rng.integers(1, 4, count) * speed * step_ms)
    one = of_motion(t, np.round(x), np.round(x / 3))
    return Person(f"every {step_ms:.0f} ms", str(seed), POINTER, (one,))


def _given(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.Generator(np.random.PCG64(seed))
    token = torch.from_numpy(rng.integers(1, len(TOKENS), (2, n)))
    return token, torch.from_numpy(rng.normal(size=(2, n, NUMBERS)).astype(np.float32))


@pytest.mark.parametrize("body", BODIES)
@settings(max_examples=5, deadline=None)
@given(cut=st.integers(1, 39), seed=st.integers(0, 99))
def test_a_later_event_never_changes_what_the_encoder_says_of_an_earlier_one(
    body: str, cut: int, seed: int
) -> None:
    model = shared(body, 2, 1).eval()
    token, numbers = _given(40)
    other, others = _given(40, seed + 1)
    with torch.inference_mode():
        whole = model.states(token, numbers)
        changed = model.states(
            torch.cat([token[:, :cut], other[:, cut:]], 1),
            torch.cat([numbers[:, :cut], others[:, cut:]], 1),
        )
    assert torch.allclose(whole[:, :cut], changed[:, :cut], atol=1e-5)
    assert not torch.allclose(whole[:, cut:], changed[:, cut:], atol=1e-3)


@pytest.mark.parametrize("body", BODIES)
def test_nothing_of_a_hidden_span_goes_in(body: str) -> None:
    model = shared(body, 2, 1).eval()
    token, numbers = _given(4 * SPAN)
    hidden = torch.zeros(2, 4 * SPAN, dtype=torch.bool)
    hidden[:, SPAN : 2 * SPAN] = True
    other, others = _given(4 * SPAN, 9)
    changed = torch.where(hidden, other, token)
    with torch.inference_mode():
        one = model.states(token, numbers, hidden)
        two = model.states(changed, torch.where(hidden[..., None], others, numbers), hidden)
        shown = model.states(changed, torch.where(hidden[..., None], others, numbers))
    assert torch.equal(one, two)
    assert not torch.allclose(one, shown, atol=1e-3)


def test_long_stretches_are_read_as_short_ones_are() -> None:
    model = shared("tcn", 1, 3).eval()
    token, numbers = _given(fitted.ROW + 40)
    stretches = [(token[0].numpy(), numbers[0].numpy())]
    short = [(stretches[0][0][: fitted.ROW + 10], stretches[0][1][: fitted.ROW + 10])]
    long = fitted.encoded(model, stretches)[0]
    assert long.shape[0] == fitted.ROW + 40
    assert np.allclose(fitted.encoded(model, short)[0], long[: fitted.ROW + 10], atol=1e-5)


def test_typing_is_seen_as_the_encoder_that_people_can_leave_sees_it() -> None:
    session = rows.table(
        4,
        {
            "kind": [1, 2, 1, 2],
            "t_us": [5, 90, 205, 300],
            "key_class": [1, 1, 4, 4],
            "slot": [1, 1, 2, 2],
        },
    )
    (frames,) = frames_of(session)
    expected = stream_of(tokens_of(session))
    made = tasks.stream_of([frames])
    for name in ("token", "pause_us", "hold_us", "rollover"):
        assert getattr(made, name).tolist() == getattr(expected, name).tolist()


def test_pointer_and_keys_stand_in_order_of_time() -> None:
    kinds = [Kind.POINTER_MOVE, Kind.KEY_DOWN, Kind.POINTER_MOVE, Kind.POINTER_DOWN]
    session = rows.table(
        4,
        {
            "kind": [int(kind) for kind in kinds],
            "t_us": [0, 4_000, 10_000, 30_000],
            "key_class": [0, 1, 0, 0],
            "x_8th_css_px": [80, 0, 160, 160],
        },
    )
    (frames,) = frames_of(session)
    assert frames.token.tolist() == [0, MOVE, VOCABULARY.index("key:letter"), MOVE, PRESS]
    assert frames.pause_us.tolist() == [0, 0, 4_000, 6_000, 20_000]
    assert frames.right_px.tolist() == [0, 0, 0, 10, 0]


def test_on_one_clock_it_does_not_show_how_often_a_device_sampled() -> None:
    fine, coarse = on_grid(_line(5)), on_grid(_line(50))
    assert np.array_equal(fine.pause_us[2:], coarse.pause_us[2:])
    assert np.allclose(fine.right_px[2:], coarse.right_px[2:], atol=1e-4)
    assert set(fine.pause_us[2:].tolist()) == {int(GRID_MS * 1000)}


def _line(step_ms: int) -> Frames:
    t = np.arange(0, 1001, step_ms, dtype=np.float64)
    return of_motion(t, t * 0.4, np.zeros(len(t)))


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_finite_and_as_long_as_its_tokens(view: str) -> None:
    for stretches in (
        [of_typing(stretch(np.random.default_rng(1), 7))],
        [_motion(10).stretches[0]],
        [],
    ):
        for token, numbers in seen(stretches, view):
            assert numbers.shape == (len(token), NUMBERS)
            assert np.isfinite(numbers).all()


def test_a_fitted_encoder_is_the_same_again_also_when_it_was_broken_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitted, "BATCH", 2)
    people = [_motion(10.0, seed=seed) for seed in range(4)]
    plan = Plan(passes=2, patience=2, steps=2, warm=1)
    kept: list[bytes] = []
    one = fitted.fitted(people, "tcn", "plain", 3, plan=plan, adversary=0.5, keep=kept.append)
    two = fitted.fitted(people, "tcn", "plain", 3, plan=plan, adversary=0.5, begun=kept[0])
    for mine, theirs in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_the_probe_tells_sources_that_sample_unlike_and_not_those_on_one_clock() -> None:
    people = [
        replace(_motion(step, seed=n, count=260), source=source)
        for source, step in (("a", 8.0), ("b", 40.0))
        for n in range(12)
    ]
    plain, spread = probe.told("inputs", people, "plain", probe.inputs)
    assert plain.value > 0.9
    assert spread.value > 0.9
    same = [replace(one, source="ab"[n % 2]) for n, one in enumerate(people[:12])]
    chance, _ = probe.told("inputs", same, "plain", probe.inputs)
    assert chance.low <= 0.5
    assert probe.told("inputs", people[:12], "plain", probe.inputs) == []


def test_no_mean_tells_the_source_of_states_from_which_it_was_taken_out() -> None:
    rng = np.random.Generator(np.random.PCG64(4))
    states = [rng.normal(size=(400, 6)) @ rng.normal(size=(6, 6)) + 3 * n for n in range(3)]
    take_out = erasure(states)
    means = np.array([take_out(one).mean(axis=0) for one in states])
    assert np.allclose(means, means[0], atol=1e-6)
    assert np.linalg.matrix_rank(np.concatenate([take_out(one) for one in states])) >= 4


def test_heads_tell_of_their_rows_in_order() -> None:
    rng = np.random.Generator(np.random.PCG64(2))
    x = rng.normal(size=(200, 4))
    odds = heads.logistic(x, x[:, 0] > 0)(np.eye(4)[:2] * [[3], [1]])
    assert odds[0] > odds[1] > -2
    left = np.stack([50 + 20 * x[:, 1], -10 * x[:, 2]], axis=1)
    told = heads.ends(x, left, x[:5], 1)
    assert told.shape == (5, 2)
    assert np.array_equal(told, heads.ends(x, left, x[:5], 1))


def test_a_place_without_sources_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        sources.read(tmp_path, lambda _what, _share: None)


def test_a_batch_of_one_source_has_a_finite_loss() -> None:
    token, numbers = _given(16)
    token[1, 10:] = -1
    batch = Batch(token, numbers, torch.zeros(2, 16, dtype=torch.bool), torch.tensor([0, 0]))
    assert torch.isfinite(shared("gru", 1, 0, adversary=1.0).loss(batch))
