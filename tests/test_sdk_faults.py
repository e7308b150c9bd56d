"""The SDK when all goes wrong: collectors that die, days offline, no storage, hostile pages.

Where time matters the page's clock is faked.
"""

from __future__ import annotations

import signal
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from overt.schema.batch import decode, to_events
from overt.store.store import Store
from sdk_fixtures import (
    DEAF,
    DUMB,
    FIXTURES,
    PAGE,
    STATIC,
    WITH_CLOCK,
    Server,
    closed,
    counts,
    databases,
    is_whole,
    join,
    listened,
    opened,
    reloaded,
    send,
    until,
    visit,
    write,
)
from studio_fixtures import studio, wire

browser, context, own, page, server, shared = FIXTURES

DAY_MS = 86_400_000
PATIENCE_S = 30


def with_clock(own: Any, server: Server) -> Any:
    """Return a page that records, whose clock the test puts forward."""
    own.clock.install()
    own.add_init_script(WITH_CLOCK)
    page = opened(own, server)
    join(page, ["typing-assist"])
    return page


@pytest.fixture
def timed(own: Any, server: Server) -> Any:
    return with_clock(own, server)


def pass_on(page: Any, done: Any, step_ms: int = 1000) -> Any:
    """Let the page's clock run on, step by step, until something is true."""
    end_s = time.monotonic() + PATIENCE_S
    while not (found := done()):
        assert time.monotonic() < end_s, "waited in vain"
        page.clock.run_for(step_ms)
    return found


def beats(server: Server) -> int:
    """How often the page has looked whether it may send, and asked how the person stands."""
    return sum(b"/v1/me/state" in head for head in server.received)


def all_arrived(server: Server, page: Any) -> None:
    """Nothing was lost and nothing is there twice."""
    after = counts(page)
    assert after["waiting"] == after["lost"] == after["quarantined"] == 0
    assert after["produced"] == after["acknowledged"]
    for session in server.sessions():
        assert is_whole([event["seq"] for event in server.events(session)])


HEARD = "overt.remove([])"
"""Waits its turn after what is being sent: then the page has heard the answer."""
TOLD = {"seconds": lambda: "3600", "a date": lambda: formatdate(time.time() + 3600, usegmt=True)}


@pytest.mark.parametrize("how", TOLD)
def test_what_a_busy_collector_asks_for_is_waited_for(timed: Any, server: Server, how: str) -> None:
    server.answers = [(503, {"Retry-After": TOLD[how]()}), (408, {}), (429, {"Retry-After": "60"})]
    write(timed)
    pass_on(timed, lambda: server.tries)
    timed.evaluate(HEARD)
    timed.clock.fast_forward(3_400_000)
    before = beats(server)
    pass_on(timed, lambda: beats(server) > before + 1)
    assert len(server.tries) == 1
    timed.clock.fast_forward(300_000)
    pass_on(timed, lambda: len(server.tries) > 2)
    timed.evaluate(HEARD)
    timed.clock.fast_forward(30_000)
    before = beats(server)
    pass_on(timed, lambda: beats(server) > before + 1)
    assert [status for status, _ in server.tries] == [503, 408, 429]
    timed.clock.fast_forward(60_000)
    pass_on(timed, lambda: server.stored)
    send(timed)
    all_arrived(server, timed)
    assert not any("rror:" in text or "Overt" in text for text in timed.console)


def test_a_day_offline_with_an_expired_token_loses_nothing(
    timed: Any, own: Any, server: Server
) -> None:
    own.set_offline(True)
    write(timed)
    closed(timed)
    for _ in range(3):
        timed.clock.fast_forward(DAY_MS / 3)
        timed.keyboard.type("d")
    server.token += 1
    own.set_offline(False)
    timed.clock.fast_forward(300_000)
    pass_on(timed, lambda: server.stored)
    send(timed)
    all_arrived(server, timed)
    assert server.tries[0][0] == 401


def test_a_clock_that_jumps_neither_loses_nor_reorders_nor_holds_up(
    timed: Any, server: Server
) -> None:
    jump = "(by) => { const { now } = Date; Date.now = () => now.call(Date) + by; }"
    server.answers = [(500, {})]
    write(timed)
    assert send(timed)["waiting"] > 0
    timed.evaluate(jump, DAY_MS)
    pass_on(timed, lambda: server.stored)
    for by_ms in (-2 * DAY_MS, DAY_MS):
        write(timed)
        timed.evaluate(jump, by_ms)
    write(timed)
    send(timed)
    all_arrived(server, timed)
    times = [event["t_us"] for event in server.events(server.sessions()[0])]
    assert times == sorted(times)


def test_a_collector_that_dies_before_or_after_storing_loses_and_doubles_nothing(
    page: Any, server: Server
) -> None:
    join(page)
    for death in (DEAF, DUMB):
        write(page)
        server.answers = [death] * 2
        for _ in range(3):
            send(page)
    refused = f"{server.url}/v1/batches"
    page.route(refused, lambda route: route.abort("connectionrefused"))
    write(page)
    assert send(page)["waiting"] > 0
    page.unroute(refused)
    send(page)
    all_arrived(server, page)


