"""Figures over people: kept sealed, over ten or none, and gone with anyone who was in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_fixtures import STUDY, join, new_store, sessions, upload
from overt.features.spread import spread
from overt.gateway import enrol, erase, researcher, retention
from overt.gateway.audits import audit_once
from overt.gateway.distributions import distributions
from overt.gateway.door import Selected
from overt.gateway.filed import KINDS, filed
from overt.gateway.overview import overview, shown
from overt.gateway.studies import study_of
from overt.schema.errors import TooFew
from overt.store.batches import BatchPlace
from overt.store.control import today
from overt.store.store import Store


def _quiet(_what: str, _done: float) -> None:
    """Report nothing."""


def _living(store: Store, count: int, events: int = 60) -> list[enrol.Person]:
    """Let people join who all recorded the same few seconds, up to a minute apart."""
    recorded = [sessions(count=1)[0].slice(0, events)]
    people = [join(store)[1] for _ in range(count)]
    for person in people:
        upload(store, person, recorded)
    return people


def _all(store: Store) -> list[Any]:
    return [f for kind in KINDS for f in filed(store, STUDY, kind)]


def _leave(store: Store, person: enrol.Person, scope: str) -> None:
    """Take a person, or a part of them, out of the data to the end."""
    if scope == "retention":
        retention.expire(store, day=today() + study_of(store, STUDY).retention_days + 1)
        return
    if scope == "minutes":
        job = retention.delete_last(store, person, 600)["job"]
    else:
        job = erase.begin(store, person, ["typing-assist"] if scope == "purpose" else None)
    erase.finish(store, job)


def test_whoever_leaves_takes_the_figures_along(tmp_path: Path) -> None:
    scopes = ("purpose", "minutes", "person", "retention")
    with new_store(tmp_path / "data") as store:
        people = _living(store, 10 + len(scopes))
        for person, scope in zip(people, scopes, strict=False):
            overview(store, STUDY, "test", _quiet)
            distributions(store, STUDY, "typing-assist", "test", _quiet)
            assert len(_all(store)) == 2, scope
            _leave(store, person, scope)
            assert _all(store) == [], scope
            assert store.artefacts.filed(STUDY) == [], scope


def test_figures_are_not_shown_once_somebody_in_them_is_on_their_way_out(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        person = _living(store, 10)[0]
        overview(store, STUDY, "test", _quiet)
        erase.begin(store, person)
        assert len(store.artefacts.filed(STUDY)) == 1
        assert _all(store) == []


def test_nine_living_people_have_a_range_and_nothing_else(tmp_path: Path) -> None:
    with new_store(tmp_path / "data", people=3) as store:
        _living(store, 9)
        assert overview(store, STUDY, "test", _quiet).figures["origins"] == {
            "live": {"people": "<10"},
            "synthetic": {"people": "<10"},
        }
        with pytest.raises(TooFew, match="10 people of one origin"):
            distributions(store, STUDY, "typing-assist", "test", _quiet)
        with pytest.raises(TooFew) as refused:
            audit_once(store, STUDY, "rhythm", [10], "test", _quiet)
        assert "9" not in str(refused.value)


def _recorded(subject: int, day: int, *, end: bool, removed: int) -> Selected:
    place = BatchPlace(
        *(f"{subject:032x}" for _ in range(4)), "0" * 32, 0, 0, f"{subject:032x}", 0, ("p",), day,
        first_seq=0, events=50, produced=100, removed=removed, lost=removed, end=end,
    )  # fmt: skip
    return Selected(place.subject, "live", (place,))


def test_shares_do_not_tell_how_the_one_recorded_who_came_after_a_whole_ten() -> None:
    tens = [_recorded(number, 7, end=True, removed=1) for number in range(1, 21)]
    late = _recorded(0, 8, end=False, removed=50)
    shares = [
        {name: value for name, value in shown(people, {}).items() if name.endswith("percent")}
        for people in (tens, [late, *tens])
    ]
    assert (
        shares[0]
        == shares[1]
        == {
            "unclean_percent": 0.0,
            "removed_percent": 1.0,
            "lost_percent": 1.0,
        }
    )


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=300))
def test_every_part_of_a_spread_holds_ten_people(values: list[float]) -> None:
    known = [value for value in values if value == value]
    found = spread(values)
    if found is None:
        assert len(known) < 10
        return
    assert found.people == len(known) // 10 * 10
    assert found.people // (len(found.bounds) + 1) >= 10
    assert list(found.bounds) == sorted(found.bounds)


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=250),
    st.lists(st.floats(-1e6, 1e6), max_size=9),
)
def test_who_comes_after_a_whole_ten_changes_nothing(
    first: list[float], after: list[float]
) -> None:
    whole = first[: len(first) // 10 * 10]
    assert spread(whole) == spread(whole + after)


def test_the_key_opens_and_a_new_one_ends_what_the_old_one_opened(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        key = researcher.key(store)
        assert researcher.is_key(store, key.lower().replace("-", " "))
        assert not researcher.is_key(store, key[:-1])
        assert not researcher.is_key(store, "")
        given_pass = researcher.issue_pass(store, 1000)
        assert researcher.is_pass(store, given_pass, 1000 + researcher.PASS_S - 1)
        assert not researcher.is_pass(store, given_pass, 1000 + researcher.PASS_S)
        assert not researcher.is_pass(store, given_pass.replace("4", "5", 1), 1000)
        assert researcher.new_key(store) != key
        assert not researcher.is_pass(store, given_pass, 1000)
        assert not researcher.is_key(store, key)
