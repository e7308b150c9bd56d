"""`overt evaluate next-action`: the next event, and the pause before it, on unseen people."""

from __future__ import annotations

from pathlib import Path

from overt.datasets.tokens import VOCABULARY
from overt.models import peers, typists
from overt.models.baselines import baselines, tables
from overt.models.metrics import figures_of, sums
from overt.models.predict import BASELINES, predict_baselines
from overt.models.repeatable import one_thread
from overt.models.scores import Progress, Scores
from overt.models.stream import stream_of

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
    *peers.NOTES,
)


def evaluate(path: Path, progress: Progress) -> Scores:
    """Return the figures of the encoder beside every baseline."""
    people = typists.read(path, progress)
    trained = typists.fitted(people, progress)
    with one_thread():
        made, missing = peers.predicted(people, trained, progress)
        progress("judging beside the tables", 0.9)
        learned = [stream_of(person.sessions) for person in people.learned]
        counted = baselines([tables(learned, len(VOCABULARY))], len(VOCABULARY))
        plain = [predict_baselines(counted, stream_of(one.sessions)) for one in people.unseen]
        made |= {name: [each[name] for each in plain] for name in BASELINES}
        summed = {name: sums(one) for name, one in made.items()}
        rows = [
            row
            for name, table in summed.items()
            for row in typists.scores(name, figures_of(table), METRICS)
        ]
        rows += peers.differences(summed, METRICS)
    return Scores(
        "next-action",
        people.protocol,
        people.counts,
        tuple(rows),
        (*NOTES, *missing, *people.left_out),
    )
