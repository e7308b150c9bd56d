"""What was filed or trained, turned into words, figures and plots for the researcher's page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from overt.features.catalogue import SECTIONS
from overt.features.catalogue.feature import Feature
from overt.gateway.filed import Filed
from overt.models.evaluate import MODEL
from overt.schema.manifest import bucket
from overt.studio import plots

LOOKS = {"live": "p1", "imported": "p2", "synthetic": "p3"}
"""Colour of people by origin, everywhere the same."""


@dataclass(frozen=True)
class Metric:
    """A figure of a card: name, words, unit, factor to the unit, and whether more is better."""

    name: str
    title: str
    unit: str
    factor: float = 1.0
    more: bool = False


METRICS = (
    Metric("top1", "Next event right", "%", 100.0, more=True),
    Metric("nll", "Surprise at the next event", "nats"),
    Metric("pause_nll", "Surprise at the pause", "nats of ln ms"),
    Metric("pause_mae_ms", "Pause off by, on average", "ms"),
    Metric("pause_crps_ms", "Pause, whole distribution (CRPS)", "ms"),
    Metric("pause_r2", "Pause explained (R²)", "of ln ms", more=True),
    Metric("ece", "Calibration error (ECE)", ""),
    Metric("auc", "Person or program (AUC)", "", more=True),
    Metric("tpr", "Programs found at 1 % of people taken for one", "%", 100.0, more=True),
    Metric("cannot_tell", "Cannot tell", "%", 100.0),
    Metric("wrong", "Wrong where told", "%", 100.0),
)

OWN = (MODEL, "model")
"""Rows of a card that are the model's; the others are its baselines'."""

METHODS = {
    MODEL: "model",
    "Markov-2": "Markov, two back",
    "digraph": "pair of events",
    "most frequent": "most frequent",
}
ATTACKS = {
    "fusion": "fusion",
    "histogram": "histogram",
    "log-normal": "log-normal",
    "scaled-manhattan": "scaled Manhattan",
}


def number(value: float | None) -> str:
    """Return a figure with three digits, thousands apart, a real minus."""
    if value is None:
        return "–"
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if "e" in text:
        text = f"{value:.4f}"
    return text.replace("-", "−")


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share between 0 and 1 in per cent."""
    return "–" if value is None else f"{100 * value:.{digits}f}\u00a0%"


# --- counts and quality -------------------------------------------------------------------------


def quality(found: Filed) -> list[dict[str, Any]]:
    """Return one block an origin, with its counts and shares."""
    blocks = []
    for origin, counts in found.figures["origins"].items():
        enough = "sessions" in counts
        shares = []
        for name, words in (
            ("unclean_percent", "sessions without an end mark"),
            ("removed_percent", "events removed before they left"),
            ("lost_percent", "events lost on the device"),
        ):
            value = counts.get(name)
            if enough and value is not None:
                bar = plots.share(value / 100, "p2", f"{value:g} per cent")
                shares.append({"words": words, "value": f"{value:g}\u00a0%", "bar": bar})
        blocks.append(
            {
                "origin": origin,
                "look": LOOKS[origin],
                "enough": enough,
                "counts": counts,
                "shares": shares,
            }
        )
    return blocks


# --- features -----------------------------------------------------------------------------------


def _in_ms(feature: Feature) -> tuple[float, str]:
    return (1e-3, "ms") if feature.unit == "µs" else (1.0, feature.unit)


_UNIT = re.compile(r"_(us|rad_per_css_px|css_px_per_s[23]?|css_px|bits_per_s)(?=_|$)", re.ASCII)
"""The unit in a feature's name: the page shows it beside the name, as people read it."""


_ENDS = {"mean": "mean", "sd": "SD"}


def _title(feature: Feature) -> str:
    words = _UNIT.sub("", feature.name).replace("_", " ")
    for ends in ("down down", "up down", "up up"):
        words = words.replace(ends, ends.replace(" ", "–"))
    return re.sub(r" (mean|sd)$", lambda found: ", " + _ENDS[found[1]], words)


def spreads(found: Filed) -> list[dict[str, Any]]:
    """Return families of features; each feature with a strip and figures for each origin."""
    by_name: dict[str, dict[str, dict[str, Any]]] = {}
    for origin, rows in found.figures["origins"].items():
        for row in rows:
            by_name.setdefault(row["feature"], {})[origin] = row
    families = []
    for section in SECTIONS:
        known = [feature for feature in section.features if feature.name in by_name]
        if known:
            rows = [_feature(feature, by_name[feature.name]) for feature in known]
            families.append({"family": section.title, "features": rows})
    return families


