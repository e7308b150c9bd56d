"""Learning together: what a device asks before it answers, and what a notice says of leaving."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from federated_fixtures import PLAN, PURPOSE, device, joined, new_store, recorded
from overt.consent.notice import notice_bytes
from overt.federated import node, task
from overt.federated.answer import answer, update
from overt.federated.own import Own
from overt.federated.plan import plan_from, start
from overt.federated.server import Course
from overt.gateway import enrol, erase, erasure, studies
from overt.schema.errors import Damaged, InvalidInput, Missing, NotConsented, Refused, TooFew
from overt.schema.purpose import PURPOSES, REGISTRY, TOGETHER
from overt.store.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with new_store(tmp_path_factory.mktemp("together")) as opened:
        yield opened


@pytest.fixture(scope="module")
def events() -> list[Any]:
    return recorded(0, 0.5)


@pytest.fixture
def own(store: Store, events: list[Any], tmp_path: Path) -> Iterator[Own]:
    made = device(tmp_path / "device", store, events)
    yield made
    made.close()


def test_a_device_without_a_receipt_answers_nothing(tmp_path: Path, events: list[Any]) -> None:
    own = Own(tmp_path / "device")
    own.keep(events[0])
    with pytest.raises(NotConsented, match="no receipt"):
        answer(PLAN, own, "1", 1, start("pause"))
    own.close()


def test_a_receipt_for_something_else_does_not_do(
    tmp_path: Path, store: Store, events: list[Any]
) -> None:
    own = Own(tmp_path / "device")
    there, key = joined(store, ("typing-assist",))
    own.join(there.receipt, key)
    own.keep(events[0])
    with pytest.raises(NotConsented, match="does not cover"):
        answer(PLAN, own, "1", 1, start("pause"))
    own.close()


def test_a_receipt_that_was_changed_is_not_kept(tmp_path: Path, store: Store) -> None:
    own = Own(tmp_path / "device")
    there, key = joined(store, ("typing-assist",))
    forged = json.loads(json.dumps(there.receipt).replace("typing-assist", PURPOSE))
    with pytest.raises(Damaged):
        own.join(forged, key)
    own.close()


def test_who_has_left_answers_nothing_and_keeps_nothing(own: Own) -> None:
    own.leave()
    with pytest.raises(NotConsented):
        answer(PLAN, own, "1", 1, start("pause"))
    with pytest.raises(Missing):
        own.sessions()


def test_each_step_is_answered_once_and_no_more_than_were_planned(own: Own) -> None:
    own.count("1", PLAN.sha256(), 1, PLAN.steps)
    with pytest.raises(Refused, match="this step"):
        own.count("1", PLAN.sha256(), 1, PLAN.steps)
    with pytest.raises(Refused, match="this step"):
        own.count("1", PLAN.sha256(), PLAN.steps + 1, PLAN.steps)
    with pytest.raises(Refused, match="not the one this began with"):
        own.count("1", replace(PLAN, steps=99).sha256(), 2, 99)


def test_what_leaves_is_a_clipped_update_under_the_devices_own_noise(own: Own) -> None:
    learned = update(PLAN, own, start("pause"))
    assert 0 < np.linalg.norm(learned) <= PLAN.clip * (1 + 1e-9)
    made = answer(PLAN, own, "1", 1, start("pause"))
    noise = made - learned
    assert noise.std() == pytest.approx(PLAN.share, rel=0.4)
    assert not np.allclose(made, answer(PLAN, own, "2", 1, start("pause")))


def test_who_is_not_drawn_sends_noise_alone(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overt.federated.answer.update", lambda *_: 1 / 0)
    rarely = replace(PLAN, sampling_rate=1e-12, noise_multiplier=2.0)
    made = answer(rarely, own, "1", 1, start("pause"))
    assert made.std() == pytest.approx(rarely.share, rel=0.4)


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        ({"steps": 12}, Refused, "costs more"),
        ({"noise_multiplier": 0.0}, InvalidInput, "without noise"),
        ({"planned": 20}, TooFew, "too few"),
        ({"replies_min": 1}, Refused, "range"),
        ({"secure": True, "replies_min": 2}, Refused, "sum of two"),
        ({"task": "mood"}, Refused, "no task"),
        ({"delta": 0.01}, InvalidInput, "losing somebody"),
    ],
)
def test_a_plan_that_no_device_should_follow_is_refused(
    own: Own, change: dict[str, Any], error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        answer(replace(PLAN, **change), own, "1", 1, start("pause"))


@pytest.mark.parametrize("weights", [np.zeros(3), np.full(start("pause").size, np.nan)])
def test_weights_that_are_none_are_refused_before_anything_is_learned(
    own: Own, weights: Any
) -> None:
    with pytest.raises(InvalidInput, match="weights"):
        answer(PLAN, own, "1", 1, weights)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"task": "pause"}', "canary"])
def test_what_is_no_plan_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as error:
        plan_from(text)
    assert "canary" not in str(error.value)
    assert plan_from(PLAN.to_json()) == PLAN


def test_a_step_with_too_few_answers_moves_nothing_and_says_how_many_it_needs() -> None:
    course = Course(PLAN, start("pause"))
    course.take(1, np.ones(start("pause").size), 2, ["gone"])
    assert (course.weights == start("pause")).all()
    assert course.steps[0]["refused"] == "2 devices answered and 3 are needed"
    course.take(2, np.ones(start("pause").size), 3, [])
    assert np.allclose(course.weights - start("pause"), 1 / PLAN.planned)
    assert course.as_dict()["spent"]["privacy_unit"] == "person"


def test_a_node_without_tls_speaks_to_this_machine_only(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not on this machine"):
        node.command("example.org:9092", 1)
    assert "--insecure" in node.command("127.0.0.1:9092", 1)
    there = node.environment(tmp_path / "device", tmp_path)
    assert there["FLWR_TELEMETRY_ENABLED"] == "0"
    assert "overt.federated.task" in (tmp_path / "flwr-clientapp").read_text()


def test_masks_that_half_of_the_devices_take_off_are_refused() -> None:
    task.check_masks({"share_num": 4, "threshold": 3})
    task.check_masks({"stage": "unmask"})
    for needed in (2, 1, 2.9):
        with pytest.raises(Refused, match="half"):
            task.check_masks({"share_num": 4, "threshold": needed})


def test_an_answer_that_stands_alone_has_the_whole_noise_on_it() -> None:
    assert PLAN.share == pytest.approx(PLAN.noise_multiplier * PLAN.clip)
    together = replace(PLAN, secure=True)
    assert together.share * together.replies_min**0.5 == pytest.approx(PLAN.share)


def test_flower_is_not_imported_before_it_is_used() -> None:
    assert "flwr" not in sys.modules


def test_a_purpose_says_beforehand_that_nothing_is_rebuilt_and_what_applies_instead() -> None:
    assert not TOGETHER[PURPOSE].exact_rebuild
    assert "ε" in TOGETHER[PURPOSE].on_leaving
    assert all(one.exact_rebuild for one in PURPOSES.values())
    assert REGISTRY.keys() == PURPOSES.keys() | TOGETHER.keys()


@pytest.mark.parametrize(
    ("language", "stays", "leaving"),
    [
        ("en", "stay on your device", "no model is rebuilt without you"),
        ("de", "bleiben auf Ihrem Gerät", "wird kein Modell ohne Sie neu gebaut"),
    ],
)
def test_the_notice_shows_it(store: Store, language: str, stays: str, leaving: str) -> None:
    study = studies.study_of(store, PLAN.study)
    shown = replace(study, notice={language: study.notice["en"]})
    notice = json.loads(notice_bytes(shown, language))
    by = {one["id"]: one["text"] for one in notice["choices"]["purposes"]}
    assert stays in by[PURPOSE]
    assert stays not in by["typing-assist"]
    section = next(one for one in notice["sections"] if one["id"] == "leaving")
    assert leaving in " ".join(section["text"])
    without = replace(shown, purposes=("typing-assist",))
    assert leaving not in notice_bytes(without, language).decode()


def test_the_certificate_says_it_on_leaving(store: Store) -> None:
    there, _ = joined(store, (PURPOSE, "typing-assist"))
    person = enrol.by_token(store, there.token)
    certificate = erase.finish(store, erase.begin(store, person))
    (said,) = certificate["learned_together"]
    assert said["purpose"] == PURPOSE
    assert said["exact_rebuild"] is False
    assert said["instead"] == TOGETHER[PURPOSE].on_leaving
    assert erasure.learned_together(["typing-assist"]) == {}


def test_nothing_is_collected_for_it(store: Store) -> None:
    from overt.consent import policy
    from overt.schema.event import Kind
    from overt.schema.purpose import purposes_for

    assert all(not purposes_for(kind, [PURPOSE]) for kind in Kind)
    state = policy.ReceiptState(policy.GIVEN, frozenset({PURPOSE}))
    for role in policy.ROLES:
        for action in policy.ACTIONS:
            with pytest.raises(Refused):
                policy.decide(role, action, PURPOSE, state)
