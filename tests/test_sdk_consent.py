"""The SDK's gate in a real Chromium: what is recorded, and what is never."""

from __future__ import annotations

import json
from typing import Any

import pytest

from overt.schema.batch import inflate
from overt.schema.event import Edit, KeyClass, Kind, Pointer, Role
from overt.schema.fold import MAGIC
from sdk_fixtures import (
    CANARY,
    DUMP,
    FIXTURES,
    KEYBOARD,
    PURPOSES,
    Server,
    counts,
    databases,
    is_whole,
    join,
    kinds,
    opened,
    reloaded,
    seen,
    send,
    until,
    use,
)

browser, context, own, page, server, shared = FIXTURES


def test_no_receipt_no_event_and_no_storage(page: Any, server: Server) -> None:
    use(page)
    assert page.evaluate("overt.state().phase") == "none"
    assert seen(page) == []
    assert databases(page) == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.evaluate("document.cookie") == ""
    assert server.tries == []
    assert [
        line for line in server.received if line and b"/v1/studies/test/notice" not in line
    ] == []
    assert page.locator("overt-indicator").count() == 0


INPUT_EVENTS = [
    "keydown",
    "keyup",
    "beforeinput",
    "input",
    "compositionstart",
    "compositionend",
    "pointermove",
    "pointerdown",
    "pointerup",
    "click",
    "auxclick",
    "wheel",
    "scroll",
    "focusin",
    "focusout",
    "selectionchange",
    "blur",
]

SIGNALS = {
    "globalPrivacyControl": "true",
    "doNotTrack": "'1'",
}


@pytest.mark.parametrize("signal", [*SIGNALS, ""])
def test_a_privacy_signal_is_told_to_the_site_and_before_joining_nothing_happens_either_way(
    own: Any, server: Server, signal: str
) -> None:
    page = own.new_page()
    if signal:
        told = f"{{ get: () => {SIGNALS[signal]} }}"
        page.add_init_script(f"Object.defineProperty(Navigator.prototype, '{signal}', {told})")
    page.add_init_script("""
      window.listened = [];
      const add = EventTarget.prototype.addEventListener;
      EventTarget.prototype.addEventListener = function (type, ...rest) {
        listened.push(type);
        return add.call(this, type, ...rest);
      };""")
    page.goto(f"{server.url}/blank")
    page.evaluate("""async () => {
      const sdk = await import("/static/overt.js");
      window.overt = await sdk.open({ study: "test" });
      window.told = sdk.asksForPrivacy();
    }""")
    page.mouse.click(20, 20)
    page.keyboard.type("abc")
    assert page.evaluate("told") is bool(signal)
    assert page.evaluate("overt.state().phase") == "none"
    assert set(page.evaluate("listened")).isdisjoint(INPUT_EVENTS)
    assert databases(page) == []
    assert (
        page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    )
    assert not any(b"/v1/" in line for line in server.received)
    # The person's own choice counts for more than what the browser says of them in general.
    page.evaluate("overt.notice().then(() => overt.join(['typing-assist']))")
    until(page, "recording")
    assert not set(page.evaluate("listened")).isdisjoint(INPUT_EVENTS)


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


def test_whoever_chose_the_second_is_recorded_to_the_second(page: Any, server: Server) -> None:
    page.evaluate("(purposes) => overt.join(purposes, 'rhythm/1')", PURPOSES)
    page.click("#free")
    page.keyboard.type("Ab 1,", delay=90)
    page.keyboard.press("Backspace")
    produced = send(page)
    events = server.events(server.sessions()[0])
    assert produced["stored"] == len(events) > 12
    assert {header.transform for header, _ in server.batches()} == {"rhythm/1"}
    downs = [event for event in events if event["kind"] == Kind.KEY_DOWN]
    letter, space, back = KeyClass.LETTER, KeyClass.SPACE, KeyClass.BACKSPACE
    assert [event["key_class"] for event in downs] == [letter, letter, space, letter, letter, back]
    assert not any(event["slot"] or event["modifiers"] for event in events)
    assert Kind.KEY_UP not in {event["kind"] for event in events}
    by_key = [event for event in events if event["kind"] in (Kind.KEY_DOWN, Kind.EDIT, Kind.FOCUS)]
    assert not any(event["t_us"] % 1_000_000 for event in by_key)


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


def test_level_keys_keeps_characters_in_listed_fields_only(server: Server, page: Any) -> None:
    server.level = "keys"
    reloaded(page)
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
    page.keyboard.down("Control")
    page.mouse.wheel(60, 0)
    page.keyboard.up("Control")
    page.wait_for_function("seen.filter((event) => event.kind === 10).length > 1")
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
    wheels = [(e["scroll_y_css_px"], e["value"]) for e in events if e["kind"] == Kind.WHEEL]
    assert wheels[0] == (120, 0)
    assert {value for _, value in wheels[1:]} == {3}, "with Ctrl it zooms"
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
    moved = [event["value"] for event in seen(page) if event["kind"] == Kind.SELECTION]
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
    edits = [event["edit"] for event in seen(page) if event["edit"]]
    assert set(edits) <= {Edit.INSERT_COMPOSITION, Edit.INSERT_TEXT}
    assert len(edits) <= 4


