"""A browser that gives no storage, or no more of it: the quota is Chromium's own.

Chromium looks at it in steps of some ten kilobytes, so that even with nothing a little is written.
"""

from __future__ import annotations

from typing import Any

import pytest

from overt.schema.event import Kind
from sdk_fixtures import FIXTURES, Server, eventually, join, opened, reloaded, until

browser, context, own, page, server, shared = FIXTURES

pytestmark = pytest.mark.soak

OFF = "Overt is off (storage): nothing is recorded. The page is not affected."


def allow(page: Any, server: Server, quota_bytes: int | None) -> None:
    """Set the browser's quota for this origin as long as the page lives; None: as it was."""
    devtools = page.context.new_cdp_session(page)
    size = {} if quota_bytes is None else {"quotaSize": quota_bytes}
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": server.url, **size})


def move_until_off(page: Any) -> None:
    for at in range(400):
        page.mouse.move(at, 100 + at % 7, steps=30)
        if page.evaluate("overt.state().phase") != "recording":
            return
    raise AssertionError("there was room for everything")


def test_without_any_room_nobody_is_enrolled_and_the_page_works(own: Any, server: Server) -> None:
    page = opened(own, server)
    allow(page, server, 1)  # 0 means that the browser's own holds
    told = "overt.join(['typing-assist']).catch((error) => error.message)"
    assert "storage: cannot be written on this device" in page.evaluate(told)
    state = page.evaluate("overt.state()")
    assert (state["phase"], state["reason"]) == ("off", "storage")
    page.click("#listed")
    page.keyboard.type("the page works")
    assert page.input_value("#listed") == "the page works"
    assert page.evaluate("seen") == []
    assert page.console == [OFF]
    assert server.left == [(server.receipts[-1], None)], "what was agreed to is taken back"


def test_without_more_room_it_stops_says_so_once_and_what_was_lost_is_counted(
    own: Any, server: Server
) -> None:
    server.outbox_delay_s = 3600
    page = opened(own, server)
    join(page, ["typing-assist", "person-or-program"])
    used = page.evaluate("navigator.storage.estimate().then(({ usage }) => usage)")
    allow(page, server, int(used) + 20_000)
    session = page.evaluate("overt.state().session")
    move_until_off(page)
    state = page.evaluate("overt.state()")
    assert (state["phase"], state["reason"]) == ("off", "storage")
    before = page.evaluate("seen.length")
    page.click("#listed")
    page.keyboard.type("the page works")
    assert page.input_value("#listed") == "the page works"
    assert page.evaluate("seen.length") == before, "and nothing of it is recorded"
    assert page.console == [OFF]

    allow(page, server, None)
    reloaded(page)
    until(page, "recording")
    recovered = "navigator.locks.query().then(({ held }) => held.length === 1)"
    eventually(page, f"overt.sendNow().then(() => {recovered})", None, 15)
    settled = "overt.sendNow().then(() => overt.counts()).then((all) => all.waiting === 0 && all)"
    after = eventually(page, settled, None, 15)
    assert after["quarantined"] == 0, "what the collector gets is in order, whatever had no room"
    assert after["produced"] == after["stored"] + after["lost"]
    events = server.events(session)
    assert len(events) > 20
    newest = max(h.produced for h, _ in server.batches() if h.session == session)
    lost = max(h.lost for h, _ in server.batches() if h.session == session)
    assert newest == events[-1]["seq"] + 1 == len(events) + lost, "each gap is told"
    ends = [h.end for h, _ in server.batches() if h.session == session]
    # Where not even the end had room, the session says that it is unclean.
    assert sum(ends) == (events[-1]["kind"] == Kind.SESSION_END)
