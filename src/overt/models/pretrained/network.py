"""The shared encoder: causal, so that what it says of an event does not hang on later ones.

```
token, numbers ─→ body ─→ state ─→ next token; pause before it; which way it goes
                                └→ 4 events later: what was hidden in a span
```

Three bodies of about the same size: causal convolutions (`tcn`), one recurrent layer (`gru`), and
attention to what came before (`attention`). Where a span is hidden its events look all the same to
the encoder: nothing of them goes in. With an adversary, the gradient of telling the source from the
mean state is turned around (Ganin & Lempitsky 2015), so that states learn not to tell it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from overt.models.config import (
    LOG_SIGMA_MAX,
    LOG_SIGMA_MIN,
    MIXTURE,
)
from overt.models.neural.memory import Memory, initialise
from overt.models.pretrained.frames import NUMBERS, TOKENS

BODIES = ("tcn", "gru", "attention")
WIDTH, EMBED = 64, 16
DILATIONS = (1, 2, 4, 8, 16, 32)
LAYERS, HEADS = 2, 4
SPAN = 4
"""Events in a hidden span."""
LATER = 4
"""Events after a span, when it is to be told what was in it."""
_LOG_2_PI = math.log(2 * math.pi)


class _Convolved(nn.Module):
    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(width)
        self.taps = nn.Linear(3 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, n, width) from the same, each from itself and what came before."""
        # As one product: torch's dilated convolution takes ten times as long in bf16 here.
        n, back = x.shape[1], self.dilation
        seen = functional.pad(self.norm(x), (0, 0, 2 * back, 0))
        taps = [seen[:, at : at + n] for at in (0, back, 2 * back)]
        made: Tensor = x + functional.gelu(self.taps(torch.cat(taps, dim=-1)))
        return made