def test_a_finger_is_recorded_as_touch(browser: Any, server: Server) -> None:
    context = browser.new_context(has_touch=True)
    page = opened(context, server)
    join(page, ["person-or-program"])
    page.touchscreen.tap(20, 20)
    box = page.locator("#button").bounding_box()
    page.touchscreen.tap(box["x"] + 4, box["y"] + 4)
    page.wait_for_function("seen.filter((event) => event.kind === 9).length === 2")
    send(page)
    context.close()
    pointed = [event for event in server.events() if event["pointer"]]
    assert {event["pointer"] for event in pointed} == {Pointer.TOUCH}
    assert {Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.CLICK} <= {e["kind"] for e in pointed}
    assert pointed[-1]["role"] == Role.BUTTON


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
    sent = [inflate(body) for body in server.received if body[:4] == MAGIC]
    assert sent
    everything = [*server.received, *sent, *(text.encode() for text in [*dump, *page.console])]
    everything.append(json.dumps(seen(page)).encode())
    for needle in (CANARY, CANARY[:6], CANARY[::-1]):
        for form in (needle.encode(), needle.encode("utf-16-le"), needle.lower().encode()):
            assert not any(form in chunk for chunk in everything)
    codes = [ord(char) for char in CANARY]
    assert not any(event["key_symbol"] in codes for event in server.events())


def test_a_password_shown_before_joining_or_replaced_stays_secret(page: Any) -> None:
    page.click("#show")
    page.evaluate("listed.style.webkitTextSecurity = 'disc'")
    join(page)
    page.evaluate("listed.style.webkitTextSecurity = 'none'")
    page.click("#listed")
    page.keyboard.type(CANARY)
    page.click("#password")
    page.keyboard.type(CANARY)
    page.evaluate(
        """() => { const plain = document.createElement("input");
        plain.id = "password"; password.replaceWith(plain); }"""
    )
    page.click("#password")
    page.keyboard.type(CANARY)
    assert not KEYBOARD & set(kinds(page))
    page.click("#free")
    page.keyboard.type("a")
    page.evaluate("free.style.webkitTextSecurity = edit.style.webkitTextSecurity = 'disc'")
    page.keyboard.type(CANARY)
    page.click("#edit")
    page.keyboard.type(CANARY)
    assert kinds(page).count(Kind.KEY_DOWN) == 1


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
    found = [(e["kind"], e["slot"]) for e in seen(page) if e["kind"] in (1, 2)]
    assert found == [(1, 1), (1, 1), (2, 1)]


def test_outside_of_fields_only_keys_without_a_character_are_recorded(page: Any) -> None:
    join(page)
    page.focus("#button")
    page.keyboard.type("secret")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+b")
    down = [e["key_class"] for e in seen(page) if e["kind"] == Kind.KEY_DOWN]
    assert down == [KeyClass.ARROW, KeyClass.CONTROL, KeyClass.LETTER]


EXCLUDED = """() => {
  const part = document.body.insertAdjacentElement("afterbegin", document.createElement("div"));
  part.className = "private";
  part.innerHTML = "<textarea id='within' data-overt></textarea><button id='inside'>x</button>";
  part.append(document.createElement("div"));
  const root = part.lastChild.attachShadow({ mode: "open" });
  root.innerHTML = "<button id='deep'>deep</button>";
  listed.classList.add("mine");
}"""


def test_of_what_the_study_excludes_nothing_exists_not_even_of_the_pointer(
    page: Any, server: Server
) -> None:
    server.fields = ["#listed", "#within", "!.private, .also", "!#edit"]
    reloaded(page)
    page.evaluate(EXCLUDED)
    join(page)
    before = len(seen(page))
    for place in ("#within", "#inside", "#deep", "#edit"):
        page.click(place)
        page.keyboard.type("a")
        page.keyboard.press("Control+a")
        page.mouse.wheel(0, 1)
    for _ in range(3):
        page.evaluate("() => new Promise(requestAnimationFrame)")
    scrolled = {Kind.SCROLL}
    assert {event["kind"] for event in seen(page)[before:]} <= scrolled, "only of the page itself"
    page.click("#listed")
    page.keyboard.type("b")
    assert Kind.KEY_DOWN in kinds(page)
    page.evaluate("listed.classList.add('also')")
    before = len(seen(page))
    page.keyboard.type("c")
    assert len(seen(page)) == before, "what becomes excluded is, from then on"
    page.evaluate("overt.withdraw()")
    server.fields = ["#listed", "!]["]
    reloaded(page)
    join(page)
    use(page)
    assert {event["kind"] for event in seen(page)} <= {Kind.SESSION_START, Kind.VIEW, Kind.SCROLL}


def test_a_field_in_a_shadow_root_is_not_known_and_so_suppressed(page: Any) -> None:
    page.evaluate(
        """() => { for (const mode of ["open", "closed"]) {
        const host = document.createElement("div"); document.body.prepend(host);
        const field = document.createElement("input"); field.id = "listed"; field.size = 60;
        host.attachShadow({ mode }).append(field); host.id = mode; host.role = "region"; }
        const drawn = document.createElement("div"); document.body.prepend(drawn);
        drawn.style.height = "20px"; drawn.id = "drawn"; drawn.tabIndex = 0; drawn.role = "region";
        drawn.editContext = new EditContext(); }"""
    )
    join(page)
    for mode in ("open", "closed", "drawn"):
        page.click(f"#{mode}", position={"x": 20, "y": 8})
        page.keyboard.type(CANARY)
        page.keyboard.press("Backspace")
    assert not KEYBOARD & set(kinds(page))
