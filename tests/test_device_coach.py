"""The coach: sums that match an obvious count, keep no text, and never leave this computer."""

from __future__ import annotations

import datetime as dt
import json
import os
import pty
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_fixtures import Desktop, at_a_terminal, desktop, until
from overt.device import advice, coach_page
from overt.device.coach import Coach, days
from overt.device.facts import FACTS
from overt.device.practice import Day, Practice, bin_of, median_ms, merged
from overt.device.vault import Vault, as_json
from overt.device.wording import page_words
from overt.schema.errors import Missing
from overt.schema.event import KeyClass, Kind, Modifier

A = ord("a")


def typed(keys: list[tuple[str, int]]) -> Day:
    """Return the day of these keys: a letter or `<` for Backspace, and its ms since the last."""
    rows = np.zeros(len(keys), FACTS)
    rows["kind"] = Kind.KEY_DOWN
    rows["t_us"] = np.cumsum([gap_ms * 1000 for _, gap_ms in keys])
    for row, (key, _) in zip(rows, keys, strict=True):
        row["key_class"] = KeyClass.BACKSPACE if key == "<" else KeyClass.LETTER
        row["key_symbol"] = 0 if key == "<" else ord(key)
    practice = Practice(Day())
    practice.take(rows)
    practice.rest()
    return practice.day


KEYS = st.lists(st.tuples(st.sampled_from("abc<"), st.integers(1, 4000)), max_size=60)


@settings(deadline=None)
@given(KEYS)
def test_pairs_slips_and_corrections_are_those_of_an_obvious_count(
    keys: list[tuple[str, int]],
) -> None:
    pairs: dict[str, list[int]] = {}
    slips: dict[str, int] = {}
    for k, (key, gap_ms) in enumerate(keys):
        before = keys[k - 1] if k else ("<", 0)
        if key != "<" and before[0] != "<" and gap_ms < 2000:
            pairs.setdefault(before[0] + key, []).append(bin_of(gap_ms))
        taken = k >= 2 and before[0] == "<" and keys[k - 2][0] != "<" and before[1] < 2000
        if key != "<" and taken and keys[k - 2][0] != key:
            slip = key + keys[k - 2][0]
            slips[slip] = slips.get(slip, 0) + 1
    day = typed(keys)
    assert {pair: sum(bins) for pair, bins in day.pairs.items()} == {
        pair: len(gaps) for pair, gaps in pairs.items()
    }
    assert day.slips == slips
    assert day.corrections == sum(key == "<" for key, _ in keys)
    assert day.keys == len(keys) - day.corrections


@settings(deadline=None)
@given(KEYS, KEYS)
def test_two_days_together_are_the_sum_of_both(
    one: list[tuple[str, int]], other: list[tuple[str, int]]
) -> None:
    both = merged([typed(one), typed(other)])
    assert both.keys == typed(one).keys + typed(other).keys
    assert sum(both.gaps) == sum(typed(one).gaps) + sum(typed(other).gaps)
    assert Day.of_json(json.loads(json.dumps(both.to_json()))) == both


def test_what_is_kept_of_a_sentence_is_the_same_for_its_pairs_in_any_order() -> None:
    kept = typed([(letter, 100) for letter in "abcab"]).to_json()
    other = typed([(letter, 100) for letter in "cabca"]).to_json()
    assert set(kept["pairs"]) == set(other["pairs"])
    assert all(len(pair) == 2 for pair in kept["pairs"])


def test_the_weakest_pair_comes_first_and_is_practised_in_words() -> None:
    slow = [
        (letter, 400 if letter == "h" else 100) for letter in "thesethesethesethesethesethese" * 2
    ]
    weak = advice.pairs(typed(slow))
    assert weak[0].letters == "th"
    assert weak[0].median_ms == pytest.approx(400, rel=0.1)
    first, *others = advice.exercises(weak[:1], lines=4)
    assert all("th" in word for word in first.words.split())
    assert first.usual_ms == weak[0].median_ms
    assert [one.usual_ms for one in others] == [None] * 3, "common pairs, until more are known"
    assert advice.pairs(typed([("a", 100), ("b", 100)])) == []


BOUNCED = [("a", 300), ("a", 30), ("<", 200), ("b", 200)]
DOUBLE = [("l", 300), ("l", 150), ("e", 200)]


