"""A learned ranker: scores every candidate given the page, the instruction and what went before.

```
candidate    figures, hashed words of its text and of its names, both against the instruction  → row
what was     the row that was pressed, what the page was, what the instruction is → GRU over all
             steps of the assignment, so also what this person did in earlier episodes      → state
first look   row and state → a first score; the page is the mean of its rows, so weighted
second look  row, page and state → score; softmax over the candidates of the step
```

The order of the candidates changes nothing but the figures that tell it. Words are hashed, so that
no list of words is kept. Repeats bit for bit for one seed and one number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from overt.models.elements import course, features
from overt.models.elements.pages import Pages
from overt.models.elements.words import Words
from overt.models.tensors import Array

if TYPE_CHECKING:
    import torch

BUCKETS = 1 << 14
"""Words are hashed into so many vectors."""
WORDS_MAX = 12
"""Words of a text that count; of an instruction four times as many."""
WORD_DIM, ROW_DIM, STATE_DIM = 16, 64, 64
WORDS_DROPPED = 0.1
"""Share of texts whose vectors are left out of one training step, so that figures count too."""
CLIPPED = 4.0


@dataclass(frozen=True)
class Settings:
    """How the ranker is trained; chosen inside the training part."""

    epochs: int = 11
    whole_epochs: int = 3
    """Last of them, in which every candidate is seen; before, about `rivals` beside the pressed."""
    rivals: int = 16
    steps_a_batch: int = 600
    rate: float = 4e-3
    decay: float = 1e-2
    seed: int = 1


@dataclass(frozen=True)
class Given:
    """What the ranker sees, ready for tensors."""

    figures: Array
    """float32[rows, figures], about −3 to 3."""
    text: Array
    names: Array
    """int32[rows]: bag of the row's text, and of its tag, id and classes."""
    asked: Array
    """int32[steps]: bag of the instruction."""
    bags: Array
    """int64[bags, words]: buckets of words, 0 for none."""
    first: Array
    target: Array
    """int64[steps + 1] and int64[steps], as in `Pages`."""
    who: Array
    """int64[steps]: assignment."""


def given(pages: Pages, words: Words, table: Array, teachers: Array) -> Given:
    """Scale the figures by what the teachers' rows show, and hash the words."""
    rows = np.repeat(teachers, pages.candidates)
    figures = _scaled(table, rows)
    wide = WORDS_MAX * 4
    texts = np.zeros((len(pages.texts), wide), np.int64)
    counts = np.minimum(np.diff(words.start), wide)
    bucket = 1 + words.hashed % (BUCKETS - 1)
    for place in np.flatnonzero(counts):
        run = words.word[words.start[place] : words.start[place] + counts[place]]
        texts[place, : len(run)] = bucket[run]
    trios, names = np.unique(
        np.column_stack([pages.tag, pages.id, pages.classes]), axis=0, return_inverse=True
    )
    parts = [texts[trios[:, part], :WORDS_MAX] for part in range(3)]
    named = np.zeros((len(trios), wide), np.int64)
    named[:, : 3 * WORDS_MAX] = np.concatenate(parts, axis=1)
    # the same word means something else in a name than in a text
    named = np.where(named > 0, 1 + (named * 31 + 7) % (BUCKETS - 1), 0)
    return Given(
        figures=figures,
        text=pages.text,
        names=(names.ravel() + len(texts)).astype(np.int32),
        asked=pages.utterance[pages.episode],
        bags=np.concatenate([texts, named]),
        first=pages.first,
        target=pages.target,
        who=pages.who,
    )


def _scaled(table: Array, rows: Array) -> Array:
    """Return logarithmic z-scores, and beside them flags for 0, 1, 2 and "there is none"."""
    squashed = np.sign(table) * np.log1p(np.abs(table))
    mean = squashed[rows].mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = squashed[rows].std(axis=0, dtype=np.float64).astype(np.float32)
    places = [i for i, name in enumerate(features.NAMES) if name not in features.CATEGORIES]
    scaled = ((squashed - mean) / np.maximum(spread, 1e-3))[:, places].clip(-CLIPPED, CLIPPED)
    from_course = [features.NAMES.index(name) for name in features.FLAGGED]
    counts = table[:, from_course]
    flags = [counts == 0, counts == 1, counts == 2, counts >= course.FAR / 2]
    return np.concatenate([scaled, *flags], axis=1, dtype=np.float32)


