"""What is learned of a task from the frozen states of the shared encoder.

Each head is small: what it can tell, the states hold. Nobody that a head is asked about taught the
encoder or the head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from overt.datasets.tokens import VOCABULARY
from overt.models.config import LOG_PAUSE_CENTRE, LOG_SIGMA_MAX, LOG_SIGMA_MIN, MIXTURE
from overt.models.neural import device
from overt.models.neural.fitting import Plan, fit
from overt.models.neural.memory import initialise
from overt.models.predict import Predicted
from overt.models.pretrained.network import WIDTH, Shared
from overt.models.stream import Stream, targets
from overt.models.tensors import Array

BETWEEN = 48
BATCH = 1024
PLAN = Plan(passes=8, patience=2, rate=3e-3, decay=1e-3)
_LOG_2_PI = float(np.log(2 * np.pi))


class _Pause(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.state = nn.Linear(WIDTH, BETWEEN)
        self.next_embed = nn.Embedding(len(VOCABULARY), BETWEEN)
        self.out = nn.Linear(BETWEEN, 3 * MIXTURE)

    def forward(self, states: Tensor, following: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log weights, means and ln σ of ln(pause in ms), less a centre."""
        mixed = torch.tanh(self.state(states) + self.next_embed(following))
        weight, mean, log_sigma = self.out(mixed).chunk(3, dim=-1)
        weight = torch.log_softmax(weight, dim=-1)
        return weight, mean, log_sigma.clamp(LOG_SIGMA_MIN, LOG_SIGMA_MAX)

    def loss(self, states: Tensor, following: Tensor, pause: Tensor) -> Tensor:
        """Return the mean −ln density."""
        weight, mean, log_sigma = self(states, following)
        z = (pause[:, None] - mean) * torch.exp(-log_sigma)
        return -torch.logsumexp(weight - 0.5 * (z * z + _LOG_2_PI) - log_sigma, dim=-1).mean()


@dataclass(frozen=True, eq=False)
class Person:
    """One person's typing: its stream, and the states after each of its tokens."""

    stream: Stream
    states: Array
    """float32[n, WIDTH]"""


def pauses(
    encoder: Shared, learned: Sequence[Person], asked: Sequence[Person], seed: int
) -> list[Predicted]:
    """Return next tokens, as the encoder was fitted to tell them, and pauses, as a head tells."""
    columns = zip(*(_known(person) for person in learned), strict=True)
    states, following, pause = (torch.from_numpy(np.concatenate(part)) for part in columns)
    head = _Pause()
    with device.repeatable(seed):
        initialise(head, seed)
        with torch.no_grad():
            head.out.bias[MIXTURE : 2 * MIXTURE] = torch.linspace(-0.7, 1.2, MIXTURE)
        _fit(head, len(pause), lambda at: head.loss(states[at], following[at], pause[at]), seed)
    return [_predicted(encoder, head, person) for person in asked]


def _known(person: Person) -> tuple[Array, Array, Array]:
    aim = targets(person.stream)
    at = np.flatnonzero((aim.token >= 0) & ~np.isnan(aim.log_pause))
    pause = (aim.log_pause[at] - LOG_PAUSE_CENTRE).astype(np.float32)
    return person.states[at], aim.token[at], pause


def _fit(model: nn.Module, count: int, loss: Callable[[Tensor], Tensor], seed: int) -> None:
    """Fit on nine rows of ten, in blocks, and stop early on the tenth."""
    aside = np.arange(count) // 50 % 10 == 9
    mine, held = np.flatnonzero(~aside), torch.from_numpy(np.flatnonzero(aside))
    steps = -(-len(mine) // BATCH)

    def batches(number: int) -> Iterator[Tensor]:
        order = np.random.Generator(np.random.PCG64([seed, number])).permutation(len(mine))
        for start in range(0, len(order), BATCH):
            yield torch.from_numpy(mine[order[start : start + BATCH]])

    plan = Plan(passes=PLAN.passes, patience=2, steps=steps, rate=PLAN.rate, decay=PLAN.decay)
    fit(model, batches, loss, lambda: float(loss(held)) if len(held) else 0.0, plan)


def _predicted(encoder: Shared, head: _Pause, person: Person) -> Predicted:
    aim = targets(person.stream)
    there = np.flatnonzero(aim.token >= 0)
    came = aim.token[there]
    at = torch.from_numpy(person.states[there])
    with torch.inference_mode():
        where = encoder.following.weight.device
        logits = encoder.following(at.to(where))[:, : len(VOCABULARY)].double().cpu()
        probability = torch.softmax(logits, dim=-1).numpy()
        weight, mean, log_sigma = head(at, torch.from_numpy(came))
    return Predicted(
        came,
        probability,
        aim.log_pause[there],
        weight.double().exp().numpy(),
        mean.double().numpy() + LOG_PAUSE_CENTRE,
        log_sigma.double().exp().numpy(),
    )


def pooled(states: Sequence[Array]) -> Array:
    """Return float64[m, 2 · WIDTH]: mean and spread of the states of each of m windows."""
    made = [np.concatenate([one.mean(0), one.std(0)]) for one in states]
    return np.array(made, np.float64).reshape(len(states), -1)


def logistic(x: Array, label: Array, weight: Array | None = None) -> Callable[[Array], Array]:
    """Return what gives log odds (two classes) or scores by class of rows like `x`."""
    from sklearn.linear_model import LogisticRegression

    middle, spread = x.mean(0), np.maximum(x.std(0), 1e-6)
    fitted = LogisticRegression(C=0.1, max_iter=300).fit(
        (x - middle) / spread, label, sample_weight=weight
    )
    return lambda of: np.asarray(fitted.decision_function((of - middle) / spread), np.float64)


class _Ends(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(inputs, BETWEEN), nn.Linear(BETWEEN, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return how much is left along and aside, in units of the middle of those learned from."""
        left: Tensor = self.out(torch.tanh(self.into(x)))
        return left


def ends(x: Array, left: Array, asked: Array, seed: int) -> Array:
    """Return float64[m, 2], the way left along and aside at `asked`, as told by rows learned from.

    Args:
        x: float64[n, f], states and numbers of looks.
        left: float64[n, 2], px.
        asked: float64[m, f]
        seed: of weights and order.
    """
    middle, spread = x.mean(0), np.maximum(x.std(0), 1e-6)
    unit = max(float(np.median(np.abs(left[:, 0]))), 1.0)
    given, aim, of = (
        torch.from_numpy(np.clip(one, -30, 30)).float()
        for one in ((x - middle) / spread, left / unit, (asked - middle) / spread)
    )
    model = _Ends(x.shape[1])
    with device.repeatable(seed):
        initialise(model, seed)
        _fit(model, len(aim), lambda at: functional.l1_loss(model(given[at]), aim[at]), seed)
    with torch.inference_mode():
        return np.asarray(model(of).double().numpy() * unit)
