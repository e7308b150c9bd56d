"""The browser extension, in a real Chromium, into a real server and its store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from extension_fixtures import Extended, built, can_manage, extended, on, policy, until
from hostile import AGAIN, BEHIND_ITS_BACK
from overt.gateway import studies
from overt.schema.event import Kind
from overt.store.store import Store
from sdk_fixtures import AT_ONCE_MS


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, build: Path) -> Iterator[Extended]:
    with extended(tmp_path_factory.mktemp("extended"), build) as made:
        made.join("typing-assist", "person-or-program")
        made.enable(made.listed)
        yield made


def test_a_site_that_the_person_switched_on_is_recorded_into_the_store(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    page.click("#listed")
    page.keyboard.type("a ferry")
    page.close()
    (events,) = browser.stored()
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert [event["kind"] for event in events].count(Kind.KEY_DOWN) == len("a ferry")
    assert events[-1]["kind"] == Kind.SESSION_END


def worlds(browser: Extended, page: Any) -> list[str]:
    """Return the names of the worlds that scripts of a page run in; the page's own has none."""
    session = browser.context.new_cdp_session(page)
    names: list[str] = []
    session.on("Runtime.executionContextCreated", lambda e: names.append(e["context"]["name"]))
    session.send("Runtime.enable")
    session.detach()
    return names


def test_no_site_off_the_list_or_not_switched_on_is_touched(browser: Extended) -> None:
    (worker,) = browser.context.service_workers
    scripts = worker.evaluate("chrome.scripting.getRegisteredContentScripts()")
    assert [script["matches"] for script in scripts] == [[f"{browser.listed.url}/*"]]
    granted = worker.evaluate("chrome.permissions.getAll()")["origins"]
    assert granted == [f"{browser.listed.url}/*"]
    before = browser.stored()
    for site in (browser.unlisted, browser.other):
        page = browser.visit(site.url, recording=False)
        page.click("#listed")
        page.keyboard.type("not for you")
        assert page.evaluate("document.documentElement.children.length") == 2
        assert page.evaluate("document.querySelector('[data-state]')") is None
        assert "Overt" not in worlds(browser, page)
        assert browser.badge(page) == ""
        page.close()
    assert browser.stored() == before
    page = browser.visit(browser.listed.url)
    assert "Overt" in worlds(browser, page)
    assert browser.badge(page) == "●"
    page.goto(browser.unlisted.url)
    until(lambda: browser.badge(page) == "")
    page.go_back()
    expect(page.locator("[data-state=recording]")).to_be_attached()
    page.click("#listed")
    page.keyboard.type("b")
    page.close()
    *_, first, again = browser.stored()
    assert first[-1]["kind"] == Kind.SESSION_END
    assert count(again, Kind.KEY_DOWN) == 1
    assert again[-1]["kind"] == Kind.SESSION_END


