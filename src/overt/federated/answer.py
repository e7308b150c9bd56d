"""What a device answers to one step: a clipped update or nothing, and its share of the noise."""

from __future__ import annotations

from random import SystemRandom

import numpy as np

from overt.datasets.tokens import sequences_of
from overt.federated.own import Own
from overt.federated.plan import Plan, start
from overt.models.private.rounds import clipped
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput
from overt.schema.people import SubjectEvents


def update(plan: Plan, own: Own, weights: Array) -> Array:
    """Return the person's whole update, clipped; nothing is counted and no noise is on it."""
    return clipped(_learned(plan.task, own, weights) - weights, plan.clip)[0]


def answer(plan: Plan, own: Own, run: str, step: int, weights: Array) -> Array:
    """Return what leaves the device. Raises an `OvertError` where nothing may.

    The person is drawn by a coin of this device, which nobody else sees fall: what they would give
    is worked out either way, so that an answer takes as long and fails where the other would.
    """
    plan.check()
    own.consents(plan.study, plan.purpose)
    weights = np.asarray(weights, np.float64)
    if weights.shape != start(plan.task).shape or not np.isfinite(weights).all():
        raise InvalidInput("are not those of the task", where="weights")
    own.count(run, plan, step)
    # From the operating system: a generator whose state can be worked out from its numbers would
    # give the noise away, and with it the person.
    chance = SystemRandom()
    made = np.array([chance.gauss(0.0, plan.share) for _ in range(weights.size)])
    given = update(plan, own, weights)
    if chance.random() < plan.sampling_rate:
        made += given
    return np.asarray(made)


def _learned(task: str, own: Own, weights: Array) -> Array:
    from overt.models.enough.slipped import slips_of
    from overt.models.private import hand, pauses
    from overt.models.stream import stream_of

    sessions = own.sessions()
    if task == "slips":
        slips = slips_of(sessions)
        return weights if slips is None else hand.learn(weights, slips)
    made = sequences_of(SubjectEvents(b"own", "live", tuple(sessions)), 1)
    return pauses.learn(weights, pauses.timed(stream_of(made.sessions)))
