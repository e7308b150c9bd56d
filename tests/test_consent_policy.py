"""Only what is listed here passes; everything else, and every error, is a no."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.consent.policy import ACTIONS, ROLES, STATES, TABLE, ReceiptState, decide
from overt.schema.errors import NotConsented, Refused, Withdrawn
from overt.schema.purpose import PURPOSES, SCREEN

# Written out by hand, not read from the table.
MAY = {
    ("participant", "read-own"),
    ("participant", "export-own"),
    ("participant", "erase-own"),
    ("trainer", "train"),
    ("trainer", "features"),
    ("trainer", "release"),
    ("researcher", "features"),
    ("researcher", "count"),
    ("auditor", "audit"),
    ("auditor", "count"),
    ("custodian", "count"),
}
SUBSETS = [
    frozenset(some)
    for size in range(len(PURPOSES) + 1)
    for some in itertools.combinations(PURPOSES, size)
]


def passes(role: Any, action: Any, purpose: Any, receipt: Any) -> bool:
    try:
        decide(role, action, purpose, receipt)
    except Refused:
        return False
    return True


def expected(role: str, action: str, purpose: str, state: str, covered: frozenset[str]) -> bool:
    if (role, action) not in MAY:
        return False
    if purpose in SCREEN and action in ("train", "audit", "release"):
        return False  # nothing learns from windows yet, and none leaves
    if role == "participant" and state == "imported":
        return False
    if action == "erase-own":
        return True
    if action == "release" and state != "imported":
        return False
    return state != "withdrawn" and purpose in covered


def test_of_all_roles_actions_purposes_and_receipts_only_the_listed_pass() -> None:
    passed = 0
    for role, action, purpose, state, covered in itertools.product(
        ROLES, ACTIONS, PURPOSES, STATES, SUBSETS
    ):
        outcome = passes(role, action, purpose, ReceiptState(state, covered))
        assert outcome == expected(role, action, purpose, state, covered), (role, action, purpose)
        passed += outcome
    assert passed > 100


def test_without_a_receipt_nobody_may_do_anything() -> None:
    for role, action, purpose in itertools.product(ROLES, ACTIONS, PURPOSES):
        with pytest.raises(Refused):
            decide(role, action, purpose, None)


@settings(deadline=None)
@given(
    st.text() | st.none() | st.sampled_from(ROLES),
    st.text() | st.none() | st.sampled_from(ACTIONS),
    st.text() | st.none() | st.lists(st.text()) | st.sampled_from(list(PURPOSES)),
    st.none()
    | st.text()
    | st.builds(
        ReceiptState,
        st.text() | st.none() | st.sampled_from(STATES),
        st.none() | st.frozensets(st.text()) | st.frozensets(st.sampled_from(list(PURPOSES))),  # type: ignore[arg-type]
    ),
)
def test_whatever_is_asked_the_answer_is_listed_or_refused(
    role: Any, action: Any, purpose: Any, receipt: Any
) -> None:
    if passes(role, action, purpose, receipt):
        assert (role, action) in MAY
        assert purpose in PURPOSES
        assert receipt.state in STATES
        assert action == "erase-own" or purpose in receipt.purposes


@pytest.mark.parametrize("state", ["expired", "GIVEN", "", None, ["given"]])
def test_a_receipt_in_no_known_state_allows_nothing(state: Any) -> None:
    for role, action, purpose in itertools.product(ROLES, ACTIONS, PURPOSES):
        assert not passes(role, action, purpose, ReceiptState(state, frozenset(PURPOSES)))


def test_an_error_inside_a_check_means_no_and_tells_nothing_of_the_person() -> None:
    class Broken(ReceiptState):
        @property
        def state(self) -> str:  # type: ignore[override]
            raise ZeroDivisionError("pseudonym 1234")

        @state.setter
        def state(self, value: str) -> None: ...

    broken = Broken.__new__(Broken)
    with pytest.raises(Refused, match="could not be checked") as caught:
        decide("trainer", "train", "next-action", broken)
    assert "1234" not in str(caught.value)


def test_a_refusal_says_why() -> None:
    everything = frozenset(PURPOSES)
    with pytest.raises(Withdrawn):
        decide("trainer", "train", "next-action", ReceiptState("withdrawn", everything))
    with pytest.raises(NotConsented):
        decide("trainer", "train", "next-action", ReceiptState("given", frozenset()))
    with pytest.raises(NotConsented):
        decide("trainer", "train", "next-action", None)
    with pytest.raises(NotConsented, match="leaves this machine"):
        decide("trainer", "release", "next-action", ReceiptState("given", everything))
    with pytest.raises(Refused, match="custodian train next-action: is not allowed"):
        decide("custodian", "train", "next-action", ReceiptState("given", everything))
    with pytest.raises(Refused, match=r"\? \? \?"):
        decide("root", "do\n", "anything", None)


def test_the_table_covers_every_role_and_purpose_and_knows_no_other_words() -> None:
    assert set(TABLE) == set(ROLES)
    for row in TABLE.values():
        assert set(row) == set(PURPOSES)
        assert {action for actions in row.values() for action in actions} <= set(ACTIONS)
