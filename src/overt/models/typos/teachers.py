"""Others to learn slips from, where the table that is scored is not all there is.

A table of few people teaches little. If `OVERT_DATA` has the table of `FOLDER`, who is in it and
not in the one that is scored teaches as well.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from overt.models.typos import slipped
from overt.models.typos.slipped import Attempt, Attempts
from overt.schema.errors import OvertError

FOLDER = "aalto-slips"

Signs = dict[str, set[tuple[str, str, str]]]
"""What tells a person again whatever they are called: each slip with what stood before it."""


def beside(path: Path, scored: Attempts, groups: int) -> tuple[Attempts, str]:
    """Return what people who are not in `scored` made, and where it was found; else nothing."""
    nothing = Attempts((), (), {})
    root = os.environ.get("OVERT_DATA", "")
    folder = Path(root) / FOLDER
    if not root or not folder.exists() or folder.resolve() == path.resolve():
        return nothing, ""
    try:
        found = slipped.read(folder, groups)
    except OvertError:
        return nothing, ""
    others = without(found, scored)
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
    return Attempts(
        tuple(one for one in found.slips if one.person not in same),
        tuple(one for one in found.right if one.person not in same),
        {
            group: tuple(one for one in said if one[0] not in same)
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
