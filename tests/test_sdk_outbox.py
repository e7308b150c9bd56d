"""The SDK's outbox in a real Chromium: what leaves, when, and what each answer does."""

from __future__ import annotations

from typing import Any

import pytest

from overt.schema.batch import inflate
from overt.schema.event import Edit, Kind
from sdk_fixtures import (
    BETWEEN,
    CLOSE_LATER,
    FIXTURES,
    Server,
    closed,
    counts,
    databases,
    eventually,
    is_whole,
    join,
    opened,
    reloaded,
    seen,
    send,
    until,
    use,
    visit,
    write,
)

STORES = """async () => {
  const [{ name }] = await indexedDB.databases();
  const db = await new Promise((done) => {
    const request = indexedDB.open(name); request.onsuccess = () => done(request.result); });
  const filled = [];
  for (const store of db.objectStoreNames) await new Promise((done) => {
    const request = db.transaction(store).objectStore(store).count();
    request.onsuccess = () => done(request.result && filled.push(store)); });
  db.close();
  return filled;
}"""
"""Where in the browser anything lies."""

browser, context, own, page, server, shared = FIXTURES


def test_the_outbox_is_emptied_only_by_an_acknowledgement(page: Any, server: Server) -> None:
    server.outbox_delay_s = 3600
    reloaded(page)
    join(page, ["typing-assist"])
    page.click("#listed")
    page.keyboard.type("abc")
    server.answers = [(500, {}), (503, {"Retry-After": "1"}), (429, {}), (302, {}), (409, {})]
    between = [(status, BETWEEN) for status in (200, 409, 410, 422)]
    server.answers = [*between, *server.answers]
    for _ in range(8):
        assert send(page)["acknowledged"] == 0
    before = counts(page)
    assert before["waiting"] == before["produced"] == before["sent"] > 6
    after = send(page)
    assert after["acknowledged"] == after["produced"]
    assert after["waiting"] == 0
    assert len(page.evaluate("overt.outbox()")) == 0
    assert len({body for _, body in server.tries}) == 1, "the same bytes each time"


def test_an_entry_leaves_by_itself_after_its_delay_and_not_before(
    page: Any, server: Server
) -> None:
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


def test_a_batch_that_can_never_be_accepted_is_dropped_and_counted(
    page: Any, server: Server
) -> None:
    join(page, ["typing-assist"])
    server.answers = [(422, {})]
    after = send(page)
    assert after["quarantined"] == after["produced"] == 1
    assert "quarantine" not in page.evaluate(STORES), "kept, nobody would see it or take it out"
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


def test_gone_at_the_collector_purges(page: Any, server: Server) -> None:
    join(page)
    server.answers = [(410, {})]
    page.evaluate("overt.sendNow()")
    until(page, "none")
    assert databases(page) == []


def test_withdrawing_one_purpose_goes_on_with_the_others(page: Any, server: Server) -> None:
    server.outbox_delay_s = 3600
    reloaded(page)
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


def ask_again(page: Any, server: Server) -> None:
    """Change the notice, and come back to a page that asks again."""
    server.version += 1
    reloaded(page)
    until(page, "off")
    assert page.evaluate("overt.state().reason") == "notice"


def by_receipt(server: Server) -> dict[str, set[str]]:
    """Return the sessions that were stored under each receipt."""
    found: dict[str, set[str]] = {}
    for header, _ in server.batches():
        found.setdefault(header.receipt, set()).add(header.session)
    return found


def test_after_a_changed_notice_each_session_goes_under_the_receipt_it_was_recorded_under(
    page: Any, server: Server
) -> None:
    server.outbox_delay_s = 3600
    reloaded(page)
    join(page)
    write(page)
    ask_again(page, server)
    before = len(seen(page))
    write(page)
    assert len(seen(page)) == before, "nothing is recorded before fresh consent"
    server.token += 1
    join(page)
    write(page)
    eventually(page, "overt.outbox().then((list) => list.some((entry) => entry.header.end))")
    after = send(page)
    assert after["waiting"] == after["quarantined"] == after["lost"] == 0
    first, second = server.receipts
    stored = by_receipt(server)
    assert stored[first]
    assert len(stored[second]) == 1
    assert not stored[first] & stored[second]
    # What lies under the first can be asked for and deleted, with its own token.
    assert page.evaluate("overt.state().former") == [first]
    before = len(server.received)
    page.evaluate("overt.fetch('/v1/me/export', {}, overt.state().former[0])")
    asked = [head for head in server.received[before:] if b"/v1/me/export" in head]
    assert f" of {first}".encode() in asked[0]


