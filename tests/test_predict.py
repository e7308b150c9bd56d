"""`overt predict`: what is answered, over HTTP too, and what is refused with its reason."""

from __future__ import annotations

import json
import math
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as parquet
import pytest
import uvicorn
from typer.testing import CliRunner

from overt.cli import app
from overt.commands.predicting import parsed
from overt.models.answers import ANSWERED, pauses, programs, task_of, text
from overt.models.answers.question import Question
from overt.models.text import taught
from overt.models.text.vocabulary import learned
from overt.schema.errors import InvalidInput, Missing, OvertError
from overt.studio.answers import BYTES_MAX, create
from test_models_elements import made_up

SAID = ["we", "go", "to", "the", "sea"], ["they", "go", "home"], ["tea", "please"]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Something to ask, taught by three sentences."""
    asker = text.asker(taught.only_public(learned(SAID)), "three sentences")
    sock = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(create({"next-text": asker}), access_log=False, log_level="warning")
    )
    running = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    running.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{sock.getsockname()[1]}") as made:
        yield made
    server.should_exit = True
    running.join()
    sock.close()


def _error(client: httpx.Client, question: Any, **more: Any) -> tuple[int, dict[str, str]]:
    raw = question if isinstance(question, bytes) else json.dumps(question).encode()
    answer = client.post("/v1/predict/next-text", content=raw, **more)
    return answer.status_code, answer.json()["error"]


def test_a_question_is_answered_with_who_taught_it(client: httpx.Client) -> None:
    found = client.post("/v1/predict/next-text", json={"text": "We go t", "count": 2})
    assert found.status_code == 200
    said = found.json()
    assert (said["task"], said["taught_by"]) == ("next-text", "three sentences")
    assert [one["word"] for one in said["answer"]["words"]] == ["to", "tea"]
    assert said["answer"]["begun"] == "t"
    assert sum(one["share"] for one in said["answer"]["characters"]) <= 1.001
    assert found.headers["cache-control"] == "no-store"


def test_own_texts_are_used_for_one_answer_only(client: httpx.Client) -> None:
    own = {"text": "we z", "own": ["we zyx", "we zyx again"]}
    words = [
        [
            one["word"]
            for one in client.post("/v1/predict/next-text", json=asked).json()["answer"]["words"]
        ]
        for asked in (own, {"text": "we z"})
    ]
    assert words == [["zyx"], []]
    many = {"text": "we z", "own": ["so we zyx it"] * 60}
    assert client.post("/v1/predict/next-text", json=many).json()["answer"]["words"][0] == {
        "word": "zyx",
        "share": 1.0,
    }


def test_every_task_is_listed_with_a_question_that_is_answered(client: httpx.Client) -> None:
    said = client.get("/v1/predict").json()
    assert said["version"] == 1
    example = said["tasks"]["next-text"]["example"]
    assert client.post("/v1/predict/next-text", json=example).status_code == 200


@pytest.mark.parametrize(
    ("question", "status", "where"),
    [
        (b"{", 400, "question"),
        (b"[" * 100_000, 400, "question"),
        ([], 422, "question"),
        ({}, 422, "text"),
        ({"text": 3}, 422, "text"),
        ({"text": "x", "secret": 1}, 422, "question"),
        ({"text": "x", "count": 0}, 422, "count"),
        ({"text": "x", "count": True}, 422, "count"),
        ({"text": "x", "own": "y"}, 422, "own"),
        ({"text": "x" * 20_001}, 422, "text"),
        (b" " * (BYTES_MAX + 1), 413, "question"),
    ],
)
def test_a_question_that_is_wrong_is_refused_with_its_place(
    client: httpx.Client, question: Any, status: int, where: str
) -> None:
    found, error = _error(client, question)
    assert (found, error["where"]) == (status, where)
    assert "secret" not in json.dumps(error)


def test_only_programs_of_this_machine_are_answered(client: httpx.Client) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert _error(client, {"text": "x"}, headers=headers)[0] == 403
        assert client.get("/v1/predict", headers=headers).status_code == 403
    assert client.post("/v1/predict/mood", json={}).status_code == 404
    assert client.get("/v1/predict/next-text").status_code == 405


def test_numbers_that_are_none_and_times_out_of_order_are_refused() -> None:
    for number in (math.nan, math.inf, "1", None, True, 1e300):
        with pytest.raises(InvalidInput):
            Question({"x": number}, ("x",)).number("x")
        with pytest.raises(InvalidInput):
            Question({"x": [[0, number]]}, ("x",)).table("x", 2)
    for half in ("\ud800", "a\udfff"):
        with pytest.raises(InvalidInput, match="string"):
            Question({"x": half}, ("x",)).text("x")
    with pytest.raises(InvalidInput, match="not JSON"):
        parsed(b"\xff")
    model: Any = None
    key = {"key": "letter", "down_ms": 5, "up_ms": 9}
    for presses, coming in (
        ([], "letter"),
        ([key], "mood"),
        ([{**key, "up_ms": 1}], "letter"),
        ([key, {**key, "down_ms": 4}], "letter"),
        ([{**key, "down_ms": math.nan}], "letter"),
    ):
        with pytest.raises(InvalidInput):
            pauses.answer(model, {"presses": presses, "next": coming})


def test_too_little_input_cannot_tell_a_person_from_a_program() -> None:
    nobody = programs.Judges(None, None)
    said = programs.answer(nobody, {"pointer": [[0, 1, 1]]})
    assert said["pointer"]["verdict"] == "cannot tell"
    with pytest.raises(InvalidInput, match="neither"):
        programs.answer(nobody, {"pointer": []})


def test_a_task_that_is_not_known_or_has_no_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not known"):
        task_of("mood")
    for name, task in ANSWERED.items():
        if task.needs_data:
            with pytest.raises(Missing):
                task.learn(None, lambda _what, _share: None)
        assert task.example, name
    for arguments in (
        ["mood", "--text", "x"],
        ["next-text"],
        ["pause", "--text", "x"],
        ["next-text", "--text", "x", "--data", str(tmp_path / "none")],
        ["next-text", "--ask", str(tmp_path / "none")],
        [],
    ):
        found = CliRunner().invoke(app, ["predict", *arguments])
        assert isinstance(found.exception, OvertError), arguments


@pytest.mark.soak
def test_the_next_element_is_learned_from_demonstrations(tmp_path: Path) -> None:
    pytest.importorskip("lightgbm")
    for name, table in made_up(26).items():
        parquet.write_table(table, tmp_path / f"{name}.parquet")
    asker = task_of("next-element").learn(tmp_path, lambda _what, _share: None)
    labels = ["ash", "birch", "cedar", "elm", "fir", "oak", "Submit"]
    shown = [
        {
            "ref": at + 1,
            "tag": "BUTTON" if label == "Submit" else "INPUT_checkbox",
            "text": label,
            "left": 5,
            "top": 20 * at,
        }
        for at, label in enumerate(labels)
    ]
    question: dict[str, Any] = {
        "instruction": "Select birch, oak and click Submit.",
        "task": "tick-boxes",
        "steps": [{"elements": shown, "pressed": 2}, {"elements": shown}],
    }
    said = asker.answer(question)["elements"]
    assert said[0]["ref"] == 6
    assert said == asker.answer(question)["elements"]
    for wrong in (
        {**question, "steps": []},
        {**question, "steps": [{"elements": [*shown, shown[0]]}]},
        {**question, "steps": [{"elements": shown, "pressed": 99}, {"elements": shown}]},
    ):
        with pytest.raises(InvalidInput):
            asker.answer(wrong)
    assert task_of("next-element").example


def test_the_reference_has_every_task_and_every_name_of_its_question() -> None:
    reference = (Path(__file__).parents[1] / "docs" / "reference" / "predict.md").read_text("utf-8")
    headings = [line for line in reference.splitlines() if line.startswith("## ")]
    for name, task in ANSWERED.items():
        assert any(name in heading for heading in headings), name
        for asked in task.example:
            assert f"`{asked}`" in reference, (name, asked)


@pytest.mark.soak
def test_the_command_serves_until_it_is_told_to_stop() -> None:
    pytest.importorskip("symspellpy")
    command = [sys.executable, "-m", "overt", "predict", "next-text", "--serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        address = running.stdout.readline().decode().strip()
        assert address.startswith("http://127.0.0.1:")
        asked = {"text": "Thank you for your h", "count": 1}
        answer = httpx.post(f"{address}/next-text", json=asked, timeout=30).json()
        assert answer["answer"]["words"][0]["word"].startswith("h")
        running.send_signal(signal.SIGINT)
        assert running.wait(30) in (0, 130, -signal.SIGINT)
        assert running.stderr
        assert b"Thank" not in running.stderr.read()
