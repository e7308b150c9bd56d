"""How much a study has, and how good it is: counts in ranges, shares over at least ten people.

Places of batches say how sessions ended and what was lost; clocks are in headers, so the first
batch of each session is opened as far as its header. No event is decoded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from overt.gateway.door import Door, Selected
from overt.gateway.filed import PEOPLE_MIN, Filed, file, in_order, standing, state_of
from overt.gateway.model import Progress, work
from overt.gateway.studies import study_of
from overt.schema.batch import BatchHeader
from overt.schema.manifest import bucket
from overt.store.control import BatchPlace
from overt.store.store import Store

KIND, NAME, ACTION = "overview", "counts and quality", "count"

CLOCKS = ((5, "up to 5 µs"), (100, "up to 100 µs"), (1000, "up to 1 ms"))
"""Coarsest step of a person's clocks, in µs; browsers give 5 or 100, an imported log often 1 ms."""
COARSER = "coarser than 1 ms"


@dataclass
class _Quality:
    """Sums over sessions."""

    sessions: int = 0
    unclean: int = 0
    events: int = 0
    produced: int = 0
    removed: int = 0
    lost: int = 0


def overview(store: Store, study_id: str, reader: str, progress: Progress) -> Filed:
    """Count a study through the door, purpose by purpose; file the counts and return them.

    What was filed stands while the same rows may be read.
    """
    study = study_of(store, study_id)
    door = Door(store, reader, "researcher")
    with work(store):
        by_purpose = {purpose: door.select(study.id, purpose, ACTION) for purpose in study.purposes}
        everyone = [chosen for selected in by_purpose.values() for chosen in selected]
        state = state_of(everyone, list(study.purposes))
        known = standing(store, study.id, KIND, "", NAME, state)
        if known is not None:
            return known
        merged = _merged(everyone)
        clocks = _clocks(door, by_purpose, progress)
        figures = {
            "purposes": {purpose: _counted(selected) for purpose, selected in by_purpose.items()},
            "origins": {
                origin: shown([c for c in merged if c.origin == origin], clocks)
                for origin in sorted({chosen.origin for chosen in merged})
            },
        }
        file(store, KIND, study.id, "", NAME, state, figures, merged)
        known = standing(store, study.id, KIND, "", NAME, state)
    assert known is not None  # noqa: S101 - filed three lines above, under the lock
    return known


def _counted(selected: Iterable[Selected]) -> dict[str, str]:
    return {o: bucket(n) for o, n in sorted(Counter(c.origin for c in selected).items())}


def _merged(everyone: Iterable[Selected]) -> list[Selected]:
    """Return each person once, with the batches of all purposes."""
    places: dict[tuple[str, str], dict[str, BatchPlace]] = {}
    for chosen in everyone:
        rows = places.setdefault((chosen.subject, chosen.origin), {})
        rows |= {place.row: place for place in chosen.places}
    return [Selected(s, o, tuple(rows.values())) for (s, o), rows in sorted(places.items())]


def _clocks(
    door: Door, by_purpose: dict[str, list[Selected]], progress: Progress
) -> dict[str, int]:
    """Return the coarsest step (µs) of each person's clocks; each session is looked at once."""
    steps: dict[str, int] = {}
    seen: set[str] = set()
    people = max(1, sum(map(len, by_purpose.values())))
    done = 0
    for purpose, selected in by_purpose.items():
        for chosen in selected:
            progress("looking at headers", done / people)
            done += 1
            fresh = tuple(place for place in chosen.places if place.session not in seen)
            headers: tuple[BatchHeader, ...] | None = ()
            if fresh:
                headers = door.headers(
                    Selected(chosen.subject, chosen.origin, fresh), purpose, ACTION
                )
            seen |= {place.session for place in fresh}
            for header in headers or ():
                coarsest = max(steps.get(chosen.subject, 0), header.clock_resolution_us)
                steps[chosen.subject] = coarsest
    return steps


def shown(people: list[Selected], clocks: dict[str, int]) -> dict[str, Any]:
    """Return what may be seen of the people of one origin: under ten of them only the range.

    Shares are over whole tens, by the order in which people came: the difference that one more
    makes would tell how their session ended and what they removed.
    """
    counted: dict[str, Any] = {"people": bucket(len(people))}
    if len(people) < PEOPLE_MIN:
        return counted
    total, tens = _total(people), _total(in_order(people)[: len(people) // PEOPLE_MIN * PEOPLE_MIN])
    groups = Counter(_clock_words(clocks[c.subject]) for c in people if c.subject in clocks)
    words = [words for _, words in CLOCKS] + [COARSER]
    return {
        **counted,
        "sessions": bucket(total.sessions),
        "events": bucket(total.events),
        "unclean_percent": _percent(tens.unclean, tens.sessions),
        "removed": bucket(total.removed),
        "removed_percent": _percent(tens.removed, tens.produced),
        "lost": bucket(total.lost),
        "lost_percent": _percent(tens.lost, tens.produced),
        "clocks": {word: bucket(groups[word]) for word in words if groups[word]},
    }


def _total(people: Iterable[Selected]) -> _Quality:
    total = _Quality()
    for chosen in people:
        _add(total, chosen.places)
    return total


def _add(total: _Quality, places: Iterable[BatchPlace]) -> None:
    sessions: dict[str, list[BatchPlace]] = {}
    for place in places:
        sessions.setdefault(place.session, []).append(place)
    for parts in sessions.values():
        total.sessions += 1
        total.unclean += not any(part.end for part in parts)
        total.events += sum(part.events for part in parts)
        total.produced += max(part.produced for part in parts)
        total.removed += max(part.removed for part in parts)
        total.lost += max(part.lost for part in parts)


def _percent(part: int, whole: int) -> float:
    """Return a share in whole per cent, or tenths below one: finer would tell of one session."""
    share = 100 * part / max(whole, 1)
    return round(share, 1) if share < 1 else float(round(share))


def _clock_words(step_us: int) -> str:
    return next((words for most, words in CLOCKS if step_us <= most), COARSER)
