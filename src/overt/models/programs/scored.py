"""`overt evaluate person-or-program`: can a program nobody has seen be told from a person?

Pointer movement and typing are judged apart, by the same rounds: a verdict from both together is
not among these figures, because no source here has a person's pointer and typing at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from overt.models.programs import groups, keyboard, shown
from overt.models.programs.classifiers import check
from overt.models.programs.features import along_axes
from overt.models.programs.rounds import Part, Person, figures, name_of, sides_of
from overt.models.programs.sources import COARSE_MS, Recording, recordings
from overt.models.programs.typists import TYPISTS
from overt.models.programs.windows import KINDS, SECONDS, Windows, windows_of
from overt.models.programs.writers import PEOPLE_MAX, TEACHERS_MAX, Writer, teachers, writers
from overt.models.scores import Progress, Score, Scores
from overt.schema.errors import InvalidInput, TooFew

PEOPLE_MIN = 2
TYPING = "typing"

_TELLS = (
    "“Cannot tell” is an answer: bounds are set so that, on people and programs left out of "
    "learning, 1 % of people's windows are called a program's, and 5 % of programs' a person's."
)
_READ = (
    (
        "Seconds are of input: a pause counts half a second at most. Where a source has single "
        "movements (cursory, mousetrap), they are put one after the other with half a second "
        "between, and a window holds several; 60 s of mousetrap are 45 to 60."
    ),
    (
        "The probe says what sampling alone gives away (intervals in fast movement, their grain, "
        "length): .5 is nothing. It may tell the source; it must not tell person from program."
    ),
    (
        "Programs that move a pointer imitate a person's errands, pauses and sampling. One that "
        "has learned from recordings of the very person it stands in for is not among them."
    ),
    (
        "Movement along the axes alone may be by keys (mouse keys, without a mouse): it is a "
        "program's that moves and a person's will, so the answer is “cannot tell”. How people with "
        "such keys steer is simulated; of switches, eye trackers, pens and fingers no data is here."
    ),
    (
        "Learned from, but not asked about, are also programs varied at random: with noise, or few "
        "strokes done over and over. Of a kind that is left out, no varied ones are learned from."
    ),
    (
        "And people's own strokes, altered: smoothed, bent aside, or retimed. Without Bézier or "
        "minimum jerk, whose way of taking time the last is, nothing retimed is learned from. To "
        "bend is near to the turning and stretching of a replay, if without its noise: that kind "
        "is less unseen than others."
    ),
)
"""What a reader must know of movement; of typing it is `_READ_TYPING`, of both `_TELLS`."""


_READ_TYPING = (
    (
        f"Typing: class and timing of keys (rhythm/0), without modifiers, of at most {PEOPLE_MAX} "
        "people a source, by a hash of their published number. Seconds are of typing: a pause "
        "counts one second at most; texts follow each other with a second between."
    ),
    (
        "Programs type the key classes of the person's own texts, at half to twice their pace, "
        "seen through their clock. Two kinds draw on other people's recordings; a replay of a "
        "real person's text in its own order is not among them, and would be called a person's."
    ),
    (
        "People on a screen are MOBIKEY's, who type one password over and over; those four times "
        "as slow are the people of the data, their times stretched. Neither is learned from."
    ),
    (
        "Beside what is learned from programs there is evidence learned without those that are "
        "judged: that presses do not come as people's do. A network has learned it from up to "
        f"{TEACHERS_MAX} more of Aalto's people, who are not asked about: as they typed, with "
        "their own presses exchanged, and as programs drawn at random would have typed it. To "
        "exchange within key classes, or all, is much what “person by key class” and “shuffled "
        "person” do to another's, and some that are drawn have uniform delays or are slow at "
        "words, so these are less unseen than other kinds (spec/programs.md has figures without "
        "what is near the last, and log-normal). "
        f"Where Aalto is left out, or has fewer than {shown.TEACHERS_MIN} such people, "
        "correlations (place in a word, last presses) stand for it."
    ),
)
_NO_TYPING = (
    "No typing was judged: PATH has too little of Aalto's or Monaco's recordings of people who "
    "type (aalto-desktop-subset, monaco-keystroke)."
)
_NO_POINTER = "No pointer movement was judged: PATH has too few recordings of it."


Groups = Callable[[Part, Progress], list[Score]]


def evaluate(path: Path, progress: Progress) -> Scores:
    """Return all figures; takes twelve to fifteen minutes of one core."""
    everyone, writing = found(path, progress)
    fine = [recording for recording in everyone if not recording.coarse]
    parts: list[tuple[Part, Groups]] = []
    notes: list[str] = []
    refused: list[TooFew] = []
    try:
        parts.append(_part("", fine, KINDS, partial(windows_of, vary=True), path, progress))
        notes += _notes(everyone)
    except TooFew as error:
        refused.append(error)
        notes.append(_NO_POINTER)
    try:
        parts.append(_part(TYPING, writing, tuple(TYPISTS), keyboard.windows_of, path, progress))
        notes += _READ_TYPING
    except TooFew as error:
        refused.append(error)
        notes.append(_NO_TYPING)
    if not parts:
        raise refused[0 if everyone else 1]
    first = parts[0][0]
    counts = _counts(everyone, first.windows) if not first.name else {}
    return Scores(
        task="person-or-program",
        protocol="Programs do the errands of each person, and type their texts, seen through that "
        "person's sampling. Nobody is learned from and asked about. In turn each kind of program, "
        "and each source of people, is left out of learning and asked about alone.",
        counts=counts | _counts_typing([one.windows for one, _groups in parts if one.name]),
        rows=tuple(
            row
            for part, asked in parts
            for row in (*figures(part, progress), *asked(part, progress))
        ),
        notes=(_TELLS, *notes),
    )


def found(path: Path, progress: Progress) -> tuple[list[Recording], list[Writer]]:
    """Return people who move a pointer and people who type; `InvalidInput` where there is none."""
    try:
        return recordings(path, progress), writers(path, progress)
    except InvalidInput:
        writing = writers(path, progress, by_content=True)
        if not writing:
            raise
        return [], writing


def _part(
    name: str,
    people: Sequence[Person],
    kinds: tuple[str, ...],
    make: Callable[[Any, Callable[[Any], int], Progress, Callable[[Any], None]], Windows],
    path: Path,
    progress: Progress,
) -> tuple[Part, Groups]:
    """Return one kind of input, and who asks about groups.

    Raises `TooFew` where it cannot be learned from and asked about.
    """
    sides = sides_of(people)
    pieces: list[Any] = []
    windows = make(people, lambda one: sides[name_of(one)], progress, pieces.append)
    found = len(set(windows.person.tolist()))
    if found < PEOPLE_MIN or len(set(sides.values())) < 2:
        raise TooFew(
            f"needs recordings of at least {PEOPLE_MIN} people; it holds {found} of "
            + (TYPING if name else f"a pointer sampled at least every {COARSE_MS:.0f} ms"),
            where=str(path),
            do="Add recordings of other people.",
        )
    check(windows)
    side = np.array([sides[person] for person in windows.person.tolist()])
    if name == TYPING:
        label = "learning how presses come"
        seen = shown.Shown(
            pieces, windows, teachers(path, progress), lambda done: progress(label, done)
        )
        part = Part(name, windows, side, kinds, seen, shown.OTHERS)
        return part, partial(groups.typing, pieces, seen, path)
    part = Part(name, windows, side, kinds, unsure=along_axes)
    return part, partial(groups.pointing, pieces)


def _counts(everyone: list[Recording], windows: Windows) -> dict[str, int]:
    people = {name_of(one) for one in everyone if one.named and not one.coarse}
    return {
        "people": len(people),
        "sources": len(set(windows.source.tolist())),
        "kinds of program": len(set(windows.base[windows.program & ~windows.altered].tolist())),
        **{
            f"windows of {seconds:.0f} s": int(((windows.seconds == seconds) & windows.asked).sum())
            for seconds in SECONDS
        },
        "recordings sampled too seldom, not judged": sum(one.coarse for one in everyone),
    }


def _counts_typing(several: list[Windows]) -> dict[str, int]:
    return {
        name: count
        for windows in several
        for name, count in (
            ("people who type", len(set(windows.person.tolist()))),
            ("sources of typing", len(set(windows.source.tolist()))),
            ("kinds of program that type", len(set(windows.base[windows.program].tolist()))),
            *(
                (f"windows of {seconds:.0f} s of typing", int((windows.seconds == seconds).sum()))
                for seconds in SECONDS
            ),
        )
    }


def _notes(everyone: list[Recording]) -> tuple[str, ...]:
    notes = list(_READ)
    if any(one.coarse for one in everyone):
        notes.append(
            f"Recordings with more than {COARSE_MS:.0f} ms between samples in fast movement are "
            "not judged: the answer for them is “cannot tell”."
        )
    unnamed = sorted({one.source for one in everyone if not one.named})
    if unnamed and len({one.source for one in everyone}) == 1:
        notes.append("The source does not say who is who: one person may be on both sides.")
    elif unnamed:
        notes.append(f"{', '.join(unnamed)} does not say who is who: all of it is in one part.")
    return tuple(notes)
