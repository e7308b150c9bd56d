"""The stream of input is taken apart in runs as an obvious loop takes it apart frame by frame."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.device.stream import EVENT, FOCUS_IN, FOCUS_OUT, KEY_PRESS, MOTION, taken_apart

EVENTS = st.tuples(
    st.sampled_from([2, 3, 4, 5, 6, 6, 6, 6, FOCUS_IN, FOCUS_OUT, FOCUS_IN | 0x80]),
    st.integers(0, 255),
    st.integers(0, 3),
)


def event(code: int, detail: int, mode: int) -> bytes:
    return struct.pack("<BBHIIIIhhhhHBB", code, detail, 0, 7, mode, 2, 3, 4, 5, 6, 7, 8, 1, 0)


def reply(category: int, body: bytes) -> bytes:
    return struct.pack("<BBHI24x", 1, category, 0, len(body) // 4) + body


FRAMES = st.one_of(
    st.lists(EVENTS, min_size=1, max_size=3).map(
        lambda events: reply(0, b"".join(event(*one) for one in events))
    ),
    EVENTS.map(lambda one: reply(0, event(*one))),
    st.lists(st.integers(0, 9), min_size=1, max_size=3).map(  # a client asks for the focus
        lambda windows: reply(1, b"".join(struct.pack("<BBHII", 42, 0, 3, w, 0) for w in windows))
    ),
    st.just(reply(1, bytes(12))),  # a request of another kind
    st.just(reply(1, bytes(32))),  # … with a request as long as an event
    st.just(reply(4, b"")),  # the stream begins
    st.just(struct.pack("<BB30x", 34, 0)),  # the keymap changed
)


def obvious(data: bytes) -> tuple[list[bytes], bool, bool | None, tuple[int, ...], bytes]:
    events, focus, grabbed, asked = [], False, None, []
    while len(data) >= 32:
        size = 32 + 4 * int.from_bytes(data[4:8], "little") if data[0] == 1 else 32
        if len(data) < size:
            break
        body = data[32:size]
        if data[0] == 1 and data[1] == 1 and body[:1] == b"\x2a":
            asked += [
                int.from_bytes(body[k + 4 : k + 8], "little") for k in range(0, size - 32, 12)
            ]
        elif data[0] == 1 and data[1] == 1:
            focus = True
        elif data[0] == 1 and data[1] == 0:
            for k in range(0, len(body), 32):
                one = body[k : k + 32]
                if one[0] & 0x7F in (FOCUS_IN, FOCUS_OUT):
                    focus = True
                    grabbed = {1: True, 2: False}.get(one[8], grabbed)
                elif KEY_PRESS <= one[0] <= MOTION:
                    events.append(one)
        data = data[size:]
    return events, focus, grabbed, tuple(asked), data


@settings(deadline=None, max_examples=60)
@given(st.lists(FRAMES, max_size=30), st.integers(0, 63))
def test_frames_are_taken_apart_as_an_obvious_loop_does_wherever_the_bytes_end(
    frames: list[bytes], cut: int
) -> None:
    data = b"".join(frames)
    data = data[: max(0, len(data) - cut)]
    heap, rest = taken_apart(data)
    events, focus, grabbed, asked, left = obvious(data)
    assert heap.events.tobytes() == b"".join(events)
    assert (heap.focus, heap.grabbed, heap.asked, rest) == (focus, grabbed, asked, left)


def test_a_heap_of_moves_says_so_and_one_key_or_focus_among_them_does_not() -> None:
    moves = [reply(0, event(MOTION, 0, 0))] * 40
    assert taken_apart(b"".join(moves))[0].moves_only
    assert taken_apart(b"")[0].moves_only
    for other in (event(KEY_PRESS, 38, 0), event(FOCUS_IN, 0, 0)):
        assert not taken_apart(b"".join([*moves, reply(0, other)]))[0].moves_only
    assert taken_apart(b"".join(moves))[0].events.dtype == EVENT
    assert np.unique(taken_apart(b"".join(moves))[0].events["time_ms"]).tolist() == [7]