KEPT = """async () => {
  const [{ name }] = await indexedDB.databases();
  const asked = indexedDB.open(name);
  const db = await new Promise((done) => (asked.onsuccess = () => done(asked.result)));
  const found = [];
  for (const store of db.objectStoreNames) {
    const all = db.transaction(store).objectStore(store).getAllKeys();
    const keys = await new Promise((done) => (all.onsuccess = () => done(all.result)));
    found.push(...keys.map((key) => `${store} ${key}`));
  }
  db.close();
  return found;
}"""


@pytest.mark.parametrize("later", ["this page", "the next visit"])
def test_leaving_while_offline_empties_all_at_once_and_the_server_hears_of_it_later(
    own: Any, server: Server, later: str
) -> None:
    server.outbox_delay_s = 3600
    timed = with_clock(own, server)
    other = opened(own, server)
    until(other, "recording")
    timed.bring_to_front()
    write(timed)
    closed(timed)
    own.set_offline(True)
    told = timed.evaluate("overt.withdraw().then(() => '', (error) => error.message)")
    assert "has not heard of it yet" in told
    for tab in (timed, other):
        tab.wait_for_function("overt.state().phase === 'none'")
        assert tab.evaluate("overt.state().reason") == "withdrawn"
    assert timed.evaluate(KEPT) == ["grant left", "key seal"], "only what tells the server stays"
    assert server.left == []
    other.close()
    if later == "this page":
        server.between = 1
        own.set_offline(False)
    else:
        timed.goto("about:blank")
        own.set_offline(False)
        visit(timed, server)
        assert timed.evaluate("overt.state().phase") == "none"
    pass_on(timed, lambda: server.left, 5000)
    pass_on(timed, lambda: not databases(timed))
    assert server.left == [(server.receipts[0], None)]
    assert server.tries == [], "nothing left after the person had left"


def test_leaving_one_purpose_while_offline_empties_what_only_that_one_needed(
    page: Any, context: Any, server: Server
) -> None:
    server.outbox_delay_s = 3600
    reloaded(page)
    join(page)
    page.mouse.move(300, 200, steps=5)
    write(page)
    page.context.set_offline(True)
    try:
        told = page.evaluate(
            "overt.withdraw(['person-or-program', 'next-action']).catch((error) => error.message)"
        )
        assert "cannot be reached" in told
        until(page, "paused")
    finally:
        page.context.set_offline(False)
    send(page)
    assert {header.purposes for header, _ in server.batches()} == {("typing-assist",)}


HOSTILE = {
    "fetch that throws": ("window.fetch = () => { throw new Error('hostile') }", "recording"),
    "fetch of nothing": ("window.fetch = () => undefined", "recording"),
    "no Date": ("window.Date = undefined", "off"),
    "Date of no day": ("Date.now = () => NaN", "off"),
    "no Event": ("window.Event = window.PointerEvent = undefined", ""),
    "push that does nothing": ("Array.prototype.push = () => 0", "off"),
    "no JSON": ("window.JSON = undefined", "off"),
    "no Promise": ("window.Promise = undefined", "off"),
    "then that throws": ("Promise.prototype.then = () => { throw new Error('hostile') }", ""),
    "a clock that stands still": ("performance.now = () => 5", ""),
    "more in each object": ("Object.prototype.extra = Array.prototype.more = 'x'", ""),
}


def unharmed(page: Any, off: int) -> None:
    """The page goes on, and was told at most once that recording is off."""
    write(page, "xyz")
    assert page.input_value("#listed").endswith("xyz")
    assert len([text for text in page.console if "Overt is off" in text]) == off
    assert [text for text in page.console if text.startswith("error")] == []


@pytest.mark.parametrize("how", HOSTILE)
def test_a_page_that_replaces_what_recording_needs_is_unharmed_and_told_once(
    page: Any, server: Server, how: str
) -> None:
    server.outbox_delay_s = 3600
    reloaded(page)
    join(page, ["typing-assist"])
    hostile, phase = HOSTILE[how]
    page.evaluate(f"() => {{ {hostile}; }}")
    write(page, "abc")
    page.evaluate("async () => { try { await overt.removeSince(-1); } catch {} }")
    end_s = time.monotonic() + PATIENCE_S
    while phase and page.evaluate("overt.state().phase") != phase:
        assert time.monotonic() < end_s
    unharmed(page, off=int(page.evaluate("overt.state().phase") == "off"))
    assert server.tries == [], "and nothing leaves before its time"


BROKEN = {
    "no JSON": b"<html>a proxy's own page</html>",
    "half of it": b'{"study": "test", "settings": {"level"',
    "no settings": b'{"study": "test"}',
    "not an object": b"null",
}