def test_nothing_of_a_page_is_kept_in_its_own_storage(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    page.click("#listed")
    page.keyboard.type("abc")
    before = browser.view()["waiting"]
    page.bring_to_front()
    page.keyboard.type("def")
    until(lambda: browser.view()["waiting"] > before)
    kept = """async () => [
      (await indexedDB.databases()).length, localStorage.length, sessionStorage.length,
      (await caches.keys()).length, document.cookie, (await navigator.locks.query()).held.length,
    ]"""
    assert page.evaluate(kept) == [0, 0, 0, 0, "", 0]
    page.close()


def test_a_worker_that_is_stopped_while_somebody_types_loses_nothing(browser: Extended) -> None:
    known = len(browser.stored())
    browser.panel().close()  # it would wake the worker by looking
    page = browser.visit(browser.listed.url)
    page.click("#listed")
    typed = 0
    for _ in range(4):
        for _ in range(12):
            page.keyboard.type("x")
            typed += 1
        browser.stop_worker(page)
        page.keyboard.type("yz")
        typed += 2
    # The page is still there: it has said again what the stopped workers did not acknowledge.
    assert count(newest(browser.stored()), Kind.KEY_DOWN) == typed
    browser.panel().close()
    # Now it closes with the worker stopped: its last words wait in the browser's memory.
    browser.stop_worker(page)
    page.bring_to_front()
    page.keyboard.type("!")
    page.close()
    sessions = browser.stored()
    assert len(sessions) == known + 1
    events = newest(sessions)
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert count(events, Kind.KEY_DOWN) == count(events, Kind.EDIT) == typed + 1
    assert events[-1]["kind"] == Kind.SESSION_END
    view = browser.view()
    assert (view["waiting"], view["lost"]) == (0, 0)
    assert view["today"]["events"] == sum(map(len, sessions))
    assert view["today"]["bytes"] > view["today"]["events"]


def test_secret_and_unlisted_fields_do_not_exist(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    for field in ("#password", "#unlisted"):
        page.click(field)
        page.keyboard.type("hunter")
    page.close()
    events = newest(browser.stored())
    assert count(events, Kind.KEY_DOWN) == count(events, Kind.EDIT) == 0
    assert count(events, Kind.CLICK) == 2


def test_a_path_off_the_list_is_never_recorded_also_without_loading(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    page.click("#listed")
    page.keyboard.type("a")
    for path in ("/private", "/writer", "/write"):
        page.evaluate("(path) => history.pushState(null, '', path)", path)
        page.keyboard.type("not for you")  # at once, before any timer
    expect(page.locator("[data-state]")).not_to_be_attached()
    assert browser.badge(page) == "–"
    page.evaluate("history.pushState(null, '', '/write/3?secret=1#secret')")
    expect(page.locator("[data-state=recording]")).to_be_attached()
    page.keyboard.type("b")
    assert browser.badge(page) == "●"
    page.close()
    events = newest(browser.stored())
    assert count(events, Kind.KEY_DOWN) == 2
    assert count(events, Kind.PAUSE) == count(events, Kind.RESUME) == 1


@pytest.mark.soak
def test_a_frame_is_recorded_if_it_and_all_around_it_are_of_one_listed_origin(
    browser: Extended,
) -> None:
    known = len(browser.stored())
    page = browser.visit(f"{browser.listed.url}/write/framed")
    page.frame_locator("#inner").locator("#listed").click()
    browser.records(page, sessions=2)
    # By now all of them have heard that the sign is seen; what is recorded comes last.
    for frame, text in (("off", "de"), ("boxed", "fg"), ("kept", "h"), ("inner", "abc")):
        page.frame_locator(f"#{frame}").locator("#listed").click()
        page.keyboard.type(text)
    page.goto(browser.unlisted.url)
    page.close()
    sessions = browser.stored()[known:]
    assert sorted(count(events, Kind.KEY_DOWN) for events in sessions) == [0, 3]
    (inside,) = (events for events in sessions if count(events, Kind.KEY_DOWN))
    assert [event["seq"] for event in inside] == list(range(len(inside)))
    assert inside[-1]["kind"] == Kind.SESSION_END
    # The browser allows the listed site, but nobody switched on the page around it.
    stranger = browser.visit(browser.unlisted.url, recording=False)
    embed = (
        "(src) => document.body.append(Object.assign(document.createElement('iframe'), { src }))"
    )
    stranger.evaluate(embed, browser.listed.url)
    stranger.frame_locator("iframe").locator("#listed").click()
    stranger.keyboard.type("not for you")
    stranger.close()
    assert len(browser.stored()) == known + len(sessions)


@pytest.mark.soak
def test_a_pause_holds_everywhere_also_where_the_worker_was_stopped(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    browser.stop_worker(page)
    browser.press("toggle")
    expect(page.locator("[data-state=paused]")).to_be_attached(timeout=AT_ONCE_MS)
    assert browser.badge(page) == "❚❚"
    again = browser.visit(f"{browser.listed.url}/write/", recording=False)
    again.click("#listed")
    again.keyboard.type("nothing")
    again.close()
    browser.press("toggle")
    expect(page.locator("[data-state=recording]")).to_be_attached(timeout=AT_ONCE_MS)
    page.close()
    assert count(newest(browser.stored()), Kind.KEY_DOWN) == 0


def test_what_would_leave_can_be_seen_and_taken_out(browser: Extended) -> None:
    before = browser.stored()
    page = browser.visit(browser.listed.url)
    page.click("#listed")
    page.keyboard.type("abc")
    panel = browser.panel()
    browser.press("outbox")
    packets = panel.locator(".packet")
    expect(packets.first).to_be_visible()
    expect(panel.locator("summary").last).to_contain_text("Help with typing")
    panel.locator("details").first.click()
    shown = " ".join(panel.locator(".packet pre").all_text_contents())
    assert "key down · letter" in shown
    assert "abc" not in shown
    for packet in browser.ask(do="outbox"):
        assert packet["bytes"] < 250 + 20 * packet["rows"], "as it would leave, not as it is shown"
    panel.bring_to_front()
    while packets.count():
        waiting = packets.count()
        panel.locator(".packet button").first.click()
        expect(packets).to_have_count(waiting - 1)
    browser.press("back")
    page.close()
    left = [event for events in browser.stored() for event in events]
    known = [event for events in before for event in events]
    assert count(left, Kind.KEY_DOWN) == count(known, Kind.KEY_DOWN)


@pytest.mark.soak
def test_a_page_that_clears_all_timers_cannot_cover_the_sign(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    page.evaluate(f"() => {{ {BEHIND_ITS_BACK['no timer']} {AGAIN} }}")
    until(lambda: browser.badge(page) == "–")
    page.close()


@pytest.mark.soak
def test_the_last_hour_is_deleted_here_and_on_the_server(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    page.click("#listed")
    page.keyboard.type("abc")
    assert browser.stored()
    page.keyboard.type("def")
    browser.press("hour")
    browser.press("yes")
    expect(browser.panel().locator("#said")).to_have_text("The last hour is deleted.")
    assert browser.view()["waiting"] == 0
    page.keyboard.type("g")
    page.close()
    (events,) = browser.stored()
    assert count(events, Kind.KEY_DOWN) == 1


@pytest.mark.soak
def test_offline_it_goes_on_recording_and_says_so(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    browser.away(True)
    page.click("#listed")
    page.keyboard.type("abc")
    until(lambda: browser.view()["waiting"] > 6)
    browser.ask(do="send")
    until(lambda: browser.badge(page) == "●!")
    assert browser.view()["offline"]
    browser.away(False)
    page.keyboard.type("d")
    until(lambda: browser.badge(page) == "●")
    page.close()
    assert count(newest(browser.stored()), Kind.KEY_DOWN) == 4


@pytest.mark.soak
def test_a_changed_notice_stops_it_until_the_person_has_chosen_again(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    page.click("#listed")
    page.keyboard.type("abc")
    before = browser.ask(do="receipt")["receipt_id"]
    with Store.open(browser.data_dir) as store:
        study = store.control.study("writing")
        assert study
        studies.register(store, study.document.replace(b"version = 1 ", b"version = 2 "))
    browser.stop_worker(page)  # a worker that begins asks for the notice
    browser.ask(do="send")
    expect(page.locator("[data-state=recording]")).not_to_be_attached()
    assert browser.view()["stale"]
    panel = browser.panel()
    panel.reload()
    browser.press("reread")
    panel.check("[name=purpose][value=typing-assist]")
    panel.check("[name=detail][value=rhythm]")
    browser.press("join")
    expect(page.locator("[data-state=recording]")).to_be_attached()
    assert browser.ask(do="receipt")["receipt_id"] != before
    page.keyboard.type("d")
    page.close()
    assert count(newest(browser.stored()), Kind.KEY_DOWN) == 1
    assert len(browser.ask(do="export")) > 1, "what lies under the earlier receipt is shown too,"
    browser.press("hour")
    browser.press("yes")
    expect(browser.panel().locator("#said")).to_have_text("The last hour is deleted.")
    assert not any(browser.stored()), "and is deleted with the rest"


@pytest.mark.skipif(not can_manage(), reason="only root may write policies for Chromium")
@pytest.mark.soak
def test_a_managed_policy_narrows_and_is_shown_whole(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    with policy(sites=[browser.other.url]) as stated:
        expect(page.locator("[data-state=recording]")).not_to_be_attached()
        panel = browser.panel()
        row = panel.locator(f"[data-origin='{browser.listed.url}']")
        expect(row).to_have_attribute("data-state", "policy")
        assert json.loads(on(panel, "policy").inner_text()) == stated
        assert row.get_by_role("button").count() == 0
        # Nobody goes round it: the command behind the button does not help.
        browser.ask(do="enable", origin=browser.listed.url)
        assert browser.view()["sites"][0]["state"] == "policy"
    expect(row).to_have_attribute("data-state", "on")
    page.close()


def test_several_studies_record_side_by_side_and_each_is_paused_and_left_by_itself(
    browser: Extended,
) -> None:
    first, second = browser.view()["at"], browser.join("typing-assist", study="second")
    browser.enable(browser.listed)
    panel = browser.panel()
    page = browser.visit(browser.listed.url)
    page.click("#listed")
    page.keyboard.type("ab")
    browser.press(f"toggle {second}")
    expect(panel.locator(f"[data-study='{second}'] .state")).to_contain_text("Paused")
    expect(page.locator("[data-state=recording]")).to_be_attached()
    page.bring_to_front()
    page.keyboard.type("c")
    keys = [count(newest(browser.stored(at=at)), Kind.KEY_DOWN) for at in (first, second)]
    assert keys == [3, 2]
    receipts = [browser.ask(do="receipt", at=at)["receipt_id"] for at in (first, second)]
    panel = browser.panel()
    browser.press(f"open {first}")
    browser.press("mirror")
    shown = on(panel, "mirror").locator("li")
    expect(shown.first).to_contain_text("key up · letter · text field")
    expect(shown.nth(1)).to_contain_text("edit · insert text · characters: 1")
    browser.press("back")
    browser.press("all")
    browser.press(f"open {second}")
    browser.press("leave")
    browser.press("yes")
    expect(on(panel, "toggle")).to_be_visible()
    assert browser.view()["at"] == first
    assert panel.evaluate("indexedDB.databases().then((all) => all.length)") == 1
    granted = "chrome.permissions.getAll().then(({ origins }) => origins)"
    assert panel.evaluate(granted) == [f"{browser.listed.url}/*"], "the first study needs it"
    page.bring_to_front()
    page.keyboard.type("d")
    page.close()
    assert count(newest(browser.stored()), Kind.KEY_DOWN) == 4
    with Store.open(browser.data_dir) as store:
        assert [store.is_gone(receipt) for receipt in receipts] == [False, True]


def test_who_leaves_is_gone_from_browser_and_server_at_once(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    page.click("#listed")
    page.keyboard.type("abc")
    panel = browser.panel()
    receipt = browser.ask(do="receipt")["receipt_id"]
    browser.press("leave")
    browser.press("yes")
    expect(page.locator("[data-state]")).not_to_be_attached(timeout=AT_ONCE_MS)
    expect(on(panel, "read")).to_be_visible()
    page.keyboard.type("d")
    assert browser.view() is None
    assert panel.evaluate("indexedDB.databases()") == []
    worker = "chrome.permissions.getAll().then(({ origins }) => origins)"
    assert panel.evaluate(worker) == []
    assert panel.evaluate("chrome.scripting.getRegisteredContentScripts()") == []
    assert browser.badge(page) == ""
    page.close()
    with Store.open(browser.data_dir) as store:
        assert store.is_gone(receipt)
        until(lambda: store.subjects("writing") == [])


@pytest.mark.soak
def test_who_leaves_offline_is_gone_here_at_once_and_there_as_soon_as_it_can_be(
    browser: Extended,
) -> None:
    if browser.view():
        browser.ask(do="leave")
    browser.join("next-action")
    receipt = browser.ask(do="receipt")["receipt_id"]
    browser.away(True)
    browser.press("leave")
    browser.press("yes")
    expect(on(browser.panel(), "state")).to_contain_text("You have left.")
    assert browser.view()["waiting"] == 0
    browser.away(False)
    browser.ask(do="send")
    assert browser.view() is None
    with Store.open(browser.data_dir) as store:
        assert store.is_gone(receipt)


def count(events: list[dict[str, Any]], kind: Kind) -> int:
    return [event["kind"] for event in events].count(kind)


def newest(sessions: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the session that began last."""
    return sessions[-1]
