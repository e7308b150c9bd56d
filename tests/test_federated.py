"""Learning together: what a device asks before it answers, and what a notice says of leaving."""

import contextlib
import json
import ssl
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from federated_fixtures import (
    FIXTURES,
    PLAN,
    PURPOSE,
    granted,
    held,
    joined,
    new_store,
)
from overt.commands import together as commands
from overt.commands.place import opened
from overt.consent.notice import notice_bytes
from overt.device.vault import Vault, as_json
from overt.federated import certificates, link, node, server, task
from overt.federated.answer import answer, update
from overt.federated.own import DELTA_MAX, Own
from overt.federated.plan import Plan, plan_from, start
from overt.federated.server import Course
from overt.gateway import budget, enrol, erase, erasure, ledger, studies
from overt.models.private.spent import epsilon
from overt.schema.errors import Damaged, InvalidInput, Missing, NotConsented, Refused, TooFew
from overt.schema.event import Kind
from overt.schema.purpose import PURPOSES, REGISTRY, TOGETHER
from overt.schema.study import template
from overt.store.store import Store

events, own, store = FIXTURES


def test_a_device_without_a_receipt_answers_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotConsented, match="nobody has joined"):
        Own(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    Vault(tmp_path / "device").close()
    own = Own(tmp_path / "device")
    with pytest.raises(NotConsented, match="no receipt"):
        answer(PLAN, own, "1", 1, start("pause"))
    own.close()


@pytest.mark.parametrize(
    ("asked", "left"), [(("typing-assist",), ("typing-assist",)), ((PURPOSE,), ())]
)
def test_a_receipt_for_something_else_does_not_do_nor_one_that_was_taken_back(
    tmp_path: Path, store: Store, asked: tuple[str, ...], left: tuple[str, ...]
) -> None:
    there = joined(store, asked)
    granted(tmp_path / "device", there.receipt, left).close()
    own = Own(tmp_path / "device")
    with pytest.raises(NotConsented, match="does not cover"):
        answer(PLAN, own, "1", 1, start("pause"))
    own.close()


def test_a_receipt_that_was_changed_does_not_do(tmp_path: Path, store: Store) -> None:
    there = joined(store, ("typing-assist",))
    forged = json.loads(json.dumps(there.receipt).replace("typing-assist", PURPOSE))
    granted(tmp_path / "device", forged).close()
    own = Own(tmp_path / "device")
    with pytest.raises(Damaged):
        answer(PLAN, own, "1", 1, start("pause"))
    own.close()


def test_each_step_is_answered_once_and_no_more_than_were_planned(own: Own) -> None:
    own.count("1", PLAN, 1)
    with pytest.raises(Refused, match="this step"):
        own.count("1", PLAN, 1)
    with pytest.raises(Refused, match="this step"):
        own.count("1", PLAN, PLAN.steps + 1)
    with pytest.raises(Refused, match="not the one this began with"):
        own.count("1", replace(PLAN, steps=99), 2)


def test_of_two_courses_that_begin_at_once_only_one_is_answered_where_both_cost_too_much(
    own: Own, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = replace(PLAN, noise_multiplier=2.0, steps=1)
    vault = Vault(held(tmp_path / "device"))
    grant = vault.get_json("grant")
    one = epsilon(1.0, 2.0, 1, DELTA_MAX)
    vault.change({"grant": as_json({**grant, "epsilon_max": f"{one:.4f}9"})})
    other = Own(held(tmp_path / "device"))
    afford = Own._afford

    def meanwhile(self: Own, plan: Any, before: Any) -> None:
        afford(self, plan, before)
        if self is own:
            other.count("2", plan, 1)  # between what this one read and what it writes

    monkeypatch.setattr(Own, "_afford", meanwhile)
    with pytest.raises(Refused, match="learned here before"):
        own.count("1", course, 1)
    assert own.spent()[0] == pytest.approx(course.spent().epsilon)
    other.close()
    vault.close()


def test_courses_add_up_on_the_device_and_none_begins_beyond_what_the_notice_states(
    own: Own, tmp_path: Path
) -> None:
    course = replace(PLAN, noise_multiplier=4.0, steps=1)
    one = course.spent().epsilon
    assert own.spent() == (0.0, 0.0)
    own.count("1", course, 1)
    assert own.spent()[0] == pytest.approx(one, rel=1e-6)
    own.count("2", replace(course, task="slips"), 1)
    both = own.spent()[0]
    # Two Gaussian sums of one noise are as one with the noise over √2.
    assert both == pytest.approx(epsilon(1.0, 4.0 / 2**0.5, 1, PLAN.delta), rel=1e-3)
    assert one < both < 2 * one
    vault = Vault(held(tmp_path / "device"))
    grant = vault.get_json("grant")
    vault.change({"grant": as_json({**grant, "epsilon_max": f"{both:.4g}"})})
    with pytest.raises(Refused, match="learned here before"):
        own.count("3", course, 1)
    vault.change({"grant": as_json({**grant, "epsilon_max": ""})})
    with pytest.raises(Refused, match="more than ε 0"):
        own.count("3", replace(course, noise_multiplier=1e3), 1)
    assert own.spent()[0] == pytest.approx(both)
    vault.close()


def test_courses_that_go_on_side_by_side_cost_no_more_than_the_notice_states(
    own: Own, tmp_path: Path
) -> None:
    course = replace(PLAN, noise_multiplier=20.0, steps=50)
    vault = Vault(held(tmp_path / "device"))
    grant = vault.get_json("grant")
    limit = 1.7  # what 75 such steps cost at δ 1e-5
    vault.change({"grant": as_json({**grant, "epsilon_max": f"{limit}"})})
    own.count("1", course, 1)
    own.count("2", course, 1)
    own.count("1", course, 30)
    with pytest.raises(Refused, match="learned here before"):
        own.count("2", course, 50)
    own.count("1", course, 50)
    assert own.spent()[0] <= limit
    with pytest.raises(Refused, match="learned here before"):
        own.count("3", replace(course, delta=1e-3, noise_multiplier=12.0, steps=25), 1)
    vault.close()


def test_a_studys_courses_add_up_in_its_log_and_none_is_planned_beyond_its_notice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def plan(epsilon: float, out: str = "plan.json") -> Any:
        asked: dict[str, Any] = {"study": PLAN.study, "people": 60, "task": "slips"}
        asked |= {"data_dir": tmp_path / "data", "out": tmp_path / out, "as_json": True}
        commands.plan(epsilon=epsilon, **asked)
        return json.loads(capsys.readouterr().out)

    with new_store(tmp_path / "data") as store:
        document = template(PLAN.study, "Small").replace(
            '["next-action", "typing-assist"]', f'["typing-assist", "{PURPOSE}"]'
        )
        studies.register(store, document.replace("# epsilon_max = 3 ", "epsilon_max = 3 ").encode())
        # What a version wrote that did not say what its ε follows from is added on top.
        ledger.record(store, "training", PLAN.study, {"event": "private training", "epsilon": "1"})
    first = plan(1.0)
    assert first["in_all"]["courses"] == 2
    assert first["in_all"]["epsilon"] == pytest.approx(1 + first["spent"]["epsilon"])
    made = plan_from((tmp_path / "plan.json").read_text())
    assert (made.replies_min, made.secure, made.purpose) == (30, True, PURPOSE)
    second = plan(1.0)["in_all"]
    assert first["in_all"]["epsilon"] + 0.2 < second["epsilon"] < 3.0
    with pytest.raises(Refused, match="the notice states 3"):
        plan(1.5)
    with pytest.raises(FileNotFoundError):  # and nothing is spent on it
        plan(0.1, "no such folder/plan.json")
    with opened(tmp_path / "data") as store:
        assert budget.total(store, studies.study_of(store, PLAN.study)).courses == 3


def test_what_leaves_is_a_clipped_update_under_the_devices_own_noise(own: Own) -> None:
    learned = update(PLAN, own, start("pause"))
    assert 0 < np.linalg.norm(learned) <= PLAN.clip * (1 + 1e-9)
    made = answer(PLAN, own, "1", 1, start("pause"))
    noise = made - learned
    assert noise.std() == pytest.approx(PLAN.share, rel=0.4)
    assert not np.allclose(made, answer(PLAN, own, "2", 1, start("pause")))


def test_who_is_not_drawn_sends_noise_alone(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[Plan] = []
    monkeypatch.setattr(
        "overt.federated.answer.update", lambda plan, *_: worked.append(plan) or 1e9
    )
    rarely = replace(PLAN, sampling_rate=1e-12, noise_multiplier=2.0)
    made = answer(rarely, own, "1", 1, start("pause"))
    assert made.std() == pytest.approx(rarely.share, rel=0.4)
    assert worked == [rarely], "it takes as long as the answer of somebody who was drawn"


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


def test_nobody_speaks_in_the_clear_beyond_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "program", str)
    monkeypatch.setattr(link, "program", str)
    assert "--insecure" in node.command("127.0.0.1:9092", 1)
    for elsewhere in ("learn.example.org:9092", "127.0.0.1.example.org:1", "[2001:db8::1]:9092"):
        assert "--insecure" not in node.command(elsewhere, 1)
    with pytest.raises(InvalidInput, match="host:port"):
        node.command("learn.example.org", 1)
    with pytest.raises(Missing):
        node.command("learn.example.org:1", 1, tmp_path / "none.pem")
    assert "--insecure" in link.command("127.0.0.1", 1, None)
    for everywhere in ("0.0.0.0", "::", "learn.example.org"):
        with pytest.raises(Refused, match="without encryption"):
            link.command(everywhere, 1, None)
    made = certificates.make(tmp_path, ("learn.example.org", "192.0.2.7"))
    assert "--insecure" not in link.command("0.0.0.0", 1, made)
    asked = node.command("learn.example.org:9092", 1, made.authority)
    assert asked[-2:] == ["--root-certificates", str(made.authority)]
    made.key.unlink()
    with pytest.raises(Missing):
        link.command("0.0.0.0", 1, made)


def test_a_servers_certificate_is_vouched_for_by_an_authority_that_stays(tmp_path: Path) -> None:
    made = certificates.make(tmp_path, ("learn.example.org", "192.0.2.7"))
    authority = made.authority.read_bytes()
    first = made.certificate.read_bytes()
    again = certificates.make(tmp_path, ("learn.example.org",))
    assert again.authority.read_bytes() == authority
    assert again.certificate.read_bytes() != first
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(made.certificate, made.key)
    assert _handshake(served, again.authority, "learn.example.org")
    assert _handshake(served, again.authority, "127.0.0.1")
    other = certificates.make(tmp_path / "other", ("learn.example.org",))
    for trusted, name in ((again.authority, "example.com"), (other.authority, "127.0.0.1")):
        with pytest.raises(ssl.SSLCertVerificationError):
            _handshake(served, trusted, name)
    for key in (made.key, tmp_path / "authority-key.pem"):
        assert key.stat().st_mode & 0o077 == 0
    with pytest.raises(InvalidInput):
        certificates.make(tmp_path, ())


def _handshake(served: ssl.SSLContext, authority: Path, name: str) -> bool:
    """Let a client that trusts this authority and a server shake hands, in memory."""
    trusting = ssl.create_default_context(cafile=str(authority))
    one, other = (ssl.MemoryBIO(), ssl.MemoryBIO()), (ssl.MemoryBIO(), ssl.MemoryBIO())
    client = trusting.wrap_bio(*one, server_hostname=name)
    server = served.wrap_bio(*other, server_side=True)
    for _ in range(4):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
            other[0].write(one[1].read())
            one[0].write(other[1].read())
    return client.cipher() is not None


def test_a_course_begins_once_whoever_asks_for_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.json").write_text(replace(PLAN, planned=20).to_json())
    monkeypatch.setenv(server.PLAN, str(tmp_path / "plan.json"))
    monkeypatch.setenv(server.OUT, str(tmp_path / "out.json"))
    with pytest.raises(TooFew):
        server.run(None, None)
    (why,) = json.loads((tmp_path / "out.json").read_text()).values()
    assert "too few" in why
    with pytest.raises(FileExistsError):
        server.run(None, None)


def test_masks_that_half_of_the_devices_take_off_are_refused() -> None:
    task.check_masks({"share_num": 4, "threshold": 3})
    task.check_masks({"stage": "unmask"})
    for needed in (2, 1, 2.9):
        with pytest.raises(Refused, match="half"):
            task.check_masks({"share_num": 4, "threshold": needed})


def test_what_was_promised_to_go_into_a_sum_never_goes_by_itself() -> None:
    secret = replace(PLAN, secure=True)
    task.check_promised(secret, secure=True)
    task.check_promised(PLAN, secure=False)
    with pytest.raises(Refused, match="promised as a sum"):
        task.check_promised(secret, secure=False)


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
    assert "ε 10 " in " ".join(section["text"])
    assert notice["settings"]["epsilon_max"] == "10"
    less = notice_bytes(replace(shown, epsilon_max="2.5"), language).decode()
    assert "ε 2.5 " in less
    without = replace(shown, purposes=("typing-assist",))
    assert leaving not in notice_bytes(without, language).decode()
    assert "ε" not in notice_bytes(without, language).decode()


def test_the_certificate_says_it_on_leaving(store: Store) -> None:
    there = joined(store, (PURPOSE, "typing-assist"))
    person = enrol.by_token(store, there.token)
    certificate = erase.finish(store, erase.begin(store, person))
    (said,) = certificate["learned_together"]
    assert said["purpose"] == PURPOSE
    assert said["exact_rebuild"] is False
    assert said["instead"] == TOGETHER[PURPOSE].on_leaving
    assert erasure.learned_together(["typing-assist"]) == {}


def test_nothing_is_collected_for_it(store: Store) -> None:
    from overt.consent import policy
    from overt.schema.purpose import purposes_for

    assert all(not purposes_for(kind, [PURPOSE]) for kind in Kind)
    state = policy.ReceiptState(policy.GIVEN, frozenset({PURPOSE}))
    for role in policy.ROLES:
        for action in policy.ACTIONS:
            with pytest.raises(Refused):
                policy.decide(role, action, PURPOSE, state)
