"""The indicator in a real Chromium: what people and ordinary pages do to it, and what hides it.

The page's clock is faked, so that the looks at the indicator, some a second, come at once.
"""

from __future__ import annotations

from typing import Any

import pytest

from hostile import AGAIN, BEHIND_ITS_BACK
from overt.schema.event import Kind
from sdk_fixtures import AT_ONCE_MS, FIXTURES, WITH_CLOCK, Server, join, opened, seen, until

browser, context, own, page, server, shared = FIXTURES

LONG = "ŴĕĕŕŕéćóŕďîñğŵĥâţýóûďóîñţĥîśþàĝéâńďñöẅĥéŕéèĺśèÅñđßöøñ"
"""A word of a pseudo-locale: longer than any language's, without a place to break."""


@pytest.fixture
def still(own: Any, server: Server) -> Any:
    """A page that records, whose clock goes as it is told."""
    own.add_init_script("""
      const attach = Element.prototype.attachShadow;
      Element.prototype.attachShadow = function (how) {
        return (window.lastRoot = attach.call(this, how));
      };""")
    own.clock.install()
    own.add_init_script(WITH_CLOCK)
    page = opened(own, server)
    join(page)
    return page


def phase(page: Any, after_ms: int = 1000) -> str:
    """Return `recording`, or why not, that much later."""
    page.clock.run_for(after_ms)
    return str(page.evaluate("overt.state().reason || overt.state().phase"))


def box(page: Any) -> dict[str, float]:
    found = page.evaluate("document.querySelector('overt-indicator').getBoundingClientRect()")
    return dict(found)


def zoomed(page: Any) -> None:
    """200 %: half as many CSS pixels, each of them twice as large."""
    devtools = page.context.new_cdp_session(page)
    small = {"width": 320, "height": 360, "deviceScaleFactor": 2, "mobile": False}
    devtools.send("Emulation.setDeviceMetricsOverride", small)


def magnified(page: Any) -> None:
    page.context.new_cdp_session(page).send("Emulation.setPageScaleFactor", {"pageScaleFactor": 3})


KEYBOARD = """() => {
  window.plain = Object.getOwnPropertyDescriptor(window, "visualViewport");
  const height = document.documentElement.clientHeight - 150;
  Object.defineProperty(window, "visualViewport", {
    value: { scale: 1, offsetTop: 0, height }, configurable: true }); }"""
"""One on the screen takes nothing off the page's height, but off what is seen of it."""

SEEN_DIFFERENTLY = {
    "a keyboard on the screen": lambda page: page.evaluate(KEYBOARD),
    "which goes": lambda page: page.evaluate(
        "Object.defineProperty(window, 'visualViewport', plain)"
    ),
    "zoom of 200 %": zoomed,
    "long words": lambda page: page.evaluate(
        "(word) => { lastRoot.querySelector('span').textContent = word + word; }", LONG
    ),
    "right to left": lambda page: page.evaluate("document.documentElement.dir = 'rtl'"),
    "forced colours": lambda page: page.emulate_media(forced_colors="active"),
    "high contrast": lambda page: page.emulate_media(contrast="more"),
    "colours turned round": lambda page: page.evaluate(
        "document.documentElement.style.filter = 'invert(1) hue-rotate(180deg)'"
    ),
    "reduced motion": lambda page: page.emulate_media(reduced_motion="reduce"),
    "large type": lambda page: page.evaluate("document.documentElement.style.fontSize = '40px'"),
    "zoom by style": lambda page: page.evaluate("document.documentElement.style.zoom = '1.5'"),
    "magnified": magnified,
}


def test_who_sees_a_page_differently_is_recorded_all_the_same(still: Any) -> None:
    for how, change in SEEN_DIFFERENTLY.items():
        change(still)
        assert phase(still) == "recording", how
        here, width = box(still), still.evaluate("innerWidth")
        assert here["left"] >= 0, how
        assert here["right"] <= width, how
        assert here["width"] >= 44, how
        foot = "visualViewport.offsetTop + visualViewport.height * visualViewport.scale"
        assert here["bottom"] <= still.evaluate(foot), how
    assert Kind.PAUSE not in {event["kind"] for event in seen(still)}


