"""A network that reads what stands before a token, and how each candidate became it.

```
the words before, letter by letter ─→ GRU ─→ state
                                              └→ GRU over (meant, typed), letter by letter ─→ logit
```

One recurrent layer reads both: what stands before counts as typed as it was meant. A candidate is
the row of its letters beside those that were typed, as the coarse channel aligns them; a letter
that was left out or put in has nothing beside it. So the network is a language model and an error
channel at once: it first learns to tell the next letter of sentences it may learn from and of
pairs of words by the package's counts, then to choose among candidates. It is told the counts of
each candidate, alone and after the word before, and none of what else the light model is told.

A logit stands against 0, “none of them”.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from overt.models.neural.memory import Memory, initialise
from overt.models.tensors import Array
from overt.models.typos.channel import Edits, align
from overt.models.typos.evidence import COLUMNS, Evidence
from overt.models.typos.letters import CODES, END, START, codes

NEAREST = 8
"""Candidates that are read; those further down are left where they are."""

BEFORE = 32
"""Letters before the token that are read, spaces counted."""

LETTERS = 20
"""Steps from a candidate to what was typed that are read; few words have more."""

GIVEN = ("alone", "context", "gain", "typed_is_word", "typed_alone", "typed_context", "is_typed")
"""Columns of the evidence that it is told, beside `capital` and `begins`."""
_TOLD = (*GIVEN, "capital", "begins")
_AT = [COLUMNS.index(name) for name in _TOLD]
_SCALE = np.array([0.1 if "alone" in n or "context" in n or n == "gain" else 1.0 for n in _TOLD])

WIDTH, EMBED, BETWEEN = 64, 16, 64


@dataclass(frozen=True)
class Read:
    """Tokens as the network sees them: arrays, or tensors of them, n tokens each."""

    before: Array
    """uint8[n, BEFORE], the words before, END between them, at the end of the row."""
    meant: Array
    typed: Array
    """uint8[n, NEAREST, LETTERS] both: each candidate beside what was typed."""
    steps: Array
    """int64[n, NEAREST], how many of these there are; 0 where there is no candidate."""
    told: Array
    """float32[n, NEAREST, len(_TOLD)]"""
    right: Array
    """int64[n], place of the candidate that was meant, NEAREST where it is none of them."""

    def some(self, at: Array) -> Read:
        """Return some of the tokens."""
        return Read(**{f.name: getattr(self, f.name)[at] for f in fields(self)})

    def on(self, device: str) -> dict[str, Tensor]:
        """Return tensors by name."""
        return {f.name: torch.tensor(getattr(self, f.name)).to(device) for f in fields(self)}


def together(parts: Sequence[Read]) -> Read:
    """Return tokens one after the other."""
    return Read(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Read)}
    )


def before_of(so_far: str) -> Array:
    """Return uint8[BEFORE]: the end of what stands before a token."""
    row = np.zeros(BEFORE, np.uint8)
    found = [START]
    for word in so_far.split():
        found += [*codes(word).tolist(), END]
    kept = found[-BEFORE:]
    row[BEFORE - len(kept) :] = kept
    return row


def nearest(evidence: Evidence) -> Array:
    """Return which candidates are read, the likeliest by channel and context first."""
    place = evidence.table[:, COLUMNS.index("place")]
    return np.argsort(place, kind="stable")[:NEAREST]


def read(
    edits: Edits,
    words: Sequence[str],
    tokens: Sequence[tuple[str, str, Evidence, int]],
) -> Read:
    """Return what the network sees of tokens.

    Args:
        edits: the coarse channel, which aligns.
        words: the vocabulary, by number.
        tokens: of each what was typed, what stands before it, its evidence, and the number of the
            word that was meant (-1: it is not known, or not in the vocabulary).
    """
    n = len(tokens)
    made = Read(
        np.zeros((n, BEFORE), np.uint8),
        np.zeros((n, NEAREST, LETTERS), np.uint8),
        np.zeros((n, NEAREST, LETTERS), np.uint8),
        np.zeros((n, NEAREST), np.int64),
        np.zeros((n, NEAREST, len(_TOLD)), np.float32),
        np.full(n, NEAREST, np.int64),
    )
    for row, (typed, so_far, evidence, meant) in enumerate(tokens):
        made.before[row] = before_of(so_far)
        kept = nearest(evidence)
        coded = codes(typed)
        put_in = edits.put_in_costs(coded)
        for place, at in enumerate(kept.tolist()):
            word = int(evidence.found[at])
            pairs = _beside(edits, codes(words[word]), coded, put_in)[:LETTERS]
            made.meant[row, place, : len(pairs)] = [a for a, _ in pairs]
            made.typed[row, place, : len(pairs)] = [b for _, b in pairs]
            made.steps[row, place] = len(pairs)
            if word == meant:
                made.right[row] = place
        made.told[row, : len(kept)] = evidence.table[kept][:, _AT] * _SCALE
    return made


def _beside(edits: Edits, meant: Array, typed: Array, put_in: Array) -> list[tuple[int, int]]:
    """Return pairs (meant, typed) of letters, 0 where there is none beside, and the end."""
    steps = np.zeros((meant.size + typed.size + 1, 2), np.int8)
    count = align(meant, typed, edits.change, edits.leave_out, put_in, edits.swap, steps)
    a, b = meant.tolist(), typed.tolist()
    pairs: list[tuple[int, int]] = []
    i = j = 0
    for of_meant, of_typed in steps[:count][::-1].tolist():
        pairs += [
            (a[i + k] if k < of_meant else 0, b[j + k] if k < of_typed else 0)
            for k in range(max(of_meant, of_typed))
        ]
        i, j = i + of_meant, j + of_typed
    return [*pairs, (END, END)]


class Reader(nn.Module):
    """The network."""

    def __init__(self) -> None:
        super().__init__()
        self.embed_meant = nn.Embedding(CODES, EMBED)
        self.embed_typed = nn.Embedding(CODES, EMBED)
        self.memory = Memory(2 * EMBED, WIDTH)
        self.following = nn.Linear(WIDTH, CODES)
        self.between = nn.Linear(2 * WIDTH + len(_TOLD), BETWEEN)
        self.judge = nn.Linear(BETWEEN, 1)

    def _seen(self, meant: Tensor, typed: Tensor) -> Tensor:
        return torch.cat([self.embed_meant(meant), self.embed_typed(typed)], dim=-1)

    def language(self, text: Tensor) -> Tensor:
        """Return the mean loss of telling each letter of rows of text, uint8[n, letters]."""
        letters = text.long().t()
        states = self.memory(self._seen(letters[:-1], letters[:-1]))
        logits = self.following(states).flatten(0, 1)
        aim = letters[1:].flatten()
        aim = torch.where((aim == 0) | (letters[:-1].flatten() == 0), -1, aim)
        return functional.cross_entropy(logits, aim, ignore_index=-1)

    def forward(self, seen: dict[str, Tensor]) -> Tensor:
        """Return logits (n, NEAREST); far below 0 where there is no candidate."""
        before = seen["before"].long().t()
        state = self.memory(self._seen(before, before))[-1]
        n, places, letters = seen["meant"].shape
        flat = [seen[name].long().view(n * places, letters).t() for name in ("meant", "typed")]
        states = self.memory(self._seen(*flat), state.repeat_interleave(places, 0))
        steps = seen["steps"].flatten()
        last = states[(steps - 1).clamp(min=0), torch.arange(n * places, device=steps.device)]
        there = torch.arange(letters, device=steps.device)[:, None] < steps
        mean = (states * there[..., None]).sum(0) / steps.clamp(min=1)[:, None]
        told = seen["told"].flatten(0, 1)
        inner = torch.tanh(self.between(torch.cat([last, mean, told], dim=-1)))
        logits: Tensor = self.judge(inner).view(n, places).float()
        return logits.masked_fill(seen["steps"] == 0, NONE)

    def loss(self, seen: dict[str, Tensor], weight: Tensor) -> Tensor:
        """Return the mean cross-entropy of which candidate was meant, or that none was."""
        logits = self(seen)
        every = torch.cat([logits, logits.new_zeros(len(logits), 1)], dim=1)
        found = functional.cross_entropy(every, seen["right"], reduction="none")
        mean: Tensor = (found * weight).sum() / weight.sum()
        return mean


NONE = -30.0
"""Logit of a candidate that is not there."""


def reader(seed: int) -> Reader:
    """Return a network that has read nothing, its weights from `seed` alone."""
    made = Reader()
    initialise(made, seed)
    return made
