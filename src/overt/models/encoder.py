"""The event encoder: a small recurrent network over tokens and their timing.

```
token, timing → GRU → state ─→ next token (logits)
                        └────→ with the next token, and the person's habit before it:
                               pause before it (mixture of log-normals)
```

The pause is conditioned on the token it leads to, so that the pair is one joint prediction:
p(token, pause) = p(token) · p(pause | token). Its mixture lives on ln(pause in ms), around the
person's own pace between the two tokens so far: what a state of 64 numbers cannot carry for each
pair of tokens, their own sums do.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from overt.models.config import LOG_PAUSE_CENTRE, LOG_SIGMA_MAX, LOG_SIGMA_MIN, MIXTURE, Config
from overt.models.recurrence import recur
from overt.models.stream import HABITS, NUMBERS
from overt.models.tensors import Array, Tensors

_LOG_2_PI = math.log(2 * math.pi)


class Encoder(nn.Module):
    """GRU over events with a token head and a pause head. `vocabulary` is the count of tokens."""

    def __init__(self, config: Config, vocabulary: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, config.embed)
        self.gates = nn.Linear(config.embed + NUMBERS, 3 * config.hidden)
        self.recall = nn.Linear(config.hidden, 3 * config.hidden)
        self.token = nn.Linear(config.hidden, vocabulary)
        self.pause_state = nn.Linear(config.hidden, config.pause_hidden)
        self.pause_next = nn.Embedding(vocabulary, config.pause_hidden)
        self.pause_habit = nn.Linear(HABITS, config.pause_hidden, bias=False)
        self.pause_out = nn.Linear(config.pause_hidden, 3 * MIXTURE)

    def initialise(self, seed: int) -> None:
        """Set every weight from `seed` alone."""
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, weight in sorted(self.named_parameters()):
                if weight.dim() == 1:
                    weight.zero_()
                else:
                    bound = 0.3 if "embed" in name or "next" in name else weight.shape[1] ** -0.5
                    weight.uniform_(-bound, bound, generator=generator)
            offsets = torch.linspace(-0.7, 1.2, MIXTURE)
            self.pause_out.bias[MIXTURE : 2 * MIXTURE] = offsets
            self.pause_out.bias[2 * MIXTURE :] = -0.7

    def states(
        self, token: Tensor, numbers: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return states (n, batch, hidden) after each token, and the last (batch, hidden).

        `token` is (n, batch) int64, `numbers` (n, batch, NUMBERS) float32.
        """
        inputs = self.gates(torch.cat([self.embed(token), numbers], dim=-1))
        if state is None:
            state = inputs.new_zeros(token.shape[1], self.recall.in_features)
        states = recur(inputs, self.recall.weight, self.recall.bias, state)
        return states, states[-1]

    def mixture(
        self, states: Tensor, following: Tensor, habits: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return log weights, means and ln σ of ln(pause in ms), each (…, MIXTURE).

        `states` is (…, hidden), `following` (…) the token the pause leads to, `habits` (…, HABITS)
        `overt.models.stream.habits` of it.
        """
        led = self.pause_next(following) + self.pause_habit(habits)
        mixed = torch.tanh(self.pause_state(states) + led)
        weight, mean, log_sigma = self.pause_out(mixed).chunk(3, dim=-1)
        pace = habits[..., :3].sum(-1, keepdim=True)
        return (
            torch.log_softmax(weight, dim=-1),
            mean + pace + LOG_PAUSE_CENTRE,
            log_sigma.clamp(LOG_SIGMA_MIN, LOG_SIGMA_MAX),
        )

    def loss(
        self, states: Tensor, following: Tensor, habits: Tensor, pause: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return summed token NLL and summed pause NLL (nats, density of ln ms).

        `following` is -1 and `pause` NaN where there is none; both (n, batch).
        """
        logits = self.token(states)
        token_nll = functional.cross_entropy(
            logits.flatten(0, 1), following.flatten(), ignore_index=-1, reduction="sum"
        )
        known = ~torch.isnan(pause)
        weight, mean, log_sigma = self.mixture(states, following.clamp(min=0), habits)
        z = (torch.nan_to_num(pause).unsqueeze(-1) - mean) * torch.exp(-log_sigma)
        log_density = torch.logsumexp(weight - 0.5 * (z * z + _LOG_2_PI) - log_sigma, dim=-1)
        return token_nll, -(log_density * known).sum()

    def tensors(self) -> dict[str, Array]:
        """Return the weights as float32 arrays by name."""
        return {
            name: weight.detach().cpu().numpy().astype("<f4")
            for name, weight in self.named_parameters()
        }


def encoder_from(tensors: Tensors, config: Config, vocabulary: int) -> Encoder:
    """Return an encoder with the given weights, ready to predict."""
    encoder = Encoder(config, vocabulary)
    encoder.load_state_dict({name: torch.tensor(tensors[name]) for name in encoder.state_dict()})
    return encoder.eval()