DIALOG = """(id) => {
  const dialog = Object.assign(document.createElement("dialog"), { id });
  dialog.style.cssText = "position:fixed;inset:0;width:100vw;height:100vh;max-width:none;margin:0";
  document.body.append(dialog);
  dialog.showModal();
}"""
ORDINARY = {
    "banner": """document.documentElement.insertAdjacentHTML("beforeend", `<div
      style="position:fixed;inset:auto 0 0 0;height:200px;z-index:2147483647">cookies</div>`)""",
    "page out of shape": "document.body.style.cssText += ';transform:scale(.9);filter:blur(1px)'",
    "popover": """document.body.insertAdjacentHTML("beforeend", `<div popover id="menu"
      style="inset:0;width:100vw;height:100vh">menu</div>`), menu.showPopover()""",
    "popover closes": "menu.hidePopover()",
    "dialog": f"({DIALOG})('first')",
    "dialog over a dialog": f"({DIALOG})('second')",
    "dialog is gone": "second.remove()",
    "dialog closes": "first.close()",
}


BACK = "document.querySelector('overt-indicator')?.checkVisibility()"
"""Gone with a dialog, it is raised anew as soon as the browser says that it is gone."""


def test_ordinary_pages_do_not_hide_it_and_in_a_dialog_it_can_be_pressed(still: Any) -> None:
    for how, change in ORDINARY.items():
        still.evaluate(change)
        still.wait_for_function(BACK)
        assert phase(still) == "recording", how
        assert phase(still) == "recording", how
        place = box(still)
        at = [place["left"] + place["width"] / 2, place["top"] + place["height"] / 2]
        top = still.evaluate("([x, y]) => document.elementFromPoint(x, y).localName", at)
        assert top == "overt-indicator", how
    still.evaluate("box.onclick = () => box.requestFullscreen()")
    still.click("#box")
    still.wait_for_function("document.fullscreenElement")
    assert phase(still) == "recording"
    still.evaluate("document.exitFullscreen()")
    assert Kind.PAUSE not in {event["kind"] for event in seen(still)}
    still.evaluate(ORDINARY["dialog"].replace("first", "third"))
    assert phase(still) == "recording"
    place = box(still)
    still.mouse.click(place["right"] - 18, place["top"] + place["height"] / 2)
    until(still, "paused")
    assert still.evaluate("overt.state().reason") == "person"


def test_in_a_frame_it_must_lie_in_what_is_seen_of_the_frame(own: Any, server: Server) -> None:
    own_page = own.new_page()
    frame = f'<iframe src="{server.url}/" style="width:600px;height:500px"></iframe>'
    server.pages["/around"] = f"<!doctype html>{frame}".encode()
    own_page.goto(f"{server.url}/around")
    inside = own_page.frames[1]
    inside.wait_for_function("window.ready")
    join(inside)
    own_page.evaluate("document.querySelector('iframe').style.height = '4000px'")
    inside.wait_for_function("overt.state().reason === 'indicator'", timeout=AT_ONCE_MS)
    own_page.evaluate("scrollTo(0, 4000)")
    until(inside, "recording")
    own_page.evaluate(f"{THROUGH}; cover.showPopover()")
    inside.wait_for_function("overt.state().reason === 'indicator'", timeout=AT_ONCE_MS)
    own_page.evaluate("cover.remove()")
    until(inside, "recording")


THROUGH = """document.body.insertAdjacentHTML("beforeend", `<div id="cover" popover="manual"
  style="inset:0;width:100vw;height:100vh;background:#fff;pointer-events:none"></div>`)"""
"""No hit test finds it; what is painted over what, the browser alone knows."""
TOLD = """() => {
  const look = new IntersectionObserver(([seen]) => { window.onTop = seen.isVisible },
    { trackVisibility: true, delay: 100 });
  look.observe(document.querySelector("overt-indicator"));
}"""


def test_what_is_painted_over_it_and_lets_presses_through_hides_it_too(
    own: Any, server: Server
) -> None:
    page = opened(own, server)
    join(page)
    page.evaluate(f"{THROUGH}; cover.showPopover()")
    page.evaluate(TOLD)
    page.wait_for_function("window.onTop")  # it comes back there by itself
    assert page.evaluate("overt.state().phase") == "recording"
    page.evaluate("setInterval(() => { cover.hidePopover(); cover.showPopover(); }, 50)")
    page.wait_for_function("overt.state().reason === 'indicator'", timeout=AT_ONCE_MS)


