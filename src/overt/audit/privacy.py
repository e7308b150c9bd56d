"""The page of `overt curve --private`: what is kept of the utility against ε, a line a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from overt.audit.plots import Series, growth
from overt.audit.report import STYLE
from overt.models.private.curve import Cell, PrivateCurve

_COLOURS = ("var(--raw)", "var(--coarse)", "var(--rhythm)", "var(--muted)")


def page(curve: PrivateCurve, about: str) -> str:
    """Return the page as HTML; `about` says whose data it is."""
    sentences = "".join(f'<p class="lead">{escape(said)}</p>' for said in curve.sentences())
    notes = "".join(f"<p>{escape(note)}</p>" for note in curve.notes)
    costs = "".join(f"<p>{size} people: {escape(cost.said)}.</p>" for size, cost in curve.spent)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>What privacy costs</title><style>{STYLE}</style><main>"
        f'<h1>What privacy costs</h1><p class="sub">{escape(curve.title)}. {escape(about)}</p>'
        f"{sentences}{_kept(curve)}{_tables(curve)}<h2>What each ε is made of</h2>{costs}{notes}"
        "</main></html>"
    )


def _kept(curve: PrivateCurve) -> str:
    series = []
    for place, size in enumerate(dict.fromkeys(one.people for one in curve.kept)):
        rows = sorted((o for o in curve.kept if o.people == size), key=lambda o: o.epsilon)
        series.append(
            Series(
                f"{size} people",
                _COLOURS[place % len(_COLOURS)],
                [one.epsilon for one in rows],
                [max(one.share, 0.0) for one in rows],
                [max(one.low, 0.0) for one in rows],
                [max(one.high, 0.0) for one in rows],
            )
        )
    delta = f"δ {curve.rounds.delta:.0e}, unit: person"
    note = f"1 is learning without noise, 0 what nobody taught; below 0 is drawn as 0. {delta}."
    return growth("Kept.", note, series, "ε of a person", "share of what is learned")


def _tables(curve: PrivateCurve) -> str:
    return "".join(
        f"<h2>{escape(metric)}</h2>"
        + _table([cell for cell in curve.cells if cell.metric == metric])
        for metric in curve.metrics
    )


def _table(cells: Sequence[Cell]) -> str:
    sizes = list(dict.fromkeys(cell.people for cell in cells if cell.people))
    there = {(cell.name, cell.people): cell for cell in cells}
    rows = []
    for name in dict.fromkeys(cell.name for cell in cells):
        shown = "".join(_figure(there.get((name, size)) or there.get((name, 0))) for size in sizes)
        rows.append(f"<tr><td>{escape(name)}</td>{shown}</tr>")
    heads = "".join(f'<th class="n">{size} people</th>' for size in sizes)
    return (
        f'<div class="scroll"><table><tr><th>method</th>{heads}</tr>{"".join(rows)}</table></div>'
    )


def _figure(cell: Cell | None) -> str:
    if cell is None:
        return '<td class="n">–</td>'
    return f'<td class="n">{cell.value:.4g} <small>({cell.low:.4g} – {cell.high:.4g})</small></td>'
