"""Would an attacker recognise me? One person's second half of typing among other people's first.

The figure is shown to that person alone, at the detail level that was recorded. Without a real
group to compare with there is no figure; synthetic people are no such group.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.audit import rates
from overt.audit.attacks import Moments, Profiles, against_cohort, log_normal
from overt.audit.profiles import Half, halves, observations, population
from overt.gateway.door import Door
from overt.gateway.enrol import Person, grant_of
from overt.schema.errors import NotConsented
from overt.store.store import Store

OTHERS_MIN = 10
PRESSES_MIN = 50
"""In each half; fewer say nothing."""

LABEL = "same session: optimistic for the attacker"


def own(store: Store, person: Person) -> dict[str, Any]:
    """Attack one person's rhythm among the other live people of their study.

    Returns `comparable`, a `text` for the person, `label`, and with a comparison `rank`, `among`,
    `presses`. Raises `NotConsented` when no purpose lets typing be read.
    """
    purpose = _purpose(grant_of(store, person).active)
    door = Door(store, "risk page", "auditor")
    own_halves: tuple[Half, Half] | None = None
    others: list[tuple[Half, Half]] = []
    for selected in door.select(person.study, purpose, "audit"):
        if selected.origin != "live":
            continue
        events = door.open(selected, purpose, "audit")
        if events is None:
            continue
        made = halves(events.sessions, "rhythm")
        if selected.subject == person.subject:
            own_halves = made
        elif min(map(len, made)) >= PRESSES_MIN:
            others.append(made)
    if own_halves is None or min(map(len, own_halves)) < PRESSES_MIN:
        return _nothing(
            f"Too little of your typing has arrived: {PRESSES_MIN} keys are needed in each half."
        )
    if len(others) < OTHERS_MIN:
        return _nothing(
            "There is no real comparison group: fewer than ten other people have typed enough in "
            "this study. What is compared with synthetic people says little about real ones."
        )
    rank, among = _rank(own_halves, others)
    verdict = "recognises you" if rank == 1 else f"does not recognise you: you come in place {rank}"
    return {
        "comparable": True,
        "text": f"Among {among} real people the attack {verdict} (guessing: 1 in {among}). {LABEL}",
        "label": LABEL,
        "rank": rank,
        "among": among,
        "presses": len(own_halves[1]),
    }


def _purpose(active: tuple[str, ...]) -> str:
    for purpose in ("typing-assist", "next-action", "person-or-program"):
        if purpose in active:
            return purpose
    raise NotConsented("nothing is consented to any more", where="purposes")


def _nothing(text: str) -> dict[str, Any]:
    return {"comparable": False, "text": text, "label": LABEL}


def _rank(mine: tuple[Half, Half], others: list[tuple[Half, Half]]) -> tuple[int, int]:
    """Return the place of the person's own profile for their second half, and among how many."""
    enrolled = [mine[0], *(first for first, _ in others)]
    seen = observations(enrolled)
    common = population(seen, len(enrolled))
    profiles = Profiles(Moments(seen, common, len(enrolled)), common)
    probe = Moments(observations([mine[1]]), common, 1)
    scores = against_cohort(log_normal(profiles, probe))
    place = rates.ranks(scores, np.zeros(1, np.int64))[0]
    return int(np.ceil(place)), len(enrolled)
