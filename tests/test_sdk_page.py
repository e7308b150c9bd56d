"""The SDK's life in a page, in a real Chromium: indicator, pause, closing, crashing."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from overt.schema.event import Edit, Kind
from sdk_fixtures import (
    AT_ONCE_MS,
    CHROMIUM,
    CLOSE_LATER,
    FIXTURES,
    STATIC,
    Server,
    closed,
    databases,
    eventually,
    is_whole,
    join,
    kinds,
    opened,
    reloaded,
    seen,
    send,
    sync_api,
    until,
    use,
    visit,
    write,
)

browser, context, own, page, server, shared = FIXTURES


LEAVING = {
    "reload": lambda page, server: reloaded(page),
    "navigation": lambda page, server: page.goto(server.url + "/blank"),
    "close": lambda page, server: page.close(run_before_unload=True),
}


@pytest.mark.parametrize("how", LEAVING)
def test_a_page_that_closes_right_after_typing_loses_nothing(
    page: Any, context: Any, server: Server, how: str
) -> None:
    server.outbox_delay_s = 3600
    reloaded(page)
    join(page)
    tab = page
    if how == "close":
        tab = opened(context, server)
        until(tab, "recording")
    session = tab.evaluate("overt.state().session")
    use(tab)
    produced = len(seen(tab))
    # A page that goes away quickly never hears of what it asked WebCrypto for.
    tab.evaluate("() => { crypto.subtle.encrypt = () => new Promise(() => {}); }")
    LEAVING[how](tab, server)
    if how == "navigation":
        visit(page, server)
    until(page, "recording")
    ending = "overt.outbox().then((list) => list.some((e) => e.session === it && e.header.end))"
    eventually(page, ending, session, 15)
    assert server.tries == [], "what has not passed its delay stays, sealed"
    after = send(page)
    assert after["lost"] == after["waiting"] == 0
    events = server.events(session)
    assert is_whole([event["seq"] for event in events])
    assert len(events) > produced
    assert events[-1]["kind"] == Kind.SESSION_END
    (end,) = [h for h, _ in server.batches() if h.session == session and h.end]
    assert (end.produced, end.lost, end.removed) == (len(events), 0, 0)
    assert sum(event["edit"] == Edit.INSERT_TEXT for event in events) == 6


HOLD = """() => new Promise((held) => void navigator.locks.request(
  "overt-test-outbox", () => new Promise(() => held())))"""
"""Keep every tab from sending until this page is gone."""
WEIGH = """() => {
  const real = window.fetch;
  sessionStorage.asked = "";
  window.fetch = (url, init) => {
    if (init?.keepalive) sessionStorage.asked += ` ${init.body.length}`;
    return real(url, init);
  };
}"""


def test_a_page_that_closes_sends_what_is_due_below_64_kib(
    page: Any, context: Any, server: Server
) -> None:
    server.outbox_delay_s = 0
    reloaded(page)
    join(page, ["typing-assist"])
    page.evaluate(HOLD)
    page.evaluate("() => { for (let n = 0; n < 700; n += 1) { listed.focus(); free.focus(); } }")
    everything = "list.reduce((sum, { bytes }) => sum + bytes.length, 0) > 100_000"
    eventually(page, f"overt.outbox().then((list) => {everything})")
    page.evaluate(WEIGH)
    page.goto(server.url + "/blank")
    visit(page, server)
    eventually(page, "overt.counts().then((all) => all.acknowledged > 2800)")
    session = server.sessions()[0]
    assert is_whole([event["seq"] for event in server.events(session)])
    asked = [int(size) for size in page.evaluate("sessionStorage.asked").split()]
    assert 1000 < sum(asked) < 64 * 1024
    statuses = [status for status, _ in server.tries]
    assert set(statuses) == {200, 409}
    assert statuses.count(409) == len(asked), "what had arrived is told apart, not doubled"
    early = [len(body) for _, body in server.tries[: len(asked)]]
    assert sorted(early) == sorted(asked), "nothing was tried that cannot work"


def test_what_a_closing_page_sent_is_shown_as_sent(page: Any, context: Any, server: Server) -> None:
    server.outbox_delay_s = 3600
    reloaded(page)
    join(page, ["typing-assist"])
    write(page)
    closed(page)
    page.evaluate(CLOSE_LATER)
    eventually(page, "overt.outbox().then(([first]) => !first || first.sent)")  # or has arrived
    page.goto(server.url + "/blank")
    for _ in range(100):
        if not server.tries:
            page.wait_for_timeout(50)
    assert server.tries, "it outlives the page, and may take its time on a busy machine"


def test_a_killed_page_loses_at_most_its_last_second_and_is_unclean(
    own: Any, server: Server
) -> None:
    server.answers = [(503, {})] * 50
    page = opened(own, server)
    join(page, ["typing-assist"])
    page.click("#listed")
    page.keyboard.type("abcdefghijklmnopqrst", delay=60)
    now_us, created = page.evaluate("[performance.now() * 1000, seen.map(({ t_us }) => t_us)]")
    with pytest.raises(sync_api.Error):
        page.goto("chrome://crash", timeout=4000)
    safe = sum(t_us < now_us - 1_000_000 for t_us in created)
    assert safe > 6
    server.answers = []
    second = opened(own, server)
    until(second, "recording")
    eventually(second, "overt.counts().then((all) => all.acknowledged >= it)", safe)
    send(second)
    first = server.sessions()[0]
    events = server.events(first)
    assert len(events) >= safe
    assert is_whole([event["seq"] for event in events])
    assert not any(header.end for header, _ in server.batches() if header.session == first)


def test_with_no_days_to_hold_what_a_closed_page_left_is_lost_and_counted(
    page: Any, server: Server
) -> None:
    server.hold_days, server.outbox_delay_s = 0, 3600
    reloaded(page)
    join(page, ["typing-assist"])
    write(page)
    reloaded(page)
    eventually(page, "overt.counts().then((counts) => counts.lost > 6)")
    first = page.evaluate("overt.outbox().then((list) => list.map(({ session }) => session))")
    assert set(first) <= {page.evaluate("overt.state().session")}
    assert server.tries == []


def test_a_page_that_comes_back_from_the_cache_begins_a_new_session(
    browser: Any, server: Server
) -> None:
    how = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
    off = ["--disable-back-forward-cache"]
    with browser.browser_type.launch(**how, ignore_default_args=off) as caching:
        page = opened(caching.new_context(), server)
        join(page, ["typing-assist"])
        write(page)
        first = page.evaluate("overt.state().session")
        page.goto(server.url + "/blank")
        page.go_back(wait_until="commit")
        page.wait_for_function("window.ready && overt.state().phase === 'recording'")
        assert kinds(page).count(Kind.SESSION_START) == 2, "the page of before, a new session"
        second = page.evaluate("overt.state().session")
        assert first != second
        write(page)
        ending = "overt.outbox().then((list) => list.some((e) => e.session === it && e.header.end))"
        eventually(page, ending, first, 15)
        assert send(page)["waiting"] == 0
    assert set(server.sessions()) == {first, second}
    for session in (first, second):
        assert is_whole([event["seq"] for event in server.events(session)])


def test_pause_stops_at_once_survives_a_reload_and_reaches_other_tabs(
    page: Any, context: Any, server: Server
) -> None:
    join(page)
    other = opened(context, server)
    until(other, "recording")
    page.bring_to_front()
    page.evaluate("overt.pause()")
    other.wait_for_function("overt.state().phase === 'paused'", timeout=AT_ONCE_MS)
    before = len(seen(page))
    use(page)
    assert len(seen(page)) == before
    assert page.evaluate("seen.at(-1)")["value"] == 1
    reloaded(page)
    use(page)
    assert page.evaluate("[overt.state().phase, overt.state().reason]") == ["paused", "person"]
    assert seen(page) == []
    page.evaluate("overt.resume()")
    use(page)
    assert Kind.KEY_DOWN in kinds(page)


def test_the_indicator_pauses_by_mouse_and_by_keyboard(page: Any) -> None:
    join(page)
    box = page.locator("overt-indicator").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 18, box["y"] + box["height"] / 2)
    until(page, "paused")
    page.keyboard.press("Enter")
    until(page, "recording")


def test_a_page_style_cannot_hide_the_indicator(page: Any) -> None:
    join(page)
    page.add_style_tag(
        content="overt-indicator{display:none!important;opacity:0!important;left:-999px!important}"
        "overt-indicator::before,overt-indicator::after{content:''!important;position:absolute;"
        "inset:0;background:#fff}"
    )
    page.evaluate(
        "document.querySelector('overt-indicator').style.cssText = 'display:none!important'"
    )
    box = page.locator("overt-indicator").bounding_box()
    assert box["width"] > 80
    assert box["x"] > 0
    for side in ("before", "after"):
        drawn = "getComputedStyle(document.querySelector('overt-indicator'), `::${side}`).content"
        assert page.evaluate(f"(side) => {drawn}", side) == "none"


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
        tab.wait_for_function("overt.state().reason === 'withdrawn'", timeout=AT_ONCE_MS)
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
    page.wait_for_function("overt.state().reason === 'withdrawn'", timeout=AT_ONCE_MS)
    eventually(page, "indexedDB.databases().then((all) => all.length === 0)")


def test_without_storage_recording_is_off_and_the_page_is_unharmed(page: Any) -> None:
    join(page)
    page.evaluate(
        """() => { IDBObjectStore.prototype.put = () => { throw new Error("full"); }; }"""
    )
    page.click("#listed")
    page.keyboard.type("abc")
    until(page, "off")
    assert page.evaluate("overt.state().reason") == "storage"
    unharmed(page)


def unharmed(page: Any) -> None:
    assert page.input_value("#listed") == "abc"
    assert len([text for text in page.console if "Overt is off" in text]) == 1
    assert [text for text in page.console if text.startswith("error")] == []


BLOCKING = {
    "blocked": "indexedDB.open = () => { throw new DOMException('no', 'SecurityError'); }",
    "full": "IDBObjectStore.prototype.put = () => { throw new Error('full'); }",
}


@pytest.mark.parametrize("how", BLOCKING)
def test_who_joins_where_nothing_can_be_stored_has_not_joined(
    page: Any, server: Server, how: str
) -> None:
    page.evaluate(f"() => {{ {BLOCKING[how]} }}")
    refused = "() => overt.join(['typing-assist']).then(() => '', (error) => error.message)"
    assert "cannot be written on this device" in page.evaluate(refused)
    assert page.evaluate("[overt.state().phase, overt.state().reason]") == ["off", "storage"]
    write(page)
    assert seen(page) == []
    assert server.withdrawn, "the server does not keep somebody whose receipt is nowhere"
    assert page.locator("overt-indicator").count() == 0
    unharmed(page)


def test_a_page_with_two_copies_is_one_recording_with_one_sign(page: Any, server: Server) -> None:
    server.pages = {"/copy/overt.js": (STATIC / "overt.js").read_bytes()}
    join(page, ["typing-assist"])
    again = "() => import('/copy/overt.js').then(({ open }) => open({ study: 'test' }))"
    assert page.evaluate(f"({again})().then((second) => second === overt)")
    assert page.locator("overt-indicator").count() == 1


CIRCLE = "edit.innerHTML = '<form id=circle tabindex=0><input name=parentElement></form>'"


def test_a_form_whose_parent_is_its_own_field_does_not_block_the_page(page: Any) -> None:
    join(page, ["typing-assist"])
    page.evaluate(CIRCLE)
    page.focus("#circle")
    page.keyboard.type("abc")
    page.click("#listed")
    page.keyboard.type("d")
    assert kinds(page).count(Kind.KEY_DOWN) == 4


BOXED = """<!doctype html><input id="listed"><script type="module">SDK
window.overt = await sdk({ study: "test" });
window.refused = await overt.notice().catch((error) => error.name);
window.ready = true;</script>"""


def test_a_page_in_a_sandbox_has_no_storage_is_told_once_and_unharmed(
    page: Any, server: Server
) -> None:
    sdk = (STATIC / "overt.js").read_text("utf-8")
    inline = re.sub(r"export\{.*?(\w+) as open\};\s*$", r"const sdk = \1;", sdk)
    assert inline != sdk
    headers = {"Content-Type": "text/html", "Content-Security-Policy": "sandbox allow-scripts"}
    body = BOXED.replace("SDK", inline)
    page.route("**/box", lambda route: route.fulfill(headers=headers, body=body))
    page.goto(f"{server.url}/box")
    page.wait_for_function("window.ready")
    page.unroute("**/box")
    assert page.evaluate("[overt.state().phase, overt.state().reason]") == ["off", "unsupported"]
    page.click("#listed")
    page.keyboard.type("abc")
    unharmed(page)


INSIDE = b"""<!doctype html><body style="margin:0">
<input id="listed"><input id="password" type="password">
<script>addEventListener("overt-frame", () => { window.entered = true })</script>"""
FRAMES = """(elsewhere) => {
  for (const [id, src, more] of [["own", "/inside", {}], ["off", "/off", {}],
      ["boxed", "/inside", { sandbox: "allow-scripts" }], ["other", elsewhere, {}],
      ["kept", "/inside", { className: "private" }]])
    document.body.prepend(Object.assign(document.createElement("iframe"), { id, src, ...more }));
}"""


@pytest.mark.soak
def test_frames_of_the_pages_own_origin_are_recorded_as_a_part_of_it_and_no_others(
    page: Any, server: Server
) -> None:
    server.paths, server.fields = ["/", "/inside"], ["#listed", "#password", "!.private"]
    server.pages = {"/inside": INSIDE, "/off": INSIDE}
    reloaded(page)
    join(page)
    page.evaluate("overt.frames()")
    page.evaluate(FRAMES, server.url.replace("127.0.0.1", "localhost") + "/inside")
    for name in ("own", "off", "boxed", "other", "kept"):
        inside = page.frame_locator(f"#{name}")
        if name in ("own", "off", "kept"):
            inside.locator(":root").evaluate(
                "() => new Promise((done) => { (function look() {"
                " window.entered ? done() : setTimeout(look, 10) })() })"
            )
        for field in ("#listed", "#password"):
            inside.locator(field).click()
            page.keyboard.type("abc")
    page.click("#listed")
    page.keyboard.type("d")
    keys = [event for event in seen(page) if event["kind"] == Kind.KEY_DOWN]
    assert [event["element"] >= 1024 for event in keys] == [True] * 3 + [False]
    assert [event["t_us"] for event in keys] == sorted(event["t_us"] for event in keys)
    assert keys[3]["t_us"] - keys[2]["t_us"] < 20_000_000, "one clock"
    box = page.locator("#own").bounding_box()
    (down,) = [e for e in seen(page) if e["element"] == keys[0]["element"] and e["kind"] == 7]
    assert box["x"] < down["x_8th_css_px"] / 8 < box["x"] + box["width"]
    assert box["y"] < down["y_8th_css_px"] / 8 < box["y"] + box["height"]
    assert len({event["slot"] for event in keys}) == 1
    page.evaluate("overt.pause()")
    page.frame_locator("#own").locator("#listed").click()
    page.keyboard.type("e")
    assert len([event for event in seen(page) if event["kind"] == Kind.KEY_DOWN]) == 4


CHANGED = "document.dispatchEvent(new Event('visibilitychange'))"
BUSY = """() => {
  const { request } = LockManager.prototype;
  LockManager.prototype.request = function (name, ...how) {
    if (!name.endsWith("-asks")) return request.call(this, name, ...how);
    LockManager.prototype.request = request;
    return Promise.reject(new DOMException("once", "InvalidStateError"));
  };
}"""
HIDDEN = f"Object.defineProperty(document, 'hidden', {{ value: true }}); {CHANGED}"


def test_a_question_that_the_server_keeps_open_is_one_and_only_while_the_page_is_seen(
    page: Any, context: Any, server: Server
) -> None:
    def is_held(request: Any) -> bool:
        return "/v1/me/state?known=" in request.url

    server.news = threading.Event()
    page.evaluate(BUSY)
    with page.expect_event("request", is_held):
        join(page)
    other = opened(context, server)
    with other.expect_event("request", lambda request: request.url.endswith("/v1/me/state")):
        until(other, "recording")
    with other.expect_event("request", is_held), page.expect_event("requestfailed", is_held):
        page.evaluate(HIDDEN)
    server.withdrawn = True
    server.news.set()
    for each in (page, other):
        each.wait_for_function("overt.state().reason === 'withdrawn'")
