"""Going over the data: batches as they come, early stop, checkpoints, and taking up again.

What has been learned after each pass is handed to `keep` as canonical bytes (`overt.models.tensors`
holds no code). Whoever keeps them seals them: they are made from people as the model is. A fit that
is taken up from such bytes ends with the same weights as one that was never broken off, because
the batches of a pass depend on its number alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from overt.models.descent import Adam
from overt.models.tensors import Array, decode, encode
from overt.schema.errors import Damaged

RATE_LAST = 0.05
"""Share of the rate that the last step of the last pass still has."""

Batch = TypeVar("Batch")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long, and in which steps."""

    passes: int = 10
    patience: int = 2
    """Passes without a better loss on what is held out, after which it ends."""
    steps: int = 100
    """Steps of one pass, about: the rate falls over all passes together."""
    rate: float = 3e-3
    decay: float = 1e-4
    warm: int = 30
    half: bool = False
    """Multiply in bf16 (weights stay fp32)."""

    def rate_at(self, done: int) -> float:
        """Return the size of a step: it rises over `warm` steps, then falls along a cosine."""
        share = min(done / max(self.steps * self.passes, 1), 1.0)
        falling = RATE_LAST + (1 - RATE_LAST) * (1 + math.cos(math.pi * share)) / 2
        return self.rate * min((done + 1) / self.warm, falling)


@dataclass
class _Course:
    """Where a fit stands."""

    done: int = 0
    passed: int = 0
    best: float = math.inf
    waited: int = 0


def fit(
    model: nn.Module,
    batches: Callable[[int], Iterable[Batch]],
    loss: Callable[[Batch], Tensor],
    held: Callable[[], float],
    plan: Plan,
    *,
    begun: bytes | None = None,
    keep: Callable[[bytes], None] | None = None,
    progress: Callable[[float], None] = lambda _share: None,
) -> float:
    """Fit the weights of `model` in place; return the least loss on what is held out.

    The weights of the pass with that loss are kept. A pass whose loss is not a number is none.

    Args:
        model: what is fitted; it knows where it is computed.
        batches: the batches of a pass, from its number alone. They may be made as they are asked
            for: no pass is in memory at once.
        loss: of one batch, a mean.
        held: the loss on what is held out, with the weights as they are.
        plan: how long, in which steps.
        begun: what `keep` was last given, to take it up from there.
        keep: called with the bytes after each pass.
        progress: called with the share that is done, at most.
    """
    adam = Adam(model.parameters(), plan.decay)
    course = _Course()
    best = _weights(model)
    if begun is not None:
        best = _taken_up(begun, model, adam, course)
    kind = next(model.parameters()).device.type
    while course.passed < plan.passes and course.waited < plan.patience:
        model.train()
        for batch in batches(course.passed):
            with torch.autocast(kind, torch.bfloat16, enabled=plan.half):
                found = loss(batch)
            found.backward()  # type: ignore[no-untyped-call]
            adam.step(plan.rate_at(course.done))
            course.done += 1
            progress(min(course.done / max(plan.steps * plan.passes, 1), 1.0))
        model.eval()
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=plan.half):
            now = held()
        course.passed += 1
        course.waited += 1
        if now < course.best:
            course.best, course.waited, best = now, 0, _weights(model)
        if keep is not None:
            keep(_bytes(model, adam, course, best))
    _set(model, best)
    model.eval()
    return course.best


def _weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def _set(model: nn.Module, weights: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(weights[name])


def _bytes(model: nn.Module, adam: Adam, course: _Course, best: dict[str, Tensor]) -> bytes:
    parts = {"now": _weights(model), "best": best}
    for name, moments in zip(("mean", "square"), adam.moments(), strict=True):
        parts[name] = dict(zip(parts["now"], moments, strict=True))
    tensors: dict[str, Array] = {
        f"{part}/{name}": weight.cpu().numpy().astype("<f4")
        for part, weights in parts.items()
        for name, weight in weights.items()
    }
    counts = np.array([course.done, course.passed, course.waited], "<i8")
    least = np.array([course.best], "<f8").view("<i8")
    return encode({**tensors, "course": np.concatenate([counts, least])})


def _taken_up(data: bytes, model: nn.Module, adam: Adam, course: _Course) -> dict[str, Tensor]:
    tensors = decode(data)
    device = next(model.parameters()).device
    try:
        now, best, mean, square = (
            {
                name: torch.tensor(tensors[f"{part}/{name}"]).to(device).reshape(weight.shape)
                for name, weight in model.named_parameters()
            }
            for part in ("now", "best", "mean", "square")
        )
        done, passed, waited, least = tensors["course"].tolist()
    except (KeyError, ValueError, RuntimeError) as error:
        raise Damaged("is of another network", where="checkpoint") from error
    _set(model, now)
    adam.take_up(list(mean.values()), list(square.values()), done)
    course.done, course.passed, course.waited = done, passed, waited
    course.best = float(np.array([least], "<i8").view("<f8")[0])
    return best
