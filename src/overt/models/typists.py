"""People who copied sentences (Aalto), as sequences of tokens, for `overt evaluate`.

Who is learned from and who is judged is decided by a hash of each participant's published number
alone, so that neither the order of files nor who else is there changes it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from overt.datasets.formats import aalto
from overt.datasets.reading import files
from overt.datasets.reading.imported import Progress as Imported
from overt.datasets.reading.imported import Skipped
from overt.datasets.tokens import Sequences, sequences_of
from overt.models.metrics import PERSONS_MIN, Figure
from overt.models.scores import Progress, Score
from overt.models.train import Progress as Fitting
from overt.models.train import Trained, train
from overt.schema.errors import TooFew
from overt.schema.people import SubjectEvents

SHARDS = 4
"""As many as a model has that its people can leave."""
LEARNED_MAX = 400
UNSEEN_MAX = 200
"""More people are left out, those with the highest hash, so that two cores need minutes."""
_USE = b"overt evaluate typists 1\0"


@dataclass(frozen=True)
class Typists:
    """Who is learned from, and who is judged; both in the order of their tags."""

    learned: list[Sequences]
    unseen: list[Sequences]
    people: int
    """How many there are in all."""
    left_out: tuple[str, ...] = ()
    """What was not read, in words, one a reason."""

    @property
    def protocol(self) -> str:
        """Return in a sentence who taught and who is judged."""
        return (
            f"Learned from {len(self.learned)} people and judged on {len(self.unseen)} others, "
            f"parted by a hash of each participant's number; of {self.people} at most "
            f"{LEARNED_MAX} and {UNSEEN_MAX} are used."
        )

    @property
    def counts(self) -> dict[str, int]:
        """Return how many people and events the figures are over."""
        return {
            "people learned from": len(self.learned),
            "people judged": len(self.unseen),
            "events judged": sum(person.tokens for person in self.unseen),
        }


def all_in(
    path: Path,
    progress: Progress,
    skipped: Skipped | None = None,
    only: files.Only | None = None,
) -> list[Sequences]:
    """Return everybody in `path` who typed, in the order of their tags.

    Rows and files that cannot be read are counted in `skipped`; without it they raise. `only`
    chooses files, as `first` does.
    """

    def report(done: Imported) -> None:
        progress("reading", 0.2 * done.bytes / max(done.bytes_total, 1))

    everyone = []
    read = aalto.by_participant(path, progress=report, skipped=skipped, only=only)
    for participant, person in read:
        tag = _tag(participant)
        made = sequences_of(SubjectEvents(tag, "imported", person.sessions), SHARDS)
        if made.tokens:
            everyone.append(made)
    return sorted(everyone, key=lambda person: person.tag)


def first(path: Path, people: int) -> files.Only:
    """Return what chooses the files of the people whose tags come first, and a few more.

    By the names of files alone, which are the participants' numbers, so that the rest need not be
    read; some of those who are chosen may have typed nothing.
    """
    named = sorted(files.paths(path, aalto.PATTERN), key=lambda name: _tag(_participant(name)))
    return frozenset(named[: people + people // 10 + 1]).__contains__


def _participant(name: str) -> str:
    return PurePosixPath(name).name.partition("_")[0]


def _tag(participant: str) -> bytes:
    return hashlib.sha256(_USE + participant.encode()).digest()


def read(path: Path, progress: Progress, learned_max: int | None = LEARNED_MAX) -> Typists:
    """Return the people in `path`, to learn from at most so many.

    What cannot be read is left out and told of. Raises `TooFew` where too few are left to judge.
    """
    skipped = Skipped()
    everyone = all_in(path, progress, skipped)
    learned = [person for person in everyone if person.split == "train"]
    unseen = [person for person in everyone if person.split == "test"]
    if len(unseen) < PERSONS_MIN:
        unseen = [person for person in everyone if person.split != "train"]
    if len(unseen) < PERSONS_MIN or not learned:
        raise TooFew(
            f"has {len(learned)} people to learn from and {len(unseen)} to judge",
            where=str(path),
            do=" ".join(
                (
                    f"At least one and {PERSONS_MIN} are needed, about 20 participants in all.",
                    *skipped.told(),
                )
            ),
        )
    judged = [replace(person, split="test") for person in unseen[:UNSEEN_MAX]]
    return Typists(learned[:learned_max], judged, len(everyone), skipped.told())


def fitted(typists: Typists, progress: Progress) -> Trained:
    """Return the encoder, sharded as the one that is kept, of those who are learned from."""
    done: dict[int, float] = {}

    def report(state: Fitting) -> None:
        done[state.shard] = state.done / max(state.steps, 1)
        progress("training the encoder", 0.2 + 0.5 * sum(done.values()) / max(state.shards, 1))

    return train(typists.learned, progress=report)


def scores(name: str, figures: dict[str, Figure], metrics: dict[str, str]) -> list[Score]:
    """Return a method's figures as rows; `metrics` names the row's metric by the figure's name."""
    return [
        Score(name, metric, figures[key].value, figures[key].low, figures[key].high)
        for key, metric in metrics.items()
    ]
