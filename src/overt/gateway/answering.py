"""Answers from a study's own models, as they stand at the moment of the question.

A model is read anew when it has changed, and what somebody who is leaving has taught is left out
before it is trained again without them. A model that fewer than ten people taught, or one to nine
living people beside others, is not asked at all: it would speak for them one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from overt.gateway import private_kept
from overt.gateway.erasure import is_under_way
from overt.gateway.model import KIND, Model, newest, stale
from overt.gateway.studies import study_of
from overt.models.answers import Answer, Asker
from overt.schema.errors import InvalidInput, Missing, TooFew
from overt.schema.manifest import bucket
from overt.schema.study import Study
from overt.store.store import Store

PEOPLE_MIN = 10

COVERED: dict[str, tuple[str, ...]] = {
    "next-text": ("text-assist",),
    "slips": ("text-assist",),
    "spelling": ("text-assist",),
    "pause": ("typing-assist", "next-action"),
    "person-or-program": ("person-or-program",),
}
"""Task → purposes whose model answers it, the first that a study has."""

PRIVATELY = "pause"
"""Task that a privately trained model answers where a study has no other."""

Answerer = Callable[[Any], Answer]


def asker(store: Store, study_id: str, task: str) -> Asker:
    """Return what answers a task by a study's model. Raises `InvalidInput`, `Missing`, `TooFew`."""
    study = study_of(store, study_id)
    purpose = purpose_of(study, task)
    covered = [one for one in COVERED[task] if one in study.purposes]
    purpose = next((one for one in covered if store.artefacts.filed(study.id, KIND, one)), purpose)
    if task == PRIVATELY and not store.artefacts.filed(study.id, KIND, purpose):
        for one in covered:
            if store.artefacts.filed(study.id, private_kept.KIND, one):
                return _private(store, study.id, one)
    standing = _Standing(store, study.id, purpose, task)
    return Asker(standing.taught_by(), standing.answer)


def _private(store: Store, study: str, purpose: str) -> Asker:
    """Return what answers by the private model as it stands; `Missing` once somebody in it left.

    Fifty people or more taught it, and ε bounds what it tells of each, so all of them may be asked.
    """
    from overt.models.answers import pauses as asked
    from overt.models.private import pauses

    def answer(raw: Any) -> Answer:
        weights = private_kept.standing(store, study, purpose).weights

        class Private:
            def predict(self, stream: Any) -> Any:
                return pauses.predict(weights, stream)

        return asked.answer(Private(), raw)

    model = private_kept.standing(store, study, purpose)
    epsilon = model.card["privacy"]["epsilon"]
    by = f"people of study {study} with their privacy, ε {epsilon:.3g} a person, model "
    return Asker(by + model.sha256()[:16], answer)


def purpose_of(study: Study, task: str) -> str:
    """Return the purpose of a study whose model answers a task. Raises `InvalidInput`."""
    if task not in COVERED:
        raise InvalidInput(
            "is answered by no model of a study",
            where=f"task {task}",
            do=f"These are: {', '.join(COVERED)}. Others learn from published data (--data).",
        )
    for purpose in COVERED[task]:
        if purpose in study.purposes:
            return purpose
    raise InvalidInput(
        f"has no purpose that covers the task {task}",
        where=f"study {study.id}",
        do=f"It would be {' or '.join(COVERED[task])}; a study's purposes are those people "
        "agreed to.",
    )


class _Standing:
    """The newest model of a study and purpose, made ready, until there is a newer one."""

    def __init__(self, store: Store, study: str, purpose: str, task: str) -> None:
        self._store, self._study, self._purpose, self._task = store, study, purpose, task
        self._by = ""
        self._model: Model | None = None
        self._made_of: tuple[str, frozenset[int]] = "", frozenset()
        """Row of the model that answers, and which of its shards do not."""
        self._answer: Answerer | None = None

    def taught_by(self) -> str:
        """Return who taught it, in words."""
        self._ready()
        return self._by

    def answer(self, question: Any) -> Answer:
        """Answer a question by the model of this moment."""
        return self._ready()(question)

    def _ready(self) -> Answerer:
        rows = self._store.artefacts.filed(self._study, KIND, self._purpose)
        row = rows[-1].row if rows else ""
        if self._model is None or self._made_of[0] != row:
            self._model = newest(self._store, self._study, self._purpose)
        model, leaving = self._model, frozenset[int]()
        if model is not None and is_under_way(self._store):
            leaving = stale(self._store, model)
        if self._answer is None or self._made_of != (row, leaving):
            self._answer = None  # whatever comes, what was is not asked again
            if model is not None:
                staying = model.trained.shards.keys() - leaving
                model = replace(model, trained=model.trained.only(staying))
            if model is None or not model.trained.shards:
                again = "is being trained again without somebody who left"
                raise Missing(
                    again if leaving else "there is no model yet",
                    where=f"study {self._study}, purpose {self._purpose}",
                    do="Ask again when that is done."
                    if leaving
                    else f"overt train --study {self._study} --purpose {self._purpose}",
                )
            people = taught(self._store, model)
            self._by = (
                f"{bucket(people)} people of study {self._study}, model "
                f"{model.trained.sha256()[:16]}"
            )
            self._answer = _ANSWERERS[self._task](model.trained, self._by)
            self._made_of = row, leaving
        return self._answer


def taught(store: Store, model: Model) -> int:
    """Return how many people taught a model. Raises `TooFew` where it would speak for a few."""
    known = {
        subject: (store.control.subject_study(subject) or ("", "live"))[1]
        for subject, member in model.manifest.items()
        if member.split == "train" and member.shard in model.trained.shards
    }
    living = Counter(known.values())["live"]
    if len(known) < PEOPLE_MIN or 0 < living < PEOPLE_MIN:
        few = living if 0 < living < PEOPLE_MIN else len(known)
        raise TooFew(
            f"was taught by {bucket(few)} {'living people' if few == living else 'people'}",
            where=f"study {model.study}, model {model.purpose}",
            do=f"At least {PEOPLE_MIN} are needed.",
        )
    return len(known)


def _next_text(trained: Any, by: str) -> Answerer:
    from overt.models.answers import text

    return text.asker(trained.predictor(), by).answer


def _slips(trained: Any, by: str) -> Answerer:
    from overt.models.answers import slips

    return slips.asker(trained.corrector(), by).answer


def _spelling(trained: Any, by: str) -> Answerer:
    from overt.models.answers import spelling

    return spelling.asker(trained.corrector(), by).answer


def _pause(trained: Any, _by: str) -> Answerer:
    from overt.models.answers import pauses
    from overt.models.predict import Members, predict

    members: Members = list(trained.shards.values())

    class Encoders:
        def predict(self, stream: Any) -> Any:
            return predict(members, trained.config, [stream])[0]

    return lambda raw: pauses.answer(Encoders(), raw)


def _programs(trained: Any, _by: str) -> Answerer:
    from overt.models.answers import programs

    return lambda raw: programs.answer_kept(trained, raw)


_ANSWERERS: dict[str, Callable[[Any, str], Answerer]] = {
    "next-text": _next_text,
    "slips": _slips,
    "spelling": _spelling,
    "pause": _pause,
    "person-or-program": _programs,
}
