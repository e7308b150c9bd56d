"""Displays and hints of the pointer: coarse, and unknown where nobody tells."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest

from overt.device import displays
from overt.device.displays import Acceleration, Display, Setting, Speed, rows
from overt.device.outputs import Outputs
from overt.device.wire import Reader

PRIMARY, SECOND = Display(0, 0, 1920, 1080, 1.25), Display(-1366, 312, 1366, 768)


def test_each_display_is_a_row_with_edges_on_64_px_and_nothing_finer() -> None:
    first, second = rows(Setting((PRIMARY, SECOND), Acceleration.SOME, Speed.FASTER), 5)
    names = ("slot", "scroll_x_css_px", "scroll_y_css_px", "value", "button", "edit_chars")
    assert [int(first[name]) for name in names] == [1, 1920, 1088, 5, 2, 3]
    assert [int(second[name]) for name in names] == [2, 1408, 768, 0, 2, 3]
    assert (second["x_8th_css_px"], second["y_8th_css_px"]) == (-1408 * 8, 256 * 8)


@pytest.mark.parametrize(
    ("said", "is_known"),
    [
        (displays.of_libinput(0.3, (1, 0)), (Acceleration.SOME, Speed.FASTER)),
        (displays.of_libinput(0.0, (0, 1, 0)), (Acceleration.NONE, Speed.USUAL)),
        (displays.of_libinput(0.0, (0, 0, 1)), (Acceleration.UNKNOWN, Speed.USUAL)),
        (displays.of_libinput(0.0, ()), (Acceleration.UNKNOWN, Speed.USUAL)),
        (displays.of_ratio(3, 2), (Acceleration.SOME, Speed.SLOWER)),
        (displays.of_ratio(0, 0), (Acceleration.UNKNOWN, Speed.UNKNOWN)),
        (displays.of_windows((0, 0, 0), 14), (Acceleration.NONE, Speed.FASTER)),
        (displays.of_windows((0, 0, 0), 0), (Acceleration.NONE, Speed.UNKNOWN)),
    ],
)
def test_of_a_setting_only_the_class_is_known(said: Any, is_known: Any) -> None:
    assert said == is_known


def test_where_two_devices_differ_nothing_is_known() -> None:
    one = (Acceleration.SOME, Speed.USUAL)
    assert displays.agreed([one, one]) == one
    assert displays.agreed([one, (Acceleration.NONE, Speed.USUAL)]) == displays.agreed([])


def test_a_compositors_displays_come_go_turn_and_scale() -> None:
    """As `wl_output` says them; the maker's name is read over."""
    wire = SimpleNamespace(outputs={3}, round_trip=lambda: None, bind_name=None)
    text = struct.pack("<I", 4) + b"XYZ\0"

    def bound(_name: int, _interface: str, _version: int, heard: Any) -> None:
        place = struct.pack("<iiIIi", -2160, 0, 600, 340, 0) + text + text
        heard(0, Reader(place + struct.pack("<i", 1), []))  # turned by a quarter
        heard(1, Reader(struct.pack("<IIII", 0, 640, 480, 60), []))  # a mode not in use
        heard(1, Reader(struct.pack("<IIII", 1, 3840, 2160, 60), []))
        heard(3, Reader(struct.pack("<i", 2), []))

    wire.bind_name = bound
    outputs = Outputs(wire)  # type: ignore[arg-type]
    assert outputs.now() == Setting((Display(-2160, 0, 1080, 1920, 2.0),))
    wire.outputs.clear()
    assert outputs.now() == Setting()
