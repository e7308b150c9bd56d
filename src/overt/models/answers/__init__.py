"""What `overt predict` answers: one module a task, a question and an answer of plain JSON each.

Each module has `EXAMPLE`, a question that is answered; and `learn(data, progress)`, which learns
from a published data set (or from public word counts alone, where `data` may be None) and returns
the `Asker` that answers. Nothing of a question is kept.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from overt.schema.errors import InvalidInput

if TYPE_CHECKING:
    from overt.models.scores import Progress

Answer = dict[str, Any]


@dataclass(frozen=True)
class Asker:
    """A model that answers, and who taught it, in words."""

    taught_by: str
    answer: Callable[[Any], Answer]
    """A question, as JSON has it → its answer. Raises `InvalidInput`, naming the place."""


@dataclass(frozen=True)
class Task:
    """One task that is answered."""

    module: str
    title: str
    folder: str
    """Folder of the data set under `OVERT_DATA`."""
    needs_data: bool = True

    @property
    def example(self) -> dict[str, Any]:
        """A question that is answered."""
        found: dict[str, Any] = importlib.import_module(self.module).EXAMPLE
        return found

    def learn(self, data: Path | None, progress: Progress) -> Asker:
        """Learn from a data set, or without one where the task can."""
        made: Asker = importlib.import_module(self.module).learn(data, progress)
        return made


ANSWERED: dict[str, Task] = {
    "next-text": Task(
        "overt.models.answers.text",
        "The next word and character",
        "aalto-desktop-subset",
        needs_data=False,
    ),
    "slips": Task(
        "overt.models.answers.slips",
        "What was meant, word by word in a text",
        "aalto-slips",
        needs_data=False,
    ),
    "spelling": Task(
        "overt.models.answers.spelling",
        "What was meant by single words",
        "spelling-corpora",
        needs_data=False,
    ),
    "next-element": Task(
        "overt.models.answers.elements",
        "Which element of a page is pressed next",
        "miniwob-human-demos",
    ),
    "pause": Task(
        "overt.models.answers.pauses", "How long until the next key", "aalto-desktop-subset"
    ),
    "pointer-intent": Task("overt.models.answers.intent", "Where is this pointer going?", "."),
    "engagement": Task(
        "overt.models.answers.engagement", "Does somebody read on, and what is wanted next?", "."
    ),
    "person-or-program": Task(
        "overt.models.answers.programs", "Is this a person or a program?", "."
    ),
}
"""Tasks of `overt predict`."""


def task_of(name: str) -> Task:
    """Return a task. Raises `InvalidInput`."""
    if name not in ANSWERED:
        raise InvalidInput(
            "is not known", where=f"TASK {name}", do=f"Known: {', '.join(sorted(ANSWERED))}."
        )
    return ANSWERED[name]
