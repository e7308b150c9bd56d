"""The closed registry of learning purposes: what each needs, and no more.

A study names purposes from here; a receipt consents to some of them; an event is created only if
a consented purpose needs its kind. There is no purpose that infers emotion, stress, fatigue,
health or productivity, and no way to register one at run time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from overt.schema.event import MARKS, Kind

_KEYBOARD = {Kind.KEY_DOWN, Kind.KEY_UP, Kind.EDIT, Kind.COMPOSITION_START, Kind.COMPOSITION_END}
_POINTING = {Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.CLICK, Kind.WHEEL, Kind.SCROLL}
_FOCUS = {Kind.FOCUS, Kind.BLUR}
_CONTEXT = {Kind.VISIBILITY, Kind.VIEW, Kind.HOVER}
_EDITING = {Kind.SELECTION, Kind.COMMAND}

SCREEN = ("screen-elements", "screen-pictures")
"""Purposes that look at windows of desktop applications. They come on top of a level, each chosen
for itself, and only in the applications for which a study and the person say so."""


class Method(StrEnum):
    """Where a purpose learns, and so what leaving means for its models."""

    COLLECTED = "collected"
    """From events that were collected: leaving rebuilds models exactly without the person."""
    TOGETHER = "together"
    """On people's own devices, which send noisy numbers: nothing is rebuilt without somebody."""


ON_LEAVING = {
    Method.COLLECTED: "Models that learned from the person are rebuilt without them.",
    Method.TOGETHER: (
        "Models are not rebuilt without the person: the server never had their events. The device "
        "takes part in no further step and forgets what it kept for it; what any one person could "
        "have changed in a model was bounded beforehand, in the ε of its card."
    ),
}
"""What applies to models when a person leaves."""


@dataclass(frozen=True)
class Purpose:
    """One learning goal: its id, its words for people, the kinds of event it needs, its targets."""

    id: str
    title: str
    explanation: str
    kinds: frozenset[Kind]
    targets: tuple[str, ...]
    needs_keys: bool = False
    """It learns nothing below level `keys`, so that a study that names it is at that level."""
    method: Method = Method.COLLECTED

    @property
    def exact_rebuild(self) -> bool:
        """Whether models are rebuilt exactly without a person who leaves."""
        return self.method == Method.COLLECTED

    @property
    def on_leaving(self) -> str:
        """What applies to its models when a person leaves."""
        return ON_LEAVING[self.method]


PURPOSES: dict[str, Purpose] = {
    purpose.id: purpose
    for purpose in (
        Purpose(
            "next-action",
            "Predict the next action",
            "Learn which kind of action comes next, and after what pause.",
            frozenset(_KEYBOARD | _POINTING | _FOCUS | _CONTEXT | _EDITING | {Kind.NAVIGATION}),
            ("next_kind", "next_pause_us"),
        ),
        Purpose(
            "typing-assist",
            "Help with typing",
            "Learn how typing and correcting unfold, to help with slips.",
            frozenset(_KEYBOARD | _FOCUS | _EDITING),
            ("next_kind", "next_pause_us", "correction"),
        ),
        Purpose(
            "person-or-program",
            "Tell people from programs",
            "Learn how a person's movements differ from those of a script.",
            frozenset(_KEYBOARD | _POINTING | _CONTEXT | {Kind.POINTER_MOVE}),
            ("is_program",),
        ),
        Purpose(
            "text-assist",
            "Complete text, put typos right",
            "Learn which words and letters follow, and how slips are put right.",
            frozenset(_KEYBOARD | _FOCUS | _EDITING),
            ("next_character", "next_word", "correction"),
            needs_keys=True,
        ),
        Purpose(
            "screen-elements",
            "Learn what windows consist of",
            "Learn from kind, place and state of a window's parts what is done next in it.",
            frozenset({Kind.ELEMENT}),
            ("next_element",),
        ),
        Purpose(
            "screen-pictures",
            "Learn what windows look like",
            "Learn from coarse pictures of a window, without its text, what is done next in it.",
            frozenset({Kind.PICTURE}),
            ("next_element",),
        ),
    )
}

"""Purposes whose events are collected."""

TOGETHER: dict[str, Purpose] = {
    purpose.id: purpose
    for purpose in (
        Purpose(
            "typing-together",
            "Help with typing, learned together",
            "Learn on people's own devices how typing flows and hands slip.",
            frozenset(_KEYBOARD | _FOCUS | _EDITING),
            ("next_pause_us", "correction"),
            method=Method.TOGETHER,
        ),
    )
}
"""Purposes that learn on people's own devices. No event is ever sent for them, so they are in no
batch, no stream and no table of who may read what."""

REGISTRY: dict[str, Purpose] = {**PURPOSES, **TOGETHER}
"""Everything a study may ask for and a receipt may cover."""

NOT_FOR = (
    "recognising people, or telling whose input something is",
    "emotion, stress, mood, fatigue, health or productivity",
    "judging, ranking, monitoring or disciplining anyone",
    "advertising",
)
"""What no model or data set may be used for; stands in every card."""


def purposes_for(kind: Kind, consented: Iterable[str]) -> tuple[str, ...]:
    """Return the consented purposes that need an event of `kind`, sorted; marks serve all.

    The result names the stream (and the key) an event belongs to. Empty means: do not create it.

    >>> purposes_for(Kind.POINTER_MOVE, ["next-action", "person-or-program"])
    ('person-or-program',)
    """
    wanted = sorted(set(consented) & PURPOSES.keys())
    return tuple(p for p in wanted if kind in MARKS or kind in PURPOSES[p].kinds)


def learned_here(kind: Kind, consented: Iterable[str]) -> tuple[str, ...]:
    """Return the consented purposes for which a device keeps an event of `kind` to itself, sorted.

    >>> learned_here(Kind.KEY_DOWN, ["next-action", "typing-together"])
    ('typing-together',)
    """
    wanted = sorted(set(consented) & TOGETHER.keys())
    return tuple(p for p in wanted if kind in MARKS or kind in TOGETHER[p].kinds)
