"""How commands speak: results to standard output, progress and remarks to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

WIDTH = 120
"""Columns of a table that goes to a file or pipe."""

Progress = Callable[[str, float], None]
"""Called with what is being done, in words, and the share that is done, 0 to 1."""


def say(text: str = "") -> None:
    """Write one line of the result to standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def remark(text: str) -> None:
    """Write one line to standard error: for people, never part of the result."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say_json(data: Any) -> None:
    """Write exactly one JSON object to standard output."""
    say(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table: the first column to the left, figures to the right, words to the left."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    made = Table(title=title, box=SIMPLE, title_justify="left", title_style="bold")
    for index, name in enumerate(columns):
        words = index == 0 or not any(row[index][:1].isdigit() for row in rows)
        made.add_column(name, justify="left" if words else "right", no_wrap=index == 0)
    for row in rows:
        made.add_row(*row)
    Console(width=None if sys.stdout.isatty() else WIDTH).print(made)


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Show a progress bar on standard error while the block runs.

    Where standard error is no terminal, each new stage is one line instead.
    """
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if not console.is_terminal:
        seen: set[str] = set()

        def line(what: str, _done: float) -> None:
            if what not in seen:
                seen.add(what)
                remark(f"{title}: {what}")

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Bars(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        task = bars.add_task(title, total=1.0)

        def update(what: str, done: float) -> None:
            bars.update(task, description=f"{title}: {what}", completed=min(max(done, 0.0), 1.0))

        yield update
