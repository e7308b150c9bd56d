"""How often what is like a candidate was pressed, by other people and earlier by this one.

A rate is a lift: presses over the presses that chance would give, 1 / candidates for every page on
which it stood, in logarithms, shrunk towards no lift where little was seen. What is learned from
other people is learned only from those named as teachers; teachers themselves get rates from the
other folds of teachers, so that no step has a part in its own rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.features.kernel import kernel
from overt.models.elements import course, lifts, matching
from overt.models.elements.lifts import FOLDS, bits_for, folds, presses
from overt.models.elements.pages import Pages
from overt.models.elements.words import Words
from overt.models.tensors import Array

STRENGTH, OWN_STRENGTH = 2.0, 0.5
"""Presses by chance that weigh as much as no lift at all."""

CROWD = (
    "kind_after_kind",
    "kind_after_two",
    "kind_at_step",
    "cell_at_step",
    "text_after_text",
    "kind_when_named",
    "kind_after_words",
    "kind_when_open",
)
OWN = (
    "own_kind_after_kind",
    "own_cell_at_step",
    "own_kind",
    "own_place_after",
    "own_order_after",
    "own_tag_when_open",
)
WORDS = ("word_lift", "word_lift_mean", "name_lift", "name_lift_mean", "word_lead", "name_lead")
NAMES = CROWD + OWN + WORDS
CELL_PX = 10
STEPS_MAX = 9
OWN_BITS = 12


@dataclass(frozen=True)
class Kinds:
    """Numbers that alike elements share."""

    exact: Array
    """int64[rows]: same tag, id and classes."""
    loose: Array
    """int64[rows]: same tag, and id and classes without digits."""


def kinds(pages: Pages) -> Kinds:
    """Number the kinds of element."""
    plain: dict[str, int] = {}
    loose = np.array(
        [
            plain.setdefault("".join(c for c in text if not c.isdigit()), len(plain))
            for text in pages.texts
        ],
        np.int64,
    )
    wide = len(pages.texts) + 1
    exact = (pages.tag.astype(np.int64) * wide + pages.id) * wide + pages.classes
    rough = (pages.tag.astype(np.int64) * wide + loose[pages.id]) * wide + loose[pages.classes]
    return Kinds(
        *(np.unique(keys, return_inverse=True)[1].astype(np.int64) for keys in (exact, rough))
    )


def rated(
    pages: Pages, words: Words, alike: Kinds, features: tuple[Array, Array], teachers: Array
) -> Array:
    """Return float32[rows, len(NAMES)].

    Args:
        pages: what was shown.
        words: of their texts.
        alike: kinds of the rows.
        features: what `matching` and `course` made.
        teachers: bool[steps]: steps that may teach others.
    """
    match, way = features
    fold = folds(pages.who, teachers & (pages.target >= 0))
    out = np.zeros((len(pages.text), len(NAMES)), np.float32)
    hits = presses(pages)
    keys = crowd_keys(pages, words, alike, match, way)
    bits = bits_for(len(hits))
    for column, key in enumerate(keys):
        _lift(out[:, column], hashed(key, bits), hits, pages.first, fold, 1 << bits)
    step = np.repeat(pages.number.clip(0, STEPS_MAX), pages.candidates)
    last = np.repeat(course.last_rows(pages)[:, 0], pages.candidates)
    before = np.where(last >= 0, alike.loose[last], -1)
    cell = cells(pages)
    task = np.repeat(pages.task[pages.episode], pages.candidates)
    gap = way[:, course.AT["kind_places_after_last"]].clip(-50, 50).astype(np.int64)
    open_now = way[:, course.AT["open"]] > 0
    gap = np.where(open_now, way[:, course.AT["open_next_place"]], gap + 200)
    own = (
        mixed(before, alike.loose, task),
        mixed(task, step, cell, alike.loose),
        mixed(alike.loose),
        mixed(gap.astype(np.int64), alike.loose == before),
        mixed(open_now, way[:, course.AT["open_next_order"]].astype(np.int64)),
        mixed(open_now, pages.tag),
    )
    at = len(CROWD)
    for column, key in enumerate(own):
        _own_lift(
            out[:, at + column], hashed(key, OWN_BITS), hits, pages.first, pages.target, pages.who
        )
    at += len(OWN)
    lifts.lifted(out[:, at:], pages, words, hits, fold)
    return out


def cells(pages: Pages) -> Array:
    """Return int64[rows]: the square of `CELL_PX` in which the middle of the candidate lies."""
    middle = np.floor((pages.box[:, :2] + pages.box[:, 2:] / 2) / CELL_PX).astype(np.int64)
    square: Array = middle[:, 0] * 4096 + middle[:, 1]
    return square


def crowd_keys(
    pages: Pages, words: Words, alike: Kinds, match: Array, way: Array
) -> Sequence[Array]:
    """Return the keys of `CROWD`, int64[rows] each."""
    count = pages.candidates
    last = course.last_rows(pages)
    one, two = (np.repeat(rows, count) for rows in last.T)
    before = np.where(one >= 0, alike.loose[one], -1)
    earlier = np.where(two >= 0, alike.loose[two], -1)
    step = np.repeat(pages.number.clip(0, STEPS_MAX), count)
    task = np.repeat(pages.task[pages.episode], count)
    begin = np.repeat(_opening(pages, words)[pages.episode], count)
    named = (match[:, matching.AT["named_at"]] >= 0) + 2 * (match[:, matching.AT["value_state"]])
    new = way[:, course.AT["is_new"]].astype(np.int64)
    pressed = way[:, course.AT["times_pressed"]].clip(0, 3).astype(np.int64)
    remaining = way[:, course.AT["open_count"]].clip(0, 3).astype(np.int64)
    loose = alike.loose
    return (
        mixed(alike.exact, np.where(one >= 0, alike.exact[one], -1)),
        mixed(loose, before, earlier),
        mixed(loose, task, step),
        mixed(cells(pages), task, step),
        mixed(pages.text, loose, np.where(one >= 0, pages.text[one], -1), before),
        mixed(loose, named.astype(np.int64), new, pressed),
        mixed(loose, begin, pressed),
        mixed(loose, remaining, pressed, before, named.astype(np.int64)),
    )


def _opening(pages: Pages, words: Words) -> Array:
    """Return int64[episodes]: a number for the first two words of the instruction."""
    first = np.zeros(len(pages.utterance), np.int64)
    for place, text in enumerate(pages.utterance):
        run = words.word[words.start[text] : words.start[text + 1]][:2]
        first[place] = hash(tuple(run.tolist())) % (1 << 40)
    return first


def mixed(*parts: Array) -> Array:
    """Return one key for several numbers, int64[rows]."""
    key = np.zeros(len(parts[0]), np.uint64)
    for part in parts:
        key = (key ^ part.astype(np.int64).view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key.view(np.int64)


def hashed(key: Array, bits: int) -> Array:
    """Return the bucket of each key, int64[rows]."""
    spread = key.view(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    bucket: Array = (spread >> np.uint64(64 - bits)).astype(np.int64)
    return bucket


@kernel
def _lift(out: Any, key: Any, hits: Any, first: Any, fold: Any, buckets: int) -> Any:
    seen = np.zeros((FOLDS + 1, buckets), np.float32)
    came = np.zeros((FOLDS + 1, buckets), np.float32)
    for step in range(len(first) - 1):
        part = fold[step]
        if part == FOLDS:
            continue
        chance = 1.0 / (first[step + 1] - first[step])
        for row in range(first[step], first[step + 1]):
            seen[part, key[row]] += chance
            seen[FOLDS, key[row]] += chance
            came[part, key[row]] += hits[row]
            came[FOLDS, key[row]] += hits[row]
    for step in range(len(first) - 1):
        part = fold[step]
        for row in range(first[step], first[step + 1]):
            expected, pressed = seen[FOLDS, key[row]], came[FOLDS, key[row]]
            if part < FOLDS:
                expected -= seen[part, key[row]]
                pressed -= came[part, key[row]]
            out[row] = np.log((pressed + STRENGTH) / (expected + STRENGTH))


@kernel
def _own_lift(out: Any, key: Any, hits: Any, first: Any, target: Any, who: Any) -> Any:
    """Lift of what this person pressed before, in this and earlier episodes of the assignment."""
    seen = np.zeros(1 << OWN_BITS, np.float32)
    came = np.zeros(1 << OWN_BITS, np.float32)
    stamp = np.full(1 << OWN_BITS, -1, np.int64)
    for step in range(len(first) - 1):
        chance = 1.0 / (first[step + 1] - first[step])
        for row in range(first[step], first[step + 1]):
            at = key[row]
            if stamp[at] == who[step]:
                out[row] = np.log((came[at] + OWN_STRENGTH) / (seen[at] + OWN_STRENGTH))
            else:
                out[row] = 0
        if target[step] < 0:
            continue
        for row in range(first[step], first[step + 1]):
            at = key[row]
            if stamp[at] != who[step]:
                stamp[at] = who[step]
                seen[at] = 0
                came[at] = 0
            seen[at] += chance
            came[at] += hits[row]
