"""Flower on this machine: real processes, every byte on the wire, and devices that die."""

import json
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from federated_fixtures import (
    FLOWER,
    PLAN,
    PURPOSE,
    Flower,
    device,
    encodings,
    held,
    inflated,
    new_store,
    recorded,
    typed_text,
)
from overt.device.vault import Vault
from overt.federated import certificates
from overt.federated.answer import update
from overt.federated.own import Own
from overt.federated.plan import start
from overt.gateway import studies
from overt.schema.errors import NotConsented
from overt.schema.study import template
from overt.store.store import Store
from studio_fixtures import studio

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        not (FLOWER / "flower-superlink").exists(),
        reason="Flower is not installed: make federated",
    ),
]

DEVICES = 4


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four devices whose agents recorded, and a fifth whose person pauses."""
    root = tmp_path_factory.mktemp("together")
    folders = [root / f"device{n}" for n in range(DEVICES + 1)]
    with new_store(root / "store") as store:
        for number, folder in enumerate(folders):
            device(folder, store, recorded(number, 2.0)).close()
    paused = Vault(held(folders[-1]))
    paused.change({"paused": b"1"})
    paused.close()
    return folders


def canaries(folders: list[Path]) -> dict[str, bytes]:
    """Return what must not be on the wire: what was typed, when, and the columns as they lie."""
    found: dict[str, bytes] = {}
    for number, folder in enumerate(folders):
        own = Own(held(folder))
        for events in own.sessions():
            text = typed_text(events)
            assert len(text) > 100
            for at in range(0, len(text) - 12, 12):
                found[f"text {number} {at}"] = text[at : at + 12].encode()
            found |= columns(events, str(number))
        own.close()
    return {name: value for name, value in found.items() if len(value) >= 7}


def columns(events: Any, label: str) -> dict[str, bytes]:
    """Return pieces of the columns of a session as they could lie in memory, and a time as text."""
    found: dict[str, bytes] = {}
    for name in ("t_us", "key_symbol", "key_class", "slot"):
        column = events.column(name).to_numpy()
        for kind in ("<i8", "<f8", "<i4", "<f4"):
            part = column[50:62].astype(kind)
            if len(set(part.tolist())) > 4:
                found[f"{name} {kind} {label}"] = part.tobytes()
    t_us = events.column("t_us").to_numpy()
    found[f"pauses {label}"] = np.diff(t_us[50:60]).astype("<i8").tobytes()
    found[f"as text {label}"] = str(int(t_us[60])).encode()
    return found


def on_the_wire(flower: Flower, needles: dict[str, bytes]) -> list[str]:
    """Return the names of those that are found, in any encoding, packed or not."""
    streams = [bytes(one) for one in flower.tap.streams]
    streams += [unpacked for one in list(streams) for unpacked in inflated(one)]
    return [
        f"{name} as {how}"
        for name, needle in needles.items()
        for how, value in encodings(needle).items()
        if any(value in stream for stream in streams)
    ]


def said(flower: Flower, name: str, what: bytes, times: int, wait_s: float = 600.0) -> None:
    """Wait until a node's log says something so often."""
    log, until = flower.folder / f"{name}.log", time.monotonic() + wait_s
    while log.read_bytes().count(what) < times:
        assert time.monotonic() < until, log.read_text()[-1500:]
        time.sleep(0.1)


def join(flower: Flower, folders: list[Path], *more: str) -> None:
    """Let each device join."""
    for number, folder in enumerate(folders):
        flower.node(f"node{number}", folder, *more)


def of_step(found: dict[str, Any], step: int) -> Any:
    """Return the sum of a step's answers, as the course moved by it."""
    before = start(found["plan"]["task"]) if step == 0 else np.array(found["course"][step - 1])
    plan = found["plan"]
    return (np.array(found["course"][step]) - before) * plan["sampling_rate"] * plan["planned"]


def test_a_sum_under_masks_is_right_and_outlives_a_device_that_is_killed(
    devices: list[Path], tmp_path: Path
) -> None:
    plan = replace(PLAN, secure=True, steps=2, noise_multiplier=1.2)
    with Flower(tmp_path / "flower", plan, wait_s=150.0, first=DEVICES) as flower:
        join(flower, devices[:DEVICES])
        said(flower, "node3", b"Sent successfully", 3)  # that it is there, its keys, their shares
        flower.kill("node3")
        found = flower.steps(2, 1000)
        assert [step.get("answers") for step in found["steps"]] == [3, 3], found["steps"]
        expected = np.zeros(start("pause").size)
        for folder in devices[: DEVICES - 1]:
            own = Own(held(folder))
            expected += update(plan, own, start("pause"))
            own.close()
        left = of_step(found, 0) - expected
        assert left.std() == pytest.approx(plan.share * (DEVICES - 1) ** 0.5, rel=0.3)
        assert on_the_wire(flower, canaries(devices[:DEVICES])) == []
        # The tap sees what is there: the plan goes in the clear, as the weights do.
        assert on_the_wire(flower, {"plan": b"typing-together"}) != []
        masked = update_bytes(devices[0], plan)
        assert on_the_wire(flower, {"update": masked}) == []


def update_bytes(folder: Path, plan: Any) -> bytes:
    """Return a piece of a device's update, as it lies in memory."""
    own = Own(held(folder))
    made = update(plan, own, start("pause"))
    own.close()
    return np.asarray(made[:4]).tobytes()


