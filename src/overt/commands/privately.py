"""`overt curve --private`, `overt train-private`: what an ε of people costs; a model with one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from overt.commands.console import progress, say, say_json, table
from overt.commands.options import DATA_DIR, AsJson, DataDir
from overt.schema.errors import InvalidInput

if TYPE_CHECKING:
    from overt.models.private.curve import PrivateCurve, Task


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train-private", epilog="Example: overt train-private --study pilot --epsilon 3")(
        train_private
    )


def train_private(
    *,
    study: Annotated[str, typer.Option(help="Id of the study.")],
    epsilon: Annotated[float, typer.Option(help="Most that this training may cost a person.")],
    task: Annotated[str, typer.Option(help="pause, or slips (needs text-assist).")] = "pause",
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Train a study's model of pauses or slips with the privacy of people, and show its card.

    Needs 50 people besides the fifth who are judged. Each training spends again; the card adds up.
    """
    from overt.commands.place import opened
    from overt.commands.training import show_card
    from overt.gateway.privately import train_privately

    with opened(data_dir) as store, progress("train-private") as update:
        card = train_privately(
            store, study, epsilon, task=task, reader="command line", progress=update
        )
    if as_json:
        say_json(card)
        return
    show_card(card)
    say(card["privacy"]["words"])


def _pause(path: Path, update: Any) -> Task:
    from overt.models.private import typed

    return typed.read(path, update)


def _slips(path: Path, update: Any) -> Task:
    from overt.models.private import hand

    return hand.read(path, update)


READERS: dict[str, Callable[[Path, Any], Any]] = {"pause": _pause, "slips": _slips}
"""Tasks that can be learned privately, and what reads their published data."""


def curve(
    task: str, data: Path | None, epsilons: Sequence[float], html: Path | None, *, as_json: bool
) -> None:
    """Print the curve of ε against utility, beside what is not private."""
    if task not in READERS:
        raise InvalidInput(
            "has no private model", where=f"TASK {task}", do=f"Known: {', '.join(READERS)}."
        )
    if data is None:
        raise InvalidInput(
            "needs published data: a study's people would pay for a curve with their privacy",
            where="overt curve --private",
            do="Give --data PATH.",
        )
    from overt.models.private.curve import EPSILONS, measure

    with progress(f"curve {task}, private") as update:
        read = READERS[task](data, update)
        found = measure(read, update, epsilons=epsilons or EPSILONS, rounds=read.rounds)
    if html is not None:
        from overt.audit.privacy import page

        html.write_text(page(found, "Published data."), encoding="utf-8")
    if as_json:
        say_json(found.as_dict())
        return
    _show(found)
    if html is not None:
        say(f"Page: {html}")


def _show(found: PrivateCurve) -> None:
    for metric in found.metrics:
        cells = [cell for cell in found.cells if cell.metric == metric]
        rows = [
            (
                cell.name,
                str(cell.people or "–"),
                f"{cell.value:.4g}",
                f"{cell.low:.4g} … {cell.high:.4g}",
            )
            for cell in cells
        ]
        table(f"{found.title}: {metric}", ("method", "people", metric, "95 %"), rows)
    for said in found.sentences():
        say(said)
    for size, cost in found.spent:
        say(f"{size} people: {cost.said}.")
    for note in found.notes:
        say(note)
