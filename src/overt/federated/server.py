"""The server's side: asks each device for a step, adds up, and moves the weights.

Runs in the place of Flower's ServerApp. Every device is asked in every step: who is drawn is
decided by a coin on the device, so that the server does not know it. A step with too few answers is
refused and says how many it needs; the weights stay as they were, and the step is spent.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from overt.federated.plan import Plan, plan_from, start
from overt.models.private.rounds import averaged, stepped
from overt.models.tensors import Array
from overt.schema.errors import OvertError

PLAN, OUT = "OVERT_FEDERATED_PLAN", "OVERT_FEDERATED_OUT"
WAIT, FIRST = "OVERT_FEDERATED_WAIT_S", "OVERT_FEDERATED_FIRST"
"""Environment variables: file with the plan (JSON), file for what came of it, how long a step waits
for devices to come and for answers, and how many devices there are when the first begins."""

WAIT_S = float(os.environ.get(WAIT, "120"))


@dataclass
class Course:
    """What came of the steps so far."""

    plan: Plan
    weights: Array
    course: list[Array] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)

    def take(self, step: int, total: Array | None, answers: int, because: list[str]) -> None:
        """Use the sum of a step's answers, or say why not."""
        needed = self.plan.replies_min
        if total is None or answers < needed:
            said = f"{answers} devices answered and {needed} are needed"
            self.steps.append({"step": step, "refused": said, "because": because})
            return
        # The noise is on the answers already.
        self.weights = stepped(
            self.weights, total, self.plan.planned, self.plan.rounds, np.zeros(total.size)
        )
        self.course.append(self.weights)
        self.steps.append({"step": step, "answers": answers, "because": because})

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        made = averaged(self.course) if self.course else self.weights
        return {
            "plan": json.loads(self.plan.to_json()),
            "spent": self.plan.spent().as_dict(),
            "steps": self.steps,
            "course": [one.tolist() for one in self.course],
            "weights": made.tolist(),
        }


def run(grid: Any, context: Any) -> None:
    """Run the course: once, however often a run is asked for."""
    out = Path(os.environ[OUT])
    # Whoever reaches Flower's port can ask for another run, which would cost people another ε.
    with out.open("x", encoding="utf-8") as begun:
        begun.write("{}")
    try:
        for course in _steps(grid, context):
            _put(out, course.as_dict())
    except Exception as error:
        _put(out, {"failed": str(error) if isinstance(error, OvertError) else type(error).__name__})
        raise


def _steps(grid: Any, context: Any) -> Iterator[Course]:
    plan = plan_from(Path(os.environ[PLAN]).read_text("utf-8"))
    plan.check()
    course = Course(plan, start(plan.task))
    ask = _secure if plan.secure else _plain
    first = int(os.environ.get(FIRST, "0"))
    for step in range(1, plan.steps + 1):
        needed = max(plan.replies_min, first if step == 1 else 0)
        nodes = _there(grid, _waited(grid, needed), step)
        course.take(step, *ask(grid, context, course, step, nodes))
        yield course


def _put(out: Path, found: dict[str, Any]) -> None:
    part = out.with_suffix(".part")
    part.write_text(json.dumps(found), "utf-8")
    part.replace(out)


def _waited(grid: Any, needed: int) -> list[int]:
    """Return the nodes that are there: at least as many as are needed, or whoever came."""
    until = time.monotonic() + WAIT_S
    while len(nodes := list(grid.get_node_ids())) < needed and time.monotonic() < until:
        time.sleep(1.0)
    return nodes


def _there(grid: Any, nodes: list[int], step: int) -> list[int]:
    """Return those that answer to their name.

    SecAgg+ bears devices that die once they have given out the shares of their keys, and stops for
    good where one dies before: so the dead are found first.
    """
    from flwr.app import Message, RecordDict

    asked = [
        Message(RecordDict(), dst_node_id=node, message_type="query", group_id=str(step))
        for node in nodes
    ]
    answers = grid.send_and_receive(asked, timeout=WAIT_S / 2)
    return [one.metadata.src_node_id for one in answers if not one.has_error()]


def _fit(course: Course, step: int) -> Any:
    from flwr.common import FitIns, ndarrays_to_parameters

    asked = {"plan": course.plan.to_json(), "step": step}
    return FitIns(ndarrays_to_parameters([course.weights]), asked)


