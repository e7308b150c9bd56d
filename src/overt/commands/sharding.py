"""`overt curve shards`: what it costs that people can leave a model exactly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from overt.commands.console import progress, say, say_json, table
from overt.schema.errors import InvalidInput

if TYPE_CHECKING:
    from overt.models.enough.shards import Priced
    from overt.models.metrics import Figure

TITLE = "What exact unlearning costs"
COLUMNS = {
    "nll": ("next event, NLL", "{:.4f}"),
    "pause_nll": ("pause, NLL of ln ms", "{:.4f}"),
    "pause_crps_ms": ("pause, CRPS in ms", "{:.2f}"),
    "top1": ("next event, top-1", "{:.4f}"),
}


def curve(
    data: Path | None, people: int, seeds: int, html: Path | None, *, gpu: bool, as_json: bool
) -> None:
    """Print cost and accuracy for one, four and sixteen shards, and for shortcuts."""
    if data is None:
        raise InvalidInput(
            "needs published data: a study's people would be trained on many times for a curve",
            where="overt curve shards",
            do="Give --data PATH.",
        )
    from overt.models import typists
    from overt.models.enough.shards import price

    with progress("curve shards") as update:
        read = typists.read(data, update, people)
        found = price(read.learned, read.unseen, update, seeds=seeds, gpu=gpu)
    if html is not None:
        html.write_text(_page(found), encoding="utf-8")
    if as_json:
        say_json(found.as_dict())
        return
    _show(found)
    if html is not None:
        say(f"Page: {html}")


def _show(found: Priced) -> None:
    rows = []
    for way in found.ways:
        cells = [
            f"{form.format(way.figures[name].value)}\n{_signed(way.against[name], form)}"
            for name, (_title, form) in COLUMNS.items()
        ]
        cost = f"{way.cost_s.value:.1f}\n{way.cost_s.low:.1f} … {way.cost_s.high:.1f}"
        rows.append((f"{way.name}{'' if way.exact else ', not exact'}", cost, *cells))
    heads = ("", "processor s a departure", *(title for title, _form in COLUMNS.values()))
    table(f"{TITLE}: {found.people} people, judged on {found.unseen} others", heads, rows)
    say("Below each figure: its difference to one model, 95 % over people.")
    say(f"Measured on: {found.machine}; {found.seeds} seeds.")
    for note in found.notes:
        say(note)


def _signed(figure: Figure, form: str) -> str:
    low, high = (form.replace("{:", "{:+").format(value) for value in (figure.low, figure.high))
    return f"{low} … {high}"


def _page(found: Priced) -> str:
    from overt.audit.dots import Mark, Panel, page

    cost = tuple(
        Mark(way.name, way.cost_s.value, way.cost_s.low, way.cost_s.high) for way in found.ways
    )
    panels = [Panel("processor seconds after one departure", cost)]
    for name, (title, _form) in COLUMNS.items():
        for what, figures in (("", "figures"), (", less that of one model", "against")):
            marks = []
            for way in found.ways:
                figure = getattr(way, figures)[name]
                marks.append(Mark(way.name, figure.value, figure.low, figure.high))
            panels.append(Panel(f"{title}{what}", tuple(marks)))
    lead = (
        f"{found.people} people taught, {found.unseen} others judge; {found.seeds} seeds. "
        f"{found.machine}."
    )
    return page(TITLE, lead, panels, found.notes)
