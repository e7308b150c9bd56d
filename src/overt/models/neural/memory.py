"""A gated recurrent layer: ours on the processor, where it is quicker, the card's own on a card.

Both compute the same from the same weights (`overt.models.recurrence`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from overt.models.recurrence import recur


class Memory(nn.Module):
    """One layer; what it has read lies in a state of `width` numbers."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.gru = nn.GRU(inputs, width)

    def forward(self, given: Tensor, state: Tensor | None = None) -> Tensor:
        """Return all states (n, batch, width), in fp32 whatever else is multiplied in.

        `given` is (n, batch, inputs), `state` (batch, width) before the first step.
        """
        with torch.autocast(given.device.type, enabled=False):
            return self._states(given.float(), state)

    def _states(self, given: Tensor, state: Tensor | None) -> Tensor:
        if state is None:
            state = given.new_zeros(given.shape[1], self.width)
        if given.is_cuda:
            made: Tensor = self.gru(given, state[None].contiguous())[0]
            return made
        weight_in, weight, bias_in, bias = self.gru.all_weights[0]
        return recur(functional.linear(given, weight_in, bias_in), weight, bias, state)


def initialise(model: nn.Module, seed: int) -> None:
    """Set every weight of a network from `seed` alone: even within its fan-in, biases 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if weight.dim() == 1:
                weight.fill_(float(".norm" in name and name.endswith("weight")))
            else:
                fan = weight[0].numel()
                bound = 0.3 if "embed" in name else fan**-0.5
                weight.copy_(torch.empty(weight.shape).uniform_(-bound, bound, generator=generator))