def _feature(feature: Feature, by_origin: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    factor, unit = _in_ms(feature)
    scaled = {
        origin: (row["mean"] * factor, [bound * factor for bound in row["bounds"]], row["people"])
        for origin, row in by_origin.items()
    }
    ends = [plots.spread_range(bounds, mean) for mean, bounds, _ in scaled.values()]
    axis = (min(low for low, _ in ends), max(high for _, high in ends))
    rows = []
    for origin, (mean, bounds, people) in scaled.items():
        middle = bounds[len(bounds) // 2] if bounds else None
        quarters = len(bounds) + 1
        inner = (bounds[quarters // 4 - 1], bounds[-(quarters // 4)]) if quarters >= 4 else None
        label = f"{_title(feature)}, {origin}: " + (
            f"median {number(middle)}" if middle is not None else f"mean {number(mean)}"
        )
        rows.append(
            {
                "origin": origin,
                "look": LOOKS[origin],
                "strip": plots.spread(bounds, mean, axis, LOOKS[origin], f"{label} {unit}"),
                "mean": number(mean),
                "median": number(middle),
                "inner": f"{number(inner[0])} – {number(inner[1])}" if inner else "–",
                "people": people,
            }
        )
    return {
        "name": feature.name,
        "title": _title(feature),
        "unit": "" if unit == "1" else unit,
        "formula": feature.formula,
        "source": feature.source,
        "rows": rows,
    }


# --- models -------------------------------------------------------------------------------------


def model(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return a card's figures as panels, and its training curve as a chart.

    No figures where they are over fewer than ten people; made-up ones are nobody.
    """
    few = card["evaluation"]["persons"] == bucket(0) and {*card["people"]["origins"]} - {
        "synthetic"
    }
    rows = {} if few else card["evaluation"]["rows"]
    return {
        "card": card,
        "origins": [(o, LOOKS[o], count) for o, count in card["people"]["origins"].items()],
        "panels": [panel for metric in METRICS if (panel := _panel(rows, metric))],
        "curve": _curve(card, rows),
    }


def _panel(rows: Mapping[str, Any], metric: Metric) -> dict[str, Any] | None:
    known: dict[str, tuple[float, float | None, float | None]] = {}
    for name, row in rows.items():
        figure = row.get(metric.name, {})
        value = figure.get("value")
        if value is not None:
            low, high = (figure[end] for end in ("low", "high"))
            known[name] = (
                value * metric.factor,
                None if low is None else low * metric.factor,
                None if high is None else high * metric.factor,
            )
    if not known:
        return None
    shown = [value for row in known.values() for value in row if value is not None]
    ends = (min(shown), max(shown))
    digits = 1 if metric.unit in ("%", "ms") else 3
    made = []
    for name, (value, low, high) in known.items():
        words = METHODS.get(name, name)
        look = "p1" if name in OWN else "p4"
        made.append(
            {
                "name": words,
                "own": name in OWN,
                "value": _fixed(value, digits),
                "between": _between(low, high, digits),
                "strip": plots.interval(
                    value, low, high, ends, look, f"{words}: {_fixed(value, digits)} {metric.unit}"
                ),
            }
        )
    return {"title": metric.title, "unit": metric.unit, "more": metric.more, "rows": made}


def _fixed(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _between(low: float | None, high: float | None, digits: int) -> str:
    if low is None or high is None:
        return ""
    return f"{_fixed(low, digits)} – {_fixed(high, digits)}"


def _curve(card: Mapping[str, Any], rows: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the training curve, with what the model and Markov reach on unseen people."""
    curve = card.get("training")
    if not curve:
        return None
    loss: list[float] = curve["loss"]
    unseen = {
        name: total
        for name in (MODEL, "Markov-2")
        if (total := _total(rows.get(name, {}))) is not None
    }
    values = [*loss, *unseen.values()]
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or 1.0
    low, high = low - room, high + room

    def y(value: float) -> float:
        return (value - low) / (high - low)

    fewest, most = curve["steps"]
    count = len(loss)
    step = (1 - curve["start"]) / max(count - 1, 1)
    points = [(curve["start"] + k * step, y(v)) for k, v in enumerate(loss)]
    lines = [plots.Line("p1", points)]
    for look, name in (("p1", MODEL), ("p2", "Markov-2")):
        if name in unseen:
            level = y(unseen[name])
            lines.append(plots.Line(look, [(0, level), (1, level)], dashed=True))
    across = plots.Axis(
        "steps of training" if fewest == most else "share of each shard’s training",
        [(k / 4, f"{most * k // 4:,}" if fewest == most else f"{25 * k} %") for k in range(5)],
    )
    up = plots.Axis("", [(y(v), number(v)) for v in plots.rounded_marks(low, high, 5)])
    words = f"Loss in training, from {number(loss[0])} to {number(loss[-1])} nats an event"
    return {
        "chart": plots.chart(lines, across, up, words),
        "unseen": unseen,
        "steps": f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}",
        "first": number(loss[0]),
        "last": number(loss[-1]),
    }


def _total(row: Mapping[str, Any]) -> float | None:
    parts: list[float | None] = [row.get(n, {}).get("value") for n in ("nll", "pause_nll")]
    known = [part for part in parts if part is not None]
    return float(sum(known)) if len(known) == len(parts) else None


# --- audits -------------------------------------------------------------------------------------


def audit(found: Filed) -> dict[str, Any]:
    """Return an audit's rates, by length of probe, with the strongest attack's curves."""
    rows = found.figures["rows"]
    lengths = []
    for keys in sorted({row["keys"] for row in rows}):
        of_length = [row for row in rows if row["keys"] == keys]
        best = max(of_length, key=lambda row: (row["rank1"], -row["eer_global"]))
        lengths.append(
            {
                "keys": keys,
                "best": best,
                "rows": [_attack(row, best=row is best) for row in of_length],
                "verdict": _verdict(best),
            }
        )
    return {
        "level": found.figures["level"],
        "origins": [(o, LOOKS[o]) for o in found.figures["origins"]],
        "suite": found.figures["suite"],
        "day": found.day,
        "lengths": lengths,
        "left_out": found.figures["left_out"],
        "cmc": _cmc([length["best"] for length in lengths]),
        "roc": _roc([length["best"] for length in lengths]),
    }


def _attack(row: Mapping[str, Any], *, best: bool) -> dict[str, Any]:
    words = ATTACKS.get(row["attack"], row["attack"])
    look = "p2" if best else "p4"
    return {
        "name": words,
        "best": best,
        "rank1": percent(row["rank1"]),
        "rank1_between": f"{percent(row['rank1_low'])} – {percent(row['rank1_high'])}",
        "strip": plots.interval(
            row["rank1"],
            row["rank1_low"],
            row["rank1_high"],
            (0.0, 1.0),
            look,
            f"{words}: {percent(row['rank1'])} right at the first guess",
            mark=row["chance"],
        ),
        "eer": percent(row["eer_global"]),
        "eer_between": f"{percent(row['eer_global_low'])} – {percent(row['eer_global_high'])}",
    }


def _verdict(best: Mapping[str, Any]) -> str:
    if best["rank1_low"] > 2 * best["chance"]:
        return f"{percent(best['rank1'])} of the probes are recognised at the first guess."
    return "The attack does little better than guessing."


_QUARTERS = [(k / 4, f"{25 * k} %") for k in range(5)]
_CURVE_LOOKS = ("p2", "p1", "p3", "p4")


def _looks(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(_CURVE_LOOKS[k % 4], row) for k, row in enumerate(rows)]


def _cmc(best: list[Mapping[str, Any]]) -> dict[str, Any]:
    places = max(len(row["cmc"]) for row in best)
    span = max(places - 1, 1)
    lines = [
        plots.Line(look, [(k / span, share) for k, share in enumerate(row["cmc"])])
        for look, row in _looks(best)
    ]
    chance = best[0]["chance"]
    guess = [(k / span, min((k + 1) * chance, 1.0)) for k in range(places)]
    lines.append(plots.Line("p4", guess, dashed=True))
    marks = [(0.0, "1"), *(((k - 1) / span, str(k)) for k in range(5, places + 1, 5))]
    words = "Share of probes whose person is among the first guesses"
    chart = plots.chart(lines, plots.Axis("guesses", marks), plots.Axis("", _QUARTERS), words)
    key = [(look, f"{row['keys']} keys, {row['attack']}") for look, row in _looks(best)]
    return {"chart": chart, "key": [*key, ("p4", "guessing")], "words": words}


def _roc(best: list[Mapping[str, Any]]) -> dict[str, Any]:
    from math import log10

    def x(rate: float) -> float:
        return 1 + log10(max(rate, 1e-3)) / 3

    lines = [
        plots.Line(look, [(x(false), true) for false, true in row["roc"]])
        for look, row in _looks(best)
    ]
    guess = [(k / 30, 10 ** (3 * (k / 30 - 1))) for k in range(31)]
    lines.append(plots.Line("p4", guess, dashed=True))
    marks = [(0.0, "0.1 %"), (1 / 3, "1 %"), (2 / 3, "10 %"), (1.0, "100 %")]
    words = "Own probes accepted, by how many strangers are accepted too"
    across = plots.Axis("strangers accepted", marks)
    return {"chart": plots.chart(lines, across, plots.Axis("", _QUARTERS), words), "words": words}
