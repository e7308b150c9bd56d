"""What exactly is recorded of what hands do, in a real Chromium: nothing twice, nothing bent."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from overt.schema.event import Command, Edit, KeyClass, Kind, Modifier, Pointer, Role
from sdk_fixtures import (
    CANARY,
    FIXTURES,
    KEYBOARD,
    Server,
    composed,
    join,
    kinds,
    listened,
    pressed,
    reloaded,
    seen,
    send,
    until,
    visit,
)

browser, context, page, server, shared = (FIXTURES[n] for n in (0, 1, 3, 4, 5))


def rows(page: Any, *kinds: Kind) -> list[dict[str, int]]:
    return [event for event in seen(page) if event["kind"] in kinds]


def edits(page: Any) -> list[tuple[int, int, int]]:
    """Return what each edit did, how many characters it brought or took, and it replaced."""
    return [(e["edit"], e["edit_chars"], e["value"]) for e in rows(page, Kind.EDIT)]


def values(page: Any, kind: Kind) -> list[int]:
    return [event["value"] for event in seen(page) if event["kind"] == kind]


def test_shortcuts_are_named_commands_but_not_where_a_secret_has_the_keyboard(
    page: Any, server: Server
) -> None:
    join(page, ["next-action"])
    page.click("#free")
    page.keyboard.type("ab")
    for keys in ("Control+a", "Control+c", "Control+v", "Control+z", "Control+Shift+Z"):
        page.keyboard.press(keys)
    named = [Command.SELECT_ALL, Command.COPY, Command.PASTE, Command.UNDO, Command.REDO]
    assert values(page, Kind.COMMAND) == named
    page.click("#button")
    page.keyboard.press("Control+f")
    for field in ("#password", "#card", "#unlisted", "#secretdiv"):
        page.click(field)
        for keys in ("Control+a", "Control+c", "Control+v", "Control+z", "Control+f"):
            page.keyboard.press(keys)
    assert values(page, Kind.COMMAND) == [*named, Command.FIND]
    assert send(page)["waiting"] == 0
    sent = [event["value"] for event in server.events() if event["kind"] == Kind.COMMAND]
    assert sent == [*named, Command.FIND]


@pytest.mark.parametrize("field", ["#listed", "#edit"], ids=["input", "editable"])
def test_what_an_edit_brought_took_and_replaced_is_true(
    page: Any, context: Any, field: str
) -> None:
    join(page, ["typing-assist"])
    keys = context.new_cdp_session(page)
    page.click(field)
    page.keyboard.type("one two", delay=0)
    page.keyboard.press("Control+Backspace")
    page.keyboard.type("x")
    page.keyboard.press("Shift+Home")
    page.wait_for_function("seen.some((event) => event.kind === 15 && event.edit_chars)")
    page.keyboard.type("y")
    page.keyboard.type("zz top")
    pressed(keys, "Backspace", "Backspace", 8, commands=["deleteToBeginningOfLine"])
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+x")
    page.keyboard.press("Control+v")
    typed = (Edit.INSERT_TEXT, 1, 0)
    made = edits(page)
    assert made[:8] == [*[typed] * 7, (Edit.DELETE_WORD_BACKWARD, 3, 0)]
    assert made[8:10] == [typed, (Edit.INSERT_TEXT, 1, 5)], "five characters gave way to one"
    assert made[10:17] == [*[typed] * 6, (Edit.DELETE_LINE, 7, 0)]
    assert [edit for edit, _, _ in made[17:]] == [Edit.UNDO, Edit.DELETE_CUT, Edit.INSERT_PASTE]
    assert made[-1][1:] == (8, 0), "seven characters pasted, in powers of two"
    assert sum(brought - gone for _, brought, gone in made[:7]) == 7
    selected = [(e["value"], e["edit_chars"]) for e in rows(page, Kind.SELECTION)]
    assert (1, 8) in selected, "back to the beginning, about eight characters selected"


@pytest.mark.parametrize("field", ["#listed", "#edit"], ids=["input", "editable"])
def test_input_methods_dead_keys_and_virtual_keyboards_are_recorded_once(
    page: Any, context: Any, field: str
) -> None:
    join(page, ["typing-assist"])
    keys = context.new_cdp_session(page)
    page.click(field)
    for text in ("n", "o"):  # a virtual keyboard does not say which key
        pressed(keys, "Unidentified", "", 229)
        keys.send("Input.insertText", {"text": text})
        keys.send("Input.dispatchKeyEvent", {"type": "keyUp", "windowsVirtualKeyCode": 229})
    pressed(keys, "Process", "KeyN", 229)
    composed(keys, "n", "ni", "nih", end="\u4f60\u597d")
    pressed(keys, "Dead", "Quote", 222)
    composed(keys, "\u00b4", end="\u00e9")
    page.wait_for_function("seen.filter((event) => event.kind === 5).length === 2")
    found = [event["kind"] for event in rows(page, Kind.COMPOSITION_START, Kind.COMPOSITION_END)]
    assert found == [Kind.COMPOSITION_START, Kind.COMPOSITION_END] * 2
    downs = rows(page, Kind.KEY_DOWN)
    assert {event["key_class"] for event in downs} == {KeyClass.COMPOSING}
    assert len(downs) == 4
    typed, composing = (Edit.INSERT_TEXT, 1, 0), Edit.INSERT_COMPOSITION
    assert edits(page)[:3] == [typed, typed, (composing, 1, 0)]
    assert edits(page)[3:] == [
        *[(composing, 2, 1), (composing, 3, 2), (composing, 2, 3)],
        *[(composing, 1, 0), (composing, 1, 1)],
    ]
    written = page.evaluate(
        "(it) => { const field = document.querySelector(it);"
        "  return (field.value ?? field.textContent).length; }",
        field,
    )
    assert sum(brought - gone for _, brought, gone in edits(page)) == written == 5
    page.keyboard.type(" teh ")
    before = len(edits(page))
    # As a keyboard on the screen puts a word right: it takes it up again, and ends with another.
    where = {"replacementStart": 6, "replacementEnd": 9, "selectionStart": 3, "selectionEnd": 3}
    keys.send("Input.imeSetComposition", {"text": "the", **where})
    keys.send("Input.insertText", {"text": "the"})
    page.wait_for_function("seen.filter((event) => event.kind === 5).length === 3")
    assert edits(page)[before:] == [(composing, 3, 3)] * 2


def test_a_held_key_repeats_and_is_let_go_once(page: Any, context: Any) -> None:
    join(page, ["typing-assist"])
    keys = context.new_cdp_session(page)
    page.click("#listed")
    common = {"key": "a", "code": "KeyA", "windowsVirtualKeyCode": 65}
    for more in ({}, {"autoRepeat": True}, {"autoRepeat": True}):
        keys.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": "a", **common, **more})
    keys.send("Input.dispatchKeyEvent", {"type": "keyUp", **common})
    found = [(e["kind"], e["modifiers"], e["slot"]) for e in rows(page, Kind.KEY_DOWN, Kind.KEY_UP)]
    repeated = (Kind.KEY_DOWN, Modifier.REPEAT, 1)
    assert found == [(Kind.KEY_DOWN, 0, 1), repeated, repeated, (Kind.KEY_UP, 0, 1)]
    assert edits(page) == [(Edit.INSERT_TEXT, 1, 0)] * 3


@pytest.fixture(scope="module")
def touching(browser: Any) -> Any:
    """A tab with a touch screen."""
    context = browser.new_context(has_touch=True)
    yield listened(context.new_page())
    context.close()


def test_fingers_and_pens_are_recorded_with_pressure_contact_and_how_they_end(
    touching: Any, server: Server
) -> None:
    page = touching
    visit(page, server)
    join(page, ["person-or-program"])
    hand = page.context.new_cdp_session(page)

    def touch(what: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "radiusX": 11, "radiusY": 17, "force": 0.4} for x, y in places]
        hand.send("Input.dispatchTouchEvent", {"type": what, "touchPoints": points})

    def pen(what: str, x: float, force: float, **more: object) -> None:
        at = {"x": x, "y": 20, "pointerType": "pen", "force": force}
        hand.send("Input.dispatchMouseEvent", {"type": what, **at, **more})

    box, button = (page.locator(it).bounding_box() for it in ("#box", "#button"))
    x, y = box["x"] + 30, box["y"] + 60
    touch("touchStart", (x, y))
    for step in range(1, 8):
        touch("touchMove", (x, y - 6 * step))
    touch("touchEnd")
    page.wait_for_function("seen.some((event) => event.kind === 11)")
    moves, (down, up) = (
        rows(page, Kind.POINTER_MOVE),
        rows(page, Kind.POINTER_DOWN, Kind.POINTER_UP),
    )
    assert {(e["value"], e["scroll_x_css_px"], e["scroll_y_css_px"]) for e in moves} == {
        (7, 24, 40)
    }
    assert moves[0]["y_8th_css_px"] == down["y_8th_css_px"]
    assert (down["button"], up["button"]) == (1, 0), "the browser took it over, to scroll"
    assert up["y_8th_css_px"] == moves[-1]["y_8th_css_px"] < down["y_8th_css_px"]

    page.evaluate("seen.length = 0")
    left, top = button["x"] + 5, button["y"] + 5
    touch("touchStart", (left, top), (left + 20, top))
    touch("touchEnd")
    assert [e["slot"] for e in rows(page, Kind.POINTER_DOWN)] == [0, 1]

    page.evaluate("seen.length = 0")
    left = {"button": "left", "clickCount": 1}
    pen("mouseMoved", 20, 0)
    pen("mousePressed", 20, 0.3, **left)
    for x, force in ((40, 0.55), (60, 0.9)):
        pen("mouseMoved", x, force, button="left")
    pen("mouseReleased", 60, 0, **left)
    drawn = rows(page, Kind.POINTER_MOVE)
    assert [e["value"] for e in drawn] == [0, 5, 9, 15], "sixteenths, none while it hovers"
    assert {e["pointer"] for e in rows(page, Kind.POINTER_DOWN, *MOVING)} == {Pointer.PEN}
    assert send(page)["waiting"] == 0
    assert server.events()


MOVING = (Kind.POINTER_MOVE, Kind.POINTER_UP)


def test_every_coalesced_sample_is_kept_in_order_with_its_own_time(page: Any) -> None:
    join(page, ["person-or-program"])
    page.evaluate(
        """() => { const real = PointerEvent.prototype.getCoalescedEvents;
        PointerEvent.prototype.getCoalescedEvents = function () {
          const [one] = real.call(this);
          if (!one) return [];
          return [3, 2, 1, 0].map((back) => new Proxy(one, { get: (event, name) =>
            name === "timeStamp" ? event.timeStamp - back
            : name === "clientX" ? event.clientX - back : event[name] })); }; }"""
    )
    page.mouse.move(300, 200)
    page.mouse.move(310, 200)
    moves = rows(page, Kind.POINTER_MOVE)
    assert [e["x_8th_css_px"] / 8 for e in moves] == [297, 298, 299, 300, 307, 308, 309, 310]
    assert [e["seq"] for e in moves] == sorted(e["seq"] for e in moves)
    steps = [b["t_us"] - a["t_us"] for a, b in pairwise(moves[:4])]
    assert all(990 < step < 1010 for step in steps)


def test_where_in_a_target_a_press_is_and_how_large_that_is(page: Any) -> None:
    join(page, ["next-action"])
    page.add_style_tag(
        content="#button{position:fixed;left:400px;top:300px;width:160px;height:44px}"
    )
    page.mouse.click(400 + 80 + 40, 300 + 22)
    (down,) = rows(page, Kind.POINTER_DOWN)
    assert (down["role"], down["scroll_x_css_px"], down["scroll_y_css_px"]) == (Role.BUTTON, 4, 0)
    assert down["value"] == 22, "4 log2 44; how wide it is, and so how long its words, is not told"
    page.mouse.click(700, 500)
    assert rows(page, Kind.POINTER_DOWN)[-1]["value"] == 0, "the page itself is no target"


def test_a_locked_pointer_is_at_no_place_and_only_how_far_it_went_is_told(page: Any) -> None:
    join(page, ["person-or-program"])
    page.evaluate("button.onclick = () => button.requestPointerLock()")
    box = page.locator("#button").bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    page.wait_for_function("document.pointerLockElement")
    places = [(e["x_8th_css_px"], e["y_8th_css_px"]) for e in rows(page, Kind.POINTER_MOVE)]
    page.mouse.move(300, 200)
    page.mouse.move(330, 190)
    *_, told = moves = rows(page, Kind.POINTER_MOVE)
    assert (told["button"], told["pointer"]) == (2, 0)
    assert (told["scroll_x_css_px"], told["scroll_y_css_px"]) == (30, -10)
    assert {(e["x_8th_css_px"], e["y_8th_css_px"]) for e in moves[len(places) :]} <= {places[-1]}
    before = len(moves)
    page.evaluate("() => document.exitPointerLock()")
    page.wait_for_function("!document.pointerLockElement")
    page.mouse.move(310, 200, steps=3)
    assert len(rows(page, Kind.POINTER_MOVE)) > before


SHADOW = """() => {
  for (const mode of ["open", "closed"]) {
    const host = document.createElement("div");
    host.id = mode === "open" ? "host" : "shut";
    const root = host.attachShadow({ mode });
    root.innerHTML = `<input id="inside" size="20"><input id="listed" size="20">
      <button type="button">show</button>`;
    root.querySelector("button").onclick = () => (root.querySelector("#inside").type = "text");
    document.body.prepend(host);
  }
}"""


def test_a_field_in_a_shadow_root_is_recorded_only_by_the_way_to_it_and_never_a_secret_one(
    page: Any, server: Server
) -> None:
    server.fields.append("#host >>> #inside")
    reloaded(page)
    page.evaluate(SHADOW)
    join(page)

    def write(host: str, field: str) -> int:
        before = sum(kind in KEYBOARD for kind in kinds(page))
        box = page.locator(host).bounding_box()
        page.mouse.click(box["x"] + (20 if field == "inside" else 220), box["y"] + 10)
        page.keyboard.type("ab")
        return sum(kind in KEYBOARD for kind in kinds(page)) - before

    assert write("#host", "inside") == 6
    assert {e["role"] for e in rows(page, Kind.EDIT)} == {Role.TEXT_FIELD}
    assert write("#host", "listed") == 0, "its name alone is not the way to it"
    assert write("#shut", "inside") == write("#shut", "listed") == 0
    page.evaluate("host.shadowRoot.querySelector('#inside').type = 'password'")
    page.locator("#host button").click()
    assert page.evaluate("host.shadowRoot.querySelector('#inside').type") == "text"
    assert write("#host", "inside") == 0, "a secret that is shown stays one"


def test_a_frame_is_a_page_of_its_own(page: Any, server: Server) -> None:
    join(page)
    add = "(it) => document.body.insertAdjacentHTML('beforeend', `<iframe src=${it}></iframe>`)"
    page.evaluate(add, "/")
    frame = page.frame_locator("iframe")
    frame.locator("#listed").click()
    inner = page.frames[1]
    inner.wait_for_function("window.overt?.state().phase === 'recording'")
    page.keyboard.type("ab")
    assert not KEYBOARD & set(kinds(page)), "nothing of it is seen from outside"
    assert sum(event["edit"] > 0 for event in inner.evaluate("seen")) == 2
    own = inner.evaluate("overt.state().session")
    assert own != page.evaluate("overt.state().session")
    inner.evaluate("overt.sendNow()")
    assert {header.receipt for header, _ in server.batches()} == {server.receipts[0]}
    assert own in server.sessions()


def test_which_listed_page_it_is_never_its_address_and_nothing_on_others(
    page: Any, server: Server
) -> None:
    server.paths = ["/message/:id", "/"]
    reloaded(page)
    join(page, ["next-action"])
    go = "(way) => history.pushState({}, '', way)"
    page.focus("#listed")
    for way in (f"/message/{CANARY}?q={CANARY}#{CANARY}", "/message/2#there"):
        page.evaluate(go, way)
    page.wait_for_function("seen.filter((event) => event.kind === 19).length === 3")
    page.evaluate(go, f"/{CANARY}")
    page.keyboard.type("not here")  # at once, before any timer
    assert page.evaluate("overt.state().phase + overt.state().reason") == "offpage"
    last = page.evaluate("seen.at(-1)")
    assert (last["kind"], last["value"]) == (Kind.PAUSE, 3)
    page.evaluate(go, "/")
    until(page, "recording")
    page.keyboard.type("a")
    page.evaluate("() => history.replaceState({}, '', '/?new')")
    page.go_back()
    until(page, "off")
    page.keyboard.type("nor here")
    assert values(page, Kind.NAVIGATION) == [2, 1, 1, 2]
    assert len(rows(page, Kind.KEY_DOWN)) == 1
    assert send(page)["waiting"] == 0
    assert not any(CANARY.encode() in plain for plain in server.stored.values())


def test_which_of_the_studys_fields_has_the_keyboard_and_that_an_element_has_a_name(
    page: Any, server: Server
) -> None:
    server.fields = ["!.private", "#listed", "[[", "#password, #edit", *["#none"] * 50, "#free"]
    reloaded(page)
    join(page, ["next-action"])
    page.evaluate("listed.ariaLabel = 'CanaryName'")
    for field in ("#listed", "#edit", "#password", "#unlisted", "#button", "#free"):
        page.focus(field)
    page.keyboard.type("a")
    assert len(rows(page, Kind.KEY_DOWN)) == 1, "listed, if beyond what has a number"
    found = [(e["value"], e["button"]) for e in rows(page, Kind.FOCUS)]
    named = [(2, 1), (4, 2), (0, 2), (0, 2), (0, 1), (0, 2)]
    assert found == named, "2: no name; 0: none of the fields, or beyond the fiftieth"
    page.evaluate("seen.length = 0, inner.textContent = ' '")
    page.hover("#button")
    assert [e["button"] for e in rows(page, Kind.HOVER)] == [2]


@pytest.mark.soak
def test_printing_by_key_or_menu_is_one_command(page: Any) -> None:
    join(page, ["next-action"])
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    page.focus("#password")
    page.pdf()
    assert values(page, Kind.COMMAND) == [], "made by a script, or where a secret has the keyboard"
    page.focus("#free")
    page.pdf()
    assert values(page, Kind.COMMAND) == [Command.PRINT]
    page.keyboard.press("Control+p")
    page.pdf()
    assert values(page, Kind.COMMAND) == [Command.PRINT] * 2


def test_a_finger_that_stays_is_a_click_counted_0(touching: Any, server: Server) -> None:
    page = touching
    visit(page, server)
    join(page, ["next-action"])
    box = page.locator("#button").bounding_box()
    hand = page.context.new_cdp_session(page)
    at = {"x": box["x"] + 9, "y": box["y"] + 9}
    for moved in (0, 30):
        hand.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
        there = {**at, "x": at["x"] + moved}
        hand.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [there]})
        page.evaluate("new Promise((done) => setTimeout(done, 550))")  # the press itself is so long
        hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    clicks = [(e["pointer"], e["button"], e["value"], e["role"]) for e in rows(page, Kind.CLICK)]
    assert [click for click in clicks if click[2] == 0] == [(Pointer.TOUCH, 1, 0, Role.BUTTON)]


def test_places_of_what_the_browser_drags_are_told(page: Any) -> None:
    join(page, ["person-or-program"])
    page.evaluate("button.draggable = true")
    page.hover("#button")
    page.mouse.down()
    for y in (160, 200, 240):
        page.mouse.move(100, y)
    page.mouse.up()
    dragged = [e for e in rows(page, Kind.POINTER_MOVE) if e["button"] == 1]
    assert {(e["x_8th_css_px"], e["pointer"]) for e in dragged} == {(800, 0)}
    assert dragged[-1]["y_8th_css_px"] == 240 * 8


def test_the_size_of_the_window_in_coarse_steps_and_only_when_it_changed(page: Any) -> None:
    join(page, ["next-action"])
    size = page.viewport_size
    page.set_viewport_size({"width": 1270, "height": 710})
    page.set_viewport_size({"width": 1000, "height": 710})
    page.wait_for_function("seen.filter((event) => event.kind === 17).length === 2")
    page.set_viewport_size(size)
    views = [
        (e["scroll_x_css_px"], e["scroll_y_css_px"], e["value"]) for e in rows(page, Kind.VIEW)
    ]
    assert views[:2] == [(1280, 768, 4), (1024, 768, 4)]


def test_what_the_pointer_rests_on_is_recorded_once_until_it_leaves(page: Any) -> None:
    join(page, ["next-action"])
    page.mouse.move(600, 500)
    page.evaluate("seen.length = 0")
    page.hover("#inner")
    page.hover("#button", position={"x": 2, "y": 2})
    page.mouse.move(600, 500)
    page.hover("#show")
    found = [(e["role"], e["element"] > 0) for e in rows(page, Kind.HOVER)]
    button = (Role.BUTTON, True)
    assert found == [button, (Role.NONE, False), button]
    assert {e["x_8th_css_px"] for e in rows(page, Kind.HOVER)} == {0}, "at no place"


def test_a_device_that_slept_is_seen_by_its_clocks(page: Any) -> None:
    join(page, ["typing-assist"])
    page.evaluate("() => { const real = Date.now; Date.now = () => real() + 3_600_000; }")
    page.wait_for_function("seen.some((event) => event.kind === 25)")
    assert values(page, Kind.CLOCK) == [3600]
    page.evaluate("() => { const real = Date.now; Date.now = () => real() - 1_800_000; }")
    page.wait_for_function("seen.filter((event) => event.kind === 25).length === 2")
    assert values(page, Kind.CLOCK) == [3600, 0]
