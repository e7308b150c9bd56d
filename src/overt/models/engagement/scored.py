"""`overt evaluate engagement`: is a passage read, and which entry is wanted next?"""

from __future__ import annotations

from pathlib import Path

from overt.datasets.formats.scroll_readability import PATTERN
from overt.datasets.reading.files import ARCHIVES, NoSuchFile
from overt.datasets.reading.imported import Skipped
from overt.models.engagement import choices as choosing
from overt.models.engagement import menus, orders, readings, told
from overt.models.engagement.choices import Choices
from overt.models.engagement.readings import Reading
from overt.models.intent.looks import held_out
from overt.models.programs.sources import places
from overt.models.scores import Progress, Score, Scores, mean_over
from overt.models.tensors import Array
from overt.schema.errors import Missing, TooFew

PARTS = 5
PEOPLE_MIN = 20
"""People a question needs: with fewer, some part would be judged by next to nobody."""

_READ = (
    (
        "The data set's label “read” is three scrolls or more, so it is known from the scrolls and "
        "no figure of it would say anything. What is asked is asked early, of readings of which it "
        "is open: does a third scroll come, do they come to the end (95 % of the page)?"
    ),
    (
        "Judged by those who saw neither the person nor the article; intervals are over people. "
        "Whether a page was still open is not published: somebody who left counts as not going on. "
        f"Which version of an article it is, is told from {told.LEVEL_S} s of one reading."
    ),
)
_NEXT = (
    (
        "An entry is a kind of element on the page, in small web tasks. Nobody sees the "
        "instruction: what is judged is what people usually do next. Intervals are over "
        "assignments."
    ),
    (
        f"A menu in page order gets the {menus.SHOWN} most likely entries above it; being wrong "
        f"costs reading them. Reading {menus.READ_S} s an entry, deciding {menus.DECIDE_S} s for "
        f"every doubling, pointing {menus.POINT_S} + {menus.POINT_BIT_S} log2(entries + 1) s: the "
        "form of Cockburn, Gutwin & Greenberg (CHI 2007), the constants ours. A replay: nobody has "
        "used such a menu here."
    ),
)


def evaluate(path: Path, progress: Progress) -> Scores:
    """Return the figures of both questions, as far as `path` has data for them; a minute or two."""
    if not path.exists():
        raise Missing("there is no such file or directory", where=str(path))
    rows: list[Score] = []
    counts: dict[str, int] = {}
    notes: list[str] = []
    skipped = Skipped()
    found = _readings(path, skipped)
    if found is not None and len({one.person for one in found}) >= PEOPLE_MIN:
        made, left_out = _told(found, progress)
        rows += made
        notes += [*_READ, *left_out]
        counts |= {
            "readings": len(found),
            "people shown an article": len({one.person for one in found}),
            "articles": len({one.text for one in found}),
        }
    chosen = _choices(path)
    if chosen is not None and len(set(chosen.person.tolist())) >= PEOPLE_MIN:
        rows += _next(chosen, progress)
        notes += _NEXT
        counts |= {
            "choices": chosen.person.size,
            "assignments": len(set(chosen.person.tolist())),
        }
    if found is None and chosen is None:
        raise NoSuchFile(
            "holds neither readings nor choices",
            where=str(path),
            do=f"Readings are a file named {' or '.join(PATTERN)}, choices MiniWoB's "
            "episodes.parquet and the others.",
        )
    if not rows:
        raise TooFew(
            f"has too little to judge on{_found(found, chosen)}",
            where=str(path),
            do=f"Readings or choices of {PEOPLE_MIN} people are needed, and of readings "
            f"{told.ANSWERS_MIN} of either answer.",
        )
    return Scores(
        "engagement",
        f"In {PARTS} parts by person, each judged by what was learned from the others.",
        counts,
        tuple(rows),
        (*notes, *skipped.told()),
    )


def _near(path: Path, mark: str) -> list[Path]:
    return places(path, mark) or [path]


def _is_one_file(path: Path, *, parquet: bool) -> bool:
    """Tell whether `path` is a single file that is (or is not) Parquet: readers take any name."""
    alone = path.is_file() and not path.name.lower().endswith(ARCHIVES)
    return alone and (path.suffix.lower() == ".parquet") == parquet


def _readings(path: Path, skipped: Skipped) -> list[Reading] | None:
    if _is_one_file(path, parquet=True):
        return None
    try:
        return readings.read(_near(path, "scroll")[0], skipped)
    except NoSuchFile:
        return None


def _choices(path: Path) -> Choices | None:
    if _is_one_file(path, parquet=False):
        return None
    try:
        return choosing.read(_near(path, "miniwob")[0])
    except NoSuchFile:
        return None


def _found(read: list[Reading] | None, chosen: Choices | None) -> str:
    """Return in words how many people there are, to say beside how many are needed."""
    there = []
    if read is not None:
        there.append(f"readings of {len({one.person for one in read})} people")
    if chosen is not None:
        there.append(f"choices of {len(set(chosen.person.tolist()))} assignments")
    return f": {' and '.join(there)}" if there else ""


def _told(found: list[Reading], progress: Progress) -> tuple[list[Score], list[str]]:
    rows: list[Score] = []
    left_out = []
    for number, question in enumerate(told.questions(found)):
        done = number / (2 * len(told.SECONDS) + 1)
        progress(f"of readings: {question.name}", 0.1 + 0.2 * done)
        fewer = min(int(question.aim.sum()), int((~question.aim).sum()))
        if fewer < told.ANSWERS_MIN:
            left_out.append(f"Left out: {question.name}, with {fewer} of the rarer answer.")
            continue
        rows += told.figures(question)
    return rows, left_out


def _next(found: Choices, progress: Progress) -> list[Score]:
    def judging(done: int) -> None:
        """Say which part of the people is being judged."""
        progress(f"what is wanted next, part {done + 1} of {PARTS}", 0.3 + 0.7 * done / PARTS)

    part = held_out([str(one) for one in found.person.tolist()], PARTS)
    place = found.place[found.taken]
    rows = []
    for name, score in orders.scores(found, part, judging=judging).items():
        rank = orders.ranks(found, score)
        made = menus.replayed(rank, place, found.count)
        figures: dict[str, Array] = {
            "top-1, next entry": rank == 0,
            f"top-{menus.SHOWN}, next entry": rank < menus.SHOWN,
        }
        if name != orders.PAGE:
            figures |= {
                "entries a newcomer need not read, a choice": made.read_saved,
                "s saved a choice, newcomer": made.newcomer_s,
                "s saved a choice, practised": made.practised_s,
            }
        for metric, values in figures.items():
            rows.append(mean_over(name, metric, values, found.person))
    return sorted(
        rows, key=lambda row: list(dict.fromkeys(r.metric for r in rows)).index(row.metric)
    )