def test_a_broken_notice_or_no_collector_is_told_and_nothing_is_recorded(
    page: Any, server: Server
) -> None:
    asked = "overt.notice().then(() => overt.join(['typing-assist']))"
    told = f"{asked}.then(() => 'joined', (error) => [error.name, error.what !== ''].join())"
    for how, notice in BROKEN.items():
        page.route("**/notice?*", lambda route, _, notice=notice: route.fulfill(body=notice))
        assert page.evaluate(told) == "OvertError,true", how
        page.unroute("**/notice?*")
    page.route("**/v1/**", lambda route: route.abort("connectionrefused"))
    assert page.evaluate(told) == "OvertError,true"
    page.unroute("**/v1/**")
    assert page.evaluate("overt.state().phase") == "none"
    assert databases(page) == []
    assert server.receipts == []


def test_a_receipt_the_server_does_not_know_any_more_keeps_what_waits_and_the_page_goes_on(
    page: Any, server: Server
) -> None:
    join(page, ["typing-assist"])
    write(page)
    server.unknown = [*server.receipts]
    after = send(page)
    assert after["waiting"] == after["produced"]
    server.unknown = []
    send(page)
    all_arrived(server, page)


@pytest.mark.soak
def test_a_real_collector_killed_mid_request_and_started_again_has_everything_once(
    own: Any, tmp_path: Path
) -> None:
    page = listened(own.new_page())
    shown = PAGE.replace('study: "test"', 'study: "five-minutes"').replace(
        'id="listed"', 'id="listed" data-overt'
    )
    with studio(tmp_path) as first, wire(first.url) as relay:
        page.route(
            f"{relay.url}/probed", lambda route: route.fulfill(body=shown, content_type="text/html")
        )
        page.goto(f"{relay.url}/probed")
        page.wait_for_function("window.ready")
        join(page, ["typing-assist"])
        write(page)
        send(page)
        write(page)
        # It takes the request and does not live to answer it.
        first.process.send_signal(signal.SIGSTOP)
        before = relay.everything().count(b"POST /v1/batches")
        page.evaluate("() => { window.sending = overt.sendNow(); }")
        end_s = time.monotonic() + PATIENCE_S
        while relay.everything().count(b"POST /v1/batches") == before:
            assert time.monotonic() < end_s
            page.evaluate("0")
        first.process.kill()
        page.evaluate("sending")
        write(page)
        with studio(tmp_path) as second:
            relay.there = second.url
            for _ in range(2):
                after = send(page)
            assert after["waiting"] == after["lost"] == 0
            assert after["stored"] == after["produced"] > 20
            page.close()
    with Store.open(tmp_path / "data") as store:
        (subject,) = store.subjects("five-minutes")
        numbers = [
            seq
            for _, plain in store.read(store.batches_of(subject))
            for seq in to_events(*decode(plain))["seq"].to_pylist()
        ]
    assert is_whole(sorted(numbers))


RECORD = "overt-record.js"
LOADED = f"performance.getEntriesByType('resource').some(({{ name }}) => name.endsWith('{RECORD}'))"


def test_what_records_comes_where_somebody_has_joined_as_it_was_built_or_not_at_all(
    page: Any, server: Server
) -> None:
    refused = "(work) => work().then(() => '', (error) => `${error.name} ${error.message}`)"
    told = f"OvertError {RECORD}: could not be loaded as it was built. Look at the connection"
    other = (STATIC / RECORD).read_text("utf-8") + "globalThis.other = true;"
    page.route(
        f"**/{RECORD}", lambda route: route.fulfill(body=other, content_type="text/javascript")
    )
    assert not page.evaluate(LOADED), "whoever was only asked does not load it"
    assert page.evaluate(f"({refused})(() => overt.join(['typing-assist']))") == told
    assert (databases(page), server.receipts) == ([], []), "nobody joins what cannot record"
    page.unroute(f"**/{RECORD}")
    join(page, ["typing-assist"])
    assert page.evaluate(LOADED)
    write(page)

    # Who has joined comes back, and something is wrong with the file.
    page.route(f"**/{RECORD}", lambda route: route.abort())
    reloaded(page)
    assert page.evaluate("[overt.state().phase, overt.state().reason]") == ["off", "file"]
    assert page.evaluate(f"({refused})(() => overt.removeSince(60))") == told
    page.unroute(f"**/{RECORD}")
    assert page.evaluate("overt.removeSince(60)") > 0, "the next call has it loaded"
    until(page, "recording")
    page.route(f"**/{RECORD}", lambda route: route.abort())
    reloaded(page)
    page.evaluate("overt.withdraw()")
    assert (server.withdrawn, databases(page)) == (True, []), "to leave needs the first file alone"
    assert page.evaluate("[overt.state().phase, overt.state().reason]") == ["none", "withdrawn"]
    assert page.evaluate("globalThis.other") is None
    page.unroute(f"**/{RECORD}")
