"""How far people agree: two of them before the same page with the same instruction.

The same page is the same task, instruction and candidates (tag, names, text, value) in the same
order. No predictor that knows only these can be right more often than the commonest choice.
"""

from __future__ import annotations

import numpy as np

from overt.models.elements import rates
from overt.models.elements.course import last_rows
from overt.models.elements.pages import Pages
from overt.models.scores import Score, shares
from overt.models.tensors import Array

OTHERS_MIN = 3
"""The commonest choice of fewer others says little."""


def agreements(pages: Pages) -> list[Score]:
    """Return how often two people press the same, and how often one does as most others do."""
    page = _pages(pages)
    last = last_rows(pages)[:, 0]
    begins = pages.first[:-1]
    place = np.where(pages.target >= 0, pages.target - begins, -1)
    came = np.where(last >= 0, pages.text[last].astype(np.int64) + 1, 0)
    rows = []
    for words, key in (
        ("same page and instruction", page),
        ("same page, instruction and last press", rates.mixed(page, came)),
    ):
        rows += _agreed(words, key[pages.target >= 0], place[pages.target >= 0], pages)
    return rows


def _pages(pages: Pages) -> Array:
    """Return int64[steps]: one number for each page with its instruction."""
    parts = (pages.tag, pages.id, pages.classes, pages.text, pages.value)
    at = np.arange(len(pages.text)) - np.repeat(pages.first[:-1], pages.candidates)
    row = rates.mixed(*(part.astype(np.int64) for part in parts), at)
    whole = np.add.reduceat(row, pages.first[:-1]) if len(row) else np.zeros(0, np.int64)
    return rates.mixed(
        whole, pages.task[pages.episode].astype(np.int64), pages.utterance[pages.episode]
    )


def _agreed(words: str, key: Array, place: Array, pages: Pages) -> list[Score]:
    """Return the share of pairs of people that agree, and of people with most others."""
    who = pages.who[pages.target >= 0]
    order = np.lexsort((who, key))
    key, place, who = key[order], place[order], who[order]
    edges = np.flatnonzero(np.diff(key, prepend=key[0] - 1 if len(key) else 0, append=0))
    if len(edges) == 0 or edges[-1] != len(key):
        edges = np.append(edges, len(key))
    met, agreed, asked, followed = [], [], [], []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if high - low < 2 or who[low] == who[high - 1]:
            continue
        pairs = who[low:high, None] < who[None, low:high]
        met.append(pairs.sum())
        agreed.append((pairs & (place[low:high, None] == place[None, low:high])).sum())
        right, total = _like_most(who[low:high], place[low:high])
        asked.append(total)
        followed.append(right)
    pages_met = np.array(met, np.float64)
    return [
        shares(f"two people, {words}", "agreement", np.array(agreed, np.float64), pages_met),
        shares(f"most others, {words}", "top1", np.array(followed, np.float64), np.array(asked)),
    ]


def _like_most(who: Array, place: Array) -> tuple[int, int]:
    """Return how many press what most other people pressed, of how many who can be asked."""
    right = total = 0
    for at in range(len(who)):
        others = place[who != who[at]]
        if len(np.unique(who[who != who[at]])) < OTHERS_MIN:
            continue
        total += 1
        right += int(np.bincount(others).argmax() == place[at])
    return right, total