def test_a_wait_for_bounces_is_advised_with_what_it_would_have_spared_and_swallowed() -> None:
    (found,) = advice.settings(typed(BOUNCED * 6 + DOUBLE * 6))
    assert found.setting == "Bounce keys"
    assert found.how.endswith("within 34 ms")
    assert "spared 6 of 6" in found.effect
    assert found.effect.endswith("swallowed: 0")


def test_a_key_that_bounces_is_no_pair_to_practise_and_a_double_letter_may_be() -> None:
    assert "aa" not in {pair.letters for pair in advice.pairs(typed(BOUNCED * 9))}
    assert "ll" in {pair.letters for pair in advice.pairs(typed(DOUBLE * 9))}


def test_no_wait_is_advised_that_swallows_what_is_meant() -> None:
    """Six bounces at 30 ms, but the same hand writes its double letters as fast."""
    fast = [("l", 300), ("l", 25), ("e", 200)]
    assert advice.bounce(typed(BOUNCED * 6 + fast * 2)) is None
    assert advice.bounce(typed(BOUNCED * 7 + fast * 2)) is not None


def test_a_double_letter_that_is_written_again_was_no_bounce() -> None:
    again = [("l", 300), ("l", 30), ("<", 200), ("l", 200), ("e", 200)]
    assert sum(typed(again * 6).doubles_undone) == 0
    assert advice.settings(typed([("a", 300), ("b", 30)] * 20)) == []


def held(key_class: KeyClass, held_ms: int, then: KeyClass) -> Day:
    """Return the day of a key held for so long, with repeats, and the key after it."""
    rows = np.zeros(5, FACTS)
    rows["kind"] = [Kind.KEY_DOWN, Kind.KEY_DOWN, Kind.KEY_UP, Kind.KEY_DOWN, Kind.KEY_UP]
    rows["t_us"] = np.array([0, held_ms - 5, held_ms, held_ms + 200, held_ms + 260]) * 1000
    rows["modifiers"][1] = Modifier.REPEAT
    rows["slot"] = [1, 1, 1, 2, 2]
    rows["key_class"] = [key_class] * 3 + [then] * 2
    practice = Practice(Day())
    practice.take(np.concatenate([rows] * 6))
    return practice.day


def test_a_later_repeat_is_advised_where_repeats_are_taken_back_and_not_where_they_are_meant() -> (
    None
):
    slips = held(KeyClass.LETTER, 600, KeyClass.BACKSPACE)
    (found,) = advice.settings(slips)
    assert found.setting == "Key repeat"
    assert "spared 6 of 6" in found.effect
    assert advice.settings(held(KeyClass.LETTER, 600, KeyClass.LETTER)) == []
    assert advice.settings(held(KeyClass.BACKSPACE, 600, KeyClass.BACKSPACE)) == []


def test_the_median_lies_in_the_bin_of_the_middle_duration() -> None:
    day = typed([("a", 1), *[("b", ms) for ms in (50, 100, 200, 400, 800)]])
    assert median_ms(day.gaps) == pytest.approx(200, rel=0.1)
    assert np.isnan(median_ms([0] * 5))


@pytest.mark.parametrize("count", [0, 1, 400])
def test_the_page_says_what_there_is_and_asks_nobody_for_anything(count: int) -> None:
    today = dt.date(2026, 3, 2)
    day = typed(
        [(letter, 120) for letter in "these words again and again" * count if letter != " "]
    )
    shown = coach_page.render({today - dt.timedelta(1): day, today: day}, "nonce")
    assert ("Nothing counted yet" in shown) == (count == 0)
    addresses = re.findall(r"(?:src|href|url)\s*=?\s*[(\"'](?!data:)([^\"')]*)", shown)
    assert addresses == ["de"]  # itself, in the other language
    (script,) = re.findall(r"<script([^>]*)>", shown)
    assert script == ' nonce="nonce"', "one, inside of the page"
    assert shown.count("nan") == 0