class _Attended(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, n, width) from the same, each from itself and what came before."""
        batch, n, width = x.shape
        parts = self.query(self.norm(x)).view(batch, n, 3, HEADS, width // HEADS)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.join(found.transpose(1, 2).reshape(batch, n, width))
        made: Tensor = x + self.narrow(functional.gelu(self.wide(self.norm_out(x))))
        return made


class _Turned(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


@dataclass(frozen=True)
class Batch:
    """Rows of events: (batch, n)."""

    token: Tensor
    """int64; -1 behind the end."""
    numbers: Tensor
    """float32 (batch, n, NUMBERS)"""
    hidden: Tensor
    """bool: in a hidden span."""
    source: Tensor
    """int64 (batch), number of the source."""


class Shared(nn.Module):
    """The encoder with what it is fitted to tell."""

    def __init__(self, body: str, sources: int, adversary: float = 0.0) -> None:
        super().__init__()
        self.body, self.adversary = body, adversary
        self.embed = nn.Embedding(len(TOKENS), EMBED)
        self.into = nn.Linear(EMBED + NUMBERS, WIDTH)
        self.concealed = nn.Parameter(torch.zeros(1, WIDTH))
        if body == "tcn":
            self.layers = nn.ModuleList([_Convolved(WIDTH, step) for step in DILATIONS])
        elif body == "attention":
            self.layers = nn.ModuleList([_Attended(WIDTH) for _ in range(LAYERS)])
        else:
            self.layers = nn.ModuleList([Memory(WIDTH, WIDTH), Memory(WIDTH, WIDTH)])
        self.norm = nn.LayerNorm(WIDTH)
        self.following = nn.Linear(WIDTH, len(TOKENS))
        self.next_embed = nn.Embedding(len(TOKENS), WIDTH)
        self.pause = nn.Linear(WIDTH, 3 * MIXTURE)
        self.way = nn.Linear(WIDTH, 3)
        self.places_embed = nn.Embedding(SPAN, WIDTH)
        self.told = nn.Linear(WIDTH, len(TOKENS) + NUMBERS)
        self.tells = nn.Linear(WIDTH, max(sources, 1))

    def states(self, token: Tensor, numbers: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Return states (batch, n, WIDTH); those of an event hang on none that came later."""
        seen = torch.cat([self.embed(token.clamp(min=0)), numbers], dim=-1)
        x = self.into(seen)
        if hidden is not None:
            x = torch.where(hidden[..., None], self.concealed.to(x.dtype), x)
        if self.body == "attention":
            x = x + _clock(x.shape[1], x.device).to(x.dtype)
        if self.body == "gru":
            # A recurrent layer is given time first.
            for layer in self.layers:
                x = x + layer(x.transpose(0, 1).contiguous()).transpose(0, 1)
        else:
            for layer in self.layers:
                x = layer(x)
        made: Tensor = self.norm(x.float())
        return made

    def mixture(self, states: Tensor, following: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log weights, means, ln σ of the scaled ln pause before a token: (…, MIXTURE)."""
        mixed = torch.tanh(states + self.next_embed(following))
        weight, mean, log_sigma = self.pause(mixed).float().chunk(3, dim=-1)
        return (
            torch.log_softmax(weight, dim=-1),
            mean,
            log_sigma.clamp(LOG_SIGMA_MIN, LOG_SIGMA_MAX),
        )

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean loss an event: next event, hidden spans, and the adversary's."""
        states = self.states(batch.token, batch.numbers, batch.hidden)
        now, token, given = states[:, :-1], batch.token[:, 1:], batch.numbers[:, 1:]
        there = token > 0
        count = there.sum().clamp(min=1)
        aim = torch.where(there, token, -1)
        logits = self.following(now).float().flatten(0, 1)
        total = functional.cross_entropy(logits, aim.flatten(), ignore_index=-1, reduction="sum")
        timed = there & (given[..., 1] > 0)
        weight, mean, log_sigma = self.mixture(now, token.clamp(min=0))
        z = (given[..., :1] - mean) * torch.exp(-log_sigma)
        log = torch.logsumexp(weight - 0.5 * (z * z + _LOG_2_PI) - log_sigma, dim=-1)
        total = total - (log * timed).sum()
        moved = there & (given[..., 5:7].abs().sum(-1) > 0)
        way = self.way(torch.tanh(now + self.next_embed(token.clamp(min=0)))).float()
        spread = way[..., 2].clamp(-4, 2)
        off = (way[..., :2] - given[..., 5:7]).abs().sum(-1)
        total = total + ((off * torch.exp(-spread) + 2 * spread) * moved).sum()
        found: Tensor = (total + self._hidden_loss(states, batch)) / count
        if self.adversary > 0:
            alive = (batch.token >= 0)[..., None]
            middle = (states * alive).sum(1) / alive.sum(1).clamp(min=1)
            turned: Tensor = _Turned.apply(middle, self.adversary)  # type: ignore[no-untyped-call]
            found = found + functional.cross_entropy(self.tells(turned).float(), batch.source)
        return found

    def _hidden_loss(self, states: Tensor, batch: Batch) -> Tensor:
        """Return the summed loss of telling each hidden event, some events after its span."""
        n = batch.token.shape[1]
        row, at = torch.nonzero(batch.hidden, as_tuple=True)
        if not len(row):
            return states.sum() * 0
        place = at % SPAN
        when = (at - place + SPAN - 1 + LATER).clamp(max=n - 1)
        told = self.told(torch.tanh(states[row, when] + self.places_embed(place))).float()
        token = batch.token[row, at]
        kept = token > 0
        loss = functional.cross_entropy(
            told[:, : len(TOKENS)], token.clamp(min=0), reduction="none"
        )
        off = (told[:, len(TOKENS) :] - batch.numbers[row, at]).abs().mean(-1)
        total: Tensor = ((loss + off) * kept).sum()
        return total


def _clock(n: int, device: torch.device) -> Tensor:
    """Return (n, WIDTH): where in the row each event stands, as waves of many lengths."""
    rates = torch.exp(torch.arange(0, WIDTH, 2, device=device) * (-math.log(1000.0) / WIDTH))
    turns = torch.arange(n, device=device)[:, None] * rates
    return torch.cat([torch.sin(turns), torch.cos(turns)], dim=-1)


def shared(body: str, sources: int, seed: int, adversary: float = 0.0) -> Shared:
    """Return an encoder that has seen nothing, its weights from `seed` alone."""
    made = Shared(body, sources, adversary)
    initialise(made, seed)
    with torch.no_grad():
        made.pause.bias[MIXTURE : 2 * MIXTURE] = torch.linspace(-2.0, 1.2, MIXTURE)
        for name, weight in made.named_parameters():
            if "norm" in name and name.endswith("weight"):
                weight.fill_(1.0)
    return made
