"""`overt curve`: how many people, how many minutes of each, in how much detail, would be enough?"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from overt.commands.console import progress, say, say_json, table
from overt.commands.options import DATA_DIR, AsJson, DataDir, PlotFile, Published
from overt.schema.errors import InvalidInput

if TYPE_CHECKING:
    from overt.models.enough.measured import Curve


class Task(StrEnum):
    """What is learned, as in `overt.models.enough.measured`."""

    NEXT_ACTION = "next-action"
    PAUSE = "pause"
    NEXT_TEXT = "next-text"
    NEXT_ELEMENT = "next-element"
    SLIPS = "slips"
    SPELLING = "spelling"
    PERSON_OR_PROGRAM = "person-or-program"
    SHARDS = "shards"
    """Not how much is enough, but what it costs that people can leave."""


def curve(
    task: Annotated[Task, typer.Argument(help="What is learned.", metavar="TASK")],
    *,
    study: Annotated[str | None, typer.Option(help="Id of the study.")] = None,
    data: Published = None,
    format_name: Annotated[
        str, typer.Option("--format", help="Format of --data, as for overt import.")
    ] = "aalto",
    people_max: Annotated[
        int,
        typer.Option("--people", min=1, help="People (of spelling: words) of --data, the first."),
    ] = 400,
    share: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Share of the utility that is enough.")
    ] = 0.95,
    resamplings: Annotated[
        int, typer.Option(min=3, max=200, help="Times people are drawn anew.")
    ] = 10,
    html: PlotFile = None,
    private: Annotated[
        bool,
        typer.Option(
            "--private",
            help="Utility against ε of a person, at 100, 400 and 1,200 people of --data.",
        ),
    ] = False,
    epsilon: Annotated[
        list[float] | None, typer.Option(help="With --private: an ε; may be repeated.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=20, help="Of shards: trainings, each with another seed.")
    ] = 1,
    gpu: Annotated[bool, typer.Option("--gpu", help="Of shards: also on a GPU.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Say which smaller study would have been enough, before the next one starts.

    Learns from fewer people, of fewer minutes, in less detail, again and again. With shards: what
    it costs, in seconds and accuracy, that people can leave a model exactly.
    """
    if task is Task.SHARDS:
        from overt.commands.sharding import curve as of_shards

        of_shards(data, people_max, seeds, html, gpu=gpu, as_json=as_json)
        return
    if private:
        from overt.commands.privately import curve as private_curve

        private_curve(task.value, data, epsilon or (), html, as_json=as_json)
        return
    if (study is None) == (data is None):
        raise InvalidInput(
            "needs a study or published data, and not both",
            where="overt curve",
            do="Give --study ID, or --data PATH.",
        )
    with progress(f"curve {task.value}") as update:
        if data is not None:
            found = _published(
                task.value, data, format_name, people_max, share, resamplings, update
            )
            whose = "" if task.value in ("spelling", "next-element") else f", format {format_name}"
            about, people, synthetic = f"Published data{whose}.", {}, False
        else:
            found, synthetic = _of_study(
                data_dir, str(study), task.value, share, resamplings, update
            )
            from overt.schema.manifest import bucket

            grid = found.grid
            people = {"people": bucket(grid.people), "people_asked": bucket(grid.asked)}
            about = f"Study {study}."
    if synthetic:
        about += " SYNTHETIC: some or all of these people are made up; this says nothing of people."
    if html is not None:
        from overt.audit.growth import page

        html.write_text(page(found, about), encoding="utf-8")
    if as_json:
        say_json({"study": study, "synthetic": synthetic, **found.as_dict(), **people})
        return
    say(about)
    _show(found)
    if html is not None:
        say(f"Page: {html}")


def _of_study(
    data_dir: Path, study: str, task: str, share: float, resamplings: int, update: Any
) -> tuple[Curve, bool]:
    from overt.commands.place import opened
    from overt.gateway.enough import curve as of_study

    with opened(data_dir) as store:
        done = of_study(
            store, study, task, "command line", update, share=share, resamplings=resamplings
        )
    return done.curve, done.synthetic


def _published(
    task: str,
    path: Path,
    format_name: str,
    people_max: int,
    share: float,
    resamplings: int,
    update: Any,
) -> Curve:
    """Return the curve of the first published people who have enough to learn from."""
    from overt.datasets.importers import importer
    from overt.datasets.reading.imported import Skipped
    from overt.models.enough import chosen, listed
    from overt.models.enough.measured import measure, part_of

    found: list[Any] = []
    if task == listed.NAME:
        found = listed.words_of(path)[:people_max]
    elif task == chosen.NAME:
        found = chosen.people_of(path)[:people_max]
    else:
        for number, person in enumerate(importer(format_name).read(path, skipped=Skipped())):
            if len(found) == people_max:
                break
            update("reading", 0.3 * len(found) / people_max)
            digest = hashlib.sha256(f"overt curve 1 {number}".encode()).digest()
            part = part_of(task, person.sessions, int.from_bytes(digest[:7], "big"))
            found += [] if part is None else [part]
    return measure(
        task,
        found,
        share=share,
        resamplings=resamplings,
        progress=lambda what, done: update(what, 0.3 + 0.7 * done),
    )


def _show(found: Curve) -> None:
    from overt.models.enough.advice import for_minutes

    grid = found.grid
    low, high = grid.low, grid.high
    rows = [
        (
            level,
            f"{minutes:.2g}" if minutes < float("inf") else "all",
            *(
                f"{grid.value[a, b, c]:.3f}\n{low[a, b, c]:.3f} … {high[a, b, c]:.3f}"
                for c in range(len(grid.sizes))
            ),
        )
        for a, level in enumerate(grid.levels)
        for b, minutes in enumerate(grid.minutes)
    ]
    heads = ("level", "minutes of each", *(f"{size} {found.who}" for size in grid.sizes))
    table(f"{found.title}: {found.unit} (95 % below)", heads, rows)
    say(found.advice.sentence)
    for one in found.advice.within:
        say(
            f"At {one.level}, {one.people} {found.who}{for_minutes(one.minutes)} give "
            f"{one.share:.0%} ({one.low:.0%} to {one.high:.0%}) of what it gives here at most."
        )
    for note in found.notes:
        say(note)