@pytest.mark.parametrize("known", [True, False], ids=["withdrawn elsewhere", "unknown"])
def test_an_earlier_receipt_that_is_no_more_holds_up_nothing(
    page: Any, server: Server, known: bool
) -> None:
    server.outbox_delay_s = 3600
    reloaded(page)
    join(page, ["typing-assist"])
    write(page)
    ask_again(page, server)
    join(page, ["typing-assist"])
    eventually(page, "overt.outbox().then((list) => list.some((entry) => entry.header.end))")
    first, second = server.receipts
    (server.gone if known else server.unknown).append(first)
    for _ in range(2):
        after = send(page)
    assert after["waiting"] == 0
    assert after["removed" if known else "quarantined"] > 6
    assert set(by_receipt(server)) == {second}
    until(page, "recording")


def test_another_tab_goes_over_to_the_new_receipt(page: Any, context: Any, server: Server) -> None:
    join(page, ["typing-assist"])
    other = opened(context, server)
    until(other, "recording")
    ask_again(page, server)
    join(page, ["typing-assist"])
    other.wait_for_function("(id) => overt.state().receiptId === id", arg=server.receipts[1])
    until(other, "recording")
    other.bring_to_front()
    write(other)
    send(other)
    assert is_whole([e["seq"] for e in server.events(other.evaluate("overt.state().session"))])
    assert [status for status, _ in server.tries if status not in (200, 409)] == []


def ended(page: Any, server: Server) -> list[dict[str, Any]]:
    """Record a session in two batches, end it, and return what waits of it."""
    server.outbox_delay_s = 3600
    reloaded(page)
    join(page, ["typing-assist"])
    write(page)
    closed(page)
    page.keyboard.type("de")
    first = page.evaluate("overt.state().session")
    reloaded(page)
    waiting = """overt.outbox().then((list) => list.some((entry) => entry.header.end)
      && list.filter((entry) => entry.session === it).map(({ id, rows }) => ({ id, rows })))"""
    return list(eventually(page, waiting, first))


def test_removing_the_end_of_a_session_lets_the_rest_say_that_it_ended(
    page: Any, server: Server
) -> None:
    entries = ended(page, server)
    last = entries[-1]
    assert len(entries) > 1
    assert page.evaluate("(ids) => overt.remove(ids)", [last["id"]]) == last["rows"]
    send(page)
    first = server.sessions()[0]
    (end,) = [h for h, _ in server.batches() if h.session == first and h.end]
    stored = len(server.events(first))
    assert (end.removed, end.produced) == (last["rows"], stored + last["rows"])


def test_a_session_removed_as_a_whole_says_nothing(page: Any, server: Server) -> None:
    entries = ended(page, server)
    page.evaluate("(ids) => overt.remove(ids)", [entry["id"] for entry in entries])
    assert send(page)["removed"] == sum(entry["rows"] for entry in entries)
    assert {h.session for h, _ in server.batches()} == {page.evaluate("overt.state().session")}


def test_the_end_counts_what_was_removed_after_it_was_written(page: Any, server: Server) -> None:
    entries = ended(page, server)
    page.evaluate("(ids) => overt.remove(ids)", [entries[0]["id"]])
    send(page)
    (end,) = [h for h, _ in server.batches() if h.end]
    assert end.removed == entries[0]["rows"]
    assert end.produced == end.removed + len(server.events(end.session))


def test_what_waited_longer_than_the_notice_says_is_lost_and_counted(
    own: Any, server: Server
) -> None:
    server.outbox_delay_s = 3600
    page = opened(own, server)
    join(page, ["typing-assist"])
    write(page)
    reloaded(page)
    held = eventually(
        page, "overt.outbox().then((list) => list.reduce((sum, one) => sum + one.rows, 0))"
    )
    page.goto(server.url + "/blank")
    own.add_init_script("const at = Date.now(); Date.now = () => at + 8 * 86_400_000")
    visit(page, server)
    eventually(page, "overt.counts().then((all) => all.lost >= it)", held)
    assert server.tries == []


def test_what_one_tab_removes_another_tab_does_not_send_as_it_closes(
    page: Any, context: Any, server: Server
) -> None:
    server.outbox_delay_s = 3600
    reloaded(page)
    join(page, ["typing-assist"])
    write(page)
    closed(page)
    session = page.evaluate("overt.state().session")
    other = opened(context, server)
    ids = other.evaluate("overt.outbox().then((list) => list.map(({ id }) => id))")
    other.evaluate("(ids) => overt.remove(ids)", ids)
    page.bring_to_front()
    write(page, "d")
    closed(page)
    page.evaluate(CLOSE_LATER)
    visit(page, server)
    assert server.tries
    removed = {entry.split("/")[1] for entry in ids if entry.startswith(session)}
    assert removed
    assert not removed & {str(h.batch) for h, _ in server.batches() if h.session == session}


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