def trained(
    data: Given,
    teachers: Array,
    settings: Settings,
    progress: Callable[[float], None] = lambda _done: None,
) -> torch.nn.Module:
    """Train on the steps of `teachers`, whole assignments at a time."""
    import torch

    torch.set_num_threads(1)  # repeats, and leaves the other core to LightGBM
    torch.manual_seed(settings.seed)
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    model = _network(data.figures.shape[1])
    spans = _spans(data, teachers)
    batches = max(1, round(sum(high - low for low, high in spans) / settings.steps_a_batch))
    total = batches * settings.epochs
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=settings.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.rate, total_steps=total + 1, pct_start=0.15
    )
    model.train()
    for epoch in range(settings.epochs):
        order = rng.permutation(len(spans))
        for number, part in enumerate(np.array_split(order, batches)):
            if not len(part):
                continue
            few = settings.rivals if epoch < settings.epochs - settings.whole_epochs else None
            batch = _batch(data, [spans[place] for place in part], few, rng)
            share = model(batch)
            loss = -share[batch.pressed].sum() / max(len(batch.pressed), 1)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            progress((epoch * batches + number + 1) / total)
    model.eval()
    return model


def ranked(model: torch.nn.Module, data: Given, steps: Array) -> Array:
    """Return float32[rows]: log share of each candidate of `steps`; NaN in the rows of others."""
    import torch

    out = np.full(len(data.text), np.nan, np.float32)
    spans = _spans(data, steps)
    with torch.no_grad():
        for at in range(0, len(spans), 16):
            batch = _batch(data, spans[at : at + 16])
            out[batch.rows] = model(batch).numpy()
    return out


def _spans(data: Given, steps: Array) -> list[tuple[int, int]]:
    """Return the first step and the one after the last of each assignment among `steps`."""
    edges = np.flatnonzero(np.diff(data.who, prepend=-1, append=-1))
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return [(low, high) for low, high in pairs if steps[low:high].any()]


@dataclass(frozen=True)
class _Batch:
    """Steps of some assignments: rows end to end, steps as a padded matrix for the GRU."""

    rows: Array
    figures: Any
    text: Any
    names: Any
    asked: Any
    bags: Any
    step: Any
    """int64[rows]: step of the batch that the row belongs to."""
    steps: int
    cell: Any
    """int64[steps]: place of the step in the padded matrix."""
    shape: tuple[int, int]
    pressed: Any
    """int64[steps with a target]: the row that was pressed."""
    has_target: Any
    """int64[steps with a target]: which steps these are."""


def _batch(
    data: Given,
    spans: list[tuple[int, int]],
    rivals: int | None = None,
    rng: np.random.Generator | None = None,
) -> _Batch:
    import torch

    steps = np.concatenate([np.arange(low, high) for low, high in spans])
    counts = data.first[steps + 1] - data.first[steps]
    starts = np.concatenate([[0], np.cumsum(counts)])
    rows = np.arange(starts[-1]) + np.repeat(data.first[steps] - starts[:-1], counts)
    if rivals is not None and rng is not None:
        kept = _drawn(data, steps, rows, counts, rivals, rng)
        rows, counts = rows[kept], np.add.reduceat(kept, starts[:-1]).astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(counts)])
    used, place = np.unique(
        np.concatenate([data.text[rows], data.names[rows], data.asked[steps]]), return_inverse=True
    )
    bags = data.bags[used]
    text, names, asked = np.split(torch_ready(place), [len(rows), 2 * len(rows)])
    lengths = [high - low for low, high in spans]
    wide = max(lengths)
    cell = np.concatenate([np.arange(length) + at * wide for at, length in enumerate(lengths)])
    known = np.flatnonzero(data.target[steps] >= 0)
    pressed = np.flatnonzero(np.isin(rows, data.target[steps[known]]))
    made = torch.from_numpy
    return _Batch(
        rows=rows,
        figures=made(data.figures[rows]),
        text=made(text),
        names=made(names),
        asked=made(asked),
        bags=made(bags),
        step=made(np.repeat(np.arange(len(steps)), counts)),
        steps=len(steps),
        cell=made(cell),
        shape=(len(spans), wide),
        pressed=made(pressed),
        has_target=made(known),
    )


def _drawn(
    data: Given, steps: Array, rows: Array, counts: Array, rivals: int, rng: np.random.Generator
) -> Array:
    """Return bool[rows]: about `rivals` rows of each step, drawn evenly, and the pressed one."""
    chance = np.repeat(rivals / counts, counts)
    kept: Array = rng.random(len(rows)) < chance
    kept |= np.isin(rows, data.target[steps])
    kept[np.cumsum(counts) - 1] |= True  # a step without a press keeps a row
    return kept


