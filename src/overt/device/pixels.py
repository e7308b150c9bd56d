"""The pixels of one window and of nothing else, or none at all.

What of a window lies under another one has the other's pixels, on a screen without a compositor.
So there are pixels only of a window that can be seen whole; where things lie is asked and the
pixels are taken while the server serves nobody else, so that nothing can come in between. And what
lay above a window stays there until its program paints it over: so the program is asked to draw
the window anew, and only the pixels that it has drawn since then count.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from overt.device.elements import Box, Suppressed

_DEPTH_MAX = 16
_PARTS_MAX = 200
PIXELS_MAX = 16_000_000
DRAW_S = 0.5
_LOOK_S = 0.02
"""So long a program may take to draw its window anew; how often that is looked at."""

_DEPTHS = (24, 32)
"""With or without a share of what lies below, which is put in on the screen, not in the window."""

_MASKS = (0xFF0000, 0xFF00, 0xFF)
_BYTES_A_PIXEL = 4
_REPLY_BYTES = 32
"""Of a reply before its data."""


class Pixels:
    """A connection of its own. Not to be shared between threads."""

    def __init__(self, display: str | None = None) -> None:
        import xcffib
        import xcffib.damage
        import xcffib.shape
        import xcffib.xfixes
        import xcffib.xproto

        self._x = xcffib
        self._ask = xcffib.connect(display=display or os.environ.get("DISPLAY", ""))
        self._core = self._ask.core
        setup = self._ask.get_setup()
        self._own = ~setup.resource_id_mask
        """Bits of a window's id that say whose it is."""
        screen = setup.roots[self._ask.pref_screen]
        self._root = screen.root
        self._visuals = {
            visual.visual_id
            for depth in screen.allowed_depths
            for visual in depth.visuals
            if depth.depth in _DEPTHS
            and (visual.red_mask, visual.green_mask, visual.blue_mask) == _MASKS
        }
        self._screen = Box(0, 0, screen.width_in_pixels, screen.height_in_pixels)
        self._shape = self._ask(xcffib.shape.key)
        self._fixes, self._damage = self._ask(xcffib.xfixes.key), self._ask(xcffib.damage.key)
        try:
            self._fixes.QueryVersion(5, 0).reply()
            self._damage.QueryVersion(1, 1).reply()
            self._tells = True
            """The server tells what has been drawn; where it does not, there are no pixels."""
        except xcffib.XcffibException:
            self._tells = False

    def close(self) -> None:
        """Hang up."""
        self._ask.disconnect()

    def place(self, window: int) -> Box:
        """Return where a window lies, without its border. Raises `Suppressed` if it is gone."""
        try:
            here = self._core.GetGeometry(window).reply()
            at = self._core.TranslateCoordinates(window, self._root, 0, 0).reply()
        except self._x.XcffibException as error:
            raise Suppressed("it is gone") from error
        return Box(at.dst_x, at.dst_y, here.width, here.height)

    def frame(self, window: int) -> Box:
        """Return where the frame lies that a window manager drew around a window, or it itself."""
        at = window
        for _ in range(_DEPTH_MAX):
            try:
                parent = int(self._core.QueryTree(at).reply().parent)
                if parent in (0, self._root):
                    return self._bordered(at)
            except self._x.XcffibException as error:
                raise Suppressed("it is gone") from error
            at = parent
        raise Suppressed("too deep")

    def _bordered(self, window: int) -> Box:
        edge = int(self._core.GetGeometry(window).reply().border_width)
        x, y, width, height = self.place(window)
        return Box(x - edge, y - edge, width + 2 * edge, height + 2 * edge)

    def of(self, window: int) -> tuple[Any, Any, Box]:
        """Return `uint8[h, w, 3]`, `bool[h, w]` of the pixels that count, and where it lies.

        Raises `Suppressed` unless it is seen whole. Nothing but this window and its own parts is
        in there: no frame, no menu, no pointer. Whoever asks must drop it if any window came,
        went or moved while this was asked.
        """
        if not self._tells:
            raise Suppressed("nobody tells what has been drawn")
        damage = self._ask.generate_id()
        with self._alone():
            before = self.place(window)
            self._refuse_unless_whole(window, before)
            self._damage.Create(damage, window, self._x.damage.ReportLevel.NonEmpty)
            self._damage.Subtract(damage, 0, 0)
            for one in (window, *self._parts(window)):
                self._core.ClearArea(1, one, 0, 0, 0, 0)
        try:
            drawn = self._drawn(damage, before)
        finally:
            self._damage.Destroy(damage)
        with self._alone():
            place = self.place(window)
            self._refuse_unless_whole(window, place)
            every = (0, 0, place.width, place.height, 2**32 - 1)
            form = self._x.xproto.ImageFormat.ZPixmap
            # Taken apart by hand: the library would make a number of each byte, for a tenth of a
            # second in which nobody else is served.
            told = self._ask.wait_for_reply(self._core.GetImage(form, window, *every).sequence)
            told.unpack(f"{_REPLY_BYTES}x")
            size = told.known_max - _REPLY_BYTES
            raw = np.frombuffer(told.unpack(f"{size}s")[0], np.uint8)
        if place != before:
            raise Suppressed("it moved")
        if raw.size != place.width * place.height * _BYTES_A_PIXEL:
            raise Suppressed("pixels of another form")
        return raw.reshape(place.height, place.width, _BYTES_A_PIXEL)[:, :, 2::-1], drawn, place

    def _drawn(self, damage: int, place: Box) -> Any:
        """Return bool[h, w]: what has been drawn since; waits a little for all of it."""
        found = np.zeros((place.height, place.width), bool)
        region = self._ask.generate_id()
        self._fixes.CreateRegion(region, 0, [])
        end_s = time.monotonic() + DRAW_S
        while not found.all() and time.monotonic() < end_s:
            time.sleep(_LOOK_S)
            self._damage.Subtract(damage, 0, region)
            for part in self._fixes.FetchRegion(region).reply().rectangles:
                left, top = max(0, part.x), max(0, part.y)
                found[top : part.y + part.height, left : part.x + part.width] = True
        self._fixes.DestroyRegion(region)
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let the server serve nobody else meanwhile."""
        self._core.GrabServer()
        try:
            yield
        except self._x.XcffibException as error:
            raise Suppressed("it cannot be read") from error
        finally:
            self._core.UngrabServer()
            self._ask.flush()

    def _refuse_unless_whole(self, window: int, place: Box) -> None:
        given = self._core.GetWindowAttributes(window).reply()
        if given.map_state != self._x.xproto.MapState.Viewable:
            raise Suppressed("not to be seen")
        if given.visual not in self._visuals:
            raise Suppressed("pixels of another form")
        if place.width * place.height > PIXELS_MAX or not _inside(place, self._screen):
            raise Suppressed("partly off the screen")
        for part in self._parts(window):
            if part & self._own != window & self._own:
                raise Suppressed("a part of it is another program's")
        at = window
        for _ in range(_DEPTH_MAX):
            if at == self._root:
                return
            said = self._shape.QueryExtents(at).reply()
            if said.bounding_shaped or said.clip_shaped:
                raise Suppressed("not a rectangle")
            if not _inside(place, self.place(at)):
                raise Suppressed("cut off")
            tree = self._core.QueryTree(at).reply()
            if tree.parent != self._root and tree.parent & self._own == window & self._own:
                raise Suppressed("not the program's outermost window")
            self._refuse_what_lies_above(at, int(tree.parent), place)
            at = int(tree.parent)
        raise Suppressed("too deep")

    def _refuse_what_lies_above(self, window: int, parent: int, place: Box) -> None:
        beside = list(self._core.QueryTree(parent).reply().children)
        for one in beside[beside.index(window) + 1 :]:
            given = self._core.GetWindowAttributes(one).reply()
            shown = given.map_state == self._x.xproto.MapState.Viewable
            if not shown or given._class == self._x.xproto.WindowClass.InputOnly:  # noqa: SLF001
                continue
            if _meet(self._bordered(one), place):
                raise Suppressed("covered")

    def _parts(self, window: int) -> Iterator[int]:
        """Yield all windows inside of one."""
        waiting, seen = [window], 0
        while waiting:
            below = list(self._core.QueryTree(waiting.pop()).reply().children)
            seen += len(below)
            if seen > _PARTS_MAX:
                raise Suppressed("too many parts")
            yield from below
            waiting += below


def _inside(inner: Box, outer: Box) -> bool:
    return (
        inner.width > 0
        and inner.height > 0
        and outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def _meet(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )
