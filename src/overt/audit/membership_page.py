"""The report of a membership audit: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from overt.audit import plots
from overt.audit.membership import HALVES, Membership, Row, Threat
from overt.audit.rates import RESAMPLES, Interval
from overt.audit.report import STYLE

_COLOURS = ("var(--rhythm)", "var(--raw)", "var(--coarse)")
_READING = (
    (
        "A true positive is a member taken for one, a false positive somebody else taken for one. "
        "What matters is on the left: how many members are found where hardly anyone is accused "
        "wrongly."
    ),
    (
        "Each model is attacked in turn with the others as the attacker's; a person is in half of "
        "them. Thresholds are set with hindsight, the strongest test is shown: both favour the "
        "attacker a little."
    ),
    f"Intervals: bootstrap over people, {RESAMPLES:,} draws, the models fixed.",
    "Other attacks may do better; this report bounds what was tried, and nothing else.",
)


def page(found: Membership, verdict: Sequence[str] = (), *, synthetic: bool = False) -> str:
    """Return the report. Rates only: of nobody is it said whether they were recognised."""
    accesses = list(dict.fromkeys(row.access for row in found.rows))
    figures = "".join(_figure(found, access) for access in accesses)
    warned = (
        "<p><b>Synthetic: some or all of these people are made up.</b></p>" if synthetic else ""
    )
    said = "".join(f"<p><b>{escape(one)}</b></p>" for one in verdict)
    notes = [f"Not measured: {one}." for one in found.left_out] + list(_READING)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Membership audit</title><style>{STYLE}</style><main>"
        f'<p class="sub">Overt · attack suite {escape(found.suite)}</p>'
        "<h1>Can it be told who the model was trained on?</h1>"
        f'<p class="lead">{escape(found.model)}: {found.models} models on halves of '
        f"{found.people:,} people, {found.shards} shard{'s' if found.shards > 1 else ''}.</p>"
        f"{warned}{said}{_table(found)}{figures}<h2>How to read this</h2><ul>"
        + "".join(f"<li>{escape(note)}</li>" for note in notes)
        + "</ul></main></html>"
    )


def _figure(found: Membership, access: str) -> str:
    rows = [row for row in found.rows if (row.access, row.of) == (access, HALVES)]
    curves = [
        (row.attack, colour, row.found.curve) for row, colour in zip(rows, _COLOURS, strict=True)
    ]
    return (
        f"<h2>The attacker has {escape(access)}</h2><p>{escape(Threat(access).words())}</p>"
        f"{plots.membership(curves)}"
    )


def _table(found: Membership) -> str:
    rates = list(found.rows[0].found.true_rates)
    heads = "".join(f'<th class="n">found at {100 * rate:g} % false</th>' for rate in rates)
    body = "".join(_row(row, rates) for row in found.rows)
    return (
        '<div class="scroll"><table><tr><th>attacked</th><th>attacker has</th><th>test</th>'
        '<th class="n">AUC</th>'
        f"{heads}</tr>{body}</table></div>"
    )


def _row(row: Row, rates: Sequence[float]) -> str:
    cells = "".join(_cell(row.found.true_rates[rate], "{:.2%}") for rate in rates)
    return (
        f"<tr><td>{'halves' if row.of == HALVES else 'the model itself'}</td>"
        f"<td>{escape(row.access)}</td><td>{escape(row.attack)}</td>"
        f"{_cell(row.found.auc, '{:.3f}')}{cells}</tr>"
    )


def _cell(found: Interval | None, form: str) -> str:
    if found is None:
        return '<td class="n">–</td>'
    low, high = form.format(found.low), form.format(found.high)
    return f'<td class="n">{form.format(found.value)}<br><small>{low} – {high}</small></td>'
