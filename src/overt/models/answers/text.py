"""What comes next in a text: words that may follow or complete it, and characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from overt.models.answers import Answer, Asker
from overt.models.answers.question import Question
from overt.models.scores import Progress
from overt.models.tensors import Array
from overt.models.text import mixture, personal, scored, taught, typed
from overt.models.text.alphabet import END, SIZE, fold
from overt.models.text.mixture import Predictor
from overt.models.text.vocabulary import words_of
from overt.schema.errors import TooFew

EXAMPLE: dict[str, Any] = {"text": "Thank you for your h", "count": 3}
COUNT_MAX = 20
CHARACTERS = 5
LOOKED_AT = 200
"""Characters at the end of a text that can matter."""

OWN_MIN = 200
"""Own words from which the weights are earned on these; before, own and other count alike."""

OTHER_CHARACTER = "other"


def learn(data: Path | None, progress: Progress) -> Asker:
    """Learn from typed texts in `data`, or know public word counts alone."""
    if data is None:
        model, by = taught.only_public(), "public counts of English words; nobody's texts"
    else:
        texts = typed.grouped(
            [one for one in typed.read(data, progress) if one.text], scored.GROUPS
        )
        people = len({one.person for one in texts})
        if people < taught.PEOPLE_MIN or len({one.asked for one in texts}) < scored.SENTENCES_MIN:
            raise TooFew(
                f"has texts of {people} people",
                where=str(data),
                do=f"At least {taught.PEOPLE_MIN} people and {scored.SENTENCES_MIN} different "
                "sentences are needed.",
            )
        model = scored.fitted(texts, 0)[0]
        by = f"public counts of English words, and texts of {people} people"
    return asker(model, by)


def asker(model: Predictor, by: str) -> Asker:
    """Return what answers by a model that is at hand."""
    return Asker(by, lambda raw: _answer(model, raw))


def _answer(model: Predictor, raw: Any) -> Answer:
    asked = Question(raw, ("text", "count", "own"))
    text = fold(asked.text("text"))
    count = asked.whole("count", 1, COUNT_MAX, 3)
    own = [line for one in asked.texts("own", 2000, []) for line in taught.lines(one)]
    if own:
        model = _with_own(model, own)
    place = list(mixture.places(text))[-1]
    words = model.likely(place.before, place.prefix, count) if place.known else []
    share = model.characters([text[-LOOKED_AT:]])[-1]
    best = np.argsort(-share, kind="stable")[:CHARACTERS]
    return {
        "begun": place.prefix,
        "words": [{"word": word, "share": round(of, 4)} for word, of in words],
        "characters": [
            {"character": _name(at), "share": round(float(share[at]), 4)} for at in best.tolist()
        ],
    }


def _name(code: int) -> str:
    if code == END:
        return "end"
    return OTHER_CHARACTER if code == SIZE - 1 else chr(code + 30)


def _with_own(model: Predictor, own: list[str]) -> Predictor:
    """Return the model with a person's own texts; their trust is earned where there are enough."""
    experts = personal.with_own(model.experts, own)
    if sum(1 for line in own for _ in words_of(line)) >= OWN_MIN:
        half = len(own) // 2
        less = personal.with_own(model.experts, own[:half])
        return Predictor(experts, mixture.weigh([mixture.look(less, own[half:])]))
    return Predictor(experts, _shared(model))


def _shared(model: Predictor) -> Array:
    """Return the weights with each kind of expert's last one doubled, and halved."""
    spellers = len(model.experts.spellers)
    one, other = model.weights[:, :spellers], model.weights[:, spellers:]
    parts = (one * 0.5, one.sum(1, keepdims=True) * 0.5, other * 0.5, other.sum(1, keepdims=True))
    return np.concatenate([*parts[:3], parts[3] * 0.5], axis=1)