def test_over_tls_a_course_runs_with_devices_that_trust_its_authority_and_nothing_is_in_the_clear(
    devices: list[Path], tmp_path: Path
) -> None:
    ours = certificates.make(tmp_path / "ours", ("127.0.0.1",))
    other = certificates.make(tmp_path / "other", ("127.0.0.1",))
    plan = replace(PLAN, steps=1)
    with Flower(
        tmp_path / "flower", plan, 200.0, first=3, certificates=tmp_path / "ours"
    ) as flower:
        join(flower, devices[:3], "--authority", str(ours.authority))
        flower.node("wary", devices[3], "--authority", str(other.authority))
        (step,) = flower.steps(1, 600)["steps"]
        assert step["answers"] == 3, step
        assert flower.tap.streams
        assert on_the_wire(flower, {"plan": b"typing-together", "task": b"sampling_rate"}) == []
        assert on_the_wire(flower, canaries(devices[:DEVICES])) == []
        assert b"CERTIFICATE_VERIFY_FAILED" in (flower.folder / "wary.log").read_bytes()


def test_a_step_with_too_few_devices_is_refused_with_the_number_it_needs(
    devices: list[Path], tmp_path: Path
) -> None:
    plan = replace(PLAN, task="slips", clip=1.0, steps=1)
    with Flower(tmp_path / "flower", plan, wait_s=90.0) as flower:
        join(flower, [*devices[:2], devices[-1]])
        found = flower.steps(1, 600)
        (step,) = found["steps"]
        assert step["refused"] == "2 devices answered and 3 are needed"
        assert any("paused by its person" in why for why in step["because"])
        assert found["weights"] == start("slips").tolist()
        assert on_the_wire(flower, canaries(devices)) == []


def test_a_device_that_dies_in_a_step_does_not_stop_it(devices: list[Path], tmp_path: Path) -> None:
    plan = replace(PLAN, task="slips", clip=1.0, steps=1)
    with Flower(tmp_path / "flower", plan, wait_s=120.0, first=DEVICES) as flower:
        join(flower, devices[:DEVICES])
        said(flower, "node3", b"Received successfully", 2)  # to answer to its name, and the step
        flower.kill("node3")
        found = flower.steps(1, 900)
        assert found["steps"][0].get("answers") == 3, json.dumps(found["steps"])
        assert on_the_wire(flower, canaries(devices[:DEVICES])) == []
        # The app's own client raises where it is run.
        for log in (tmp_path / "flower").glob("node*.log"):
            assert "answers with its own code" not in log.read_text()


def test_what_a_real_agent_keeps_teaches_a_course_while_it_records_and_leaving_ends_that_too(
    tmp_path: Path,
) -> None:
    pytest.importorskip("xcffib", reason="the desktop extra is not installed (Linux only)")
    desktop_fixtures = pytest.importorskip("desktop_fixtures")
    study, folder = "desk", tmp_path / "device"
    with ExitStack() as stack:
        screen = stack.enter_context(desktop_fixtures.desktop(tmp_path / "home"))
        applications = desktop_fixtures.APPLICATIONS + "\n[notice.en]"
        text = template(study, "Writing").replace("\n[notice.en]", applications)
        text = text.replace('["next-action", "typing-assist"]', f'["typing-assist", "{PURPOSE}"]')
        with Store.open(tmp_path / "data", create=True) as store:
            studies.register(store, text.encode())
        server = stack.enter_context(studio(tmp_path))
        editor, _ = screen.editor_and_terminal()
        address = f"{server.url.rstrip('/')}/study/{study}"
        agent = stack.enter_context(desktop_fixtures.recording(screen, address, folder))
        desktop_fixtures.join(agent)
        hand = desktop_fixtures.Hand(screen.display)
        stack.callback(hand.close)
        screen.focus(editor)
        own = Own(held(folder, study))
        stack.callback(own.close)

        def typed() -> bool:
            hand.key(38)
            return own.events > 300

        desktop_fixtures.until(typed, "what was typed is kept")
        mine = own.sessions()[-1]
        others = [tmp_path / f"other{n}" for n in range(2)]
        with new_store(tmp_path / "others", study) as store:
            for number, other in enumerate(others):
                device(other, store, recorded(number, 1.0), study).close()
        plan = replace(PLAN, study=study, steps=1)
        with Flower(tmp_path / "flower", plan, wait_s=150.0, first=3) as flower:
            join(flower, [folder, *others])
            (step,) = flower.steps(1, 600)["steps"]
            assert step["answers"] == 3, step
            assert on_the_wire(flower, columns(mine, "own")) == []
            assert on_the_wire(flower, {"plan": b"typing-together"}) != []
            assert own.spent()[0] == pytest.approx(plan.spent().epsilon)
            agent.process.terminate()
            agent.process.wait()
            vault = Vault(held(folder, study))
            grant = vault.get_json("grant")
            vault.close()
            # The person leaves elsewhere, and no agent runs here to hear of it.
            proof = {name: grant[name] for name in ("receipt_id", "device_secret")}
            httpx.post(f"{server.url.rstrip('/')}/v1/withdraw", json=proof).raise_for_status()
            assert flower.processes["node0"].wait(120) == 0
            with pytest.raises(NotConsented):
                Own(held(folder, study))