def torch_ready(places: Array) -> Array:
    """Return int64, as torch indexes."""
    ready: Array = places.ravel().astype(np.int64)
    return ready


def _network(figures: int) -> torch.nn.Module:
    """Build the network; a function, so that importing this module does not import torch."""
    import torch
    from torch import nn

    class Ranker(nn.Module):
        """The network in the module's docstring."""

        def __init__(self) -> None:
            super().__init__()
            self.word = nn.EmbeddingBag(BUCKETS, WORD_DIM, mode="mean", padding_idx=0)
            nn.init.normal_(self.word.weight, std=0.3)
            self.meant = nn.Linear(WORD_DIM, WORD_DIM)
            self.row = nn.Sequential(
                nn.Linear(figures + 4 * WORD_DIM, 128),
                nn.ReLU(),
                nn.Linear(128, ROW_DIM),
                nn.ReLU(),
            )
            self.start = nn.Parameter(torch.zeros(ROW_DIM))
            self.gru = nn.GRU(2 * ROW_DIM + WORD_DIM, STATE_DIM, batch_first=True)
            self.glance = nn.Linear(STATE_DIM, ROW_DIM)
            self.glance_bias = nn.Linear(ROW_DIM, 1)
            self.look_row = nn.Linear(ROW_DIM, 96)
            self.look_step = nn.Linear(STATE_DIM + ROW_DIM, 96)
            self.gate = nn.Linear(STATE_DIM + ROW_DIM, 96)
            self.score = nn.Linear(96, 1)
            self.drop = nn.Dropout(0.1)

        def forward(self, batch: _Batch) -> torch.Tensor:
            """Return log shares, float32[rows]."""
            row, asked = self.rows(batch)
            count = torch.bincount(batch.step, minlength=batch.steps)[:, None].float()
            mean = _summed(row, batch.step, batch.steps) / count
            state = self.states(batch, row, mean, asked)
            first = (row * self.glance(state)[batch.step]).sum(1) / ROW_DIM**0.5
            first = first + self.glance_bias(row)[:, 0]
            weight = _log_shares(first, batch.step, batch.steps).exp()
            page = _summed(row * weight[:, None], batch.step, batch.steps)
            context = torch.cat([state, page], 1)
            look = self.look_row(row) * torch.sigmoid(self.gate(context))[batch.step]
            look = torch.relu(look + self.look_step(context)[batch.step])
            return _log_shares(first + self.score(self.drop(look))[:, 0], batch.step, batch.steps)

        def rows(self, batch: _Batch) -> tuple[torch.Tensor, torch.Tensor]:
            bag = self.word(batch.bags)
            if self.training:
                bag = bag * (torch.rand(len(bag), 1) >= WORDS_DROPPED)
            asked = bag[batch.asked]
            wanted = self.meant(asked)[batch.step]
            text, names = bag[batch.text], bag[batch.names]
            parts = [batch.figures, text, names, text * wanted, names * wanted]
            return self.row(torch.cat(parts, 1)), asked

        def states(
            self, batch: _Batch, row: torch.Tensor, mean: torch.Tensor, asked: torch.Tensor
        ) -> torch.Tensor:
            people, wide = batch.shape
            came = torch.zeros(people * wide, ROW_DIM)
            came[batch.cell[batch.has_target]] = row[batch.pressed]
            came = came.view(people, wide, ROW_DIM)
            before = torch.cat([self.start.expand(people, 1, -1), came[:, :-1]], 1)
            now = torch.zeros(people * wide, ROW_DIM + WORD_DIM)
            now[batch.cell] = torch.cat([mean, asked], 1)
            seen = torch.cat([before, now.view(people, wide, -1)], 2)
            state, _ = self.gru(seen)
            found: torch.Tensor = state.reshape(people * wide, STATE_DIM)[batch.cell]
            return found

    return Ranker()


def _summed(rows: torch.Tensor, step: torch.Tensor, steps: int) -> torch.Tensor:
    import torch

    return torch.zeros(steps, rows.shape[1]).index_add(0, step, rows)


def _log_shares(score: torch.Tensor, step: torch.Tensor, steps: int) -> torch.Tensor:
    """Return log softmax over the rows of each step."""
    import torch

    top = torch.full((steps,), -torch.inf).scatter_reduce(0, step, score.detach(), "amax")
    moved = score - top[step]
    total = torch.zeros(steps).index_add(0, step, moved.exp())
    return moved - total.log()[step]
