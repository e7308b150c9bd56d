"""Adam with decoupled weight decay (Loshchilov & Hutter 2019), written out.

The same steps as `torch.optim.AdamW`, which tests compare it with; that one loads torch's compiler
first, which would double the time each training process takes to start.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

BETA_MEAN, BETA_SQUARE, EPSILON = 0.9, 0.999, 1e-8
NORM_MAX = 1.0
"""Gradients of a larger norm over all weights are scaled down to it."""


class Adam:
    """Moves `weights` against their gradients, in place."""

    def __init__(self, weights: Iterable[Tensor], decay: float) -> None:
        self._weights = list(weights)
        self._decay = decay
        self._mean = [torch.zeros_like(w) for w in self._weights]
        self._square = [torch.zeros_like(w) for w in self._weights]
        self._steps = 0

    def moments(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the running means of gradients and of their squares, a tensor a weight."""
        return self._mean, self._square

    def take_up(self, mean: list[Tensor], square: list[Tensor], steps: int) -> None:
        """Go on from the moments of an optimiser that has done so many steps."""
        self._mean, self._square, self._steps = mean, square, steps

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move by one step of size `rate`, and forget the gradients."""
        self._steps += 1
        gradients = [w.grad for w in self._weights if w.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients]))
        scale = torch.clamp(NORM_MAX / (norm + 1e-6), max=1.0)
        root = math.sqrt(1 - BETA_SQUARE**self._steps)
        size = rate / (1 - BETA_MEAN**self._steps)
        for weight, mean, square in zip(self._weights, self._mean, self._square, strict=True):
            gradient = weight.grad
            if gradient is None:
                continue
            gradient.mul_(scale)
            weight.mul_(1 - rate * self._decay)
            mean.lerp_(gradient, 1 - BETA_MEAN)
            square.mul_(BETA_SQUARE).addcmul_(gradient, gradient, value=1 - BETA_SQUARE)
            weight.addcdiv_(mean, (square.sqrt() / root).add_(EPSILON), value=-size)
            weight.grad = None
