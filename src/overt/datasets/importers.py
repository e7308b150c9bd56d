"""Registry of importers: the FORMAT of `overt import FORMAT PATH`.

To add one, write a module with a function `read` of type `Reader`, and name it here. Modules are
loaded when they are used, so that the command line can list the formats at once.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from overt.schema.errors import InvalidInput

if TYPE_CHECKING:
    from overt.datasets.reading.imported import ImportedPerson, Progress, Skipped
    from overt.schema.event import Kind


class Reader(Protocol):
    """Yields the people in a file, directory or archive, as `formats.aalto.read` does."""

    def __call__(
        self,
        path: Path,
        *,
        progress: Callable[[Progress], None] | None = None,
        skipped: Skipped | None = None,
    ) -> Iterator[ImportedPerson]:
        """Yield people one at a time; strict unless `skipped` counts what is left out."""
        ...


@dataclass(frozen=True, kw_only=True)
class Importer:
    """A public format: its name on the command line, and what it does to what it reads."""

    name: str
    title: str
    reads: str
    """Files it looks for, in words."""
    publication: str
    licence: str
    person: str
    """Who becomes one person."""
    session: str
    """What becomes one session."""
    units: str
    """Times, positions and wheel steps as published, and what becomes of them."""
    left_out: str
    """What is in the files and does not become an event, and what is worked out."""
    kind_names: tuple[str, ...]
    """Kinds of event it can make, as in `overt.schema.event.Kind`, in small letters."""
    purposes: tuple[str, ...]
    """Purposes a study made by the import names; each needs some of the kinds."""
    level: str
    """`keys` if it says which key, else `rhythm`."""
    bound: Reader | None = None
    """What reads it, where a mapping file says how."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """Kinds of event it can make."""
        from overt.schema.event import Kind

        return frozenset(Kind[name.upper()] for name in self.kind_names)

    @property
    def read(self) -> Reader:
        """The function that reads the format."""
        if self.bound is not None:
            return self.bound
        module = f"overt.datasets.formats.{self.name.replace('-', '_')}"
        return cast("Reader", importlib.import_module(module).read)


_KEYS = ("key_down", "key_up")
_POINTER = ("pointer_move", "pointer_down", "pointer_up", "click")
_DESKTOP_UNITS = (
    "monotonic s to µs since the recording's first event; points taken as CSS px; a wheel step, "
    "whose height is not recorded, as 100 px, up as negative"
)
_DESKTOP_LEFT_OUT = (
    "Which key it was: where it was typed is not recorded, so nothing says that it was no "
    "password. A click is worked out from a press and a release within 4 px."
)
_POINTING = ("next-action", "person-or-program")
_TYPING = ("next-action", "typing-assist")
_WRITING = (*_TYPING, "text-assist")

IMPORTERS: dict[str, Importer] = {
    importer.name: importer
    for importer in (
        Importer(
            name="aalto",
            title="Aalto 136M Keystrokes",
            reads="a directory of *_keystrokes.txt (TSV), one such file, or a .tar.zst of them",
            publication="Dhakal et al., CHI 2018, doi:10.1145/3173574.3174220",
            licence="free for non-commercial use in own research or projects, with attribution",
            person="a participant",
            session="a prompted sentence; a gap of half an hour begins another",
            units="epoch ms to µs since the session's first event",
            left_out="The prompt and the submitted text. A release before its press, or more than "
            "a minute after it. An edit is worked out for each character put in or taken out.",
            kind_names=(*_KEYS, "edit"),
            purposes=_WRITING,
            level="keys",
        ),
        Importer(
            name="balabit",
            title="Balabit mouse dynamics challenge",
            reads="a directory or .tar.zst with training_files/ACCOUNT/session_* (CSV), or one "
            "such file",
            publication="Fülöp, Kovács, Kurics, Windhager-Pokol, Balabit Mouse Dynamics "
            "Challenge data set, 2016, github.com/balabit/Mouse-Dynamics-Challenge",
            licence="none stated; the authors ask for citation",
            person="an account: the folder a recording lies in",
            session="a recording",
            units="client time in s to µs, unwrapped where its 32-bit count of ms overflowed; px "
            "of the remote screen taken as CSS px; a wheel step, whose height is not recorded, as "
            "100 px",
            left_out="Test recordings, which may be of another account than their folder says. "
            "Readings at 65535, which are lost ones. A click is worked out from a press and a "
            "release within 4 px.",
            kind_names=(*_POINTER, "wheel"),
            purposes=_POINTING,
            level="rhythm",
        ),
        Importer(
            name="cmu",
            title="CMU keystroke benchmark (one password)",
            reads="DSL-StrongPasswordData.csv, or a directory or .tar.zst with it",
            publication="Killourhy, Maxion, Comparing Anomaly-Detection Algorithms for Keystroke "
            "Dynamics, DSN 2009",
            licence="none stated with the file; research use with citation",
            person="a subject",
            session="one typing: the time between two typings is not in the file",
            units="s to µs since the first press",
            left_out="Which key it was: a password stays secret although it was published. UD "
            "columns, which follow from the others. Shift, which the file joins to its letter.",
            kind_names=_KEYS,
            purposes=_TYPING,
            level="rhythm",
        ),
        Importer(
            name="mousetrap",
            title="Mousetrap KH2017: choosing by mouse",
            reads="trajectories.parquet, or a directory or .tar.zst with it",
            publication="Kieslich, Henninger, Mousetrap, Behavior Research Methods 49, 2017",
            licence="GPL-3 (R package mousetrap)",
            person="a subject",
            session="a trial",
            units="ms to µs since the trial's first sample; px, y downwards, origin in the "
            "middle of the screen",
            left_out="What was shown and chosen. The click that ends a trial was not recorded.",
            kind_names=("pointer_move",),
            purposes=("person-or-program",),
            level="rhythm",
        ),
        Importer(
            name="monaco",
            title="Monaco: fixed text and keypad",
            reads="fixed_text.csv, free_text.csv or keypad.csv, or a directory or .tar.zst with "
            "them",
            publication="Monaco, Tappert, The partially observable hidden Markov model and its "
            "application to keystroke dynamics, Pattern Recognition 76, 2018",
            licence="BSD-style (Copyright 2016 Vinnie Monaco); recorded at Pace University",
            person="a user of one file: each file is a study of its own",
            session="a sample",
            units="ms to µs since the sample's first press",
            left_out="A release before its press, or more than a minute after it. An edit is "
            "worked out for each character put in or taken out.",
            kind_names=(*_KEYS, "edit"),
            purposes=_WRITING,
            level="keys",
        ),
        Importer(
            name="mobikey",
            title="MOBIKEY: passwords on touch screens",
            reads="Keystrokes.csv, or a directory or .tar.zst with some, one a place of recording",
            publication="Antal, Nemes, The MOBIKEY keystroke dynamics password database, CSOC 2016",
            licence="none stated with the files; distributed by its authors for research",
            person="a user",
            session="one typing of a password",
            units="ms since the device was started to µs since the first press",
            left_out="Which key it was: a password stays secret although it was published. "
            "Pressure, area and place of the finger, which say it, and tilt. A release before its "
            "press, or more than a minute after it.",
            kind_names=_KEYS,
            purposes=_TYPING,
            level="rhythm",
        ),
        Importer(
            name="miniwob",
            title="MiniWoB human demonstrations",
            reads="a directory or .tar.zst with episodes.parquet, events.parquet and "
            "elements.parquet",
            publication="Liu, Guu, Pasupat, Shi, Liang, Reinforcement Learning on Web Interfaces "
            "Using Workflow-Guided Exploration, ICLR 2018",
            licence="none stated with the demonstrations; the companion code is MIT",
            person="an assignment (a worker may have done several; not known)",
            session="an episode, in the order they were done",
            units="ms to µs since the episode's first event; CSS px of the window",
            left_out="Keys pressed in a password field, or where the field is not known. Scrolls, "
            "whose distance was not recorded. Texts and values of the page. An edit is worked out "
            "for each character put into a text field, and each deletion key there. Which button "
            "was pressed was not recorded.",
            kind_names=(*_KEYS, "edit", "pointer_down", "pointer_up", "click"),
            purposes=("next-action", "person-or-program", "typing-assist"),
            level="keys",
        ),
        Importer(
            name="cursory",
            title="Cursory: mouse movements from point to point",
            reads="trajectories.json.gz, or a directory or .tar.zst with it",
            publication="Python package cursory 2.x, cursory/trajectories.json.gz",
            licence="LGPL-3.0-or-later",
            person="one a file, who stands for nobody in particular: the file does not say who "
            "moved, so no figure over people can be made of it",
            session="a movement",
            units="ms to µs since the movement's first point; px",
            left_out="`dx`, `dy` and `length`, which follow from the points.",
            kind_names=("pointer_move",),
            purposes=("person-or-program",),
            level="rhythm",
        ),
        Importer(
            name="scroll-readability",
            title="Readability from scrolling",
            reads="scroll_readability_dataset.csv, or a directory or .tar.zst with it",
            publication="Gooding, Berzak, Mak, Sharifi, Predicting Text Readability from "
            "Scrolling Interactions, CoNLL 2021",
            licence="none stated",
            person="a row",
            session="a phase (reading, questions) of one of two articles, if it has scrolls",
            units="ms to µs since the phase began; offsets in px to their change",
            left_out="What is said of the person (age, education, language), scores, and which "
            "paragraphs were visible. A task mark begins each session; its number is the phase.",
            kind_names=("scroll", "task"),
            purposes=_POINTING,
            level="rhythm",
        ),
        Importer(
            name="ducktrack",
            title="DuckTrack recording",
            reads="events.jsonl (lines without event_idx), or a directory or .tar.zst with some",
            publication="TheDuckAI, DuckTrack, 2023, github.com/TheDuckAI/DuckTrack",
            licence="MIT (the program and its example)",
            person="whoever is at PATH: the files do not say who was recorded. Import one "
            "person's folder at a time",
            session="a recording",
            units=_DESKTOP_UNITS,
            left_out=_DESKTOP_LEFT_OUT,
            kind_names=(*_KEYS, *_POINTER, "wheel"),
            purposes=_POINTING,
            level="rhythm",
        ),
        Importer(
            name="opencua",
            title="OpenCUA recording",
            reads="events.jsonl (lines with event_idx), or a directory or .tar.zst with some",
            publication="Wang et al., OpenCUA: Open Foundations for Computer-Use Agents, 2025, "
            "github.com/xlang-ai/OpenCUA",
            licence="MIT (the program and its sample)",
            person="whoever is at PATH, as for ducktrack",
            session="a recording",
            units=_DESKTOP_UNITS,
            left_out=f"{_DESKTOP_LEFT_OUT} Reduced actions, titles and accessibility trees.",
            kind_names=(*_KEYS, *_POINTER, "wheel"),
            purposes=_POINTING,
            level="rhythm",
        ),
        Importer(
            name="rrweb",
            title="rrweb recording of a page",
            reads="a JSON file of events, or a directory or .tar.zst with some; the schema of "
            "2018 and the present one",
            publication="a log made with rrweb, github.com/rrweb-io/rrweb",
            licence="that of the log; rrweb itself is MIT",
            person="whoever is at PATH: the files do not say who was recorded. Import one "
            "person's folder at a time",
            session="a file, or a sessionId in it",
            units="epoch ms, with the timeOffset of each position, to µs since the session's "
            "first event; CSS px; offsets to their change",
            left_out="Texts, always: of an input only how much longer or shorter the text became. "
            "Inputs into a field that is secret, or that no snapshot shows to take plain text. "
            "What the page looked like.",
            kind_names=(*_POINTER, "scroll", "focus", "blur", "edit"),
            purposes=_POINTING,
            level="rhythm",
        ),
        Importer(
            name="generic",
            title="Any table that a mapping file describes",
            reads="CSV or Parquet, as the mapping says: see "
            "[how to](../how-to/import-your-own-format.md)",
            publication="as the mapping says",
            licence="as the mapping says",
            person="columns, a file or a folder, as the mapping says",
            session="columns, else a file",
            units="as the mapping says",
            left_out="Rows of secret fields. Characters, unless the mapping asks for level `keys` "
            "and says what is secret. A click is worked out where the file has none.",
            kind_names=(),
            purposes=(),
            level="rhythm",
        ),
    )
}


def importer(name: str, mapping: Path | None = None) -> Importer:
    """Return the importer of a format; raises `InvalidInput` naming those there are.

    `mapping` is the mapping file of format `generic`, and of no other.
    """
    if name not in IMPORTERS:
        known = ", ".join(sorted(IMPORTERS))
        raise InvalidInput("is not a known format", where="FORMAT", do=f"Known: {known}.")
    chosen = IMPORTERS[name]
    if name == "generic":
        if mapping is None:
            raise InvalidInput(
                "needs a file that says what the columns mean",
                where="FORMAT generic",
                do="Name it with --mapping; docs/how-to/import-your-own-format.md shows two.",
            )
        return _mapped(chosen, mapping)
    if mapping is not None:
        raise InvalidInput("is for FORMAT generic only", where="--mapping", do="Leave it out.")
    return chosen


def _mapped(generic: Importer, path: Path) -> Importer:
    from overt.datasets.formats.generic import read
    from overt.datasets.formats.mapping import load
    from overt.schema.event import Kind
    from overt.schema.purpose import PURPOSES

    mapping = load(path)
    kinds = {Kind[name.upper()] for name in mapping.kinds}
    fitting = tuple(
        purpose.id
        for purpose in PURPOSES.values()
        if purpose.kinds & kinds and not (purpose.needs_keys and mapping.level != "keys")
    )
    return replace(
        generic,
        title=mapping.title,
        publication=mapping.publication,
        licence=mapping.licence,
        kind_names=mapping.kinds,
        purposes=mapping.purposes or fitting,
        level=mapping.level,
        bound=partial(read, mapping=mapping),
    )
