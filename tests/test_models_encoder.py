"""The encoder computes what its docstring says and looks only backwards."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from models_fixtures import TINY, person, stretch
from overt.datasets.tokens import VOCABULARY, TokenArrays
from overt.models.config import Config
from overt.models.descent import NORM_MAX, Adam
from overt.models.encoder import Encoder, encoder_from
from overt.models.predict import predict
from overt.models.recurrence import recur
from overt.models.shard import fit, rate
from overt.models.stream import (
    BEYOND,
    FAR,
    MARKS,
    PACE,
    habits,
    numbers,
    pack,
    stream_of,
    targets,
    unpack,
)

SIZE = len(VOCABULARY)


def _encoder(config: Config = TINY) -> Encoder:
    encoder = Encoder(config, SIZE)
    encoder.initialise(3)
    return encoder


def test_the_recurrence_is_that_of_torch_forwards_and_backwards() -> None:
    torch.manual_seed(1)
    gru = torch.nn.GRU(4, 5).double()
    x, first = torch.randn(7, 3, 4).double(), torch.randn(3, 5).double().requires_grad_()
    wanted, _last = gru(x, first[None])
    inputs = torch.nn.functional.linear(x, gru.weight_ih_l0, gru.bias_ih_l0)
    found = recur(inputs, gru.weight_hh_l0, gru.bias_hh_l0, first)
    assert torch.allclose(found, wanted, atol=1e-12)
    weights = [*gru.parameters(), first]
    toward = torch.randn_like(wanted)
    for mine, theirs in zip(
        torch.autograd.grad((found * toward).sum(), weights),
        torch.autograd.grad((wanted * toward).sum(), weights),
        strict=True,
    ):
        assert torch.allclose(mine, theirs, atol=1e-12)


def test_the_steps_are_those_of_torch_adamw_with_clipped_gradients() -> None:
    torch.manual_seed(2)
    start = [torch.randn(4, 3), torch.randn(3)]
    mine = [w.clone().requires_grad_() for w in start]
    theirs = [w.clone().requires_grad_() for w in start]
    adam, reference = Adam(mine, 0.1), torch.optim.AdamW(theirs, weight_decay=0.1)
    for step in range(5):
        pulls = [torch.randn_like(w) * 10 ** (step - 2) for w in start]
        for weights in (mine, theirs):
            for weight, pull in zip(weights, pulls, strict=True):
                weight.grad = pull.clone()
        torch.nn.utils.clip_grad_norm_(theirs, NORM_MAX)
        reference.param_groups[0]["lr"] = 0.01 * (step + 1)
        reference.step()
        adam.step(0.01 * (step + 1))
    for a, b in zip(mine, theirs, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_the_loss_is_what_a_loop_over_events_says() -> None:
    encoder = _encoder().requires_grad_(requires_grad=False)
    stream = stream_of(person(1).sessions)
    aim = targets(stream)
    token = torch.from_numpy(stream.token.astype(np.int64))[:, None]
    states, _last = encoder.states(token, torch.from_numpy(numbers(stream))[:, None])
    token_nll, pause_nll = encoder.loss(
        states,
        torch.from_numpy(aim.token)[:, None],
        torch.from_numpy(habits(stream))[:, None],
        torch.from_numpy(aim.log_pause)[:, None].float(),
    )
    slow_token = slow_pause = 0.0
    for i in range(len(stream)):
        if aim.token[i] < 0:
            continue
        p = torch.softmax(encoder.token(states[i, 0]), -1)
        slow_token -= math.log(float(p[aim.token[i]]))
        if math.isnan(aim.log_pause[i]):
            continue
        w, m, s = (
            t.numpy()
            for t in encoder.mixture(
                states[i, 0],
                torch.tensor(int(aim.token[i])),
                torch.from_numpy(habits(stream)[i]),
            )
        )
        density = sum(
            math.exp(w[k] - s[k] - ((aim.log_pause[i] - m[k]) / math.exp(s[k])) ** 2 / 2)
            / math.sqrt(2 * math.pi)
            for k in range(3)
        )
        slow_pause -= math.log(density)
    assert math.isclose(float(token_nll), slow_token, rel_tol=1e-4)
    assert math.isclose(float(pause_nll), slow_pause, rel_tol=1e-4)


def test_what_comes_later_changes_no_earlier_prediction() -> None:
    one = stretch(np.random.default_rng(4), 30)
    other = TokenArrays(*(a.copy() for a in (one.token, one.pause_us, one.hold_us, one.rollover)))
    other.token[21:] = 9
    for later in (other.pause_us, other.hold_us, other.rollover):
        later[21:] = 1
    made = [
        predict([_encoder().tensors()], TINY, [stream_of([arrays])])[0] for arrays in (one, other)
    ]
    assert np.array_equal(made[0].probability[:21], made[1].probability[:21])
    assert np.array_equal(made[0].mean[:20], made[1].mean[:20])
    assert not np.allclose(made[0].probability[21:], made[1].probability[21:])


def test_habits_are_what_a_loop_over_the_pauses_so_far_says() -> None:
    stream = stream_of(person(3).sessions)
    aim = targets(stream)
    known: list[tuple[int, int, float]] = []
    for i, (last, came, log_pause) in enumerate(
        zip(stream.token.tolist(), aim.token.tolist(), aim.log_pause.tolist(), strict=True)
    ):
        if came < 0:
            assert not habits(stream)[i].any()
            continue
        lean, wanted, counts = 5.0, [], []
        for some, weight in (
            (known, 10),
            ([k for k in known if k[1] == came], 2),
            ([k for k in known if k[:2] == (last, came)], 2),
        ):
            mean = (sum(k[2] for k in some) + weight * lean) / (len(some) + weight)
            wanted.append(mean - lean)
            counts.append(math.log1p(len(some)) / 5)
            lean = mean
        assert np.allclose(habits(stream)[i], wanted + counts, atol=1e-5)
        if not math.isnan(log_pause):
            known.append((last, came, log_pause))
    assert len(known) > 50


def test_a_pause_is_told_against_the_habits_before_it_and_marks_by_how_far_back_they_are() -> None:
    arrays = TokenArrays(
        np.array([0, 3, *MARKS[1:], 3, 3], np.int16),
        np.array([0, 900_000, 100_000, 200_000, 300_000, 150_000]),
        np.full(6, -1),
        np.zeros(6, np.int8),
    )
    stream = stream_of([arrays, arrays])
    found, habit = numbers(stream), habits(stream)
    for i in range(len(stream)):
        before = np.zeros(6) if i % 6 == 0 else habit[i - 1]
        beyond = found[i, 0] - before[:3].sum() if i % 6 > 1 else 0
        assert found[i, [BEYOND, PACE]] == pytest.approx([beyond, before[0]], abs=1e-6)
        for column, mark in enumerate(MARKS, PACE + 1):
            there = np.flatnonzero(stream.token[: i + 1] == mark)
            back = i - there[-1] if there.size else FAR
            assert found[i, column] == pytest.approx(math.log1p(back) / 2)
    far = stream_of([TokenArrays(np.array([0, *[3] * 70]), *np.zeros((3, 71), np.int64))])
    assert found[11, PACE] != 0
    assert numbers(far)[-1, PACE + 1] == pytest.approx(math.log1p(FAR) / 2)


def test_unknown_holds_and_pauses_after_start_are_inputs_of_zero() -> None:
    arrays = TokenArrays(
        np.array([0, 1, 2], np.int16),
        np.array([0, 900_000, 100_000]),
        np.array([-1, -1, 80_000]),
        np.array([0, 0, 1], np.int8),
    )
    found = numbers(stream_of([arrays, arrays]))
    last = [(math.log(100) - 5), 1, (math.log(80) - 5), 1, 1]
    wanted = [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], last] * 2
    assert np.allclose(found[:, :5], wanted)
    aim = targets(stream_of([arrays, arrays]))
    assert aim.token.tolist() == [1, 2, -1, 1, 2, -1]
    assert np.isnan(aim.log_pause).tolist() == [True, False, True] * 2
    assert math.isclose(aim.log_pause[1], math.log(100))


def test_predicting_many_streams_at_once_is_predicting_each_alone() -> None:
    weights = [_encoder().tensors()]
    streams = [stream_of(person(n, length=10 + 7 * n).sessions) for n in range(4)]
    for stream, together in zip(streams, predict(weights, TINY, streams), strict=True):
        alone = predict(weights, TINY, [stream])[0]
        assert np.array_equal(alone.token, together.token)
        for name in ("probability", "weight", "mean", "sigma"):
            assert np.allclose(getattr(alone, name), getattr(together, name), atol=1e-6)


def test_a_prediction_is_the_mean_over_shards() -> None:
    other = _encoder()
    other.initialise(8)
    members = [_encoder().tensors(), other.tensors()]
    stream = [stream_of(person(2).sessions)]
    both, first, second = (predict(m, TINY, stream)[0] for m in (members, members[:1], members[1:]))
    assert np.allclose(both.probability, (first.probability + second.probability) / 2)
    came = np.arange(len(both.token)), both.token
    share = first.probability[came] / (first.probability[came] + second.probability[came])
    assert np.allclose(both.weight[:, :3], first.weight * share[:, None])


def test_a_rhythm_that_is_there_is_learned() -> None:
    config = Config(hidden=16, chunk=32, batch=4, epochs=30, steps_min=60, epochs_max=30)
    streams = [stream_of(person(n).sessions) for n in range(6)]
    before = Encoder(config, SIZE)
    before.initialise(1)
    trained = fit(streams, config, SIZE, 0)
    unseen = [stream_of(person(50).sessions)]

    def nll(weights: dict[str, np.ndarray]) -> float:
        p = predict([weights], config, unseen)[0]
        return float(-np.log(p.probability[np.arange(len(p.token)), p.token]).mean())

    assert nll(trained) < 0.5 * nll(before.tensors())
    assert nll(encoder_from(trained, config, SIZE).tensors()) == nll(trained)


def test_a_sequence_is_learned_from_where_the_one_before_it_was_left() -> None:
    config = Config(hidden=5, embed=3, pause_hidden=4, chunk=8, batch=1, epochs=2, steps_min=1)
    stream = stream_of([stretch(np.random.default_rng(7), 23)])
    aim = targets(stream)
    columns = (stream.token.astype(np.int64), numbers(stream), aim.token, habits(stream))
    inputs = [torch.from_numpy(column)[:, None] for column in columns]
    pause = torch.from_numpy(aim.log_pause).float()[:, None]
    slow = _encoder(config)
    slow.initialise(config.seed * 1_000_003)
    adam = Adam(slow.parameters(), config.weight_decay)
    order = np.random.Generator(np.random.PCG64([config.seed, 0]))
    left: dict[int, torch.Tensor] = {}
    places = [place for _ in range(2) for place in order.permutation(3).tolist()]
    for done, place in enumerate(places):
        token, number, following, habit, asked = (
            column[8 * place : 8 * place + 8] for column in (*inputs, pause)
        )
        states, last = slow.states(token, number, left.get(place - 1))
        left[place] = last.detach()
        (sum(slow.loss(states, following, habit, asked)) / (following >= 0).sum()).backward()
        adam.step(rate(config, done, len(places)))
    for name, weight in fit([stream], config, SIZE, 0).items():
        assert np.allclose(weight, slow.tensors()[name], atol=1e-6), name


def test_streams_survive_the_way_to_another_process() -> None:
    streams = [stream_of(person(n).sessions) for n in range(3)] + [stream_of([])]
    for before, after in zip(streams, unpack(pack(streams)), strict=True):
        for name in ("token", "pause_us", "hold_us", "rollover"):
            assert np.array_equal(getattr(before, name), getattr(after, name))
