"""What is too little, of one kind, no number or not agreed to is refused: why, and what it takes.

A row each; what is made here is made up, and nothing is trained.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import pytest
from typer.testing import CliRunner

from gateway_fixtures import STUDY, new_store
from importer_fixtures import SAMPLES
from overt.cli import app
from overt.gateway import answering, enough, release, studies, train
from overt.models.answers import ANSWERED, engagement, intent, pauses, task_of
from overt.models.engagement.readings import Reading
from overt.schema.errors import InvalidInput, OvertError, TooFew
from overt.schema.study import load_study, template
from test_models_elements import made_up


def _quiet(_what: str, _share: float) -> None: ...


def _typing(folder: Path) -> None:
    head = "PARTICIPANT_ID\tTEST_SECTION_ID\tSENTENCE\tUSER_INPUT\tKEYSTROKE_ID\tPRESS_TIME\t"
    for person in range(3):
        rows = [head + "RELEASE_TIME\tLETTER\tKEYCODE"]
        for number, letter in enumerate("so it goes"):
            at = 1_471_938_000_000 + 120 * number
            code = 32 if letter == " " else ord(letter.upper())
            row = (person, 1, "so it goes", "so it goes", number, at, at + 80, letter, code)
            rows.append("\t".join(map(str, row)))
        (folder / f"{person}_keystrokes.txt").write_text("\n".join(rows) + "\n")


def _slips(folder: Path) -> None:
    import pyarrow as pa

    text = ("typed", "intended", "typed_left", "prompt_left", "left_by", "slip_type")
    row = dict(zip(text, ("teh", "the", "by ", "by ", "", "swap"), strict=True))
    table = pa.Table.from_pylist([{"participant": 1, "section": 1, **row}])
    parquet.write_table(table, folder / "slips.parquet")


def _spelling(folder: Path) -> None:
    (folder / "few.dat").write_text("$the\nteh\n")


def _pages(folder: Path) -> None:
    for name, table in made_up(4).items():
        parquet.write_table(table, folder / f"{name}.parquet")


def _pointing(folder: Path) -> None:
    (folder / "mousetrap").mkdir()
    for name, data in SAMPLES["mousetrap"].files().items():
        (folder / "mousetrap" / name).write_bytes(data)


FEW: dict[str, tuple[Callable[[Path], None], str]] = {
    "next-text": (_typing, "At least 10 people"),
    "pause": (_typing, "20"),
    "slips": (_slips, "At least"),
    "spelling": (_spelling, "At least 2,000"),
    "next-element": (_pages, "At least 25"),
    "pointer-intent": (_pointing, "At least 100 of 5"),
    "engagement": (_pages, "At least 20"),
    "person-or-program": (_pointing, "at least two people"),
}


@pytest.mark.parametrize("task", sorted(ANSWERED))
def test_too_few_people_are_refused_with_the_number_needed(task: str, tmp_path: Path) -> None:
    write, needed = FEW[task]
    write(tmp_path)
    with pytest.raises((TooFew, InvalidInput)) as refused:
        task_of(task).learn(tmp_path, _quiet)
    assert needed in str(refused.value)


def test_one_answer_alone_is_refused_with_the_number_needed() -> None:
    on = np.array([100.0, 200.0, 40_000.0])
    same = [Reading(n, "a", False, on, np.array([0.1, 0.2, 0.3])) for n in range(60)]
    with pytest.raises(TooFew, match="At least 20 of either"):
        engagement.scrolled(same)


NAN = {
    "pause": {"presses": [{"key": "letter", "down_ms": math.nan, "up_ms": 9}], "next": "letter"},
    "pointer-intent": {"pointer": [[0, 1, math.nan], [9, 1, 2]]},
    "engagement": {"scrolls": [[0, math.inf]], "now_ms": 6000},
}


@pytest.mark.parametrize("task", sorted(NAN))
def test_what_is_no_number_is_refused_with_its_place(task: str) -> None:
    model: Any = None
    ask = {
        "pause": lambda raw: pauses.answer(model, raw),
        "pointer-intent": intent.asked_of(model),
        "engagement": engagement.asker(engagement.Learned(scrolling={}), "nobody").answer,
    }[task]
    with pytest.raises(InvalidInput, match="number") as refused:
        ask(NAN[task])
    assert refused.value.where.split("[")[0].split(".")[0] in NAN[task]


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("pointer-intent", {"pointer": [[0, 1, 1]]}, "At least 2"),
    ("pointer-intent", {"pointer": [[9, 1, 1], [0, 2, 2]]}, "order of time"),
    ("pointer-intent", {"pointer": [[0, 1, 1], [9, 2, 2]], "now_ms": 5}, "before the last"),
    ("engagement", {}, "neither scrolls nor steps"),
    ("engagement", {"scrolls": [[9, 0.1], [1, 0.2]], "now_ms": 6000}, "in order of time"),
    ("engagement", {"scrolls": [[9, 0.1]], "now_ms": 100}, "less than 5 s"),
]


@pytest.mark.parametrize(("task", "question", "said"), WRONG)
def test_a_question_that_is_wrong_is_refused_in_words(
    task: str, question: dict[str, Any], said: str
) -> None:
    model: Any = None
    ask = {
        "pointer-intent": intent.asked_of(model),
        "engagement": engagement.asker(engagement.Learned(scrolling={}), "nobody").answer,
    }[task]
    with pytest.raises(InvalidInput, match=said):
        ask(question)


def test_a_study_without_the_purpose_and_a_target_in_no_registry_are_refused(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    with new_store(folder) as store:
        text = template("acts", "Acts").replace('"next-action", "typing-assist"', '"next-action"')
        studies.register(store, text.encode())
        for refused, said in (
            (lambda: train.train(store, "acts", "text-assist"), "It has: next-action"),
            (lambda: train.train(store, STUDY, "mood"), "It has: next-action"),
            (lambda: answering.asker(store, "acts", "slips"), "It would be text-assist"),
            (lambda: answering.asker(store, STUDY, "mood"), "These are: next-text"),
            (lambda: enough.curve(store, "acts", "slips", "test", _quiet), "level keys"),
            (lambda: enough.curve(store, STUDY, "mood", "test", _quiet), "Known: "),
            (lambda: release.onnx(store, STUDY, "mood", "test"), ""),
        ):
            with pytest.raises(OvertError) as error:
                refused()
            assert said in str(error.value)
    with pytest.raises(InvalidInput, match="not in the registry of purposes"):
        load_study(template("a", "A").replace('"next-action"', '"productivity"').encode())
    asked = ["predict", "pause", "--study", "nowhere", "--data-dir", str(folder), "--ask", "-"]
    found = CliRunner().invoke(app, asked, input=json.dumps({}))
    assert isinstance(found.exception, OvertError)
