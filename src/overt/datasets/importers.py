"""Registry of importers: the FORMAT of `overt import FORMAT PATH`.

To add one, write a module with a function `read` of type `Reader`, and name it here. Modules are
loaded when they are used, so that the command line can list the formats at once.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from overt.schema.errors import InvalidInput

if TYPE_CHECKING:
    from overt.datasets.imported import ImportedPerson, Progress, Skipped
    from overt.schema.event import Kind


class Reader(Protocol):
    """Yields the people in a file, directory or archive. See `overt.datasets.aalto.read`."""

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

    @property
    def kinds(self) -> frozenset[Kind]:
        """Kinds of event it can make."""
        from overt.schema.event import Kind

        return frozenset(Kind[name.upper()] for name in self.kind_names)

    @property
    def read(self) -> Reader:
        """The function that reads the format."""
        return cast("Reader", importlib.import_module(f"overt.datasets.{self.name}").read)


_KEYS = ("key_down", "key_up")
_POINTER = ("pointer_move", "pointer_down", "pointer_up", "click")
_POINTING = ("next-action", "person-or-program")
_TYPING = ("next-action", "typing-assist")

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
            purposes=_TYPING,
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
    )
}


def importer(name: str) -> Importer:
    """Return the importer of a format; raises `InvalidInput` naming those there are."""
    if name not in IMPORTERS:
        known = ", ".join(sorted(IMPORTERS))
        raise InvalidInput("is not a known format", where="FORMAT", do=f"Known: {known}.")
    return IMPORTERS[name]
