"""The corrector we measure ourselves against: SymSpell, as its own package does it."""

from __future__ import annotations

import importlib.resources
from functools import cache
from typing import Any

from overt.models.typos.words import UNIGRAMS

DISTANCE_MAX = 2


@cache
def symspell() -> Any:
    """Return SymSpell with its own English dictionary, edit distance up to `DISTANCE_MAX`."""
    from symspellpy import SymSpell

    made = SymSpell(DISTANCE_MAX, 7)
    with importlib.resources.as_file(importlib.resources.files("symspellpy") / UNIGRAMS) as path:
        made.load_dictionary(str(path), 0, 1, encoding="utf-8-sig")
    return made


@cache
def symspell_closest(typed: str) -> tuple[str, ...]:
    """Return SymSpell's suggestions at the least distance at which there are any, best first."""
    from symspellpy import Verbosity

    found = symspell().lookup(typed, Verbosity.CLOSEST, DISTANCE_MAX)
    return tuple(one.term for one in found)


@cache
def symspell_compound(typed: str) -> str:
    """Return SymSpell's reading of a few tokens, which may join and split them."""
    found = symspell().lookup_compound(typed, DISTANCE_MAX)
    return str(found[0].term) if found else typed
