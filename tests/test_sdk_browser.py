"""The SDK in a real Chromium against a collector on a real socket."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from overt.schema.batch import inflate
from overt.schema.event import Edit, KeyClass, Kind, Role
from sdk_fixtures import PURPOSES, Server, is_whole, serving

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CANARY = "Xq7zCanaryZw3"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
KEYBOARD = {Kind.KEY_DOWN, Kind.KEY_UP, Kind.EDIT, Kind.COMPOSITION_START, Kind.COMPOSITION_END}

Opened = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium here: python tools/chromium.py says how to get one")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    context.set_default_timeout(8000)
    yield context
    context.close()


@pytest.fixture
def page(context: Any, server: Server) -> Any:
    return opened(context, server)


def opened(context: Any, server: Server, path: str = "/") -> Any:
    page = context.new_page()
    page.console = []
    hints = "[DOM]"  # what Chromium says of the test page's form
    page.on(
        "console",
        lambda message: message.text.startswith(hints) or page.console.append(message.text),
    )
    page.on("pageerror", lambda error: page.console.append(f"error: {error}"))
    page.goto(server.url + path)
    if path == "/":
        page.wait_for_function("window.ready")
    return page


def join(page: Any, purposes: list[str] | None = None) -> None:
    page.evaluate("(purposes) => overt.join(purposes)", purposes or PURPOSES)
    until(page, "recording")


def until(page: Any, phase: str) -> None:
    page.wait_for_function("(phase) => overt.state().phase === phase", arg=phase)


def eventually(page: Any, expression: str, argument: object = None) -> Any:
    """Return what a JavaScript expression (of `it`) comes to as soon as it is true."""
    script = """async (it) => {
      const end = performance.now() + 8000;
      for (;;) {
        const value = await (EXPRESSION);
        if (value) return value;
        if (performance.now() > end) throw new Error("waited in vain");
        await new Promise((again) => setTimeout(again, 20));
      }
    }"""
    return page.evaluate(script.replace("EXPRESSION", expression), argument)


def kinds(page: Any) -> list[int]:
    return [event["kind"] for event in page.evaluate("seen")]


def counts(page: Any) -> dict[str, int]:
    return dict(page.evaluate("overt.counts()"))


def send(page: Any) -> dict[str, int]:
    page.evaluate("overt.sendNow()")
    return counts(page)


def databases(page: Any) -> list[str]:
    return [entry["name"] for entry in page.evaluate("indexedDB.databases()")]


def use(page: Any) -> None:
    """Do a bit of everything in fields that may be recorded."""
    page.click("#listed")
    page.keyboard.type("ab c1.")
    page.mouse.move(300, 200, steps=5)
    page.click("#button")


# -- consent --------------------------------------------------------------------------------------


def test_no_receipt_no_event_and_no_storage(page: Any, server: Server) -> None:
    use(page)
    assert page.evaluate("overt.state().phase") == "none"
    assert page.evaluate("seen") == []
    assert databases(page) == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.evaluate("document.cookie") == ""
    assert server.tries == []
    assert [
        line for line in server.received if line and b"/v1/studies/test/notice" not in line
    ] == []
    assert page.locator("overt-indicator").count() == 0


def test_joining_without_a_purpose_or_a_notice_is_refused(page: Any) -> None:
    refused = "(purposes) => overt.join(purposes).then(() => '', (error) => error.message)"
    assert "no purpose was chosen" in page.evaluate(refused, [])
    assert databases(page) == []


def test_only_kinds_that_a_consented_purpose_needs_are_created(page: Any, server: Server) -> None:
    join(page, ["typing-assist"])
    use(page)
    page.mouse.wheel(0, 200)
    send(page)
    found = {event["kind"] for event in server.events()}
    assert {Kind.KEY_DOWN, Kind.EDIT, Kind.FOCUS} <= found
    assert not found & {Kind.POINTER_MOVE, Kind.POINTER_DOWN, Kind.CLICK, Kind.WHEEL}
    assert {header.purposes for header, _ in server.batches()} == {("typing-assist",)}


def test_a_changed_notice_asks_again(page: Any, server: Server) -> None:
    join(page)
    server.version = 2
    page.reload()
    until(page, "off")
    assert page.evaluate("overt.state().reason") == "notice"


# -- what is recorded -----------------------------------------------------------------------------


def test_typing_is_recorded_as_class_and_time(page: Any, server: Server) -> None:
    join(page)
    page.click("#free")
    page.keyboard.type("Ab 1,")
    page.keyboard.press("Backspace")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+x")
    page.keyboard.press("Control+v")
    produced = send(page)
    session = server.sessions()[0]
    events = server.events(session)
    assert is_whole([event["seq"] for event in events])
    assert produced["produced"] == produced["acknowledged"] == produced["stored"] == len(events)
    assert produced["waiting"] == 0
    assert events[0]["kind"] == Kind.SESSION_START
    down = [event for event in events if event["kind"] == Kind.KEY_DOWN]
    up = [event for event in events if event["kind"] == Kind.KEY_UP]
    classes = [event["key_class"] for event in down]
    assert classes[:2] == [KeyClass.LETTER, KeyClass.LETTER] or classes[0] == KeyClass.SHIFT
    typed = [KeyClass.LETTER, KeyClass.SPACE, KeyClass.DIGIT, KeyClass.PUNCTUATION]
    assert [c for c in classes if c in typed][:5] == [KeyClass.LETTER, *typed]
    assert len(down) == len(up)
    assert {(event["slot"], event["key_class"]) for event in up} <= {
        (event["slot"], event["key_class"]) for event in down
    }
    assert all(event["key_symbol"] == 0 for event in events)
    assert all(event["role"] == Role.TEXT_AREA for event in down)
    edits = [(event["edit"], event["edit_chars"]) for event in events if event["edit"]]
    assert edits[:6] == [(Edit.INSERT_TEXT, 1)] * 5 + [(Edit.DELETE_CHAR_BACKWARD, 1)]
    assert edits[6:] == [(Edit.DELETE_CUT, 4), (Edit.INSERT_PASTE, 4)]
    assert all(event["t_us"] > 0 for event in events)


def test_level_keys_keeps_characters_in_listed_fields_only(server: Server, context: Any) -> None:
    server.level = "keys"
    page = opened(context, server)
    join(page)
    page.click("#listed")
    page.keyboard.type("h;")
    page.keyboard.press("Enter")
    page.click("#unlisted")
    page.keyboard.type(CANARY)
    page.click("#password")
    page.keyboard.type(CANARY)
    page.click("#button")
    page.keyboard.press("Control+b")
    send(page)
    symbols = [e["key_symbol"] for e in server.events() if e["kind"] == Kind.KEY_DOWN]
    assert symbols == [ord("h"), ord(";"), 0x110000 + KeyClass.ENTER, 0, 0]


def test_pointer_positions_clicks_wheel_and_scroll_are_recorded(page: Any, server: Server) -> None:
    join(page)
    page.mouse.move(100, 100)
    page.mouse.move(200, 150, steps=10)
    page.dblclick("#inner")
    page.hover("#box")
    page.mouse.wheel(0, 120)
    page.wait_for_function("seen.some((event) => event.kind === 11)")
    send(page)
    events = server.events(server.sessions()[0])
    moves = [e for e in events if e["kind"] == Kind.POINTER_MOVE]
    assert [(e["x_8th_css_px"] / 8, e["y_8th_css_px"] / 8) for e in moves[1:11]][-1] == (200, 150)
    assert len(moves) >= 11
    clicks = [e for e in events if e["kind"] == Kind.CLICK]
    assert [(e["value"], e["button"], e["role"]) for e in clicks] == [
        (n, 1, Role.BUTTON) for n in (1, 2)
    ]
    assert clicks[0]["element"] == clicks[1]["element"] > 0
    wheel = next(e for e in events if e["kind"] == Kind.WHEEL)
    assert wheel["scroll_y_css_px"] == 120
    scrolls = [e for e in events if e["kind"] == Kind.SCROLL]
    assert sum(e["scroll_y_css_px"] for e in scrolls) == 120
    assert all(e["role"] != Role.PAGE for e in scrolls)
    header = server.batches()[0][0]
    assert header.clock_resolution_us in range(1, 1001)
    streams = {header.purposes for header, _ in server.batches()}
    assert ("person-or-program",) in streams
    assert tuple(PURPOSES) in streams


def test_moving_the_caret_is_recorded_once_and_typing_is_not_a_selection(page: Any) -> None:
    join(page)
    page.click("#listed")
    page.keyboard.type("abc")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("seen.some((event) => event.kind === 15)")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("seen.filter((event) => event.kind === 15).length === 2")
    moved = [event["value"] for event in page.evaluate("seen") if event["kind"] == Kind.SELECTION]
    assert moved == [1, 2]


def test_composing_is_recorded_without_doubles(page: Any, context: Any) -> None:
    join(page)
    page.click("#listed")
    devtools = context.new_cdp_session(page)
    for text in ("n", "ni", "你"):
        devtools.send(
            "Input.imeSetComposition",
            {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
        )
    devtools.send("Input.insertText", {"text": "你"})
    page.wait_for_function("seen.some((event) => event.kind === 5)")
    found = kinds(page)
    assert found.count(Kind.COMPOSITION_START) == found.count(Kind.COMPOSITION_END) == 1
    edits = [event["edit"] for event in page.evaluate("seen") if event["edit"]]
    assert set(edits) <= {Edit.INSERT_COMPOSITION, Edit.INSERT_TEXT}
    assert len(edits) <= 4


def test_events_made_by_scripts_are_ignored_and_counted(page: Any) -> None:
    join(page)
    page.evaluate(
        """() => { for (const type of ["keydown", "keyup"])
        listed.dispatchEvent(new KeyboardEvent(type, { key: "a", code: "KeyA", bubbles: true }));
        listed.click(); }"""
    )
    assert not KEYBOARD & set(kinds(page))
    assert Kind.CLICK not in kinds(page)
    assert counts(page)["untrusted"] == 3


# -- secrets --------------------------------------------------------------------------------------

DUMP = """async () => {
  const bytes = [];
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => {
      const request = indexedDB.open(name); request.onsuccess = () => done(request.result); });
    for (const store of db.objectStoreNames) {
      const all = (what) => new Promise((done) => {
        const request = db.transaction(store).objectStore(store)[what]();
        request.onsuccess = () => done(request.result); });
      bytes.push(JSON.stringify(await all("getAllKeys")));
      for (const value of await all("getAll")) bytes.push(value instanceof Uint8Array
        ? [...value].map((byte) => String.fromCharCode(byte)).join("") : String(value));
    }
    db.close();
  }
  for (const entry of await overt.outbox())
    bytes.push(JSON.stringify({ ...entry, bytes: "" }), new TextDecoder().decode(entry.bytes));
  return bytes;
}"""


def test_a_canary_in_secret_and_unlisted_fields_is_found_nowhere(page: Any, server: Server) -> None:
    join(page)
    page.evaluate("(text) => { hidden.value = text; }", CANARY)
    for selector in ("#password", "#card", "#unlisted", "#secretdiv"):
        page.click(selector)
        page.keyboard.type(CANARY)
    page.click("#show")
    page.click("#password")
    page.keyboard.type(CANARY)
    page.click("#password", click_count=3)
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    page.click("#strange")
    page.keyboard.type("01022003")
    page.click("#secretdiv")
    page.keyboard.press("Enter")
    page.keyboard.press("Backspace")
    suppressed = {*KEYBOARD, Kind.SELECTION}
    assert not suppressed & set(kinds(page)), "not even the time of a key in a suppressed field"
    page.click("#free")
    page.keyboard.type(CANARY)
    page.wait_for_function(
        "(n) => seen.filter((event) => event.kind === 3).length === n", arg=len(CANARY)
    )
    dump = page.evaluate(DUMP)
    assert len(dump) > 4
    send(page)
    sent = [inflate(body) for body in server.received if body[:2] == b"\x1f\x8b"]
    assert sent
    everything = [*server.received, *sent, *(text.encode() for text in [*dump, *page.console])]
    everything.append(json.dumps(page.evaluate("seen")).encode())
    for needle in (CANARY, CANARY[:6], CANARY[::-1]):
        for form in (needle.encode(), needle.encode("utf-16-le"), needle.lower().encode()):
            assert not any(form in chunk for chunk in everything)
    codes = [ord(char) for char in CANARY]
    assert not any(event["key_symbol"] in codes for event in server.events())


def test_a_password_shown_before_joining_or_replaced_stays_secret(page: Any) -> None:
    page.click("#show")
    join(page)
    page.click("#password")
    page.keyboard.type(CANARY)
    page.evaluate(
        """() => { const plain = document.createElement("input");
        plain.id = "password"; password.replaceWith(plain); }"""
    )
    page.click("#password")
    page.keyboard.type(CANARY)
    page.evaluate("listed.style.webkitTextSecurity = 'disc'")
    page.click("#listed")
    page.keyboard.type(CANARY)
    assert not KEYBOARD & set(kinds(page))


def test_enter_in_a_secret_field_is_not_seen_as_a_click_on_the_button(page: Any) -> None:
    join(page)
    page.click("#password")
    before = kinds(page).count(Kind.CLICK)
    page.keyboard.press("Enter")
    page.click("#button")
    assert kinds(page).count(Kind.CLICK) == before + 1


def test_a_key_that_goes_down_in_a_listed_field_and_up_in_a_secret_one_has_no_release(
    page: Any,
) -> None:
    join(page)
    page.click("#listed")
    page.keyboard.down("a")
    page.click("#password")
    page.keyboard.up("a")
    page.click("#listed")
    page.keyboard.press("b")
    found = [(e["kind"], e["slot"]) for e in page.evaluate("seen") if e["kind"] in (1, 2)]
    assert found == [(1, 1), (1, 1), (2, 1)]


def test_outside_of_fields_only_keys_without_a_character_are_recorded(page: Any) -> None:
    join(page)
    page.focus("#button")
    page.keyboard.type("secret")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+b")
    down = [e["key_class"] for e in page.evaluate("seen") if e["kind"] == Kind.KEY_DOWN]
    assert down == [KeyClass.ARROW, KeyClass.CONTROL, KeyClass.LETTER]


def test_a_field_in_a_shadow_root_is_not_known_and_so_suppressed(page: Any) -> None:
    page.evaluate(
        """() => { for (const mode of ["open", "closed"]) {
        const host = document.createElement("div"); document.body.prepend(host);
        const field = document.createElement("input"); field.id = "listed"; field.size = 60;
        host.attachShadow({ mode }).append(field); host.id = mode; } }"""
    )
    join(page)
    for mode in ("open", "closed"):
        page.click(f"#{mode}", position={"x": 20, "y": 8})
        page.keyboard.type(CANARY)
        page.keyboard.press("Backspace")
    assert not KEYBOARD & set(kinds(page))


# -- the outbox -----------------------------------------------------------------------------------


def test_the_outbox_is_emptied_only_by_an_acknowledgement(page: Any, server: Server) -> None:
    join(page, ["typing-assist"])
    page.click("#listed")
    page.keyboard.type("abc")
    server.answers = [(500, {}), (503, {"Retry-After": "1"}), (429, {}), (302, {}), (409, {})]
    for _ in range(4):
        assert send(page)["acknowledged"] == 0
    before = counts(page)
    assert before["waiting"] == before["produced"] == before["sent"] > 6
    after = send(page)
    assert after["acknowledged"] == after["produced"]
    assert after["waiting"] == 0
    assert len(page.evaluate("overt.outbox()")) == 0
    assert len({body for _, body in server.tries}) == 1, "the same bytes each time"


def test_an_entry_leaves_by_itself_after_its_delay_and_not_before(
    context: Any, server: Server
) -> None:
    page = opened(context, server)
    join(page, ["typing-assist"])
    page.click("#listed")
    page.keyboard.type("abc")
    first = "overt.outbox().then(([it]) => it && { ...it, bytes: [...it.bytes] })"
    entry = eventually(page, first)
    assert server.tries == []
    assert entry["due_ms"] - entry["closed_ms"] == 1000
    eventually(page, "overt.counts().then((counts) => counts.acknowledged)")
    assert page.evaluate("Date.now()") >= entry["due_ms"]
    assert inflate(server.tries[0][1]) == bytes(entry["bytes"]), "what was shown is what left"


def test_a_refused_token_is_refreshed_and_too_large_is_split(page: Any, server: Server) -> None:
    join(page, ["typing-assist"])
    page.click("#listed")
    page.keyboard.type("abcdef")
    server.token += 1
    server.answers = [(413, {}), (413, {})]
    for _ in range(3):
        after = send(page)
    assert [status for status, _ in server.tries][:2] == [401, 413]
    assert after["waiting"] == after["quarantined"] == 0
    events = server.events(server.sessions()[0])
    assert is_whole([event["seq"] for event in events])
    assert len(server.stored) == 3


def test_a_batch_that_can_never_be_accepted_is_quarantined_and_counted(
    page: Any, server: Server
) -> None:
    join(page, ["typing-assist"])
    server.answers = [(422, {})]
    after = send(page)
    assert after["quarantined"] == after["produced"] == 1
    assert after["waiting"] == after["acknowledged"] == 0


def test_what_the_person_removes_never_leaves_and_is_counted(page: Any, server: Server) -> None:
    join(page, ["typing-assist"])
    page.click("#listed")
    page.keyboard.type("abc")
    removed = page.evaluate("overt.removeSince(5)")
    assert removed > 6
    page.keyboard.type("d")
    after = send(page)
    assert after["removed"] == removed
    assert after["produced"] == removed + after["acknowledged"]
    header = server.batches()[-1][0]
    assert (header.removed, header.first_seq) == (removed, removed)


def test_a_reload_loses_nothing_and_closes_the_session(page: Any, server: Server) -> None:
    join(page)
    use(page)
    page.reload()
    page.wait_for_function("window.ready")
    until(page, "recording")
    eventually(page, "overt.outbox().then((list) => list.some((entry) => entry.header.end))")
    after = send(page)
    assert after["lost"] == after["waiting"] == 0
    first = server.sessions()[0]
    events = server.events(first)
    assert is_whole([event["seq"] for event in events])
    assert events[-1]["kind"] == Kind.SESSION_END
    ends = [header for header, _ in server.batches() if header.session == first and header.end]
    assert [header.produced for header in ends] == [len(events)]
    assert sum(event["edit"] == Edit.INSERT_TEXT for event in events) == 6


def test_a_killed_page_keeps_what_was_journalled_and_is_unclean(
    page: Any, context: Any, server: Server
) -> None:
    server.answers = [(503, {})] * 50
    join(page, ["typing-assist"])
    page.click("#listed")
    page.keyboard.type("abc")
    count = page.evaluate("overt.counts().then((counts) => counts.produced)")
    eventually(page, "overt.outbox().then((list) => list.length)")
    with pytest.raises(sync_api.Error):
        page.goto("chrome://crash", timeout=4000)
    server.answers = []
    second = opened(context, server)
    until(second, "recording")
    eventually(second, "overt.counts().then((all) => all.acknowledged >= it)", count)
    first = server.sessions()[0]
    assert is_whole([event["seq"] for event in server.events(first)])
    assert not any(header.end for header, _ in server.batches() if header.session == first)


def test_with_no_days_to_hold_what_a_closed_page_left_is_lost_and_counted(
    context: Any, server: Server
) -> None:
    server.hold_days, server.outbox_delay_s = 0, 3600
    page = opened(context, server)
    join(page, ["typing-assist"])
    page.click("#listed")
    page.keyboard.type("abc")
    page.close()
    page = opened(context, server)
    eventually(page, "overt.counts().then((counts) => counts.lost > 6)")
    assert page.evaluate("overt.outbox()") == []
    assert server.tries == []


def test_several_tabs_are_several_sessions_and_nothing_is_doubled(
    page: Any, context: Any, server: Server
) -> None:
    join(page)
    other = opened(context, server)
    until(other, "recording")
    for tab in (page, other):
        tab.bring_to_front()
        use(tab)
    page.evaluate("void overt.sendNow()")
    send(other)
    send(page)
    sessions = server.sessions()
    assert len(sessions) == 2
    for session in sessions:
        assert is_whole([event["seq"] for event in server.events(session)])
    assert [status for status, _ in server.tries if status != 200] == []


# -- pause, indicator, leaving --------------------------------------------------------------------


def test_pause_stops_at_once_survives_a_reload_and_reaches_other_tabs(
    page: Any, context: Any
) -> None:
    join(page)
    other = opened(context, page_server(page))
    until(other, "recording")
    page.bring_to_front()
    page.evaluate("overt.pause()")
    until(other, "paused")
    before = len(page.evaluate("seen"))
    use(page)
    assert len(page.evaluate("seen")) == before
    assert page.evaluate("seen.at(-1)")["value"] == 1
    page.reload()
    page.wait_for_function("window.ready")
    use(page)
    assert page.evaluate("[overt.state().phase, overt.state().reason]") == ["paused", "person"]
    assert page.evaluate("seen") == []
    page.evaluate("overt.resume()")
    use(page)
    assert Kind.KEY_DOWN in kinds(page)


def page_server(page: Any) -> Server:
    return Server(url=page.url.rstrip("/"))


def test_the_indicator_pauses_by_mouse_and_by_keyboard(page: Any) -> None:
    join(page)
    box = page.locator("overt-indicator").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 18, box["y"] + box["height"] / 2)
    until(page, "paused")
    page.keyboard.press("Enter")
    until(page, "recording")


HIDING = {
    "removed": "document.querySelector('overt-indicator').remove()",
    "page hidden": "document.documentElement.style.opacity = '0.01'",
    "covered": """document.body.insertAdjacentHTML('beforeend',
      '<div style="position:fixed;inset:0;z-index:2147483647"></div>');
      document.documentElement.append(document.body.lastElementChild)""",
}


@pytest.mark.parametrize("how", HIDING)
def test_recording_stops_within_a_second_of_the_indicator_being_gone(page: Any, how: str) -> None:
    join(page)
    page.evaluate(HIDING[how])
    page.wait_for_function(
        "() => overt.state().phase === 'paused' && overt.state().reason === 'indicator'",
        timeout=1000,
    )
    before = len(page.evaluate("seen"))
    page.focus("#listed")
    page.keyboard.type("abc")
    assert len(page.evaluate("seen")) == before
    last = page.evaluate("seen.at(-1)")
    assert (last["kind"], last["value"]) == (Kind.PAUSE, 2)


def test_a_page_style_cannot_hide_the_indicator(page: Any) -> None:
    join(page)
    page.add_style_tag(
        content="overt-indicator{display:none!important;opacity:0!important;left:-999px!important}"
    )
    page.evaluate(
        "document.querySelector('overt-indicator').style.cssText = 'display:none!important'"
    )
    box = page.locator("overt-indicator").bounding_box()
    assert box["width"] > 80
    assert box["x"] > 0


def test_withdrawing_stops_and_purges_here_and_in_other_tabs(
    page: Any, context: Any, server: Server
) -> None:
    join(page)
    other = opened(context, server)
    until(other, "recording")
    use(other)
    page.bring_to_front()
    page.evaluate("overt.withdraw()")
    for tab in (page, other):
        tab.wait_for_function("overt.state().reason === 'withdrawn'", timeout=1000)
        tab.bring_to_front()
        before = len(tab.evaluate("seen"))
        use(tab)
        assert len(tab.evaluate("seen")) == before
        assert databases(tab) == []
        assert tab.locator("overt-indicator").count() == 0
    assert server.withdrawn
    assert page.console == other.console == []


def test_withdrawal_on_another_device_stops_within_two_seconds(page: Any, server: Server) -> None:
    join(page)
    server.withdrawn = True
    page.wait_for_function("overt.state().reason === 'withdrawn'", timeout=2000)
    eventually(page, "indexedDB.databases().then((all) => all.length === 0)")


def test_gone_at_the_collector_purges(page: Any, server: Server) -> None:
    join(page)
    server.answers = [(410, {})]
    page.evaluate("overt.sendNow()")
    until(page, "none")
    assert databases(page) == []


def test_withdrawing_one_purpose_goes_on_with_the_others(page: Any, server: Server) -> None:
    server.outbox_delay_s = 3600
    page.reload()
    page.wait_for_function("window.ready")
    join(page)
    use(page)
    page.evaluate("overt.withdraw(['person-or-program', 'next-action'])")
    until(page, "recording")
    page.mouse.move(10, 10, steps=5)
    send(page)
    assert {header.purposes for header, _ in server.batches()} == {("typing-assist",)}
    assert Kind.POINTER_MOVE not in {event["kind"] for event in server.events()}
    assert sum(event["edit"] == Edit.INSERT_TEXT for event in server.events()) == 6
    after = counts(page)
    assert after["removed"] > 5
    assert after["waiting"] == 0


def test_without_storage_recording_is_off_and_the_page_is_unharmed(page: Any) -> None:
    join(page)
    page.evaluate(
        """() => { IDBObjectStore.prototype.put = () => { throw new Error("full"); }; }"""
    )
    page.click("#listed")
    page.keyboard.type("abc")
    until(page, "off")
    assert page.evaluate("overt.state().reason") == "storage"
    assert page.input_value("#listed") == "abc"
    assert len([text for text in page.console if "Overt is off" in text]) == 1
    assert [text for text in page.console if text.startswith("error")] == []