def way(px: float, ms: int, *, past_px: float = 0, lift_at: float = 0, still_ms: int = 0) -> Day:
    """Return the day of twenty ways to the right, at one speed, each ended by a press.

    `past_px`: it goes so far past its end and comes back; `lift_at`: after this share of the way it
    stays for .2 s; `still_ms`: so long it lies at its end before the press.
    """
    there = [(px + past_px) * k / 50 for k in range(51)]
    back = [px + past_px * (1 - k / 10) for k in range(1, 11)] if past_px else []
    places = np.array([*there, *back])
    at_ms = np.linspace(0, ms, len(places))
    if lift_at:
        at_ms[places > lift_at * px] += 200
    rows = np.zeros(len(places) + 1, FACTS)
    rows["kind"], rows["kind"][-1] = Kind.POINTER_MOVE, Kind.POINTER_DOWN
    rows["x_8th_css_px"][:-1], rows["x_8th_css_px"][-1] = places * 8, px * 8
    rows["t_us"][:-1], rows["t_us"][-1] = at_ms * 1000, (at_ms[-1] + still_ms) * 1000
    practice = Practice(Day())
    for k in range(20):
        later = rows.copy()
        later["t_us"] += k * 10_000_000
        practice.take(later)
    return practice.day


def test_the_pointers_throughput_is_the_bits_of_its_ways_by_their_time() -> None:
    assert advice.throughput(way(31 * 32, 1000)) == pytest.approx(5, rel=0.01)
    assert np.isnan(advice.throughput(way(199, 500))), "short ways are not counted"
    assert np.isnan(advice.throughput(Day()))
    assert advice.settings(way(31 * 32, 1000)) == []


def test_a_faster_pointer_is_advised_where_it_was_lifted_with_the_lifts_it_would_have_spared() -> (
    None
):
    (found,) = advice.settings(way(1000, 800, lift_at=0.8))
    assert found.setting == "Pointer speed"
    assert found.how.startswith("a pointer 1.3 times as fast")  # 1 / 0.8, up to its bin's edge
    assert found.effect.startswith("would have spared a lift on 20 of 20")
    assert advice.speed(way(1000, 800, lift_at=0.3)) is None, "more than twice as fast"


def test_a_slower_pointer_is_advised_where_ways_go_past_their_end() -> None:
    (found,) = advice.settings(way(800, 900, past_px=100))
    assert found.why.startswith("20 of 20 long ways went past")
    assert "at most" in found.effect
    assert advice.settings(way(800, 900, past_px=12)) == []


def test_larger_targets_are_advised_where_most_time_goes_into_the_last_pixels() -> None:
    (found,) = advice.settings(way(400, 500, still_ms=600))
    assert found.setting == "Target size"
    assert found.why.startswith("55 % of the time")
    assert found.effect.startswith("with 8 pixels more on each side 10 of 1,100 ms")


def test_the_page_is_in_the_language_that_the_browser_asks_for_throughout() -> None:
    today = dt.date(2026, 3, 2)
    total = merged([typed(BOUNCED * 20), way(1000, 800, lift_at=0.8, still_ms=900)])
    held_too_long = held(KeyClass.LETTER, 600, KeyClass.BACKSPACE)
    day = merged([total, held_too_long, *[typed([(k, 700) for k in "theirs" * 20])] * 4])
    day.almost_double = 1234
    days = {today - dt.timedelta(8 * k): day for k in range(3)}
    page = coach_page.serve(lambda: days)
    shown: dict[str, str] = {}
    try:
        for path, asked in (("", "de-AT,en;q=0.5"), ("en", "de"), ("", "fr")):
            sent = urllib.request.Request(page.url + path, headers={"Accept-Language": asked})
            with urllib.request.urlopen(sent) as answer:
                shown[path or asked] = answer.read().decode()
    finally:
        page.close()
    german, *english = shown.values()
    assert '<html lang="de">' in german
    assert all('<html lang="en">' in one for one in english)
    for words in ("3.702 Paare", "Von Woche zu Woche", "14.02.", "Zeigergeschwindigkeit"):
        assert words in german, words
    assert "3,702 pairs" in english[0]
    text = re.sub(r"<(style|script|noscript|kbd)\b.*?</\1>|<[^>]+>", " ", german, flags=re.DOTALL)
    words = {
        language: {
            word for text in _texts(page_words(language)) for word in re.findall(r"\w+", text)
        }
        for language in ("en", "de")
    }
    left = set(re.findall(r"\b[A-Za-zäöüß]{3,}\b", text)) & (words["en"] - words["de"])
    assert not left


def _texts(words: dict[str, Any]) -> list[str]:
    parts = [_texts(one) if isinstance(one, dict) else [str(one)] for one in words.values()]
    return [text for part in parts for text in part]