TURNS = """async (slow) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`::view-transition-group(*) { animation-duration: ${slow} }`);
  document.adoptedStyleSheets = [sheet];
  const turning = document.startViewTransition();
  const began_ms = performance.now();
  await (slow === "400ms" ? turning.finished : turning.ready);
  return performance.now() - began_ms;
}"""


def test_behind_a_page_that_turns_into_another_without_end_recording_stops(
    own: Any, server: Server
) -> None:
    page = opened(own, server)
    join(page)
    page.evaluate(TURNS, "1e6s")
    page.wait_for_function("overt.state().reason === 'indicator'", timeout=3000)


@pytest.mark.soak
def test_a_page_that_turns_into_another_for_a_moment_does_not_pause(
    own: Any, server: Server
) -> None:
    page = opened(own, server)
    join(page)
    long = 0
    for read_ms in range(600, 1500, 70):  # wherever in it a look falls
        long += page.evaluate(TURNS, "400ms") > 550
        page.wait_for_timeout(read_ms)  # one after the other without a gap would hide it
    pauses = [event["kind"] for event in seen(page)].count(Kind.PAUSE)
    assert pauses <= long  # what a busy computer drew out may have hidden it for a second


SHEETS = """const draw = CSSStyleSheet.prototype.replaceSync;
CSSStyleSheet.prototype.replaceSync = function (text) { draw.call((window.sheet = this), text); };
"""
"""A hostile page keeps hold of the sheet that the sign is drawn with."""

HIDING = {
    "removed": "document.querySelector('overt-indicator').remove()",
    "transparent": "document.documentElement.style.opacity = '0.01'",
    "faded by a filter": "document.documentElement.style.filter = 'opacity(5%)'",
    "paled": "document.documentElement.style.filter = 'contrast(0.1)'",
    "blurred": "document.documentElement.style.filter = 'blur(9px)'",
    "its words in the colour behind them": """sheet.insertRule("span{color:#1c1f24}")""",
    "its words hidden": """sheet.insertRule("span{visibility:hidden}")""",
    "made small": "document.documentElement.style.zoom = '0.3'",
    "not displayed": "document.documentElement.style.display = 'none'",
    "clipped": "document.documentElement.style.clipPath = 'inset(0 0 90% 0)'",
    "covered again and again": """document.body.insertAdjacentHTML("beforeend", `<div id="cover"
      popover="manual" style="inset:0;width:100vw;height:100vh"></div>`);
      window.covers = setInterval(() => { cover.hidePopover(); cover.showPopover(); }, 50)""",
}


def test_whatever_hides_it_stops_recording_within_a_second(still: Any, server: Server) -> None:
    still.add_init_script(SHEETS)
    for how, change in HIDING.items():
        still.goto(server.url)
        still.wait_for_function("window.ready")
        until(still, "recording")
        still.evaluate(f"async () => {{ {change} }}")
        assert phase(still) == "indicator", how
        before = len(seen(still))
        still.keyboard.press("ArrowDown")
        still.mouse.move(5, 5)
        assert len(seen(still)) == before, how
        last = still.evaluate("seen.at(-1)")
        assert (last["kind"], last["value"]) == (Kind.PAUSE, 2), how
    still.evaluate("clearInterval(covers), cover.remove()")
    until(still, "recording")  # what is seen again is recorded again


def test_a_page_that_replaces_what_the_sign_is_judged_by_hides_nothing(
    own: Any, server: Server
) -> None:
    page = opened(own, server)
    join(page)
    for how, change in BEHIND_ITS_BACK.items():
        page.evaluate(f"() => {{ {change} {AGAIN} }}")
        page.wait_for_function("overt.state().phase !== 'recording'", timeout=AT_ONCE_MS)
        before = len(seen(page))
        page.keyboard.press("ArrowDown")
        assert len(seen(page)) == before, how
        page.goto(server.url)
        page.wait_for_function("window.ready")
        until(page, "recording")
