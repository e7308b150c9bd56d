"""Programs that move a pointer, from the naive to those that try to pass for a person.

Each maker draws the habits of one program (its speed, its noise) and returns a `Mover`: asked to
move by (dx, dy), it answers with a path over time, dense enough to be sampled at any rate. Written
from the ideas; what they imitate is said in each docstring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from overt.models.programs.trace import Trace
from overt.models.tensors import Array

Path = tuple[Array, Array, Array]
"""Times in ms from 0, and x and y in px from the start; between two points it goes straight."""

Mover = Callable[[float, float], Path]
Library = Sequence[Trace]
"""Strokes of real people that a program may have got hold of."""

DENSE_MS = 2.0
JUMP_PX = 1.0


def _times(took_ms: float) -> Array:
    return np.linspace(0.0, took_ms, max(int(took_ms / DENSE_MS), 2) + 1)


def _pace(rng: np.random.Generator) -> Callable[[float], float]:
    """Return a program's duration of a movement in ms: Fitts' law with a person's constants."""
    a, b = rng.uniform(80, 300), rng.uniform(80, 200)
    spread = rng.uniform(0.0, 0.25)

    def took(distance: float) -> float:
        return float((a + b * np.log2(distance / 30 + 1)) * rng.lognormal(0, spread))

    return took


def noise(rng: np.random.Generator, size: int, px: float, smooth_ms: float) -> Array:
    """Return a tremor of standard deviation `px` that forgets itself in `smooth_ms`."""
    white = rng.normal(0, 1, size)
    if smooth_ms <= DENSE_MS:
        return white * px
    width = max(int(smooth_ms / DENSE_MS), 1)
    kernel = np.exp(-0.5 * (np.arange(-3 * width, 3 * width + 1) / width) ** 2)
    smooth = np.convolve(rng.normal(0, 1, size + kernel.size - 1), kernel, "valid")
    return np.asarray(smooth * px / np.sqrt((kernel**2).sum()))


def straight(rng: np.random.Generator, _library: Library) -> Mover:
    """A straight line at constant speed."""
    took = _pace(rng)

    def move(dx: float, dy: float) -> Path:
        t = np.array([0.0, took(float(np.hypot(dx, dy)))])
        return t, np.array([0.0, dx]), np.array([0.0, dy])

    return move


def shaky(rng: np.random.Generator, _library: Library) -> Mover:
    """A straight line in steps, each a little off and after a random wait."""
    took, px, uneven = _pace(rng), rng.uniform(0.5, 3.0), rng.uniform(0.2, 0.8)

    def move(dx: float, dy: float) -> Path:
        distance = float(np.hypot(dx, dy))
        steps = max(int(took(distance) / 15), 2)
        waits = 15 * rng.lognormal(0, uneven, steps)
        along = np.arange(1, steps + 1) / steps
        off = rng.normal(0, px, (2, steps))
        off[:, -1] = 0
        return (
            np.append(0.0, np.cumsum(waits)),
            np.append(0.0, along * dx + off[0]),
            np.append(0.0, along * dy + off[1]),
        )

    return move


_EASINGS: tuple[Callable[[Array], Array], ...] = (
    lambda u: u * u * (3 - 2 * u),
    lambda u: np.where(u < 0.5, 4 * u**3, 1 - (2 - 2 * u) ** 3 / 2),
    lambda u: (1 - np.cos(np.pi * u)) / 2,
    lambda u: 1 - (1 - u) ** 2,
    lambda u: 1 - (1 - u) ** 4,
    lambda u: u,
)


def bezier(rng: np.random.Generator, _library: Library) -> Mover:
    """A cubic Bézier curve with random handles, passed with easing, as many tools do it."""
    took, bend = _pace(rng), rng.uniform(0.05, 0.4)
    ease = _EASINGS[int(rng.integers(len(_EASINGS)))]
    px = rng.choice([0.0, rng.uniform(0.2, 1.5)])

    def move(dx: float, dy: float) -> Path:
        t = _times(took(float(np.hypot(dx, dy))))
        u = ease(t / t[-1])
        a, b = np.sort(rng.uniform(0.1, 0.9, 2))
        ah, bh = rng.normal(0, bend, 2)
        near, far = 3 * u * (1 - u) ** 2, 3 * u**2 * (1 - u)
        x = near * (a * dx - ah * dy) + far * (b * dx - bh * dy) + u**3 * dx
        y = near * (a * dy + ah * dx) + far * (b * dy + bh * dx) + u**3 * dy
        fade = np.sin(np.pi * t / t[-1])
        return (
            t,
            x + fade * noise(rng, t.size, px, 8.0),
            y + fade * noise(rng, t.size, px, 8.0),
        )

    return move


def minimum_jerk(rng: np.random.Generator, _library: Library) -> Mover:
    """The smoothest movement (Flash & Hogan 1985): bowed, with tremor, missing and correcting."""
    took, bow, px = _pace(rng), rng.uniform(0.0, 0.1), rng.uniform(0.0, 1.0)
    smooth_ms, misses = rng.uniform(2, 30), rng.uniform(0.0, 0.6)

    def reach(dx: float, dy: float, took_ms: float) -> Path:
        t = _times(took_ms)
        s = t / t[-1]
        along = s**3 * (10 - 15 * s + 6 * s**2)
        aside = np.sin(np.pi * along) * rng.normal(0, bow)
        fade = np.sin(np.pi * s)
        return (
            t,
            along * dx - aside * dy + fade * noise(rng, t.size, px, smooth_ms),
            along * dy + aside * dx + fade * noise(rng, t.size, px, smooth_ms),
        )

    def move(dx: float, dy: float) -> Path:
        distance = float(np.hypot(dx, dy))
        if rng.random() >= misses:
            return reach(dx, dy, took(distance))
        share = rng.normal(0.95, 0.07)
        off = rng.normal(0, 0.03)
        x1, y1 = share * dx - off * dy, share * dy + off * dx
        first, second = reach(x1, y1, took(distance)), reach(dx - x1, dy - y1, took(10.0))
        return _after(first, second, float(rng.uniform(0, 60)))

    return move


