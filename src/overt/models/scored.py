"""`overt evaluate next-action`: the next event, and the pause before it, on unseen people."""

from __future__ import annotations

from pathlib import Path

from overt.models import evaluate as judging
from overt.models import typists
from overt.models.boosted import EVENTS_MAX
from overt.models.scores import Progress, Scores

METRICS = {
    "top1": "top1",
    "top3": "top3",
    "nll": "nll",
    "ece": "ece",
    "pause_nll": "pause_nll",
    "pause_crps_ms": "crps_ms",
    "pause_mae_ms": "mae_ms",
    "pause_r2": "r2",
}
"""Figures of `overt.models.metrics`, and what their rows are called."""
NOTES = (
    "Pauses are given the event they lead to. pause_nll and r2 are of ln ms.",
    "Intervals are over people.",
    "The encoder is the one that people can leave: four models of a quarter of the people each.",
    f"LightGBM has all of them at once: whole people up to {EVENTS_MAX:,} events.",
)


def evaluate(path: Path, progress: Progress) -> Scores:
    """Return the figures of the encoder beside every baseline."""
    people = typists.read(path, progress)
    trained = typists.fitted(people, progress)
    progress("judging beside every baseline", 0.7)
    found = judging.evaluate(trained, [*people.learned, *people.unseen])
    rows = [
        row
        for name, figures in found.rows.items()
        for row in typists.scores(name, figures, METRICS)
    ]
    return Scores(
        "next-action",
        people.protocol,
        people.counts,
        tuple(rows),
        (*NOTES, *found.remarks, *people.left_out),
    )
