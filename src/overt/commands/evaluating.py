"""`overt evaluate` and `overt reproduce`: figures beside every baseline, and beside published ones.

Both read published data from a path as it lies there; nothing of it is kept.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from overt.commands.console import progress, say, say_json, table
from overt.commands.options import data_sets
from overt.schema.errors import InvalidInput, Missing

if TYPE_CHECKING:
    from overt.audit.reproduced import Reproduced
    from overt.models.scores import Scores


@dataclass(frozen=True)
class Job:
    """One task or reproduction: the module whose `evaluate` or `reproduce` does it, in words."""

    module: str
    title: str
    folder: str
    """Folder of the data set under `OVERT_DATA` that is read when no path is given."""
    neural: bool = False
    """Whether networks can be fitted beside the rest, when they are asked for."""


TASKS: dict[str, Job] = {
    "engagement": Job(
        "overt.models.engagement.scored", "Is it read, and what is wanted next?", "."
    ),
    "next-element": Job(
        "overt.models.elements.scored",
        "Next element a person presses in a small web task",
        "miniwob-human-demos",
    ),
    "next-action": Job(
        "overt.models.scored", "Next event and the pause before it", "aalto-desktop-subset"
    ),
    "next-text": Job(
        "overt.models.text.scored",
        "Next character and word, and what times tell of them",
        "aalto-desktop-subset",
        neural=True,
    ),
    "pause": Job("overt.models.pauses", "Time to the next key", "aalto-desktop-subset"),
    "pointer-intent": Job("overt.models.intent.scored", "Where is this pointer going?", "."),
    "person-or-program": Job("overt.models.programs.scored", "Is this a person or a program?", "."),
    "shared-encoder": Job(
        "overt.models.pretrained.scored",
        "One encoder of events for several tasks, and what it tells of sources",
        ".",
        neural=True,
    ),
    "slips": Job(
        "overt.models.typos.slips", "Slips of the hand put right", "aalto-slips", neural=True
    ),
    "spelling": Job(
        "overt.models.typos.spelling", "Misspelt words put right", "spelling-corpora", neural=True
    ),
}
"""Tasks of `overt evaluate`. The module has `evaluate(path, progress) -> Scores`; where networks
can be fitted beside the rest, it takes the keyword `neural_seeds` as well."""

REPRODUCTIONS: dict[str, Job] = {
    "balabit": Job("overt.audit.balabit", "Is it the owner's mouse?", "balabit-mouse"),
    "cmu": Job("overt.audit.cmu", "Is it the owner's password rhythm?", "cmu-password"),
    "mousetrap": Job("overt.audit.mousetrap", "Curvature of mouse paths", "mousetrap-kh2017"),
}
"""Names for `overt reproduce`. The module has `reproduce(path, progress) -> Reproduced`."""


def _job(known: dict[str, Job], name: str, what: str) -> Job:
    if name not in known:
        raise InvalidInput(
            "is not known", where=f"{what} {name}", do=f"Known: {', '.join(sorted(known))}."
        )
    return known[name]


def _path(given: Path | None, folder: str) -> Path:
    """Return where a data set lies: as given, or in its own folder there, or where they all are."""
    path = given or data_sets() / folder
    if not path.exists():
        raise Missing(
            "there is no such file or directory",
            where=str(path),
            do="Say where the data lies with --data, or set OVERT_DATA.",
        )
    own = path / folder
    return own if own.is_dir() else path


def evaluate(
    task: str,
    data: Path | None,
    html: Path | None,
    *,
    neural_seeds: int = 0,
    as_json: bool = False,
) -> None:
    """Print a task's figures beside every baseline, on what nothing was fitted to.

    With `neural_seeds` networks are fitted too, each so often; not every task has some.
    """
    job = _job(TASKS, task, "TASK")
    if neural_seeds and not job.neural:
        known = ", ".join(name for name, one in TASKS.items() if one.neural)
        raise InvalidInput("has no rows of networks", where=f"TASK {task}", do=f"Known: {known}.")
    more = {"neural_seeds": neural_seeds} if neural_seeds else {}
    path = _path(data, job.folder)
    with progress(f"evaluate {task}") as update:
        scores: Scores = importlib.import_module(job.module).evaluate(path, update, **more)
    if html is not None:
        html.write_text(_page(job.title, scores), encoding="utf-8")
    if as_json:
        say_json(scores.as_dict())
        return
    shown = [(row.name, row.metric, _figure(row.value), _between(row)) for row in scores.rows]
    table(job.title, ("method", "metric", "value", "95 %"), shown)
    say(f"{scores.protocol} " + ", ".join(f"{count} {of}" for of, count in scores.counts.items()))
    for note in scores.notes:
        say(note)
    if html is not None:
        say(f"Plot: {html}")


def reproduce(name: str, data: Path | None, html: Path | None, *, as_json: bool) -> None:
    """Print published figures and ours side by side, and write a plot of both."""
    job = _job(REPRODUCTIONS, name, "NAME")
    path = _path(data, job.folder)
    with progress(f"reproduce {name}") as update:
        found: Reproduced = importlib.import_module(job.module).reproduce(path, update)
    if html is not None:
        from overt.audit.reproduced import page

        html.write_text(page(found), encoding="utf-8")
    if as_json:
        say_json(found.as_dict())
        return
    shown = [
        (row.name, _digits(row.published), _digits(row.measured, row.published), _between(row))
        for row in found.rows
    ]
    table(found.title, (found.metric, "published", "measured", "95 %"), shown)
    for note in found.notes:
        say(note)
    if html is not None:
        say(f"Plot: {html}")


def _page(title: str, scores: Scores) -> str:
    from overt.audit.dots import Mark, Panel, page

    panels = [
        Panel(
            metric,
            tuple(
                Mark(row.name, row.value, row.low, row.high)
                for row in scores.rows
                if row.metric == metric
            ),
        )
        for metric in dict.fromkeys(row.metric for row in scores.rows)
    ]
    return page(title, scores.protocol, panels, scores.notes)


def _figure(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.4g}"


def _digits(value: float | None, like: float | None = None) -> str:
    """Return a figure with all digits that were published, and not fewer than four."""
    shown = _figure(value)
    published = str(value if like is None else like).partition(".")[2]
    if value is None or not shown[-1].isdigit() or len(published) <= len(shown.partition(".")[2]):
        return shown
    return f"{value:.{len(published)}f}"


def _between(row: Any) -> str:
    if row.low is None or row.low != row.low:
        return "–"
    return f"{row.low:.4g} … {row.high:.4g}"
