"""Which secrets of a page recorders send, keep or say: Overt beside rrweb, posthog-js, clarity-js.

    python benchmarks/leaks.py [--json] [--only NAME …]

Each recorder runs in the same page (`probes.html`) under the same hands (`probes.use`), as its
makers deliver it and once with everything its documentation offers to hide things. What it handed
on (to a collector on this machine or a callback), what it put into storage and what it printed is
searched for the secret of each place (`probes.search`). Nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import pages
import probes
import recorders

_OVERT = """<script type="module">
import { open } from "/overt.js";
window.overt = await open({ study: "bench" });
await overt.notice();
await overt.join(PURPOSES);
window.finish = async () => {
  const rows = (await overt.outbox()).flatMap(({ events }) => events);
  await overt.sendNow();
  return JSON.stringify(rows);
};
window.ready = overt.state().phase === "recording";
</script>"""

_RRWEB = """<script src="/peers/rrweb.js"></script><script>
window.kept = [];
rrwebRecord.record({ emit: (event) => kept.push(event), ...(OPTIONS) });
window.finish = async () => JSON.stringify(kept);
window.ready = true;
</script>"""

_POSTHOG = """<script src="/peers/posthog-recorder.js"></script><script>
window._POSTHOG_REMOTE_CONFIG = { bench: { siteApps: [], config: {
  sessionRecording: { endpoint: "/s/" }, supportedCompression: ["gzip-js"] } } };
</script><script src="/peers/posthog-js.js"></script><script>
posthog.init("bench", {
  api_host: location.origin, opt_out_useragent_filter: true, ...(OPTIONS) });
window.finish = async () => {
  history.pushState({}, "", "/end");
  await new Promise((go) => setTimeout(go, 4000));
  return "";
};
window.ready = true;
</script>"""

_CLARITY = """<script>
window.kept = [];
window.clarity = (...all) => (clarity.q = clarity.q ?? []).push(all);
clarity("start", { projectId: "bench", upload: (sent) => void kept.push(sent), ...(OPTIONS) });
</script><script src="/peers/clarity-js.js"></script><script>
window.finish = async () => {
  await new Promise((go) => setTimeout(go, 3500));
  return JSON.stringify(kept);
};
window.ready = true;
</script>"""

WAYS: dict[str, tuple[str, str]] = {
    "overt": (_OVERT, ""),
    "rrweb": (_RRWEB, "{}"),
    "rrweb, all masks": (
        _RRWEB,
        """{ maskAllInputs: true, maskTextSelector: "*", slimDOMOptions: "all",
           ignoreSelector: "input, textarea, select, [contenteditable]" }""",
    ),
    "posthog-js": (_POSTHOG, "{}"),
    "posthog-js, all masks": (
        _POSTHOG,
        """{ mask_all_text: true, mask_all_element_attributes: true,
           mask_personal_data_properties: true,
           session_recording: { maskAllInputs: true, maskTextSelector: "*" } }""",
    ),
    "clarity-js": (_CLARITY, "{}"),
    "clarity-js, all masks": (_CLARITY, """{ content: false, mask: ["html"], drop: ["q"] }"""),
}

_STORED = """async () => {
  const found = [{ ...localStorage }, { ...sessionStorage }, document.cookie];
  for (const { name } of await indexedDB.databases()) {
    const asked = indexedDB.open(name);
    const db = await new Promise((done) => (asked.onsuccess = () => done(asked.result)));
    for (const store of db.objectStoreNames) {
      const all = db.transaction(store).objectStore(store).getAll();
      found.push(await new Promise((done) => (all.onsuccess = () => done(all.result))));
    }
    db.close();
  }
  const text = (_, value) =>
    ArrayBuffer.isView(value) ? String.fromCharCode(...new Uint8Array(value.buffer)) : value;
  return JSON.stringify(found, text);
}"""


def leaked(browser: Any, way: str, site: pages.Pages, elsewhere: pages.Pages) -> dict[str, Any]:
    """Return the places whose secrets were found, and how many bytes were searched."""
    script, options = WAYS[way]
    recorder = script.replace("OPTIONS", options).replace("PURPOSES", json.dumps(pages.PURPOSES))
    site.bodies["/probed"] = "text/html", probes.page(recorder, elsewhere.url)
    site.received.clear()
    said: list[str] = []
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    probes.visit(page, f"{site.url}/probed")
    page.wait_for_function("window.ready")
    probes.use(page)
    kept = page.evaluate("finish()")
    stored = page.evaluate(_STORED)
    context.close()
    chunks = [kept.encode(), stored.encode("utf-8", "replace"), *map(str.encode, said)]
    chunks += site.received
    if way == "overt":
        chunks += probes.typed(json.loads(kept))
    found = probes.search(chunks)
    return {
        "places": [place for place in probes.PLACES if place in found],
        "of": len(probes.PLACES),
        "searched_bytes": sum(map(len, chunks)),
    }


def measured(browser: Any, site: pages.Pages, ways: list[str]) -> dict[str, Any]:
    """Return what was found of each recorder that npm could get."""
    found: dict[str, Any] = {}
    with pages.serving(site.peers) as elsewhere:
        for each in (site, elsewhere):
            each.bodies["/frame"] = "text/html", probes.FRAME
        for way in ways:
            name = way.partition(",")[0]
            if name == "overt" or name in site.peers:
                print(f"leaks: {way}", file=sys.stderr, flush=True)
                found[way] = leaked(browser, way, site, elsewhere)
    return found


def shown(found: dict[str, Any]) -> str:
    """Return a table: a line for each place, a column for each recorder."""
    lines = [" " * 24 + "".join(f"{way:>24}" for way in found)]
    for place in probes.PLACES:
        marks = ("found" if place in one["places"] else "" for one in found.values())
        lines.append(f"{place:<24}" + "".join(f"{mark:>24}" for mark in marks))
    counts = (f"{len(one['places'])} of {len(probes.PLACES)}" for one in found.values())
    return "\n".join([*lines, f"{'places':<24}" + "".join(f"{count:>24}" for count in counts)])


def main() -> None:
    """Search and print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--json", action="store_true")
    options.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS))
    chosen = options.parse_args()
    with pages.serving(recorders.scripts()) as site, pages.browser() as chrome:
        found = measured(chrome, site, chosen.only)
    print(json.dumps(found) if chosen.json else shown(found))


if __name__ == "__main__":
    main()
