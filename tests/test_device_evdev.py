"""The kernel's records become keys and buttons as an obvious loop makes them; the rest is past."""

from __future__ import annotations

import os
import pty
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.device import evdev
from overt.device.evdev import Device, Devices
from overt.device.keyboard import ALT, CONTROL, LEVEL3, SHIFT, Keymap, Slots
from overt.device.stream import BUTTON_PRESS, BUTTON_RELEASE, KEY_PRESS, KEY_RELEASE
from overt.schema.errors import Missing
from overt.schema.event import KeyClass

KEYMAP = Keymap(
    8,
    [
        *[(0, 0)] * 30,
        (0x61, 0x41),  # the key that the kernel calls 30
        (0xFFE3,),
        (0xFFE1,),
        (0xFE03,),
        (0xFFE9,),
    ],
)
A, LEFT_CONTROL, LEFT_SHIFT, ALT_GR, LEFT_ALT = 30, 31, 32, 33, 34
SYN, KEY, REL, ABS, MSC = 0, 1, 2, 3, 4


def record(type_: int, code: int, value: int, at_us: int = 5_000_000) -> bytes:
    return struct.pack("<qqHHi", at_us // 10**6, at_us % 10**6, type_, code, value)


@contextmanager
def node() -> Iterator[tuple[Device, int]]:
    """Yield a device that reads a pipe, and the pipe's other end."""
    read, write = os.pipe2(os.O_NONBLOCK)
    try:
        yield Device(read), write
    finally:
        for end in (read, write):
            try:
                os.close(end)
            except OSError:
                continue


RECORDS = st.one_of(
    st.tuples(st.just(KEY), st.sampled_from([A, 57, 247, 248, 0x110, 0x112, 0x14A, 0x120]),
              st.sampled_from([0, 1, 2, 3])),
    st.tuples(st.just(REL), st.sampled_from([0, 1, 8, 11]), st.integers(-9, 120)),
    st.tuples(st.just(ABS), st.integers(0, 60), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(MSC), st.just(4), st.integers(0, 2**20)),
    st.just((SYN, 0, 0)),
    st.just((SYN, 3, 0)),
)  # fmt: skip


def obvious(records: list[tuple[int, int, int]]) -> tuple[list[tuple[int, int]], int]:
    events, dropping, lost = [], False, 0
    for type_, code, value in records:
        if (type_, code) == (SYN, 3):
            dropping, lost = True, lost + 1
        elif (type_, code) == (SYN, 0):
            dropping = False
        elif type_ == KEY and not dropping and value in (0, 1, 2):
            if code <= 247:
                events.append((KEY_PRESS if value else KEY_RELEASE, code + 8))
            elif code in (*range(0x110, 0x118), 0x14A) and value != 2:
                number = {0x110: 1, 0x112: 2, 0x14A: 1}[code]
                events.append((BUTTON_PRESS if value else BUTTON_RELEASE, number))
    return events, lost


@given(st.lists(RECORDS, max_size=40), st.integers(0, 40 * 24))
@settings(deadline=None, max_examples=30)
def test_records_become_what_an_obvious_loop_makes_of_them_wherever_the_bytes_end(
    records: list[tuple[int, int, int]], cut: int
) -> None:
    data = b"".join(record(*one) for one in records)
    with node() as (device, write):
        devices, made, lost = Devices(KEYMAP, [device]), [], 0
        for part in (data[:cut], data[cut:]):
            os.write(write, part)
            heap = devices.heap()
            assert heap.focus >= bool(heap.lost or device.is_dropping)
            lost += heap.lost
            made += list(
                zip(heap.events["code"].tolist(), heap.events["detail"].tolist(), strict=True)
            )
    assert (made, lost) == obvious(records)


def test_a_key_says_which_modifiers_were_down_before_it_and_when_it_was() -> None:
    keys = [
        (LEFT_CONTROL, 1, 0), (A, 1, CONTROL), (A, 0, CONTROL), (LEFT_CONTROL, 0, CONTROL),
        (LEFT_SHIFT, 1, 0), (ALT_GR, 1, SHIFT), (A, 1, SHIFT | LEVEL3), (ALT_GR, 0, SHIFT | LEVEL3),
        (LEFT_SHIFT, 0, SHIFT), (LEFT_ALT, 1, 0), (A, 0, ALT),
    ]  # fmt: skip
    with node() as (device, write):
        at_us = (2**32 - 3) * 1000  # times wrap as X's do
        for k, (code, value, _) in enumerate(keys):
            os.write(write, record(KEY, code, value, at_us + 1000 * k))
        events = Devices(KEYMAP, [device]).heap().events
    assert events["state"].tolist() == [state for _, _, state in keys]
    assert events["time_ms"].tolist() == [(2**32 - 3 + k) % 2**32 for k in range(len(keys))]


def test_a_key_that_is_held_repeats_and_its_release_ends_it() -> None:
    with node() as (device, write):
        os.write(write, b"".join(record(KEY, A, value) for value in (1, 2, 2, 0)))
        events = Devices(KEYMAP, [device]).heap().events
    slots = Slots()
    pressed = [slots.press(int(one), KeyClass.LETTER)[1] for one in events["detail"][:3]]
    assert (pressed, events["code"].tolist()[3]) == ([False, True, True], KEY_RELEASE)


def test_two_devices_are_one_stream_in_order_and_the_last_one_gone_ends_it() -> None:
    with node() as (one, write), node() as (other, write_other):
        devices = Devices(KEYMAP, [one, other])
        os.write(write, record(KEY, A, 1, 3000) + record(KEY, A, 0, 9000))
        os.write(write_other, record(KEY, 57, 1, 5000))
        assert devices.heap().events["time_ms"].tolist() == [3, 5, 9]
        os.close(write)
        assert devices.heap().focus  # something may have been held down on it
        os.close(write_other)
        with pytest.raises(Missing, match="no keyboard can be read"):
            devices.heap()


def test_what_is_plugged_in_later_is_heard_also_in_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "event0", tmp_path / "event1"
    first.touch()
    told: dict[Path, Device | None] = {}
    refused: set[Path] = set()

    def opened(place: Path) -> Device | None:
        if place in refused:
            raise PermissionError(place)
        return told[place]

    monkeypatch.setattr(evdev, "nodes", lambda: sorted(tmp_path.glob("event*")))
    monkeypatch.setattr(evdev, "opened", opened)
    monkeypatch.setattr(evdev, "RESCAN_S", -1)
    with node() as (one, write), node() as (mouse, write_mouse), node() as (other, write_other):
        told[first] = one
        devices = Devices(KEYMAP)
        told[second] = mouse
        second.touch()
        refused.add(second)  # it is there, and udev has not let us read it yet
        assert not len(devices.heap().events)
        refused.clear()
        os.write(write_mouse, record(KEY, 0x110, 1))
        assert devices.heap().events["detail"].tolist() == [1]
        told[first] = other
        (tmp_path / "another").touch()
        (tmp_path / "another").rename(first)  # unplugged, and another under its name at once
        os.write(write_other, record(KEY, A, 1))
        assert devices.heap().events["detail"].tolist() == [A + 8]
        os.close(write)
        os.write(write_mouse, record(KEY, 0x110, 0))
        assert devices.heap().events["code"].tolist() == [BUTTON_RELEASE]


def test_only_a_keyboard_or_a_pointer_is_opened(tmp_path: Path) -> None:
    assert evdev.is_wanted([1, 30, 57])
    assert evdev.is_wanted([0x110])
    assert not evdev.is_wanted([116])  # a power button
    ours, theirs = pty.openpty()
    try:
        assert evdev.opened(Path(os.ttyname(theirs))) is None  # a terminal is no such device
    finally:
        os.close(ours)
        os.close(theirs)


def test_moves_at_a_thousand_hertz_are_read_past_and_leave_nothing() -> None:
    frame = record(REL, 0, 2) + record(REL, 1, -1) + record(REL, 11, 15) + record(SYN, 0, 0)
    with node() as (device, write):
        os.write(write, frame * 600)
        heap = Devices(KEYMAP, [device]).heap()
    assert heap.moves_only
    assert not len(heap.events)
    assert np.array_equal(heap.events["x"], [])
