"""The encoder on people nobody has seen, and LightGBM beside it, for `overt evaluate`.

LightGBM has everybody at once. Nobody can leave it without all of it being grown again, so it also
stands there as people can leave the encoder: one for each shard, which say together what they say.
"""

from __future__ import annotations

from collections.abc import Mapping

from overt.models import boosted, typists
from overt.models.metrics import figures_of
from overt.models.predict import Predicted, pooled, predict
from overt.models.scores import Progress, Score
from overt.models.stream import stream_of
from overt.models.tensors import Array
from overt.models.train import Trained

ENCODER = "encoder"
SHARDED = f"{boosted.NAME}, one a shard"
LESS = {
    boosted.NAME: f"{ENCODER} less {boosted.NAME}, paired",
    SHARDED: f"{ENCODER} less {SHARDED}, paired",
}
"""What the rows of differences are called, by the model that is taken away."""
NOTES = (
    "The encoder is the one that people can leave: four models of a quarter of the people each.",
    f"LightGBM has all of them at once: whole people up to {boosted.EVENTS_MAX:,} events.",
    f"{SHARDED}: as many as the encoder has, of the same people each.",
)
MISSING = "is left out: it is not installed, or there are too few events."


def predicted(
    people: typists.Typists, trained: Trained, progress: Progress
) -> tuple[dict[str, list[Predicted]], list[str]]:
    """Return what each predicts for the unseen people, and what is to be said of who is missing.

    `progress` goes from .7 to .9.
    """
    unseen = [stream_of(person.sessions) for person in people.unseen]
    progress("predicting with the encoder", 0.7)
    made = {ENCODER: predict(tuple(trained.shards.values()), trained.config, unseen)}
    shards = sorted({person.shard for person in people.learned})
    missing = []
    for done, name, parts in (
        (0.75, boosted.NAME, [shards]),
        (0.85, SHARDED, [[shard] for shard in shards]),
    ):
        progress(f"growing {name}", done)
        grown = [_grown(people, part) for part in parts]
        trees = [one for one in grown if one is not None]
        if len(trees) < len(grown):
            missing.append(f"{name} {MISSING}")
        else:
            made[name] = [pooled(*(one.predict(stream) for one in trees)) for stream in unseen]
    return made, missing


def _grown(people: typists.Typists, shards: list[int]) -> boosted.Boosted | None:
    """Return trees of those people who are in some shards, if they can be grown."""
    if not boosted.installed():
        return None
    return boosted.fit([stream_of(one.sessions) for one in people.learned if one.shard in shards])


def differences(
    summed: Mapping[str, Mapping[str, Array]], metrics: Mapping[str, str]
) -> list[Score]:
    """Return the encoder's figures less those of each LightGBM there is, on the same people."""
    rows = []
    for name, less in LESS.items():
        if name in summed:
            figures = figures_of(summed[ENCODER], less=summed[name])
            shared = {key: metric for key, metric in metrics.items() if key in figures}
            rows += typists.scores(less, figures, shared)
    return rows
