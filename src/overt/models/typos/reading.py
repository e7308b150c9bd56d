"""How the reader (`overt.models.typos.reader`) is fitted, and what it then says of tokens."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from overt.models.neural import device
from overt.models.neural.fitting import Plan, fit
from overt.models.tensors import Array
from overt.models.typos.channel import Edits
from overt.models.typos.evidence import Evidence
from overt.models.typos.letters import END, START, codes
from overt.models.typos.reader import NEAREST, NONE, Read, Reader, nearest, read, reader
from overt.models.typos.words import Words

PAIRS = 20_000
"""Pairs of words drawn by the package's counts, a row of text each."""

ROW = 48
"""Letters in a row of text; longer sentences are cut."""

BATCH, ROWS = 64, 128
HELD_OUT = 10
"""One token in so many (by whose it is) is held out, to stop early on."""

LANGUAGE = Plan(passes=2, patience=2, rate=5e-3)
CHOICE = Plan(passes=8, patience=2, rate=2e-3, decay=1e-3)


@dataclass(frozen=True)
class Choosing:
    """Tokens whose meaning is known, to learn choosing from."""

    seen: Read
    weight: Array = field(repr=False)
    """float32[n]"""
    held: Array = field(repr=False)
    """bool[n], kept for stopping early."""


def rows_of(words: Words, sentences: Iterable[Sequence[str]], seed: int) -> Array:
    """Return uint8[rows, ROW]: sentences, and pairs of words drawn by how often they are."""
    rng = np.random.Generator(np.random.PCG64(seed))
    lines = [list(sentence) for sentence in sentences]
    pairs = list(words.pairs)
    if pairs:
        often = np.array([words.alone(first) for first, _ in pairs])
        share = np.exp(often) * np.array(list(words.pairs.values()))
        drawn = rng.choice(len(pairs), PAIRS, p=share / share.sum())
        lines += [list(pairs[at]) for at in drawn.tolist()]
    made: list[Array] = []
    for line in lines:
        text = np.array(
            [START, *(code for word in line for code in (*codes(word).tolist(), END))], np.uint8
        )
        for begin in range(0, max(len(text) - 1, 1), ROW - 1):
            part = text[begin : begin + ROW]
            made.append(np.pad(part, (0, ROW - len(part))))
    return np.stack(made) if made else np.zeros((0, ROW), np.uint8)


def learned(
    text: Array,
    choosing: Choosing,
    seed: int,
    progress: Callable[[float], None] = lambda _share: None,
) -> Reader:
    """Return a reader fitted to rows of text, then to choosing; from `seed` alone."""
    on = device.chosen()
    with device.repeatable(seed):
        model = reader(seed).to(on)
        if len(text):
            _language(model, text, on, seed, lambda share: progress(0.3 * share))
        _choice(model, choosing, on, seed, lambda share: progress(0.3 + 0.7 * share))
    return model.eval()


def _drawn(count: int, size: int, *seed: int) -> Iterator[Array]:
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]


def _language(
    model: Reader, text: Array, on: str, seed: int, progress: Callable[[float], None]
) -> None:
    aside = np.arange(len(text)) % HELD_OUT == 0
    rows, held = (torch.tensor(text[which]).to(on) for which in (~aside, aside))
    plan = _paced(LANGUAGE, len(rows), ROWS)

    def batches(number: int) -> Iterator[Tensor]:
        for at in _drawn(len(rows), ROWS, seed, number):
            yield rows[torch.tensor(at).to(on)]

    fit(
        model,
        batches,
        model.language,
        lambda: float(model.language(held)) if len(held) else 0.0,
        plan,
        progress=progress,
    )


def _paced(plan: Plan, count: int, size: int) -> Plan:
    return replace(plan, steps=-(-count // size))


def _choice(
    model: Reader, choosing: Choosing, on: str, seed: int, progress: Callable[[float], None]
) -> None:
    seen = choosing.seen.on(on)
    weight = torch.tensor(choosing.weight).to(on)
    mine = np.flatnonzero(~choosing.held)
    aside = torch.tensor(np.flatnonzero(choosing.held)).to(on)
    long = choosing.seen.steps.max(axis=1, initial=0)

    def batches(number: int) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        # Of like length in a batch, so that little of it is empty; the batches in any order.
        order = np.concatenate([*_drawn(len(mine), len(mine), seed, number, 1)])
        order = order[np.argsort(long[mine[order]], kind="stable")]
        parts = np.split(order, range(BATCH, len(order), BATCH))
        for at in np.concatenate([*_drawn(len(parts), len(parts), seed, number, 2)]).tolist():
            which = torch.tensor(mine[parts[at]]).to(on)
            yield _part(seen, which), weight[which]

    def held() -> float:
        total = 0.0
        for part in torch.split(aside, 256):
            found = model.loss(_part(seen, part), weight[part])
            total += float(found * weight[part].sum())
        return total / max(float(weight[aside].sum()), 1.0)

    fit(
        model,
        batches,
        lambda batch: model.loss(*batch),
        held,
        _paced(CHOICE, len(mine), BATCH),
        progress=progress,
    )


def _part(seen: dict[str, Tensor], at: Tensor) -> dict[str, Tensor]:
    """Return some tokens, without the letters that none of them has."""
    part = {name: of[at] for name, of in seen.items()}
    letters = max(int(part["steps"].max()), 1)
    return {**part, "meant": part["meant"][..., :letters], "typed": part["typed"][..., :letters]}


def logits(model: Reader, seen: Read, size: int = 1024) -> Array:
    """Return float64[n, NEAREST], what the network says of tokens."""
    on = next(model.parameters()).device
    tensors = seen.on(str(on))
    order = np.argsort(seen.steps.max(axis=1, initial=0), kind="stable")
    made = np.zeros((len(order), NEAREST))
    with torch.inference_mode():
        for start in range(0, len(order), size):
            at = order[start : start + size]
            made[at] = model(_part(tensors, torch.tensor(at).to(on))).double().cpu().numpy()
    return made


def shares(logit: Array) -> Array:
    """Return float64[n, NEAREST]: how probable each candidate is, beside none of them."""
    top = np.maximum(logit.max(axis=1, initial=0.0), 0.0)[:, None]
    weight = np.exp(logit - top)
    return np.asarray(weight / (weight.sum(axis=1, keepdims=True) + np.exp(-top)))


@dataclass(frozen=True)
class Reranker:
    """A fitted reader, for one token at a time."""

    model: Reader = field(repr=False)
    edits: Edits = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    right: Collection[str] = ()
    """Words that somebody said are right: they are never changed."""

    def suggest(self, typed: str, so_far: str, evidence: Evidence) -> list[tuple[str, float]]:
        """Return words that may have been meant, most probable first."""
        if typed in self.right:
            return [(typed, 1.0)]
        logit = logits(self.model, read(self.edits, self.words, [(typed, so_far, evidence, -1)]))[0]
        share = shares(logit[None])[0]
        kept = nearest(evidence)
        found = [
            (self.words[int(evidence.found[at])], float(share[place]))
            for place, at in enumerate(kept.tolist())
            if logit[place] > NONE
        ]
        return sorted(found, key=lambda one: -one[1])
