"""A character network: one gated recurrent layer that tells the next character of a text.

It stands beside Kneser-Ney and ours in `overt evaluate next-text --neural`, and never ships. It
learns from the same texts; or first from pairs of words drawn by the counts of general English,
which ours knows too, and then from these texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from overt.models.neural import device
from overt.models.neural.fitting import Plan, fit
from overt.models.neural.memory import Memory, initialise
from overt.models.tensors import Array
from overt.models.text.alphabet import END, LETTER, LOWER, SIZE, UPPER, codes
from overt.models.typos.words import Words

WIDTH, EMBED = 192, 32
DROPPED = 0.4
"""Share of what goes on that is left out at random while it learns: texts are few."""

LINES = 20_000
"""Pairs of words that general English is learned from."""

BATCH = 32
GENERAL = Plan(passes=2, rate=4e-3)
TEXTS = Plan(passes=16, patience=3, rate=4e-3, decay=1e-3)


class Letters(nn.Module):
    """The network."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(SIZE, EMBED)
        self.memory = Memory(EMBED, WIDTH)
        self.drop = nn.Dropout(DROPPED)
        self.following = nn.Linear(WIDTH, SIZE)

    def states(self, text: Tensor, state: Tensor | None = None) -> Tensor:
        """Return states (n, batch, WIDTH) after each character of (n, batch)."""
        states: Tensor = self.memory(self.drop(self.embed(text)), state)
        return states

    def log_shares(self, states: Tensor) -> Tensor:
        """Return ln of the share of each character to come; that of the start is nothing."""
        logits = self.following(states)[..., 1:].float()
        return functional.pad(torch.log_softmax(logits, dim=-1), (1, 0), value=-1e9)

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of rows of characters, -1 behind their end."""
        text = rows.long().t()
        log = self.log_shares(self.drop(self.states(text[:-1].clamp(min=0))))
        return functional.nll_loss(log.flatten(0, 1), text[1:].flatten(), ignore_index=-1)


def lines_of(words: Words, seed: int, count: int) -> list[str]:
    """Return pairs of words, drawn by how often one follows the other in general English."""
    pairs = list(words.pairs)
    if not pairs:
        return []
    share = np.exp([words.alone(first) for first, _ in pairs]) * list(words.pairs.values())
    rng = np.random.Generator(np.random.PCG64(seed))
    return [" ".join(pairs[at]) for at in rng.choice(len(pairs), count, p=share / share.sum())]


def _rows(texts: Sequence[str]) -> Array:
    coded = [codes(text) for text in texts]
    made = np.full((len(coded), max(map(len, coded), default=1)), -1, np.int64)
    for row, one in zip(made, coded, strict=True):
        row[: len(one)] = one
    return made


def _batches(rows: Tensor, long: Array, seed: int) -> Callable[[int], Iterator[Tensor]]:
    def of(number: int) -> Iterator[Tensor]:
        rng = np.random.Generator(np.random.PCG64([seed, number]))
        order = rng.permutation(len(long))
        order = order[np.argsort(long[order], kind="stable")]
        parts = np.split(order, range(BATCH, len(order), BATCH))
        for at in rng.permutation(len(parts)).tolist():
            kept = torch.tensor(parts[at]).to(rows.device)
            yield rows[kept][:, : int(long[parts[at]].max())]

    return of


def _fit(
    model: Letters, texts: Sequence[str], held: Callable[[], float], plan: Plan, seed: int
) -> None:
    rows = _rows(texts)
    long = (rows >= 0).sum(axis=1)
    on = next(model.parameters()).device
    plan = replace(plan, steps=-(-len(rows) // BATCH))
    fit(model, _batches(torch.tensor(rows).to(on), long, seed), model.loss, held, plan)


def general(words: Words, seed: int) -> Letters:
    """Return a network that knows general English only, from `seed` alone."""
    with device.repeatable(seed):
        model = _new(seed)
        passed = iter(range(GENERAL.passes))
        _fit(model, lines_of(words, seed, LINES), lambda: -float(next(passed)), GENERAL, seed)
    return model.eval()


def _new(seed: int) -> Letters:
    model = Letters()
    initialise(model, seed)
    return model.to(device.chosen())


def learned(
    texts: Sequence[str], held: Sequence[str], seed: int, begun: Letters | None
) -> tuple[Letters, Letters]:
    """Return a network of `texts` that stopped early on `held`, and one of both.

    The second goes over the texts as often as the first did until it was best.
    """
    with device.repeatable(seed):
        less, whole = _new(seed), _new(seed)
        if begun is not None:
            less.load_state_dict(begun.state_dict())
            whole.load_state_dict(begun.state_dict())
        aside = torch.tensor(_rows(held)).to(device.chosen())
        seen: list[float] = []

        def loss() -> float:
            parts = [float(less.loss(part)) * len(part) for part in torch.split(aside, 256)]
            seen.append(sum(parts) / max(len(aside), 1))
            return seen[-1]

        _fit(less, texts, loss, TEXTS, seed)
        passes = int(np.argmin(seen)) + 1
        left = iter(range(passes))
        plan = replace(TEXTS, passes=passes, patience=passes)
        _fit(whole, [*texts, *held], lambda: -float(next(left)), plan, seed)
    return less.eval(), whole.eval()


def everything(model: Letters, texts: Sequence[str], size: int = 64) -> Array:
    """Return float64[places, SIZE]: what it says at each character of folded texts and their end.

    As `KneserNey.everything`: places of all texts follow each other.
    """
    rows = _rows(texts)
    long = (rows >= 0).sum(axis=1) - 1
    on = next(model.parameters()).device
    made: dict[int, Array] = {}
    order = np.argsort(long, kind="stable")
    with torch.inference_mode():
        for start in range(0, len(order), size):
            kept = order[start : start + size]
            text = torch.tensor(rows[kept, : long[kept].max()].T).to(on).clamp(min=0)
            share = model.log_shares(model.states(text)).exp().double().cpu().numpy()
            made |= {at: share[: long[at], row] for row, at in enumerate(kept.tolist())}
    parts = [made[at] for at in range(len(texts))]
    return np.concatenate(parts) if parts else np.zeros((0, SIZE))


def words_after(
    model: Letters, texts: Sequence[str], asked: Sequence[tuple[int, int, Sequence[str]]]
) -> list[Array]:
    """Return ln of how likely each word is at a place of a text, its case left open.

    Args:
        model: the network.
        texts: folded.
        asked: number of a text, the place in it where a word begins, and words in lower case.
    """
    at_start = _starts(model, texts, [(number, place) for number, place, _ in asked])
    flat = [(row, word) for row, (_, _, words) in enumerate(asked) for word in words]
    order = sorted(range(len(flat)), key=lambda one: len(flat[one][1]))
    log = np.zeros(len(flat))
    for begin in range(0, len(order), 2048):
        part = order[begin : begin + 2048]
        state = at_start[[flat[one][0] for one in part]]
        log[part] = _spelt(model, state, [flat[one][1] for one in part])
    return np.split(log, np.cumsum([len(words) for _, _, words in asked])[:-1])


def _starts(model: Letters, texts: Sequence[str], places: Sequence[tuple[int, int]]) -> Tensor:
    """Return the state (places, WIDTH) before the character at each place."""
    rows = _rows(texts)
    on = next(model.parameters()).device
    out = torch.zeros(len(places), WIDTH, device=on)
    number = np.array([one for one, _ in places], np.int64)
    place = np.array([two for _, two in places], np.int64)
    with torch.inference_mode():
        for start in range(0, len(texts), 256):
            mine = np.flatnonzero((number >= start) & (number < start + 256))
            if mine.size:
                text = torch.tensor(rows[start : start + 256].T).to(on).clamp(min=0)
                states = model.states(text)
                out[torch.tensor(mine).to(on)] = states[
                    torch.tensor(place[mine]).to(on), torch.tensor(number[mine] - start).to(on)
                ]
    return out


_EITHER = np.zeros((28, SIZE), np.float32)
"""Which characters a place in `LETTERS` stands for; the last row: none that is in a word."""
for _letter in range(27):
    _EITHER[_letter, np.flatnonzero(_letter == LETTER)] = 1.0
_EITHER[27] = LETTER < 0
_EITHER[27, 0] = 0.0


def _spelt(model: Letters, state: Tensor, words: Sequence[str]) -> Array:
    """Return ln of the share of each word, and that it ends there, after its state."""
    lengths = np.array([len(word) for word in words])
    letters = np.full((int(lengths.max()) + 1, len(words)), 27, np.int64)
    for column, word in enumerate(words):
        letters[: len(word), column] = LETTER[codes(word)[1:-1]]
    either = torch.tensor(_EITHER).to(state.device)
    lower = torch.tensor([END, *LOWER.tolist()]).to(state.device)
    upper = torch.tensor([END, *UPPER.tolist()]).to(state.device)
    step = torch.tensor(letters).to(state.device)
    total = torch.zeros(len(words), device=state.device)
    open_ = torch.tensor(lengths).to(state.device)
    with torch.inference_mode():
        for at in range(len(step)):
            share = model.log_shares(state).exp()
            found = (share * either[step[at]]).sum(-1).clamp(min=1e-12).log()
            total += torch.where(at <= open_, found, torch.zeros_like(found))
            kept = step[at].clamp(max=26)
            high = share.gather(1, upper[kept][:, None]) > share.gather(1, lower[kept][:, None])
            typed = torch.where(high[:, 0] & (kept > 0), upper[kept], lower[kept])
            typed = torch.where(kept == 0, torch.full_like(typed, ord("'") - 30), typed)
            state = model.states(typed[None], state)[0]
    return np.asarray(total.double().cpu().numpy())
