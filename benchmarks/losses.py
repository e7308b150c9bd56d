"""What Overt loses when all goes wrong around it: events made and never stored, and pauses.

    python benchmarks/losses.py [--json]

In a real Chromium, with a collector that fails in one way after the other (`pages.py`). Events are
counted as the page made them and as they were stored, each once, by session and number. Then a page
does what ordinary pages do (banners, dialogs, menus, full screen, scrolling, zooming), one thing a
second, and how often recording paused because the indicator was out of sight is counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pages

from overt.schema import batch as batches

DAY_MS = 86_400_000
WRITTEN = "lost on the way"


class Tab:
    """A page that records, with what was stored of it."""

    def __init__(self, context: Any, site: pages.Pages) -> None:
        site.batches.clear()
        self.site = site
        self.context = context
        self.page = context.new_page()
        self.visit()

    def visit(self) -> None:
        self.page.goto(f"{self.site.url}/page?with=overt&rows=0")
        self.page.wait_for_function("window.ready")
        self.page.evaluate("begin()")

    def write(self) -> None:
        self.page.click("#text")
        self.page.keyboard.type(WRITTEN)
        self.page.mouse.move(300, 400, steps=20)
        self.page.evaluate("overt.removeSince(-1)")

    def send(self, times: int = 1) -> None:
        for _ in range(times):
            self.page.evaluate("overt.sendNow()")

    def lost(self) -> dict[str, int]:
        """Return how many events were made, and how many of them are not stored exactly once."""
        self.send(2)
        made = self.page.evaluate("overt.counts().then(({ produced }) => produced)")
        stored: dict[str, list[int]] = {}
        for body in self.site.batches:
            header, rows = batches.decode(batches.inflate(body))
            numbers = batches.to_events(header, rows)["seq"].to_pylist()
            stored.setdefault(f"{header.session} {header.batch}", numbers)
        numbers = [(name.split()[0], number) for name, run in stored.items() for number in run]
        doubled = len(numbers) - len(set(numbers))
        return {"made": made, "lost": made - len(set(numbers)) + doubled}


def _answers(*faults: int) -> Callable[[Tab], None]:
    def scene(tab: Tab) -> None:
        tab.site.faults = list(faults)
        tab.write()
        tab.send(len(faults))
        tab.write()

    return scene


def _refused(tab: Tab) -> None:
    tab.page.route("**/v1/batches", lambda route: route.abort("connectionrefused"))
    tab.write()
    tab.send(3)
    tab.page.unroute("**/v1/batches")


def _reloaded(tab: Tab) -> None:
    for _ in range(2):
        tab.write()
        tab.page.mouse.move(20, 20, steps=20)
        tab.visit()
    waits = "overt.counts().then((all) => all.waiting > 60)"
    tab.page.wait_for_function(waits, timeout=10_000)


def _offline(tab: Tab) -> None:
    tab.context.set_offline(True)
    tab.write()
    tab.page.evaluate(
        "(by) => { const { now } = Date; Date.now = () => now.call(Date) + by; }", DAY_MS
    )
    tab.write()
    tab.site.token = f"token of the day after {tab.site.token}"
    tab.context.set_offline(False)


SCENES: dict[str, Callable[[Tab], None]] = {
    "500": _answers(500, 500, 500),
    "503": _answers(503, 503, 503),
    "429": _answers(429, 429),
    "connection refused": _refused,
    "collector dies before it has stored": _answers(pages.DEAF, pages.DEAF),
    "collector dies before it answers": _answers(pages.DUMB, pages.DUMB),
    "reloads": _reloaded,
    "a day offline, token expired": _offline,
}

ORDINARY = (
    """document.body.insertAdjacentHTML("beforeend", `<div id="banner" style="position:fixed;
      inset:auto 0 0 0;height:160px;z-index:2147483647;background:#fff">cookies</div>`)""",
    "banner.remove()",
    """document.body.insertAdjacentHTML("beforeend",
      `<div popover id="menu" style="inset:0;width:100vw;height:100vh">menu</div>`)""",
    "menu.showPopover()",
    "menu.hidePopover()",
    "void document.body.append(Object.assign(document.createElement('dialog'), { id: 'ask' }))",
    "ask.showModal()",
    "ask.close()",
    "scrollTo(0, 2000)",
    "document.documentElement.style.zoom = '1.5'",
    "document.documentElement.style.zoom = ''",
    "document.documentElement.dir = 'rtl'",
    "box.requestFullscreen()",
    "document.exitFullscreen()",
    "document.body.style.filter = 'blur(1px)'",
    "document.title = 'another page'",
    "void document.startViewTransition(() => scrollTo(0, 0))",
)


def pauses(context: Any, site: pages.Pages) -> dict[str, float]:
    """Return how often recording paused by itself while a page did what pages do."""
    tab = Tab(context, site)
    tab.page.evaluate(
        "window.paused = 0, overt.onChange(({ reason }) => (paused += reason === 'indicator'))"
    )
    began_s = time.monotonic()
    for change in ORDINARY:
        tab.page.evaluate(change)
        tab.page.mouse.move(200, 200, steps=10)
        tab.page.wait_for_timeout(1000)
    hours = (time.monotonic() - began_s) / 3600
    count = tab.page.evaluate("paused")
    return {"happenings": len(ORDINARY), "pauses": count, "per_hour": round(count / hours, 1)}


def measured(browser: Any, site: pages.Pages) -> dict[str, Any]:
    """Return events lost in each scene, and pauses."""
    found: dict[str, Any] = {}
    for name, scene in SCENES.items():
        print(f"losses: {name}", file=sys.stderr, flush=True)
        context = browser.new_context()
        tab = Tab(context, site)
        scene(tab)
        found[name] = tab.lost()
        context.close()
        site.faults = []
    print("losses: pauses", file=sys.stderr, flush=True)
    context = browser.new_context()
    ordinary = pauses(context, site)
    context.close()
    return {"scenes": found, "pauses": ordinary}


def shown(found: dict[str, Any]) -> str:
    """Return what was found, in lines."""
    lines = [
        f"{name}: {one['lost']} of {one['made']} events lost"
        for name, one in found["scenes"].items()
    ]
    ordinary = found["pauses"]
    paused = f"{ordinary['pauses']} pauses over {ordinary['happenings']} things pages do"
    return "\n".join([*lines, f"{paused}, {ordinary['per_hour']} an hour at one a second"])


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with pages.serving({}) as site, pages.browser() as chrome:
        found = measured(chrome, site)
    print(json.dumps(found) if chosen.json else shown(found))


if __name__ == "__main__":
    main()
