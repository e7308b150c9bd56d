"""What private learning cost: ε and δ of people, from a kept accountant (Google's dp-accounting).

The mechanism is that of `rounds`: in each step every person is drawn by a coin of their own
(Poisson sampling), the sum of clipped updates gets Gaussian noise, and the divisor is fixed
beforehand. Two data sets are neighbours if one has one person more, with everything of theirs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from math import ceil, isfinite, log10
from typing import Any

from overt.schema.errors import InvalidInput, Missing, TooFew

UNIT = "person"
"""Whose privacy an ε is of. There is no other unit here."""

PEOPLE_MIN = 50
"""With fewer people either the noise drowns what they taught, or ε is a number without a use."""

DELTA_SHARE = 0.1
"""δ is at most this share of one person among all: above it, losing somebody is allowed for."""

_CLOSE = 0.02
"""How near below what was asked for the ε of the noise that is found lies, as a share of it."""
_FIRST = 4.0
_NOISE_MAX = 1e4


@dataclass(frozen=True, kw_only=True)
class Spent:
    """An ε with everything that it is nothing without."""

    epsilon: float
    delta: float
    privacy_unit: str
    neighbours: str
    sampling: str
    sampling_rate: float
    steps: int
    noise_multiplier: float
    """Standard deviation of the noise, in units of `clip`."""
    clip: float
    """Longest that one person's update may be (L2), in the model's own parameters."""
    accountant: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON, for a card."""
        return asdict(self)

    @property
    def said(self) -> str:
        """Return it in a sentence."""
        return (
            f"ε {self.epsilon:.3g} at δ {self.delta:.2g}, unit: {self.privacy_unit}; "
            f"{self.steps} steps, each person in a step with probability "
            f"{self.sampling_rate:.3g}, update clipped to {self.clip:.3g}, "
            f"noise {self.noise_multiplier:.3g} × that; {self.accountant}"
        )


def installed() -> bool:
    """Tell whether the accountant can be used here."""
    return find_spec("dp_accounting") is not None


def spent(
    sampling_rate: float, noise_multiplier: float, steps: int, delta: float, clip: float
) -> Spent:
    """Return what so many steps cost.

    Raises:
        InvalidInput: a figure that makes no sense, such as noise of 0: then there is no ε.
        Missing: the accountant is not installed.
    """
    return Spent(
        epsilon=epsilon(sampling_rate, noise_multiplier, steps, delta),
        delta=delta,
        privacy_unit=UNIT,
        neighbours="one person added or removed, with everything of theirs",
        sampling="Poisson, each person by themselves",
        sampling_rate=sampling_rate,
        steps=steps,
        noise_multiplier=noise_multiplier,
        clip=clip,
        accountant=f"dp-accounting {_version()}, privacy loss distributions",
    )


@dataclass(frozen=True)
class Mechanism:
    """What of a course its ε follows from."""

    sampling_rate: float
    noise_multiplier: float
    steps: int


def epsilon(sampling_rate: float, noise_multiplier: float, steps: int, delta: float) -> float:
    """Return ε of people at δ of one course."""
    return composed((Mechanism(sampling_rate, noise_multiplier, steps),), delta)


@cache
def composed(courses: tuple[Mechanism, ...], delta: float) -> float:
    """Return ε at δ of people who may have been in all of these courses.

    The courses are composed as one, by privacy loss distributions; each may have been chosen after
    what came of those before. That is less than the sum of each one's ε.
    """
    for one in courses:
        _check(one.sampling_rate, one.noise_multiplier, one.steps, delta)
    if not courses:
        return 0.0
    if not installed():
        raise Missing(
            "dp-accounting is not installed: without it nobody knows what privacy is left",
            where="overt.models.private",
            do="pip install 'overt[private]'.",
        )
    from dp_accounting import dp_event
    from dp_accounting.pld import PLDAccountant

    accountant = PLDAccountant()
    for one in courses:
        noise: Any = dp_event.GaussianDpEvent(one.noise_multiplier)
        if one.sampling_rate < 1:
            noise = dp_event.PoissonSampledDpEvent(one.sampling_rate, noise)
        accountant.compose(dp_event.SelfComposedDpEvent(noise, one.steps))
    return float(accountant.get_epsilon(delta))


@cache
def noise_for(epsilon_max: float, sampling_rate: float, steps: int, delta: float) -> float:
    """Return a noise multiplier whose ε is not above `epsilon_max`, and hardly below.

    It errs to more noise, never to less.
    """
    if not (isfinite(epsilon_max) and epsilon_max > 0):
        raise InvalidInput("is not a positive number", where="epsilon")
    low: tuple[float, float] | None = None
    high: tuple[float, float] | None = None
    noise = _FIRST
    while noise < _NOISE_MAX:
        found = epsilon(sampling_rate, noise, steps, delta)
        if epsilon_max * (1 - _CLOSE) <= found <= epsilon_max:
            return noise
        if found > epsilon_max:
            low = noise, found
        else:
            high = noise, found
        if high and low and high[0] < low[0] * (1 + _CLOSE / 10):
            return high[0]
        noise = _between(low, high, epsilon_max)
    raise InvalidInput("no noise is enough for so small an ε", where="epsilon")


_Tried = tuple[float, float]
"""A noise multiplier and its ε."""


def _between(low: _Tried | None, high: _Tried | None, epsilon_max: float) -> float:
    """Return what to try next: ln ε falls about as a straight line over ln noise."""
    aim = epsilon_max * (1 - _CLOSE / 2)
    if low and high:
        slope = log10(high[1] / low[1]) / log10(high[0] / low[0])
        guess = low[0] * (aim / low[1]) ** (1 / slope)
        # Well inside, so that the two come together from both sides.
        edge = (high[0] / low[0]) ** 0.05
        return float(min(max(guess, low[0] * edge), high[0] / edge))
    noise, found = low or high or (_FIRST, aim)
    return float(noise * min(max(found / aim, 0.25), 4.0))


def check_people(people: int, delta: float, where: str) -> None:
    """Raise `TooFew`, with the number that is needed, where so few people are no cohort.

    Raises `InvalidInput` where δ would allow for losing somebody among so many.
    """
    if people < PEOPLE_MIN:
        raise TooFew(
            f"{people} people are too few to learn from privately",
            where=where,
            do=f"At least {PEOPLE_MIN} are needed.",
        )
    if delta > DELTA_SHARE / people * (1 + 1e-9):
        raise InvalidInput(
            f"δ {delta:.2g} allows for losing somebody among {people} people",
            where=where,
            do=f"At most {delta_for(people):.0e}.",
        )


def delta_for(people: int) -> float:
    """Return the δ that so many people allow for: a power of ten, `DELTA_SHARE` of one at most.

    >>> delta_for(100), delta_for(1200)
    (0.001, 1e-05)
    """
    return float(10.0 ** -ceil(round(log10(max(people, 1) / DELTA_SHARE), 9)))


def _check(sampling_rate: float, noise_multiplier: float, steps: int, delta: float) -> None:
    if not 0 < sampling_rate <= 1:
        raise InvalidInput("is no probability above 0", where="sampling_rate")
    if not (isfinite(noise_multiplier) and noise_multiplier > 0):
        raise InvalidInput("is not above 0: without noise there is no ε", where="noise_multiplier")
    if not 0 < delta < 1:
        raise InvalidInput("is no probability between 0 and 1", where="delta")
    if steps < 1:
        raise InvalidInput("is not at least 1", where="steps")


def _version() -> str:
    from importlib.metadata import version

    return version("dp-accounting")
