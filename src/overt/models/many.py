"""Many event encoders at once, side by side in the same tensors: for attacks, never for a study.

At this size a step's time goes into calls, not arithmetic, so hundreds of encoders cost a GPU
little more than one. Each is fitted as `overt.models.shard.fit` would, on its own chunks in its own
order, with its own seed and course of steps, but on other instructions: close to it, not equal bit
for bit, so nothing made here is certified.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from overt.datasets.tokens import VOCABULARY
from overt.models.config import LOG_PAUSE_CENTRE, LOG_SIGMA_MAX, LOG_SIGMA_MIN, Config
from overt.models.descent import BETA_MEAN, BETA_SQUARE, EPSILON, NORM_MAX
from overt.models.encoder import Encoder
from overt.models.shard import FILLS, _chunks, _padded, rate, steps_of
from overt.models.stream import Stream
from overt.models.tensors import Array

_LOG_2_PI = math.log(2 * math.pi)
_ASKED_AT_ONCE = 4_000
"""Chunks times encoders asked at once."""

Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Token, numbers, habits, token to come and ln ms before it, each (n, …)."""


class Chunks:
    """Everybody's training sequences on one device, whose each is, and which one is before it.

    The last chunk is empty: it fills what is left of a batch. `before` is -1 at a beginning.
    """

    def __init__(self, streams: Sequence[Stream], length: int, device: str) -> None:
        parts: list[tuple[Array, ...]] = []
        owner: list[int] = []
        before: list[int] = []
        for person, stream in enumerate(streams):
            mine, follows = _chunks([stream], length)
            before += [at + len(parts) if at >= 0 else -1 for at in follows.tolist()]
            parts += mine
            owner += [person] * len(mine)
        self.owner: Array = np.array(owner, np.int64)
        self.before: Array = np.array([*before, -1], np.int64)
        empty = tuple(
            np.full((1, *column.shape[1:]), fill, column.dtype)
            for column, fill in zip(parts[0], FILLS, strict=True)
        )
        self.token, self.number, self.habits, self.following, self.pause = (
            torch.tensor(_padded([chunk[i] for chunk in [*parts, empty]], fill)).to(device)
            for i, fill in enumerate(FILLS)
        )
        self.pause = self.pause.float()

    def at(self, picked: Tensor) -> Batch:
        """Return token, numbers, habits, following and pause of some chunks.

        Each is (n, *picked.shape, …).
        """
        return (
            self.token[:, picked],
            self.number[:, picked],
            self.habits[:, picked],
            self.following[:, picked],
            self.pause[:, picked],
        )


