"""What of a sign closes the gate, what pauses, and what ends either (`docs/decisions/0005`)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from desktop_fixtures import until
from overt.device import agent as agents
from overt.device import indicator as signs
from overt.device.account import Grant
from overt.device.agent import Agent
from overt.device.indicator import Indicator
from overt.device.platforms import Platform
from overt.device.vault import Vault
from overt.schema.environment import PASSPHRASE_VARIABLE

GRANT = Grant(
    base="https://study.example.org",
    study="desk",
    receipt_id="1" * 32,
    receipt={},
    device_secret="",
    purposes=("person-or-program",),
    level="rhythm",
    transform="rhythm/0",
    outbox_delay_s=600,
    hold_days=7,
    applications=(),
    notice_sha256="0" * 64,
    lang="en",
)


@dataclass
class Seen:
    """A screen on which the sign is covered, or not."""

    covered: bool = False

    def shows(self, _: int) -> bool:
        return not self.covered


@dataclass
class Scene:
    agent: Agent
    sign: Indicator
    screen: Seen

    @property
    def phase(self) -> str:
        self.sign.keep()
        return self.agent.phase()[0]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *_path()]))
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "correct horse battery")
    monkeypatch.setattr(signs, "CHIP", "sign_child")
    screen, made = Seen(), list[Indicator]()

    def opened(_: object, __: object, lang: str, toggled: Any, **___: object) -> Platform:
        made.append(Indicator("", lang, toggled, program="sign_child"))
        source: Any = SimpleNamespace(on_hotkey=lambda _: None)
        sight: Any = screen
        nobody: Any = None
        return Platform(source, sight, made[0], nobody)

    monkeypatch.setattr(agents, "opened", opened)
    account: Any = SimpleNamespace(grant=GRANT, clock=None)
    monkeypatch.setattr(agents, "SessionClock", lambda _: None)
    monkeypatch.setattr(agents, "Locks", lambda _: SimpleNamespace(closed=False))
    vault = Vault(tmp_path)
    scene = Scene(Agent(vault, account), made[0], screen)
    until(lambda: scene.phase == "recording", "a sign that beats")
    yield scene
    scene.sign.close()
    vault.close()


def _path() -> list[str]:
    return [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]


def test_a_sign_that_was_covered_is_recorded_under_again_by_itself_and_one_that_died_is_not(
    scene: Scene,
) -> None:
    scene.screen.covered = True
    assert scene.phase == "paused indicator"
    scene.screen.covered = False
    assert scene.phase == "recording", "what is seen again is recorded again, as in a page"
    os.kill(scene.sign.pid, signal.SIGKILL)
    until(lambda: scene.phase == "paused gone", "it is noticed")
    until(scene.sign.is_alive, "another sign")
    assert scene.phase == "paused gone", "that one can be seen is not the person's word"
    scene.agent.toggle()
    assert scene.phase == "recording"


def test_what_the_person_paused_or_a_lock_no_sign_that_can_be_seen_ends(scene: Scene) -> None:
    for stop, reason in ((scene.agent.pause, "person"), (scene.agent.interrupt, "locked")):
        stop()
        for covered in (True, False):
            scene.screen.covered = covered
            assert scene.phase == f"paused {reason}"
        scene.agent.resume()
        assert scene.phase == "recording"


def test_no_sign_is_told_the_passphrase(scene: Scene) -> None:
    told = Path(f"/proc/{scene.sign.pid}/environ").read_bytes()
    assert b"PYTHONPATH" in told
    assert PASSPHRASE_VARIABLE.encode() not in told
