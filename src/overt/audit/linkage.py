"""Can a person be recognised by how they type? Re-identification by typing profile, on oneself.

Protocol: of each person's sessions the first half, in order of time, is enrolled; probes are `keys`
presses in a row from the second half, at most four a person. Everything fitted (scales, bins,
priors) is fitted on the enrolled halves, at the level attacked, so the attacker has seen data as
transformed as the probes are. People with a single session are split in the middle of it, which
flatters the attacker; the result counts them.

The audit takes the study's own people and no outside probe, and returns rates, never matches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from overt.audit import rates
from overt.audit.attacks import (
    ATTACKS,
    Moments,
    Profiles,
    against_cohort,
    histogram,
    log_normal,
    scaled_manhattan,
)
from overt.audit.profiles import LEVELS, Half, halves, observations, population
from overt.schema.coarse import COARSE
from overt.schema.errors import InvalidInput, TooFew

SUITE = "linkage/2"
PEOPLE_MIN = 10
PROBES_PER_PERSON_MAX = 4
KEYS_MIN = 10
CMC_PLACES = 20
_SHOWN_BINS = 64


@dataclass(frozen=True)
class Row:
    """One attack at one level with probes of one length. Intervals are 95 %, over persons."""

    level: str
    keys: int
    attack: str
    rank1: float
    rank1_low: float
    rank1_high: float
    chance: float
    eer_global: float
    eer_global_low: float
    eer_global_high: float
    eer_subject_mean: float
    eer_subject_mean_low: float
    eer_subject_mean_high: float
    people: int
    """People enrolled."""
    people_probed: int
    probes: int
    same_session: int
    """People whose halves come from one session: optimistic for the attacker."""

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Curves:
    """What the report plots for one row: rates only, no scores of persons."""

    cmc: tuple[float, ...]
    roc: tuple[tuple[float, float], ...]
    score_low: float
    score_high: float
    genuine: tuple[float, ...]
    impostor: tuple[float, ...]
    """Shares of scores in bins of equal width."""


@dataclass(frozen=True)
class Linkage:
    """All rows of a run with their curves, in the same order."""

    suite: str
    rows: tuple[Row, ...]
    curves: tuple[Curves, ...]
    left_out: tuple[str, ...]
    """Levels and lengths for which there were too few people or probes, in words."""

    def best(self, level: str, keys: int) -> Row:
        """Return the strongest attack by rank-1, then global EER; raises `KeyError` if none ran."""
        found = [row for row in self.rows if (row.level, row.keys) == (level, keys)]
        if not found:
            raise KeyError(f"{level} at {keys} keys")
        return max(found, key=lambda row: (row.rank1, -row.eer_global))

    def as_dict(self) -> dict[str, Any]:
        """Return suite and rows for JSON."""
        return {
            "suite": self.suite,
            "rows": [row.as_dict() for row in self.rows],
            "left_out": list(self.left_out),
        }


def linkage(
    people: Iterable[Sequence[pa.Table]],
    *,
    levels: Sequence[str] = LEVELS,
    keys: Sequence[int] = (50, 250),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Linkage:
    """Attack a study by typing profile.

    Args:
        people: the sessions of each person (schema `EVENTS`, in order of time), one person an item.
        levels: `raw` needs recorded keys; `rhythm` drops them first, `rhythm/1` their timing too.
        keys: lengths of probes, in presses.
        seed: of the bootstrap alone; the attacks draw nothing.
        progress: called with steps done and steps in all.

    Raises:
        TooFew: fewer than 10 people, or fewer than 10 with a probe at every length asked for.
        InvalidInput: an unknown level, a probe under 10 presses, or `raw` without recorded keys.
    """
    for level in levels:
        if level not in LEVELS:
            raise InvalidInput(f"is not one of {', '.join(LEVELS)}", where="level")
    if not keys or min(keys) < KEYS_MIN:
        raise InvalidInput(f"must be at least {KEYS_MIN} presses", where="keys")
    # Raw comes last: whoever knows the keys also knows their classes, so it builds on rhythm.
    order = sorted({*levels, "rhythm"}, key=(COARSE, "rhythm", "raw").index)
    split: dict[str, list[tuple[Half, Half]]] = {level: [] for level in order}
    same_session = 0
    has_keys = False
    for sessions in people:
        same_session += len(sessions) == 1
        has_keys = has_keys or any(_has_keys(events) for events in sessions)
        for level in order:
            split[level].append(halves(sessions, level))
    if "raw" in order and split["raw"] and not has_keys:
        raise InvalidInput(
            "needs to know which keys were pressed, and no event says so",
            where="level raw",
            do="Use level rhythm for data recorded at rhythm.",
        )
    enrolled = [
        i for i, (first, second) in enumerate(split["rhythm"]) if len(first) and len(second)
    ]
    if len(enrolled) < PEOPLE_MIN:
        raise TooFew(
            f"linkage needs {PEOPLE_MIN} people who typed, there are {len(enrolled)}",
            do="Record or import more; a figure from fewer says nothing and protects nobody.",
        )
    run = _Run({level: [split[level][i] for i in enrolled] for level in order}, same_session, seed)
    steps = len(order) * len(keys)
    for done, (level, length) in enumerate((lv, k) for lv in order for k in sorted(set(keys))):
        run.attack(level, length, report=level in levels)
        if progress is not None:
            progress(done + 1, steps)
    if not run.rows:
        raise TooFew(
            f"fewer than {PEOPLE_MIN} people typed enough for a probe of {min(keys)} presses",
            do="Ask for shorter probes, or record more.",
        )
    return Linkage(SUITE, tuple(run.rows), tuple(run.curves), tuple(run.left_out))


def _has_keys(events: pa.Table) -> bool:
    return bool(events.column("key_symbol").to_numpy().any())


class _Run:
    """State of one run: halves by level, and the rhythm scores that raw builds on."""

    def __init__(
        self, split: dict[str, list[tuple[Half, Half]]], same_session: int, seed: int
    ) -> None:
        self.split, self.same_session, self.seed = split, same_session, seed
        self.people = len(next(iter(split.values())))
        self.rhythm: dict[int, Any] = {}
        self.enrolled: dict[str, Any] = {}
        self.rows: list[Row] = []
        self.curves: list[Curves] = []
        self.left_out: list[str] = []

    def attack(self, level: str, keys: int, *, report: bool) -> None:
        """Run every attack at one level and length; keep the figures if `report`."""
        if level not in self.enrolled:
            seen = observations([first for first, _ in self.split[level]], level)
            common = population(seen, self.people)
            gallery = Moments(seen, common, self.people)
            self.enrolled[level] = seen, common, Profiles(gallery, common)
        seen, common, profiles = self.enrolled[level]
        parts, owner = [], []
        for person, (_, second) in enumerate(self.split[level]):
            for number in range(min(len(second) // keys, PROBES_PER_PERSON_MAX)):
                parts.append(second.part(number * keys, (number + 1) * keys))
                owner.append(person)
        if len(set(owner)) < PEOPLE_MIN:
            if report:
                self.left_out.append(f"{level}, {keys} keys: {len(set(owner))} people to probe")
            return
        shown = observations(parts, level)
        probes = Moments(shown, common, len(parts))
        scores = {
            "scaled-manhattan": against_cohort(scaled_manhattan(profiles, probes)),
            "log-normal": against_cohort(log_normal(profiles, probes)),
            "histogram": against_cohort(histogram(seen, shown, common, self.people, len(parts))),
        }
        scores["fusion"] = scores["log-normal"] + scores["histogram"]
        if level == "rhythm":
            self.rhythm[keys] = scores["histogram"]
        elif level == "raw":
            scores["fusion"] = against_cohort(scores["fusion"]) + self.rhythm[keys]
        if report:
            weights = rates.draws(len(set(owner)), self.seed)
            for attack in ATTACKS:
                self._measure(level, keys, attack, scores[attack], np.array(owner), weights)

    def _measure(
        self, level: str, keys: int, attack: str, scores: Any, owner: Any, weights: Any
    ) -> None:
        _, person = np.unique(owner, return_inverse=True)
        probed = weights.shape[1]
        rank = rates.ranks(scores, owner)
        counts = rates.histograms(scores, owner, person, probed)
        first = rates.rank1(rank, person, weights)
        whole = rates.eer_global(counts, weights)
        each = rates.eer_subject_mean(rates.eer_subjects(scores, owner), weights)
        self.rows.append(
            Row(
                level=level,
                keys=keys,
                attack=attack,
                rank1=first.value,
                rank1_low=first.low,
                rank1_high=first.high,
                chance=1 / self.people,
                eer_global=whole.value,
                eer_global_low=whole.low,
                eer_global_high=whole.high,
                eer_subject_mean=each.value,
                eer_subject_mean_low=each.low,
                eer_subject_mean_high=each.high,
                people=self.people,
                people_probed=probed,
                probes=len(owner),
                same_session=self.same_session,
            )
        )
        shown = [
            side.sum(0).reshape(_SHOWN_BINS, -1).sum(1) / max(side.sum(), 1)
            for side in (counts.genuine, counts.impostor)
        ]
        self.curves.append(
            Curves(
                cmc=tuple(rates.cmc(rank, person, probed, min(CMC_PLACES, self.people))),
                roc=tuple(rates.roc(counts)),
                score_low=float(counts.edges[0]),
                score_high=float(counts.edges[-1]),
                genuine=tuple(shown[0].tolist()),
                impostor=tuple(shown[1].tolist()),
            )
        )