@pytest.mark.soak
def test_an_exercise_answers_each_key_by_keyboard_alone_and_asks_nobody_for_anything() -> None:
    from studio_fixtures import chromium

    day = typed([(k, 120) for _ in range(9) for k in "thether"])
    page = coach_page.serve(lambda: {dt.date(2026, 3, 2): day})
    with chromium() as browser:
        window = browser.new_context(viewport={"width": 390, "height": 844}, locale="de")
        tab, asked = window.new_page(), list[str]()
        tab.on("request", lambda one: asked.append(one.url))
        tab.goto(page.url)
        for _ in range(2):
            tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.dataset.part") == "field", "the second stop"
        words = tab.locator("[data-part=line]").text_content()
        tab.keyboard.type("~")
        assert tab.locator(".line .wrong").count() == 1
        tab.keyboard.press("Backspace")
        tab.keyboard.type(words, delay=5)
        assert tab.locator(".line .right").count() == len(words)
        said = tab.locator("[data-part=result]").text_content()
        assert re.search(r"\d Wörter in der Minute, 1 Vertipper\. „..“: hier \d+ ms, sonst", said)
        assert tab.locator(".strip .of-pair").count() >= 3
        tab.keyboard.press("Enter")
        assert tab.locator("[data-part=line]").text_content() != words
        tab.evaluate("fetch(location.href).catch(() => (window.refused = true))")
        tab.wait_for_function("window.refused")
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert asked == [page.url], "its script can ask nobody, not even this page"
    page.close()


def test_a_week_is_the_sum_of_its_days() -> None:
    first = dt.date(2026, 3, 2)  # a Monday
    day = typed([("a", 100)] * 10)
    found = coach_page.weeks({first + dt.timedelta(k): day for k in range(9)})
    assert {monday: one.keys for monday, one in found.items()} == {
        first: 70,
        first + dt.timedelta(7): 20,
    }


def test_without_the_accessibility_service_the_coach_counts_in_terminals_or_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    vault = Vault(tmp_path)
    for programs, words in ((["mousepad", "xterm"], "in terminals"), (["xterm"], "no display")):
        with pytest.raises(Missing, match=words):
            Coach(vault, programs)
    vault.close()


def test_nothing_is_counted_without_a_terminal_or_of_an_interpreter(tmp_path: Path) -> None:
    how = [sys.executable, "-m", "overt", "coach", "--device-dir", str(tmp_path)]
    done = subprocess.run(how, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.returncode, "own act" in done.stderr) == (1, True)
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*how, "--program", "python3"], stdin=theirs, capture_output=True, text=True
    )
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, "interpreter" in done.stderr) == (1, True)
    assert not list(tmp_path.rglob("*"))


def test_a_secret_of_the_person_is_not_in_the_sealed_sums(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "coach")
    vault.change({"day/2026-03-02": as_json(typed([(k, 90) for k in "canarycanary"]).to_json())})
    vault.close()
    found = b"".join(path.read_bytes() for path in (tmp_path / "coach").iterdir())
    assert b"pairs" not in found
    assert b"slips" not in found


@pytest.mark.soak
def test_the_coach_counts_on_a_computer_without_any_network(tmp_path: Path) -> None:
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode:
        pytest.skip("no right to make a network of its own (run as root)")
    with desktop(tmp_path / "home") as desk:
        desk.start("xterm", "-e", "bash", "--norc", "--noprofile")
        window = desk.window("xterm", 20, 80, 500, 400)
        overt = [sys.executable, "-m", "overt", "coach", "--program", "xterm"]
        command = ["unshare", "--net", *overt, "--device-dir", str(tmp_path)]
        with at_a_terminal(desk, command) as coach:
            coach.until("overt: recording")
            desk.focus(window)
            until(lambda: _counted(desk, tmp_path) >= 20, "twenty keys are counted")
            coach.process.send_signal(signal.SIGINT)
            coach.until("overt: ended")
    (day,) = days(Vault(tmp_path / "coach")).values()
    assert set(day.pairs) <= {"th", "he", "et"}


def _counted(desk: Desktop, folder: Path) -> int:
    desk.do("type", "--delay", "15", "the")
    vault = Vault(folder / "coach")
    counted = sum(day.keys for day in days(vault).values())
    vault.close()
    return counted