def _after(first: Path, second: Path, wait_ms: float) -> Path:
    start = first[0][-1] + wait_ms + 1e-3
    return (
        np.concatenate([first[0], start + second[0]]),
        np.concatenate([first[1], first[1][-1] + second[1]]),
        np.concatenate([first[2], first[2][-1] + second[2]]),
    )


def wind(rng: np.random.Generator, _library: Library) -> Mover:
    """A particle drawn to the target and blown about by a wind that dies down near it.

    The idea of the well-known WindMouse: gravity towards the target, a random-walk wind, a limit
    on the speed that shrinks close to the target.
    """
    pull, gust = rng.uniform(5, 12), rng.uniform(1.5, 5)
    limit, near = rng.uniform(8, 25), rng.uniform(8, 20)
    wait_ms = rng.uniform(6, 16)

    def move(dx: float, dy: float) -> Path:
        x = y = vx = vy = wx = wy = 0.0
        most = limit
        points = [(0.0, 0.0, 0.0)]
        for _ in range(2000):
            left = float(np.hypot(dx - x, dy - y))
            if left < 1:
                break
            if left >= near:
                wx = wx / np.sqrt(3) + rng.uniform(-gust, gust) / np.sqrt(5)
                wy = wy / np.sqrt(3) + rng.uniform(-gust, gust) / np.sqrt(5)
            else:
                wx, wy = wx / np.sqrt(3), wy / np.sqrt(3)
                most = max(most / np.sqrt(5), rng.uniform(3, 6))
            vx += wx + pull * (dx - x) / left
            vy += wy + pull * (dy - y) / left
            speed = float(np.hypot(vx, vy))
            if speed > most:
                short = (most / 2 + rng.uniform(0, most / 2)) / speed
                vx, vy = vx * short, vy * short
            step = min(1.0, left / max(float(np.hypot(vx, vy)), 1e-9))
            x, y = x + vx * step, y + vy * step
            points.append((points[-1][0] + wait_ms * rng.uniform(0.8, 1.2), x, y))
        points.append((points[-1][0] + wait_ms, dx, dy))
        made = np.array(points)
        return made[:, 0], made[:, 1], made[:, 2]

    return move


def replay(rng: np.random.Generator, library: Library) -> Mover:
    """Strokes of real people, turned and stretched onto the errand, a little faster, with noise.

    It has a few strokes only, and takes one whose length is near. Noise may be white or smooth.
    """
    few = [library[int(k)] for k in rng.integers(0, len(library), int(rng.integers(8, 40)))]
    chords = np.array([np.hypot(*_chord(one)) for one in few])
    px, smooth_ms = rng.uniform(0.3, 2.0), rng.choice([0.0, rng.uniform(5, 40)])

    def move(dx: float, dy: float) -> Path:
        distance = float(np.hypot(dx, dy))
        near = np.argsort(np.abs(np.log(chords / distance)))[:4]
        t, x, y = onto(few[int(rng.choice(near))], dx, dy)
        fine = _times(float(t[-1]))
        fade = np.sin(np.pi * fine / fine[-1])
        return (
            fine * rng.lognormal(0, 0.1),
            np.interp(fine, t, x) + fade * noise(rng, fine.size, px, smooth_ms),
            np.interp(fine, t, y) + fade * noise(rng, fine.size, px, smooth_ms),
        )

    return move


def _chord(stroke: Trace) -> tuple[float, float]:
    return float(stroke.x_px[-1] - stroke.x_px[0]), float(stroke.y_px[-1] - stroke.y_px[0])


def onto(stroke: Trace, dx: float, dy: float) -> Path:
    """Return a stroke turned and scaled so that it goes from the origin to (dx, dy)."""
    z = (stroke.x_px - stroke.x_px[0]) + 1j * (stroke.y_px - stroke.y_px[0])
    z = z * (complex(dx, dy) / z[-1])
    return stroke.t_ms - stroke.t_ms[0], z.real, z.imag


def jump(_rng: np.random.Generator, _library: Library) -> Mover:
    """A scripted browser's click: the pointer is at the centre at once."""

    def move(dx: float, dy: float) -> Path:
        return np.array([0.0, 0.1]), np.array([0.0, dx]), np.array([0.0, dy])

    return move


def steps(rng: np.random.Generator, _library: Library) -> Mover:
    """A scripted browser's move in a number of equal steps, as fast as they go through."""
    count, each_ms = int(rng.integers(3, 60)), rng.uniform(1, 17)

    def move(dx: float, dy: float) -> Path:
        t = np.arange(count + 1) * each_ms
        u = np.arange(count + 1) / count
        return t, u * dx, u * dy

    return move


MAKERS: dict[str, Callable[[np.random.Generator, Library], Mover]] = {
    "straight": straight,
    "shaky line": shaky,
    "Bézier": bezier,
    "minimum jerk": minimum_jerk,
    "wind": wind,
    "noisy replay": replay,
    "browser jump": jump,
    "browser steps": steps,
}
"""Kinds of program by name. `learned` and the computer-use `agent` are added in `sessions`."""
