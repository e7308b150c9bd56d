"""`overt predict`: one question answered, or a small interface that answers over loopback HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overt.commands.console import progress, remark, say, say_json, table
from overt.commands.options import data_sets
from overt.models.answers import ANSWERED, Answer, Asker, task_of
from overt.schema.errors import InvalidInput, Missing

BYTES_MAX = 1 << 20
"""Of a question."""


@dataclass(frozen=True)
class Taught:
    """By what a task is answered: published data, or the models of a study in a data directory."""

    data: Path | None = None
    study: str | None = None
    data_dir: Path = Path("overt-data")

    @contextmanager
    def askers(self, tasks: Sequence[str]) -> Iterator[dict[str, Asker]]:
        """Return what answers each task, for as long as the block runs."""
        if self.study is None:
            yield {name: learned(name, self._place(name, tasks)) for name in tasks}
            return
        if self.data is not None:
            raise InvalidInput("cannot both be given", where="--study and --data")
        from overt.commands.place import opened
        from overt.gateway.answering import asker

        with opened(self.data_dir) as store:
            yield {name: asker(store, self.study, name) for name in tasks}

    def _place(self, task: str, tasks: Sequence[str]) -> Path | None:
        """Return where the data of a task lies; of several tasks, each in its own folder."""
        own = self.data
        if own is not None and len(tasks) > 1:
            own = own / task_of(task).folder
        return own or _usual(task)


def predict(task: str, by: Taught, ask: Path | None, text: str | None, *, as_json: bool) -> None:
    """Answer one question: of a file, of standard input (`-`), or a text."""
    found = task_of(task)
    question = _question(task, ask, text)
    with by.askers([task]) as askers:
        asker = askers[task]
        answer = asker.answer(question)
    if as_json:
        say_json({"task": task, "taught_by": asker.taught_by, "answer": answer})
        return
    say(found.title)
    say(f"Taught by {asker.taught_by}.")
    _show(answer)


def learned(task: str, data: Path | None) -> Asker:
    """Return a task's model. Raises `Missing` where its data is not there."""
    if data is not None and not data.exists():
        raise Missing(
            "there is no such file or directory",
            where=str(data),
            do="Say where the data lies with --data, or set OVERT_DATA.",
        )
    with progress(f"predict {task}") as update:
        return task_of(task).learn(data, update)


def _usual(task: str) -> Path | None:
    """Return where the data of a task lies that cannot do without."""
    found = task_of(task)
    if not found.needs_data:
        return None
    return data_sets() / found.folder


def _question(task: str, ask: Path | None, text: str | None) -> Any:
    if text is not None:
        if ask is not None:
            raise InvalidInput("cannot both be given", where="--text and --ask")
        if "text" in task_of(task).example:
            return {"text": text}
        if "words" in task_of(task).example:
            return {"words": text.split()}
        raise InvalidInput(
            f"is no question that {task} answers", where="--text", do="Give one with --ask."
        )
    if ask is None:
        example = json.dumps(task_of(task).example)
        raise InvalidInput(
            "is missing", where="--ask", do=f"Give a file, or - for standard input: {example[:300]}"
        )
    try:
        raw = sys.stdin.buffer.read(BYTES_MAX + 1) if str(ask) == "-" else ask.read_bytes()
    except OSError as error:
        raise Missing("cannot be read", where=str(ask)) from error
    return parsed(raw)


def parsed(raw: bytes) -> Any:
    """Return the JSON of a question. Raises `InvalidInput`."""
    if len(raw) > BYTES_MAX:
        raise InvalidInput(f"is larger than {BYTES_MAX:,} bytes", where="question")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("is not JSON", where="question") from error


def _show(answer: Answer, indent: str = "") -> None:
    """Print an answer: rows as tables, the rest by line."""
    for name, value in answer.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            plain = [key for key in value[0] if not isinstance(value[0][key], list)]
            rows = [tuple(str(one[key]) for key in plain) for one in value]
            nested = [key for key in value[0] if key not in plain]
            if nested:
                rows = [
                    (*row, ", ".join(" ".join(map(str, s.values())) for s in one[nested[0]]))
                    for row, one in zip(rows, value, strict=True)
                ]
            table(f"{indent}{name}", (*plain, *nested[:1]), rows)
        elif isinstance(value, dict):
            say(f"{indent}{name}:")
            _show(value, indent + "  ")
        else:
            say(f"{indent}{name}: {value}")


def serve(tasks: list[str], by: Taught, port: int) -> None:
    """Learn each task once, then answer on 127.0.0.1 until told to stop."""
    import uvicorn

    from overt.commands.serving import listening
    from overt.studio.answers import create

    sock = listening("127.0.0.1", port)
    names = tasks or [name for name, one in ANSWERED.items() if not one.needs_data]
    with by.askers(list(dict.fromkeys(names))) as askers:
        say(f"http://127.0.0.1:{sock.getsockname()[1]}/v1/predict")
        remark(f"overt: answers {', '.join(askers)}; stop with Ctrl C")
        config = uvicorn.Config(
            create(askers),
            access_log=False,
            log_level="warning",
            lifespan="off",
            server_header=False,
        )
        uvicorn.Server(config).run(sockets=[sock])
