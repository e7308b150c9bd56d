"""Others to learn slips from, where the table that is scored is not all there is.

A table of few people teaches little. If `OVERT_DATA` has the table of `FOLDER`, people in it who
are not in the one that is scored teach as well, until there are `TAUGHT` slips to learn from.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path

from overt.models.typos import slipped
from overt.models.typos.slipped import Attempt, Attempts
from overt.schema.errors import OvertError

FOLDER = "aalto-slips"

TAUGHT = 5_000
"""Slips of four fifths of the people in that table; more would take longer than there is time."""

Signs = dict[str, set[tuple[str, str, str]]]
"""What tells a person again whatever they are called: each slip with what stood before it."""


def beside(path: Path, scored: Attempts, groups: int, taught: int) -> tuple[Attempts, str]:
    """Return what people who are not in `scored` made, and where it was found; else nothing.

    `taught` are the slips there are already, `groups` those of `overt.models.typos.slipped.read`.
    """
    nothing = Attempts((), (), {})
    if taught >= TAUGHT:
        return nothing, ""
    root = os.environ.get("OVERT_DATA", "")
    folder = Path(root) / FOLDER
    if not root or not folder.exists() or folder.resolve() == path.resolve():
        return nothing, ""
    try:
        found = slipped.read(folder, groups)
    except OvertError:
        return nothing, ""
    others = _first(without(found, scored), TAUGHT - taught)
    return (others, str(folder)) if others.slips else (nothing, "")


def without(found: Attempts, scored: Attempts) -> Attempts:
    """Return what those made who are in no way one of the people in `scored`.

    Neither by name nor, as people may be renamed, by half of their slips.
    """
    known = _signs(scored.slips)
    made_by: dict[tuple[str, str, str], set[str]] = {}
    for person, signs in known.items():
        for sign in signs:
            made_by.setdefault(sign, set()).add(person)
    same = {one.person for one in (*scored.slips, *scored.right)}
    for person, signs in _signs(found.slips).items():
        shared = Counter(other for sign in signs for other in made_by.get(sign, ()))
        if any(2 * count >= min(len(signs), len(known[it])) for it, count in shared.items()):
            same.add(person)
    return _of(found, {one.person for one in (*found.slips, *found.right)} - same)


def _first(found: Attempts, slips: int) -> Attempts:
    """Return what the first people made, in order of a hash, who have so many slips together."""
    counts = Counter(one.person for one in found.slips)
    people: set[str] = set()
    for person in sorted(counts, key=lambda one: hashlib.sha256(one.encode()).digest()):
        if slips <= 0:
            break
        people.add(person)
        slips -= counts[person]
    return _of(found, people)


def _of(found: Attempts, people: set[str]) -> Attempts:
    return Attempts(
        tuple(one for one in found.slips if one.person in people),
        tuple(one for one in found.right if one.person in people),
        {
            group: tuple(one for one in said if one[0] in people)
            for group, said in found.sentences.items()
        },
    )


def together(one: Attempts, other: Attempts) -> Attempts:
    """Return what two tables hold."""
    return Attempts(
        (*one.slips, *other.slips),
        (*one.right, *other.right),
        {
            group: (*one.sentences.get(group, ()), *other.sentences.get(group, ()))
            for group in sorted({*one.sentences, *other.sentences})
        },
    )


def _signs(slips: tuple[Attempt, ...]) -> Signs:
    found: Signs = {}
    for one in slips:
        found.setdefault(one.person, set()).add((one.so_far, one.asked.typed, one.meant))
    return found
