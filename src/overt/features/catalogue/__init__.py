"""Every feature: what it is, how it is computed, what it needs, what a coarse recording does to it.

The catalogue is what computes them (`overt.features.windows`), what `spec/features.md` is written
from, and what a data set's manifest refers to by id and version.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from overt.features.catalogue import navigation, pointing, scrolling, writing
from overt.features.catalogue.feature import Feature
from overt.features.navigation import GROUPS
from overt.features.pointing import MOVEMENT_GAP_US, SAMPLES_MIN
from overt.schema.event import Kind

FEATURES_ID = "features/2"


@dataclass(frozen=True)
class Section:
    """Features that rest on the same kinds of event."""

    title: str
    about: str
    """What its words mean, and to which window things belong."""
    kinds: frozenset[Kind]
    """Without an event of these kinds nothing here says anything."""
    features: tuple[Feature, ...] = field(repr=False)


SECTIONS = (
    Section(
        "Typing and revision",
        "A press and its hold belong to the window in which the key went down, an interval to that"
        " of its later press, a burst to the window in which it ends.",
        frozenset({Kind.KEY_DOWN, Kind.EDIT}),
        writing.FEATURES,
    ),
    Section(
        "Pointing",
        "A **sample** is a place of the pointer at a time; of samples with one time the last"
        " counts, older ones and those at the same place as the one before do not. A **movement**"
        f" is a run of at least {SAMPLES_MIN} samples. It ends with a press, with a rest of"
        f" {MOVEMENT_GAP_US // 1000} ms or more (a correction guided by eye begins after 135 to 260"
        " ms: Carlton 1981; Keele & Posner 1968), where another device takes over, and where"
        " recording is interrupted or the page hidden; press and release are also the first sample"
        " of what follows. With a button held, and on a touch screen always, it is a **drag**. A"
        " movement is **aimed** if a press follows where it ended, without another movement"
        " between; events do not say how large an element is, so its target counts as a disc of 12"
        " CSS px around the press (half the smallest target of WCAG 2.2, criterion 2.5.8).\n\n"
        "The velocity of a step stands for its middle; acceleration and jerk are means over"
        " time, the average deviation is one over samples. A movement belongs to the window in"
        " which it ends, what is told of a press to that of the press. Movements that end where"
        " they began have no deviations and no straightness.",
        frozenset({Kind.POINTER_MOVE}),
        pointing.MOVEMENTS,
    ),
    Section(
        "Clicks",
        "A hold belongs to the window of its press, a double click to that of its second press.",
        frozenset({Kind.POINTER_DOWN, Kind.CLICK}),
        pointing.CLICKS,
    ),
    Section(
        "Scrolling",
        "What counts is the change of offset (scroll events), whatever caused it, and of it the"
        " vertical part. A burst belongs to the window in which it ends, a rest to that in which"
        " the next burst begins, a reversal to that of its step.",
        frozenset({Kind.SCROLL}),
        scrolling.FEATURES,
    ),
    Section(
        "Navigation",
        "Roles are told apart in four groups: "
        + "; ".join(
            f"**{group}** ({', '.join(role.name.lower().replace('_', ' ') for role in roles)})"
            for group, roles in GROUPS.items()
        )
        + ". A visit and a transition belong to the window in which the next element is reached."
        " What lies on both sides of a break in recording is never joined.",
        frozenset({Kind.KEY_DOWN, Kind.CLICK, Kind.FOCUS}),
        navigation.FEATURES,
    ),
)
"""In the order of the columns."""

CATALOGUE: tuple[Feature, ...] = tuple(
    feature for section in SECTIONS for feature in section.features
)
"""In the order of the columns."""

_HEAD = """# Features

Version `{version}`, written from `overt.features.catalogue`; a test compares.
One row a window (or a session). Below the fewest samples a value is null. `d` is the step of the
clock, which every batch names; the last but one column says what it does to a feature that the
pointer is sampled less often (browsers give 60 to 1,000 samples a second). `features/1` was typing
and revision alone; its columns are unchanged.
"""


def markdown() -> str:
    """Return `spec/features.md`."""
    made = [_HEAD.format(version=FEATURES_ID)]
    for section in SECTIONS:
        made.append(
            f"\n## {section.title}\n\n{section.about}\n\n"
            "| feature | unit | formula | fewest samples | a clock with step d | a lower sampling "
            "rate | source |\n|---|---|---|---|---|---|---|\n"
        )
        made += [
            f"| `{f.name}` | {f.unit} | {f.formula} | {f.samples_min} | {f.clock} | {f.sampling} "
            f"| {f.source} |\n"
            for f in section.features
        ]
    return "".join(made)