class Many:
    """K encoders of one shape; every weight has K as its first axis."""

    def __init__(self, members: Sequence[Mapping[str, Array]], config: Config) -> None:
        names = Encoder(config, len(VOCABULARY)).state_dict()
        self.weights = {
            name: torch.tensor(np.stack([member[name] for member in members])).to(config.device)
            for name in names
        }

    @classmethod
    def fresh(cls, seeds: Sequence[int], config: Config) -> Many:
        """Return encoders nobody has taught, each from its seed, as `shard.fit` begins."""
        made = []
        for seed in seeds:
            encoder = Encoder(config, len(VOCABULARY))
            encoder.initialise(config.seed * 1_000_003 + seed)
            made.append(encoder.tensors())
        return cls(made, config)

    def members(self) -> list[dict[str, Array]]:
        """Return each encoder's weights, as `Encoder.tensors` does."""
        arrays = {name: w.detach().cpu().numpy().astype("<f4") for name, w in self.weights.items()}
        return [{name: a[k] for name, a in arrays.items()} for k in range(len(self))]

    def __len__(self) -> int:
        """Return K."""
        return len(self.weights["token.bias"])

    def losses(self, asked: Batch, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return nats an event, of the token and of its pause, (K, n · batch); 0 where none came.

        And the last states, (K, batch, hidden), as `state` before the first is. `asked` is as
        `Chunks.at` gives it, `following` -1 and `pause` NaN where there is none.
        """
        token, number, habits, following, pause = asked
        w = self.weights
        own = self._looked_up("embed.weight", token)
        inputs = self._linear("gates", torch.cat([own, _flat(number)], dim=-1))
        n, k, batch = token.shape
        inputs = inputs.view(k, n, batch, -1).permute(1, 0, 2, 3).contiguous()
        every = _recur(inputs, w["recall.weight"], w["recall.bias"], state)
        states = _flat(every)
        aim, known = _flat(following), ~torch.isnan(_flat(pause))
        logits = torch.log_softmax(self._linear("token", states), dim=-1)
        token_nll = -logits.gather(-1, aim.clamp(min=0).unsqueeze(-1)).squeeze(-1) * (aim >= 0)
        came = self._looked_up("pause_next.weight", following.clamp(min=0))
        habit = _flat(habits)
        led = came + torch.bmm(habit, w["pause_habit.weight"].transpose(1, 2))
        mixed = torch.tanh(self._linear("pause_state", states) + led)
        weight, mean, log_sigma = self._linear("pause_out", mixed).chunk(3, dim=-1)
        log_sigma = log_sigma.clamp(LOG_SIGMA_MIN, LOG_SIGMA_MAX)
        at = torch.nan_to_num(_flat(pause)).unsqueeze(-1)
        pace = habit[..., :3].sum(-1, keepdim=True) + LOG_PAUSE_CENTRE
        z = (at - mean - pace) * torch.exp(-log_sigma)
        density = torch.log_softmax(weight, dim=-1) - 0.5 * (z * z + _LOG_2_PI) - log_sigma
        return token_nll, -torch.logsumexp(density, dim=-1) * known, every[-1].detach()

    def unread(self, chunks: Chunks) -> Tensor:
        """Return where each leaves the state of each chunk: (K, chunks + 2, hidden) of zeros.

        The last row is nobody's and stays zero, so that `before` may be -1.
        """
        weight = self.weights["recall.weight"]
        return weight.new_zeros(len(self), len(chunks.before) + 1, weight.shape[2])

    def _linear(self, name: str, inputs: Tensor) -> Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return torch.baddbmm(bias.unsqueeze(1), inputs, weight.transpose(1, 2))

    def _looked_up(self, name: str, token: Tensor) -> Tensor:
        """Return rows of a table as a product, which adds up gradients without atomics."""
        table = self.weights[name]
        picked = torch.zeros(*_flat(token).shape, table.shape[1], device=token.device)
        picked.scatter_(-1, _flat(token).unsqueeze(-1), 1.0)
        return torch.bmm(picked, table)


def _flat(values: Tensor) -> Tensor:
    """Return (K, n · batch, …) of (n, K, batch, …)."""
    return values.transpose(0, 1).flatten(1, 2)


def fit(
    chunks: Chunks,
    taught: Sequence[Array],
    seeds: Sequence[int],
    config: Config,
    progress: Callable[[float], None] = lambda _done: None,
    begin: Many | None = None,
) -> Many:
    """Return encoders, each taught by the people whose numbers are in `taught`.

    `seeds` are what `shard.fit` calls the shard: they decide weights to begin with, and the order.
    With `begin` those encoders are taught further, in place.
    """
    many = begin or Many.fresh(seeds, config)
    mine = [np.flatnonzero(np.isin(chunks.owner, people)) for people in taught]
    courses = [steps_of(config, len(own)) for own in mine]
    steps = [per_epoch * epochs for per_epoch, epochs in courses]
    orders = [
        _order(own, course[1], config, seed)
        for own, course, seed in zip(mine, courses, seeds, strict=True)
    ]
    empty = len(chunks.owner)
    left, each = many.unread(chunks), np.arange(len(many))[:, None]
    weights = [w.requires_grad_() for w in many.weights.values()]
    mean = [torch.zeros_like(w) for w in weights]
    square = [torch.zeros_like(w) for w in weights]
    for done in range(max(steps)):
        picked = np.full((len(many), config.batch), empty)
        for k, order in enumerate(orders):
            if done < steps[k]:
                picked[k, : len(order[done])] = order[done]
        batch = chunks.at(torch.from_numpy(picked).to(config.device))
        state = left[each, chunks.before[picked]]
        token_nll, pause_nll, left[each, picked] = many.losses(batch, state)
        count = (batch[3] >= 0).sum(dim=(0, 2)).clamp(min=1)
        (((token_nll + pause_nll).sum(1)) / count).sum().backward()  # type: ignore[no-untyped-call]
        rates = [rate(config, done, total) if done < total else 0.0 for total in steps]
        _step(weights, mean, square, rates, config.weight_decay, done + 1)
        if done % 50 == 0:
            progress(done / max(steps))
    for weight in weights:
        weight.requires_grad_(False)  # noqa: FBT003 - torch's own
    return many


def _order(own: Array, epochs: int, config: Config, seed: int) -> list[Array]:
    """Return the chunks of each step, in the order `shard.fit` takes them."""
    random = np.random.Generator(np.random.PCG64([config.seed, seed]))
    made = []
    for _epoch in range(epochs):
        shuffled = random.permutation(len(own))
        made += [
            own[shuffled[start : start + config.batch]]
            for start in range(0, len(own), config.batch)
        ]
    return made


@torch.no_grad()
def _step(
    weights: list[Tensor],
    mean: list[Tensor],
    square: list[Tensor],
    rates: list[float],
    decay: float,
    steps: int,
) -> None:
    """Move each encoder as `descent.Adam` would, by its own rate; with rate 0 it stands still."""
    size = torch.tensor(rates, device=weights[0].device)

    def of_each(values: Tensor, like: Tensor) -> Tensor:
        return values.view(-1, *[1] * (like.dim() - 1))

    gradients = [w.grad for w in weights if w.grad is not None]
    norm = torch.stack([g.flatten(1).norm(dim=1) for g in gradients]).norm(dim=0)
    scale = torch.clamp(NORM_MAX / (norm + 1e-6), max=1.0)
    root = math.sqrt(1 - BETA_SQUARE**steps)
    for weight, gradient, m, s in zip(weights, gradients, mean, square, strict=True):
        gradient.mul_(of_each(scale, gradient))
        weight.mul_(1 - of_each(size, weight) * decay)
        m.lerp_(gradient, 1 - BETA_MEAN)
        s.mul_(BETA_SQUARE).addcmul_(gradient, gradient, value=1 - BETA_SQUARE)
        moved = m / (s.sqrt() / root).add_(EPSILON)
        weight.sub_(moved * of_each(size, weight) / (1 - BETA_MEAN**steps))
        weight.grad = None


@torch.no_grad()
def asked(many: Many, chunks: Chunks) -> tuple[Array, Array]:
    """Return float64[K, people] and float64[people]: mean nats an event, each and all together.

    What they say together is the mean of their probabilities, as `overt.models.predict` has it,
    and as there the state goes on through a person's stream.
    """
    people = int(chunks.owner.max()) + 1
    total, together = np.zeros((len(many), people)), np.zeros(people)
    count = np.zeros(people)
    left = many.unread(chunks)
    for places in _in_turn(chunks.before[:-1], _ASKED_AT_ONCE // len(many)):
        picked = torch.from_numpy(places).to(chunks.token.device)
        batch = chunks.at(picked.expand(len(many), -1))
        state = left[:, chunks.before[places]]
        token_nll, pause_nll, left[:, picked] = many.losses(batch, state)
        nats = (token_nll + pause_nll).double().view(len(many), -1, len(places))
        there = batch[3][:, 0] >= 0
        joint = (math.log(len(many)) - torch.logsumexp(-nats, dim=0)) * there
        owner = chunks.owner[places]
        for k, row in enumerate(nats.sum(1).cpu().numpy()):
            total[k] += np.bincount(owner, row, people)
        together += np.bincount(owner, joint.sum(0).cpu().numpy(), people)
        count += np.bincount(owner, there.sum(0).cpu().numpy(), people)
    return total / count, together / count


def _in_turn(before: Array, most: int) -> Iterator[Array]:
    """Yield places, about `most` at once, each after the one before it; -1 is none."""
    depth = np.zeros(len(before), np.int64)
    for place in np.flatnonzero(before >= 0):
        depth[place] = depth[before[place]] + 1
    for at in range(int(depth.max(initial=-1)) + 1):
        places = np.flatnonzero(depth == at)
        yield from np.array_split(places, -(-len(places) // max(most, 1)))


def _recur(inputs: Tensor, weight: Tensor, bias: Tensor, state: Tensor) -> Tensor:
    """Return all states (n, K, batch, hidden): `overt.models.recurrence` for K at once."""
    states: Tensor = _Recurrence.apply(inputs, weight, bias, state)  # type: ignore[no-untyped-call]
    return states


class _Recurrence(Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, state: Tensor) -> Tensor:
        steps, k, batch, width = inputs.shape
        hidden = width // 3
        gates = inputs.new_empty(steps, k, batch, 2 * hidden)
        recalled = inputs.new_empty(steps, k, batch, width)
        candidate = inputs.new_empty(steps, k, batch, hidden)
        states = inputs.new_empty(steps + 1, k, batch, hidden)
        states[0] = state
        turned, added = weight.transpose(1, 2).contiguous(), bias.unsqueeze(1)
        for step in range(steps):
            recall, gate = recalled[step], gates[step]
            torch.baddbmm(added, states[step], turned, out=recall)
            torch.add(inputs[step, :, :, : 2 * hidden], recall[:, :, : 2 * hidden], out=gate)
            gate.sigmoid_()
            new = candidate[step]
            torch.addcmul(
                inputs[step, :, :, 2 * hidden :],
                gate[:, :, :hidden],
                recall[:, :, 2 * hidden :],
                out=new,
            )
            new.tanh_()
            torch.lerp(new, states[step], gate[:, :, hidden:], out=states[step + 1])
        ctx.save_for_backward(weight, gates, recalled, candidate, states)
        return states[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        weight, gates, recalled, candidate, states = ctx.saved_tensors
        (gradient,) = gradients
        steps, k, batch, hidden = gradient.shape
        reset, update = gates[..., :hidden], gates[..., hidden:]
        slope = gradient.new_empty(steps, k, batch, 3, hidden)
        inner = (1 - update) * (1 - candidate * candidate)
        slope[..., 0, :] = inner * recalled[..., 2 * hidden :] * reset * (1 - reset)
        slope[..., 1, :] = (states[:-1] - candidate) * update * (1 - update)
        slope[..., 2, :] = inner * reset
        by_recall = gradient.new_empty(steps, k, batch, 3, hidden)
        by_state = gradient.new_empty(steps, k, batch, hidden)
        passed = gradient.new_zeros(k, batch, hidden)
        for step in range(steps - 1, -1, -1):
            now, back = by_state[step], by_recall[step]
            torch.add(gradient[step], passed, out=now)
            torch.mul(slope[step], now.unsqueeze(2), out=back)
            torch.baddbmm(now * update[step], back.view(k, batch, 3 * hidden), weight, out=passed)
        flat = _flat(by_recall.view(steps, k, batch, 3 * hidden))
        by_weight = torch.bmm(flat.transpose(1, 2), _flat(states[:-1]))
        by_inputs = by_recall.clone()
        by_inputs[..., 2, :] = by_state * inner
        return by_inputs.view(steps, k, batch, 3 * hidden), by_weight, flat.sum(1), None
