"""The report of a linkage audit: one HTML file that needs nothing else, for people and printers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from overt.audit import plots
from overt.audit.linkage import Curves, Linkage, Row
from overt.audit.rates import RESAMPLES

STYLE = """
:root{--ink:#1d2430;--muted:#76808f;--paper:#fff;--line:#dfe3e9;--raw:#c2410c;--rhythm:#1d4ed8;--coarse:#0f766e;
--soft:#f4f6f9}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf2;--muted:#98a3b3;--paper:#12161d;
--line:#2b3340;--raw:#fb923c;--rhythm:#7aa2ff;--coarse:#2dd4bf;--soft:#1a202a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.55 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem}
.lead{font-size:1.1rem}.sub{color:var(--muted)}
.cards{display:grid;gap:.8rem;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr))}
.card{background:var(--soft);border-radius:.6rem;padding:1rem}
.card b{display:block;font-size:2rem;line-height:1.2}
.card.raw{border-left:5px solid var(--raw)}.card.rhythm{border-left:5px solid var(--rhythm)}
.card.rhythm-1{border-left:5px solid var(--coarse)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:.45rem .6rem;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td small{color:var(--muted)}
tr.best td{font-weight:600}
figure{margin:1.2rem 0}svg{width:100%;height:auto;display:block}
svg text{fill:var(--muted);font-size:14px}svg polyline{fill:none;stroke-width:2.5}
svg .grid{stroke:var(--line);fill:none}svg .area{fill-opacity:.25;stroke-width:2}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;margin:.3rem 0;
font-size:.9rem}.legend i{display:inline-block;width:1.4em;height:.3em;margin-right:.5em;
vertical-align:middle;border-radius:2px}
@media (max-width:40rem){svg text{font-size:22px}}
"""

_ATTACK_WORDS = {
    "scaled-manhattan": "distance of mean times per key pair, in units of their scatter",
    "log-normal": "likelihood of every press, times log-normal per key pair and person",
    "histogram": "likelihood of every press under each person's whole distributions",
    "fusion": "log-normal and histogram together; at raw also the histogram of key classes",
}


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %" if value < 0.1 else f"{100 * value:.1f} %"


def _cell(value: float, low: float, high: float) -> str:
    return (
        f'<td class="n">{_percent(value)}<br><small>{_percent(low)} – {_percent(high)}</small></td>'
    )


def _table(rows: Sequence[Row], best: set[int]) -> str:
    head = (
        "<tr><th>level</th><th class=n>keys</th><th>attack</th><th class=n>first guess right</th>"
        "<th class=n>EER, one threshold</th><th class=n>EER, mean over people</th>"
        "<th class=n>people</th><th class=n>probes</th></tr>"
    )
    body = "".join(
        f"<tr{' class=best' if number in best else ''}><td>{row.level}</td>"
        f'<td class="n">{row.keys}</td><td>{row.attack}</td>'
        + _cell(row.rank1, row.rank1_low, row.rank1_high)
        + _cell(row.eer_global, row.eer_global_low, row.eer_global_high)
        + _cell(row.eer_subject_mean, row.eer_subject_mean_low, row.eer_subject_mean_high)
        + f'<td class="n">{row.people}</td><td class="n">{row.probes}</td></tr>'
        for number, row in enumerate(rows)
    )
    return f'<div class="scroll"><table>{head}{body}</table></div>'


def _cards(rows: Sequence[Row]) -> str:
    return (
        '<div class="cards">'
        + "".join(
            f'<div class="card {row.level.replace("/", "-")}">'
            f'<span class="sub">{row.level}, {row.keys} keys</span>'
            f"<b>{_percent(row.rank1)}</b>recognised at the first guess among {row.people} people"
            f'<br><span class="sub">95 %: {_percent(row.rank1_low)} – {_percent(row.rank1_high)}; '
            f"guessing: {_percent(row.chance)}; attack: {row.attack}</span></div>"
            for row in rows
        )
        + "</div>"
    )


def _verdict(best: Sequence[Row]) -> str:
    worst = max(best, key=lambda row: row.rank1)
    if worst.rank1_low > 2 * worst.chance:
        return (
            f"At level <b>{worst.level}</b>, {worst.keys} keys are enough to recognise "
            f"{_percent(worst.rank1)} of the probes. Whoever holds this data and another sample of "
            "a person's typing should be expected to bring the two together."
        )
    return (
        "These attacks did little better than guessing here. Other attacks, more keys or other "
        "knowledge may do better; this report bounds what was tried, and nothing else."
    )


def _caveats(result: Linkage, origin: str) -> str:
    row = result.rows[0]
    notes = [
        (
            f"Data: {escape(origin)}. {row.people} people enrolled, {row.people_probed} probed at "
            f"{row.keys} keys. A larger crowd makes the first guess harder; the error rates hardly "
            "depend on it."
        ),
        (
            "Enrolled is the first half of a person's sessions, probes come from the second half. "
            "The attacker knows every enrolled person and has data transformed as the probes are."
        ),
        (
            f"Intervals: bootstrap over persons, {RESAMPLES:,} draws, the enrolled fixed. The "
            "strongest attack is marked; choosing it from several favours the attacker a little."
        ),
        (
            "The two equal error rates answer different questions: one threshold for everyone, "
            "or the best threshold for each person. They are not to be compared with each other."
        ),
        (
            "Clock steps of browsers and keyboards are part of the timing, so devices help to tell "
            "people apart; so do habits such as using Caps Lock."
        ),
    ]
    if row.same_session:
        notes.append(
            f"{row.same_session} people have one session only; its two halves were compared. "
            "Same session: optimistic for the attacker."
        )
    notes += [f"Left out, too few to measure: {escape(text)}." for text in result.left_out]
    return "<ul>" + "".join(f"<li>{note}</li>" for note in notes) + "</ul>"


def html(result: Linkage, *, study: str, origin: str) -> str:
    """Return the report as one self-contained HTML page.

    `study` is the title shown, `origin` says in words what the data is (live, imported from where,
    synthetic). Rates only: no score, probe or person can be read from it.
    """
    pairs = sorted({(row.level, row.keys) for row in result.rows}, key=lambda p: (p[1], p[0]))
    best = [result.best(level, keys) for level, keys in pairs]
    chosen: list[tuple[Row, Curves]] = [
        (row, curves) for row, curves in zip(result.rows, result.curves, strict=True) if row in best
    ]
    longest = max(row.keys for row in best)
    shown = [(row, curves) for row, curves in chosen if row.keys == longest]
    named = [(f"{row.level}, {row.keys} keys", (row, curves)) for row, curves in shown]
    attacks = "".join(f"<li><b>{name}</b>: {words}</li>" for name, words in _ATTACK_WORDS.items())
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width,initial-scale=1">',
        f"<title>Linkage audit: {escape(study)}</title><style>{STYLE}</style><main>",
        f'<p class="sub">Overt · attack suite {escape(result.suite)}</p>',
        f"<h1>Would an attacker recognise someone by their typing?</h1><p>{escape(study)}</p>",
        f'<p class="lead">{_verdict(best)}</p>',
        _cards(best),
        "<h2>All attacks</h2>",
        _table(result.rows, {number for number, row in enumerate(result.rows) if row in best}),
        f"<h2>Curves at {longest} keys, strongest attack of each level</h2>",
        plots.cmc(
            [(name, row.level, c.cmc) for name, (row, c) in named],
            shown[0][0].chance,
        ),
        plots.roc([(name, row.level, c.roc) for name, (row, c) in named]),
        *[
            plots.scores(name, row.level, c.score_low, c.score_high, c.genuine, c.impostor)
            for name, (row, c) in named
        ],
        f"<h2>What was run</h2><ul>{attacks}</ul>",
        f"<h2>How to read this</h2>{_caveats(result, origin)}</main></html>",
    ]
    return "\n".join(parts)
