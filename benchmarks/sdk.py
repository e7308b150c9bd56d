"""What the SDK costs a page, beside rrweb, a bare listener and nothing, in a real Chromium.

    python benchmarks/sdk.py [--seconds 23] [--rounds 1] [--cpu] [--json]

The same input (`hand.py`: writing, pointing at 100 Hz, clicks, scrolling) is injected through the
DevTools protocol into the same page (`pages.py`) with each of the four, in turns. Script and task
time are differences of `Performance.getMetrics` of the page's process, medians over the rounds;
with `--cpu`, of processor time of the page's thread, which other programs do not stretch.
Overt seals, stores, gzips and sends meanwhile; rrweb only hands its events to an array, which is
less than a site that uses it would do. Starting is measured on a page of 20,000 table rows. Then
`leaks.py` searches what these recorders, posthog-js and clarity-js hand on for a page's secrets,
and `losses.py` counts what Overt loses when collector and connection fail. Bytes and moves are
those of this input, and of people's own (`traces.py`) where their recordings are there.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import hand
import leaks
import losses
import pages
import pyarrow as pa
import pyarrow.compute as pc
import recorders
import traces

from overt.schema import batch as batches
from overt.schema.event import Kind
from overt.schema.fold import fold

ROOT = Path(__file__).parents[1]
ROWS = 500
LONG_PAGE_ROWS = 20_000
WIRE_S = 12.0
REPLAYED_S = 24.0
"""People point more slowly than `hand.py` does: as many batches take longer."""
SETTLE_MS = 1500
"""After the input: what was seen is sealed, sent and acknowledged."""


def sizes_gz(peer: bytes | None) -> dict[str, int | None]:
    """Return bytes after gzip 9: the SDK before and after joining, its core, rrweb's recorder."""
    tools = [sys.executable, ROOT / "tools" / "node.py", "node", ROOT / "sdk" / "sizes.mjs"]
    sizes: dict[str, int] = {}
    if (ROOT / "sdk" / "node_modules").exists():
        told = subprocess.run(tools, capture_output=True, check=True).stdout
        sizes = json.loads(told)
    return {
        "overt_first": len(gzip.compress(pages.SDK.read_bytes(), 9)),
        "overt": sum(
            len(gzip.compress(file.read_bytes(), 9)) for file in (pages.SDK, pages.RECORD)
        ),
        "overt_more": sizes.get("overt-more.js"),
        "overt_core": sizes.get("core"),
        "rrweb": None if peer is None else len(gzip.compress(peer, 9)),
    }


class Tab:
    """A page with one way of listening, and the DevTools session that looks at it."""

    def __init__(
        self, context: Any, site: pages.Pages, way: str, rows: int = 0, clock: str = "timeTicks"
    ) -> None:
        self.page = context.new_page()
        self.session = context.new_cdp_session(self.page)
        self.session.send("Performance.enable", {"timeDomain": clock})
        self.page.goto(f"{site.url}/page?with={way}&rows={rows}", timeout=60_000)
        self.page.wait_for_function("window.ready", timeout=60_000)

    def metrics_ms(self) -> dict[str, float]:
        """Return script and task time of the page so far."""
        found = self.session.send("Performance.getMetrics")["metrics"]
        values = {metric["name"]: metric["value"] for metric in found}
        return {
            "script_ms": values["ScriptDuration"] * 1e3,
            "task_ms": values["TaskDuration"] * 1e3,
        }

    def taken_ms(self, before: dict[str, float]) -> dict[str, float]:
        """Return the difference to an earlier reading."""
        return {name: value - before[name] for name, value in self.metrics_ms().items()}

    def start(self) -> None:
        self.page.evaluate("begin()")

    def rest(self, ms: int) -> None:
        self.page.wait_for_timeout(ms)

    def close(self) -> None:
        self.page.close()


