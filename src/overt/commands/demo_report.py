"""The demo's report: one HTML file that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from overt.commands.demo import Outcome

_STYLE = """
:root{--ink:#1d2430;--muted:#667080;--paper:#fff;--line:#dfe3e9;--good:#15803d;--bad:#b91c1c;
--bar:#1d4ed8;--soft:#f4f6f9}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf2;--muted:#98a3b3;--paper:#12161d;
--line:#2b3340;--good:#4ade80;--bad:#f87171;--bar:#7aa2ff;--soft:#1a202a}}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.55 system-ui,sans-serif}
main{max-width:54rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .6rem}
.sub{color:var(--muted)}ul.promises{list-style:none;padding:0}
.promises li{padding:.35rem 0 .35rem 1.8rem;position:relative}
.promises li::before{position:absolute;left:0;font-weight:700}
.held::before{content:"✓";color:var(--good)}.broken::before{content:"✗";color:var(--bad)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.95rem}
th,td{padding:.4rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}td small{color:var(--muted)}
svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font:14px system-ui}
svg .bar{fill:var(--bar)}svg .range{stroke:var(--ink);stroke-width:2}
code{background:var(--soft);padding:.1em .3em;border-radius:.3em;overflow-wrap:anywhere}
"""

_FIGURES = (
    ("top1", "next event right", "{:.1%}"),
    ("nll", "NLL", "{:.3f}"),
    ("pause_nll", "pause NLL", "{:.3f}"),
    ("pause_mae_ms", "pause off by, ms", "{:.0f}"),
)

_VIEWS = {
    "risk-few": "Too few keys",
    "risk-raw": "With the keys known, in the page alone",
    "risk-rhythm": "At rhythm",
    "risk-real": "Among real people",
}


def page(outcome: Outcome) -> str:
    """Return the report of a demo as one self-contained page."""
    figures = outcome.figures
    verdict = "Every promise held." if outcome.ok else "A promise did NOT hold."
    promises = "".join(
        f'<li class="{"held" if held else "broken"}">{escape(words)}</li>'
        for words, held in outcome.promises
    )
    counts = (
        f"{figures['events_produced']} events were produced by injected keys and pointer, "
        f"{figures['events_acknowledged']} acknowledged, {figures['events_stored']} stored."
    )
    model = figures["model"]
    parts = [
        f"<h1>{verdict}</h1>",
        (
            f'<p class="sub">One run of <code>overt demo</code>, {figures["seconds"]} s. '
            "One person in a headless Chromium among synthetic people; nothing here says anything "
            "about real ones.</p>"
        ),
        f'<ul class="promises">{promises}</ul>',
        f"<h2>Captured</h2><p>{counts}</p>",
        (
            "<h2>Learned</h2><p>On people it has not seen (all but one synthetic), 95 % intervals "
            f"over people:</p>{_model(model)}"
        ),
        (
            "<h2>Attacked</h2><p>Share of synthetic people recognised at the first guess, from "
            f"{figures['linkage']['raw']['keys']} keys:</p>{_bars(figures['linkage'])}"
        ),
        f"<h2>Erased</h2>{_erasure(figures)}",
        "<h2>What the page said about the risk</h2>",
        "".join(
            f"<p><b>{_VIEWS.get(name, name)}</b>: {escape(text)}</p>"
            for name, text in figures["risk"].items()
        ),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Overt demo</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>"
    )


def _model(model: dict[str, Any]) -> str:
    head = "".join(f"<th>{title}</th>" for _, title, _ in _FIGURES)
    rows = {"model": model["metrics"], **model["baselines"]}
    body = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(f"<td>{_cell(row[key], form)}</td>" for key, _, form in _FIGURES)
        + "</tr>"
        for name, row in rows.items()
    )
    return f'<div class="scroll"><table><tr><th></th>{head}</tr>{body}</table></div>'


def _cell(figure: dict[str, float | None], form: str) -> str:
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "–"
    if low is None or high is None:
        return form.format(value)
    return f"{form.format(value)}<br><small>{form.format(low)} – {form.format(high)}</small>"


def _bars(linkage: dict[str, Any]) -> str:
    parts = []
    for number, (level, row) in enumerate(linkage.items()):
        y = 10 + 50 * number
        value, low, high = (100 + 500 * row[key] for key in ("rank1", "rank1_low", "rank1_high"))
        parts.append(
            f'<text x="0" y="{y + 20}">{level}</text>'
            f'<rect class="bar" x="100" y="{y}" width="{value - 100:.1f}" height="30"/>'
            f'<line class="range" x1="{low:.1f}" x2="{high:.1f}" y1="{y + 15}" y2="{y + 15}"/>'
            f'<text x="{max(value, high) + 8:.1f}" y="{y + 20}">{row["rank1"]:.0%}</text>'
        )
    chance = linkage["raw"]["chance"]
    return (
        f'<svg viewBox="0 0 700 110" role="img" aria-label="Recognised at raw and rhythm">'
        f'{"".join(parts)}</svg><p class="sub">Guessing would be right {chance:.1%} of the time. '
        "The line is the 95 % interval over people.</p>"
    )


def _erasure(figures: dict[str, Any]) -> str:
    erased = figures["erased"]
    models = "".join(
        f"<p>Model <code>{escape(model['purpose'])}</code>: after the erasure "
        f"<code>{model['sha256_after']}</code>, trained elsewhere without the person "
        f"<code>{model['sha256_never_met']}</code>.</p>"
        for model in figures["models"]
    )
    return (
        f"<p>{erased['keys']} keys destroyed, {erased['batches']} rows with {erased['events']} "
        f"events overwritten; found afterwards: {figures['bytes_found_after_erasure']}.</p>{models}"
    )
