"""The figures of every candidate that boosted trees and the learned ranker are given alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overt.models.elements import course, matching, rates
from overt.models.elements.pages import Pages
from overt.models.elements.words import Words
from overt.models.tensors import Array

STATIC = (
    "tag",
    "x",
    "y",
    "width_8px",
    "height_8px",
    "place",
    "place_share",
    "focused",
    "is_off",
    "is_on",
    "is_bar",
    "kind",
    "last_kind",
)
"""Geometry is rounded to 8 px: some buttons grow by two while the pointer is over them, which
would tell where it is."""
NAMES = STATIC + matching.NAMES + course.NAMES + rates.NAMES
CATEGORIES = ("tag", "kind", "last_kind")
"""Columns that hold numbers of kinds, for which more does not mean more."""
FLAGGED = (
    "times_pressed",
    "places_after_last",
    "kind_places_after_last",
    "open_place",
    "open_order",
    "open_next_place",
    "open_next_order",
    "open_nearest",
    "amount_off",
    "step",
    "open_count",
    "months_off",
)
"""Columns whose 0 and 1 mean something of their own: the network gets flags for these."""
KINDS_MAX = 200
"""Rarer kinds are one."""
_OFF = ("disabled", "unselectable")
_ON = ("active", "selected", "checked", "current", "expanded")


@dataclass(frozen=True)
class Seen:
    """What needs no teachers: pages, their words, and what follows from these alone."""

    pages: Pages
    words: Words
    alike: rates.Kinds
    match: Array
    """float32[rows, len(matching.NAMES)]."""
    way: Array
    """float32[rows, len(course.NAMES)]."""


def seen(pages: Pages, words: Words) -> Seen:
    """Compare pages with their instructions and follow the course of each episode."""
    alike = rates.kinds(pages)
    match = matching.matched(pages, words)
    way = course.followed(pages, words, match, alike.loose.astype(np.int32))
    return Seen(pages, words, alike, match, way)


def made(one: Seen, teachers: Array) -> Array:
    """Return float32[rows, len(NAMES)]: every figure of every candidate, in the order of `Pages`.

    What is learned from other people is learned from the steps of `teachers`, bool[steps].
    """
    rate = rates.rated(one.pages, one.words, one.alike, (one.match, one.way), teachers)
    static = _static(one.pages, one.alike, teachers)
    return np.concatenate([static, one.match, one.way, rate], axis=1)


def _static(pages: Pages, alike: rates.Kinds, teachers: Array) -> Array:
    out = np.zeros((len(pages.text), len(STATIC)), np.float32)
    at = {name: place for place, name in enumerate(STATIC)}
    middle = pages.box[:, :2] + pages.box[:, 2:] / 2
    place = np.arange(len(pages.text)) - np.repeat(pages.first[:-1], pages.candidates)
    off = np.array([any(word in text for word in _OFF) for text in pages.texts])
    on = np.array([any(word in text for word in _ON) for text in pages.texts])
    bar = np.array([text == "query" for text in pages.texts])
    out[:, at["tag"]] = _numbered(pages.tag, np.repeat(teachers, pages.candidates))
    out[:, at["x"] : at["y"] + 1] = np.round(middle / 8) * 8
    out[:, at["width_8px"] : at["height_8px"] + 1] = np.round(pages.box[:, 2:] / 8)
    out[:, at["place"]] = place
    out[:, at["place_share"]] = place / np.repeat(pages.candidates, pages.candidates)
    out[:, at["focused"]] = pages.focused
    out[:, at["is_off"]] = off[pages.classes]
    out[:, at["is_on"]] = on[pages.classes]
    out[:, at["is_bar"]] = bar[pages.id]
    kind = _numbered(alike.loose, np.repeat(teachers, pages.candidates))
    out[:, at["kind"]] = kind
    last = np.repeat(course.last_rows(pages)[:, 0], pages.candidates)
    out[:, at["last_kind"]] = np.where(last >= 0, kind[last], -1)
    return out


def _numbered(kind: Array, known: Array) -> Array:
    """Number the commonest kinds among the known rows from 1; the rest is 0."""
    names, count = np.unique(kind[known], return_counts=True)
    best = names[np.argsort(-count, kind="stable")][:KINDS_MAX]
    number = np.zeros(int(kind.max(initial=0)) + 1, np.float32)
    number[best] = np.arange(1, len(best) + 1)
    numbered: Array = number[kind]
    return numbered
