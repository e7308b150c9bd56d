"""How commands speak: results to standard output, progress and remarks to standard error."""

from __future__ import annotations

import errno
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from overt.schema.errors import OvertError

WIDTH = 120
"""Columns of a table that goes to a file or pipe."""

Progress = Callable[[str, float], None]
"""Called with what is being done, in words, and the share that is done, 0 to 1."""


_DO = {
    errno.ENOSPC: "Make room on the disk.",
    errno.EROFS: "It lies on what can only be read; choose another place.",
}
"""What a person can do about what the system refuses; of all else they look at path and rights."""


@contextmanager
def one_line() -> Iterator[None]:
    """Turn what stops a command into one line on standard error and exit status 1.

    That is what Overt refuses, and what the system does: a file, a disk, a port. What is our own
    fault stays a traceback, but for statements of a database, which hold what was to be stored.
    """
    try:
        yield
    except BrokenPipeError:
        raise SystemExit(1) from None
    except OvertError as error:
        told = str(error)
    except OSError as error:
        told = _of_system(error)
    except Exception as error:
        cause = getattr(error, "orig", error)  # SQLAlchemy's own repeats the statement
        if not isinstance(cause, sqlite3.DatabaseError) or isinstance(cause, _OURS):
            raise
        told = f"database: {cause}. Look at the disk, and at who may write there; `overt doctor`."
    else:
        return
    sys.stderr.write(f"overt: {plain(told)}\n")
    raise SystemExit(1) from None


_OURS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InternalError)


def _of_system(error: OSError) -> str:
    what = error.strerror or str(error)
    where = "" if error.filename is None else f"{error.filename}: "
    do = _DO.get(error.errno or 0, "Look at the path, and at who may read and write there.")
    return f"{where}{what}. {do}"


def plain(text: str) -> str:
    """Return text of others (a file's name, a proof) without what a terminal takes for orders."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


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
