"""A look at a real window has nothing of any other, and nothing of what is written in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from desktop_fixtures import Desktop, desktop, until
from overt.device.elements import Box, Elements, Suppressed, boxes
from overt.device.looks import Looks, Target
from overt.device.picture import picture
from overt.device.pixels import Pixels

xcffib = pytest.importorskip("xcffib", reason="the desktop extra is not installed (Linux only)")

CANARY = 0xFF00FF
"""A colour that no theme has; its window is another program's."""


@dataclass
class Scene:
    screen: Desktop
    editor: int
    pid: int
    pixels: Pixels
    elements: Elements
    other: Any
    """Another program's connection to the display."""

    def canary(self, box: Box, parent: int = 0) -> int:
        """Put a window of the other program there, above all others."""
        x = xcffib.xproto
        setup = self.other.get_setup()
        window = self.other.generate_id()
        masks = {"BackPixel": CANARY, "BorderPixel": 0, "OverrideRedirect": 1}
        masks["Colormap"] = setup.roots[0].default_colormap
        order = sorted(masks, key=lambda name: getattr(x.CW, name))
        self.other.core.CreateWindow(
            setup.roots[0].root_depth, window, parent or setup.roots[0].root, *box, 0,
            x.WindowClass.InputOutput, setup.roots[0].root_visual,
            sum(getattr(x.CW, name) for name in order), [masks[name] for name in order],
        )  # fmt: skip
        self.other.core.MapWindow(window)
        self.answered()
        return int(window)

    def answered(self) -> None:
        self.other.core.GetInputFocus().reply()

    @contextmanager
    def covered(self, box: Box, parent: int = 0) -> Iterator[int]:
        window = self.canary(box, parent)
        yield window
        self.other.core.DestroyWindow(window)
        self.answered()

    def whole(self) -> tuple[Any, Any, Box]:
        """Return the pixels once the editor has drawn all of them: busy machines take longer."""
        found: list[Any] = []

        def drawn() -> bool:
            found[:] = self.pixels.of(self.editor)
            return bool(found[1].all())

        until(drawn, "the editor has drawn itself")
        return found[0], found[1], found[2]

    def has_canary(self) -> bool:
        pixels, drawn, _ = self.whole()
        return bool(((pixels == (255, 0, 255)).all(axis=2) & drawn).any())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        screen = stack.enter_context(desktop(tmp_path_factory.mktemp("screen")))
        for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
            patched.setitem(os.environ, name, screen.environment[name])
        screen.start("mousepad")
        editor = screen.window("mousepad", 20, 80, 400, 300)
        screen.focus(editor)
        pixels, elements = Pixels(), Elements()
        stack.callback(pixels.close)
        stack.callback(elements.close)
        other = xcffib.connect(display=screen.display)
        stack.callback(other.disconnect)
        pid = int(screen.do("getwindowpid", editor))
        made = Scene(screen, int(editor), pid, pixels, elements, other)
        until(lambda: _tree(made), "the editor answers")
        yield made


def _tree(scene: Scene) -> Any:
    places = (scene.pixels.place(scene.editor), scene.pixels.frame(scene.editor))
    try:
        return scene.elements.tree(scene.pid, places)
    except Suppressed:
        return None


def test_a_window_that_another_covers_is_in_no_picture_not_even_by_one_pixel(scene: Scene) -> None:
    x, y, width, height = scene.pixels.place(scene.editor)
    for box in (
        Box(x + 50, y + 50, 80, 80),
        Box(x + width - 1, y + height - 1, 40, 40),
        Box(x - 30, y - 30, 31, 31),
        Box(0, 0, 1280, 800),
    ):
        with scene.covered(box), pytest.raises(Suppressed, match="covered"):
            scene.pixels.of(scene.editor)
    assert not scene.has_canary()


def test_what_lies_right_beside_a_window_is_not_in_its_picture(scene: Scene) -> None:
    x, y, width, height = scene.pixels.place(scene.editor)
    with (
        scene.covered(Box(x - 10, y, 10, height)),
        scene.covered(Box(x + width, y, 10, height)),
        scene.covered(Box(x, y + height, width, 40)),
    ):
        assert not scene.has_canary()


def test_another_programs_window_inside_of_it_lets_no_picture_be(scene: Scene) -> None:
    with (
        scene.covered(Box(40, 60, 50, 50), parent=scene.editor),
        pytest.raises(Suppressed, match="another program's"),
    ):
        scene.pixels.of(scene.editor)
    assert not scene.has_canary()


def test_a_window_with_holes_or_partly_off_the_screen_is_in_no_picture(scene: Scene) -> None:
    import xcffib.shape

    shape = scene.other(xcffib.shape.key)
    kinds = xcffib.shape.SK
    hole = xcffib.xproto.RECTANGLE.synthetic(0, 0, 100, 100)
    none = xcffib.xproto.ClipOrdering.Unsorted
    shape.Rectangles(xcffib.shape.SO.Set, kinds.Bounding, none, scene.editor, 0, 0, 1, [hole])
    scene.answered()
    with pytest.raises(Suppressed, match="rectangle"):
        scene.pixels.of(scene.editor)
    shape.Mask(xcffib.shape.SO.Set, kinds.Bounding, scene.editor, 0, 0, 0)
    scene.answered()
    scene.screen.do("windowmove", "--sync", str(scene.editor), "1000", "80")
    with pytest.raises(Suppressed, match="off the screen"):
        scene.pixels.of(scene.editor)
    scene.screen.do("windowmove", "--sync", str(scene.editor), "20", "80")
    assert not scene.has_canary()


def test_what_is_written_in_a_window_changes_nothing_of_its_picture(scene: Scene) -> None:
    def taken() -> tuple[Any, Any]:
        tree = _tree(scene)
        pixels, drawn, place = scene.whole()
        bare, rest = boxes(tree, bare=True), boxes(tree, bare=False)
        return pixels, picture(pixels, drawn, place, bare, rest)

    before, one = taken()
    scene.screen.do("type", "--delay", "2", "CANARY MMMMMM WWWWWW")
    found = []

    def written() -> bool:
        found[:] = taken()
        return bool((found[0] != before).sum() > 500)

    until(written, "the letters are on the screen")
    assert one is not None
    assert found[1] == one
    place = scene.pixels.place(scene.editor)
    text = next(e.box for e in _tree(scene) if e.role == 4)
    for part in one[1:]:
        x, y = place.x + part.x, place.y + part.y
        assert y + part.height <= text.y or x + part.width <= text.x


def test_a_look_is_whole_or_not_at_all(scene: Scene) -> None:
    looks = Looks(scene.screen.display, frozenset(), pictures=True)
    try:
        target = Target(scene.editor, scene.pid, 1)
        found = []

        def pictured() -> bool:
            found[:] = [looks._look(target, scene.elements, scene.pixels)]
            return bool(found[0].picture)

        until(pictured, "a look with a picture")
        (look,) = found
        assert look.tree == _tree(scene)
        x, y, *_ = look.place
        with scene.covered(Box(x + 10, y + 10, 20, 20)):
            covered = looks._look(target, scene.elements, scene.pixels)
            assert (covered.tree, covered.picture) == (look.tree, ())
        trees = [look.tree, look.tree[:-1]]
        with pytest.raises(Suppressed, match="meanwhile"):
            looks._look(target, SimpleNamespace(tree=lambda *_: trees.pop()), scene.pixels)
        with pytest.raises(Suppressed):
            looks._look(Target(scene.editor, os.getpid(), 1), scene.elements, scene.pixels)
    finally:
        looks.close()