def working(
    context: Any, site: pages.Pages, way: str, dispatches: list[hand.Dispatch], clock: str
) -> dict[str, float]:
    """Return script and task time over the input."""
    tab = Tab(context, site, way, clock=clock)
    tab.start()
    tab.rest(300)
    before = tab.metrics_ms()
    hand.play(tab.session, dispatches)
    if way == "overt":
        tab.page.evaluate("void overt.sendNow()")
    tab.rest(SETTLE_MS)
    taken = tab.taken_ms(before)
    tab.close()
    return taken


def starting(context: Any, site: pages.Pages, way: str, clock: str) -> dict[str, float]:
    """Return script and task time of starting to record on a long page."""
    tab = Tab(context, site, way, LONG_PAGE_ROWS, clock)
    tab.rest(500)
    before = tab.metrics_ms()
    tab.start()
    taken = tab.taken_ms(before)
    tab.close()
    return taken


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: round(statistics.median(run[name] for run in runs), 1) for name in runs[0]}


def recorded(
    browser_: Any, site: pages.Pages, way: str, dispatches: list[hand.Dispatch]
) -> dict[str, Any]:
    """Record an input; return moves that were sent and kept, and bytes an event."""
    context = browser_.new_context()
    tab = Tab(context, site, way)
    tab.start()
    site.batches.clear()
    hand.play(tab.session, dispatches)
    if way == "overt":
        tab.rest(1300)
        tab.page.evaluate("overt.sendNow()")
        found = _of_overt(site.batches)
    else:
        found = _of_rrweb(json.loads(tab.page.evaluate("JSON.stringify(kept)")))
    context.close()
    return {"moves_sent": sum(d.is_move for d in dispatches), **found}


def _of_overt(bodies: list[bytes]) -> dict[str, Any]:
    """Return bytes an event of batches of `ROWS` events, of all columns, as the SDK writes them."""
    decoded = [batches.decode(batches.inflate(body)) for body in bodies]
    streams: dict[tuple[str, ...], list[Any]] = {}
    for header, rows in sorted(decoded, key=lambda one: one[0].first_seq):
        streams.setdefault(header.purposes, []).append((header, batches.to_events(header, rows)))
    every = [pair for pairs in streams.values() for pair in pairs]
    events = pa.concat_tables([table for _, table in every]).sort_by("seq")
    head = every[0][0]._replace(purposes=("person-or-program",), produced=2**40)
    moves = events.filter(pc.equal(events["kind"], int(Kind.POINTER_MOVE)))
    return {
        "events": events.num_rows,
        "moves_kept": moves.num_rows,
        "bytes_per_event_mixed": _bytes_per_event(head, events),
        "bytes_per_event_moves": _bytes_per_event(head, moves),
        "bytes_per_event_sent": round(sum(map(len, bodies)) / events.num_rows, 2),
    }


def _bytes_per_event(head: Any, events: pa.Table) -> float | None:
    """Return bytes an event as sent over whole batches; None if there is not even one.

    What is folded is not compressed further; gzip would add to it.
    """
    sizes = []
    for at in range(0, events.num_rows - ROWS + 1, ROWS):
        anchor, rows = batches.from_events(events.slice(at, ROWS).combine_chunks())
        sizes.append(len(fold(batches.encode(head._replace(**anchor), rows))))
    return round(sum(sizes) / len(sizes) / ROWS, 2) if sizes else None


def _of_rrweb(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the same of rrweb's events; its first snapshot of the page is not counted."""
    seen = [event for event in events if event["type"] == 3]
    moves = [event for event in seen if event["data"]["source"] == 1]
    kept = sum(len(event["data"]["positions"]) for event in moves)

    def size(chosen: list[dict[str, Any]]) -> int:
        return len(gzip.compress(json.dumps(chosen, separators=(",", ":")).encode(), 6))

    others = len(seen) - len(moves)
    return {
        "events": kept + others,
        "moves_kept": kept,
        "bytes_per_event_mixed": round(size(seen) / max(1, kept + others), 2),
        "bytes_per_event_moves": round(size(moves) / max(1, kept), 2),
    }


def measured(seconds: float, rounds: int, clock: str = "timeTicks") -> dict[str, Any]:
    """Return all figures. `clock`: what times are told by, `timeTicks` or `threadTicks`."""
    others = recorders.scripts()
    absent = traces.missing()
    if absent:
        print(f"sdk: real recordings are left out: no {absent} at {traces.DATA}", file=sys.stderr)
    replayed = [] if absent else traces.script(REPLAYED_S)
    input_ = hand.script(seconds)
    ways = [way for way in pages.WAYS if way != "rrweb" or way in others]
    work: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    begin: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    with pages.serving(others) as site, pages.browser() as chrome:
        both = [way for way in ways if way in ("overt", "rrweb")]
        made_up = hand.script(WIRE_S)
        wire = {way: recorded(chrome, site, way, made_up) for way in both}
        real = {way: recorded(chrome, site, way, replayed) for way in both if replayed}
        context = chrome.new_context()
        joined = Tab(context, site, "overt")
        joined.start()
        joined.close()
        for number in range(rounds):
            print(f"sdk: input, round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            for way in ways:
                work[way].append(working(context, site, way, input_, clock))
        for number in range(rounds // 2 + 1):
            print(f"sdk: start, round {number + 1}", file=sys.stderr, flush=True)
            for way in ways:
                begin[way].append(starting(context, site, way, clock))
        context.close()
        secrets = leaks.measured(chrome, site, list(leaks.WAYS))
        trouble = losses.measured(chrome, site)
        version = chrome.version
    return {
        "benchmark": "sdk",
        "chromium": version,
        "seconds": seconds,
        "rounds": rounds,
        "size_gz_bytes": sizes_gz(others.get("rrweb")),
        "wire": wire,
        "work": {way: medians(runs) for way, runs in work.items()},
        "start_on_long_page": {way: medians(runs) for way, runs in begin.items()},
        "replayed": real,
        "secrets": secrets,
        "trouble": trouble,
    }


def _shown(figures: dict[str, Any]) -> str:
    ways = list(figures["work"])
    sizes = figures["size_gz_bytes"]
    core = f" (capture core alone {sizes['overt_core']})" if sizes["overt_core"] else ""
    joined = f"{sizes['overt_first']}, with what records {sizes['overt']}{core}"
    what = f"{figures['seconds']:g} s of input, medians of {figures['rounds']} rounds in turns"
    lines = [
        f"Chromium {figures['chromium']}; {what}",
        f"bytes gz: overt {joined}, rrweb {sizes['rrweb']}",
        f"{'':<24}" + "".join(f"{way:>12}" for way in ways),
    ]
    for title, part, name in (
        ("script ms", "work", "script_ms"),
        ("task ms", "work", "task_ms"),
        ("start, script ms", "start_on_long_page", "script_ms"),
        ("start, task ms", "start_on_long_page", "task_ms"),
    ):
        values = "".join(f"{figures[part][way][name]:>12}" for way in ways)
        lines.append(f"{title:<24}{values}")
    for way, wire in figures["wire"].items():
        lines.append(f"{way}: " + ", ".join(f"{name} {value}" for name, value in wire.items()))
    for way, wire in figures["replayed"].items():
        lines.append(
            f"{way}, real: " + ", ".join(f"{name} {value}" for name, value in wire.items())
        )
    return "\n".join([*lines, leaks.shown(figures["secrets"]), losses.shown(figures["trouble"])])


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--seconds", type=float, default=23)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--cpu", action="store_true", help="processor time, not time that passed")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    clock = "threadTicks" if chosen.cpu else "timeTicks"
    figures = measured(chosen.seconds, chosen.rounds, clock)
    print(json.dumps(figures) if chosen.json else _shown(figures))


if __name__ == "__main__":
    main()