Answers = tuple[Array | None, int, list[str]]
"""Sum, how many it is of, and why others are not in it."""


def _plain(grid: Any, _context: Any, course: Course, step: int, nodes: list[int]) -> Answers:
    """Ask each device by itself: the server sees each answer."""
    from flwr.app import Message
    from flwr.common import parameters_to_ndarrays
    from flwr.compat.common import recorddict_compat as compat

    content = compat.fitins_to_recorddict(_fit(course, step), keep_input=True)
    asked = [
        Message(content, dst_node_id=node, message_type="train", group_id=str(step))
        for node in nodes
    ]
    total, answers, because = np.zeros(course.weights.size), 0, []
    for message in grid.send_and_receive(asked, timeout=WAIT_S):
        if message.has_error():
            because.append(str(message.error.reason))
            continue
        result = compat.recorddict_to_fitres(message.content, keep_input=True)
        (made,) = parameters_to_ndarrays(result.parameters)
        if made.shape == total.shape and np.isfinite(made).all():
            total, answers = total + made, answers + 1
    return total, answers, because


def _secure(grid: Any, context: Any, course: Course, step: int, nodes: list[int]) -> Answers:
    """Ask through SecAgg+: the server sees the sum only."""
    from flwr.app import ConfigRecord
    from flwr.common import parameters_to_ndarrays
    from flwr.compat.common import recorddict_compat as compat
    from flwr.server import LegacyContext, ServerConfig
    from flwr.server.workflow import SecAggPlusWorkflow
    from flwr.server.workflow.constant import MAIN_CONFIGS_RECORD, MAIN_PARAMS_RECORD, Key

    plan = course.plan
    if len(nodes) < max(plan.replies_min, 3):
        return None, len(nodes), []
    asked = _fit(course, step)
    summed = _Summed([(_Node(node), asked) for node in nodes])
    legacy = LegacyContext(context, config=ServerConfig(num_rounds=1), strategy=summed)
    legacy.state.config_records[MAIN_CONFIGS_RECORD] = ConfigRecord({Key.CURRENT_ROUND: step})
    legacy.state.array_records[MAIN_PARAMS_RECORD] = compat.parameters_to_arrayrecord(
        asked.parameters, keep_input=True
    )
    SecAggPlusWorkflow(
        num_shares=1.0,
        reconstruction_threshold=max(plan.replies_min, len(nodes) // 2 + 1) / len(nodes),
        max_weight=1.0,
        clipping_range=plan.largest,
        timeout=WAIT_S,
    )(grid, legacy)
    if summed.mean is None:
        return None, summed.answers, ["secure aggregation stopped: too few devices stayed"]
    (mean,) = parameters_to_ndarrays(summed.mean)
    return mean * summed.answers, summed.answers, []


@dataclass(frozen=True)
class _Node:
    """All that the workflow wants to know of a device."""

    node_id: int


@dataclass
class _Summed:
    """A Flower strategy that takes the sum and does nothing with it."""

    asked: list[tuple[Any, Any]]
    mean: Any = None
    answers: int = 0

    def configure_fit(self, server_round: int, parameters: Any, client_manager: Any) -> Any:
        """Ask everybody."""
        del server_round, parameters, client_manager
        return self.asked

    def aggregate_fit(self, server_round: int, results: Any, failures: Any) -> Any:
        """Keep the mean, which is in each of the results."""
        del server_round, failures
        self.answers = len(results)
        self.mean = results[0][1].parameters if results else None
        return None, {}


def main() -> None:
    """Run the course in the place of Flower's `flwr-serverapp`, whatever app was sent with it."""
    from flwr.superlink.cli.flwr_serverapp import flwr_serverapp

    def ours(*, grid: Any, context: Any, **_app: Any) -> Any:
        run(grid, context)
        return context

    # The package has a function of the module's name.
    here: Any = importlib.import_module("flwr.superlink.runtime.run_serverapp")
    here.install_from_fab = lambda *_args, **_kwargs: None
    here.get_project_config = lambda *_args: {
        "tool": {"flwr": {"app": {"components": {"serverapp": "overt.federated.server"}}}}
    }
    here.get_fused_config_from_dir = lambda *_args: {}
    here.run_ = ours
    try:
        flwr_serverapp()
    finally:
        out = Path(os.environ[OUT])
        if not out.exists():
            _put(out, {"failed": "Flower did not begin it"})


if __name__ == "__main__":
    main()
