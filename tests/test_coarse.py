"""`rhythm/1`: one rule in Python, in the browser and at the collector; and it does protect."""

import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_fixtures import ALL, STUDY, join, new_store
from overt.audit.linkage import linkage
from overt.collector.accept import accept
from overt.consent.notice import notice_sha256
from overt.datasets import rows, synthetic
from overt.datasets.transform import to_rhythm0, to_rhythm1
from overt.features.windows import features
from overt.gateway import enrol, studies
from overt.gateway.streams import Origin, batches_of
from overt.schema import coarse
from overt.schema.batch import from_events
from overt.schema.errors import InvalidInput
from overt.schema.event import KeyClass, Kind, Modifier

VECTORS = Path(__file__).parents[1] / "spec" / "vectors" / "coarse.json"
CASES = json.loads(VECTORS.read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_rule_is_that_of_the_vectors(case: dict) -> None:
    event = rows.table(1, {name: [value] for name, value in case["event"].items()})
    made = to_rhythm1(event).to_pylist()
    if case["kept"] is None:
        assert made == []
        return
    (kept,) = made
    nothing = dict.fromkeys(("slot", "modifiers", "key_symbol"), 0)
    assert kept == {**event.to_pylist()[0], **nothing, **case["kept"]}


@given(seed=st.integers(0, 10_000))
@settings(deadline=None)
def test_doing_it_twice_changes_nothing_and_the_check_agrees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 60))
    session = rows.table(
        count,
        {
            "seq": np.arange(count),
            "t_us": np.cumsum(rng.integers(0, 900_000, count)),
            "kind": rng.integers(1, 20, count),
            "key_class": rng.integers(0, 20, count),
            "slot": rng.integers(0, 5, count),
            "modifiers": rng.choice([0, 1, 16], count),
            "pointer": rng.integers(0, 3, count),
            "value": rng.choice([0, 0, 5], count),
            "scroll_x_css_px": rng.choice([0, 0, 8], count),
        },
    )
    once = to_rhythm1(session)
    assert to_rhythm1(once).equals(once)
    if once.num_rows:
        anchor, wire = from_events(once)
        coarse.check(wire, anchor["t0_us"])
    if not session.drop(["seq"]).equals(once.drop(["seq"])):
        anchor, wire = from_events(session)
        with pytest.raises(InvalidInput, match="more than rhythm/1"):
            coarse.check(wire, anchor["t0_us"])


ALONE: tuple[dict[str, int], ...] = (
    {"key_class": KeyClass.DIGIT},
    {"key_class": KeyClass.PUNCTUATION},
    {"key_class": KeyClass.SHIFT},
    {"slot": 1},
    {"modifiers": Modifier.SHIFT},
    {"t_us": 1_000_001},
    {"kind": Kind.KEY_UP},
    {"kind": Kind.COMMAND},
    {"kind": Kind.VIEW},
    {"kind": Kind.POINTER_MOVE, "value": 1},
    {"kind": Kind.POINTER_MOVE, "scroll_x_css_px": 8},
)


@pytest.mark.parametrize("said", ALONE, ids=str)
def test_a_row_that_says_more_in_one_thing_alone_is_refused(said: dict[str, int]) -> None:
    kept = {"kind": Kind.KEY_DOWN, "key_class": KeyClass.LETTER, "t_us": 1_000_000}
    for row, refused in ((kept, False), ({**kept, **said}, True)):
        session = rows.table(1, {name: [int(value)] for name, value in row.items()})
        anchor, wire = from_events(session)
        with pytest.raises(InvalidInput, match="more than") if refused else nullcontext():
            coarse.check(wire, anchor["t0_us"])


def test_people_are_recognised_at_rhythm_0_and_hardly_at_rhythm_1() -> None:
    crowd = [p.sessions for p in synthetic.people(40, 5, minutes=2, pointer_moves=False)]
    found = linkage(crowd, levels=("rhythm", "rhythm/1"), keys=(50,))
    exact, kept = found.best("rhythm", 50), found.best("rhythm/1", 50)
    assert exact.rank1 > 0.5
    assert kept.rank1 < exact.rank1 / 3


def test_no_feature_takes_steps_of_a_second_for_times_of_a_person() -> None:
    session = next(synthetic.people(1, 9, sessions=1, minutes=1)).sessions[0]
    exact, kept = features([session]), features([to_rhythm1(session)])
    timing = [name for name in kept.column_names if name.startswith(("hold_", "down_", "up_"))]
    assert any(exact[name].null_count == 0 for name in timing)
    assert all(kept[name].null_count == 1 for name in timing)
    assert kept["presses"][0].as_py() > 0
    assert abs(kept["keys_per_s"][0].as_py() / exact["keys_per_s"][0].as_py() - 1) < 0.3


def test_whoever_chose_the_second_cannot_be_sent_more_of(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        notice = notice_sha256(studies.study_of(store, STUDY), "en")
        joined = enrol.join(store, STUDY, ALL, notice, detail="rhythm/1")
        assert joined.receipt["overt"]["level"] == "rhythm/1"
        person = enrol.by_token(store, joined.token)
        grant = enrol.grant_of(store, person)
        raw = next(synthetic.people(1, 3, sessions=1, minutes=0.3)).sessions[0]

        def sent(events: object, transform: str) -> list[bytes]:
            origin = Origin(
                source="sdk/test", study=STUDY, receipt=person.receipt,
                purposes=ALL, level="rhythm", transform=transform,
                time_origin_ms=0, clock_resolution_us=100,
            )  # fmt: skip
            return [b.plain for b in batches_of(events, origin)]

        for plain in sent(to_rhythm1(raw), "rhythm/1"):
            accept(plain, grant)
        with pytest.raises(InvalidInput, match="more than the receipt grants"):
            accept(sent(to_rhythm0(raw), "rhythm/0")[0], grant)
        lies = 0
        for plain in sent(to_rhythm0(raw), "rhythm/1"):
            try:
                accept(plain, grant)
            except InvalidInput:
                lies += 1
        assert lies
        # Rows laid out as others before them take a shorter way, past pyarrow; not past the rule.
        honest = to_rhythm1(raw)
        place = honest.schema.get_field_index("slot")
        slots = pa.array(np.ones(honest.num_rows), honest.schema.field(place).type)
        for plain in sent(honest.set_column(place, honest.schema.field(place), slots), "rhythm/1"):
            with pytest.raises(InvalidInput, match="more than rhythm/1"):
                accept(plain, grant)
        _, exact = join(store)
        grant = enrol.grant_of(store, exact)
        assert grant.level == "rhythm"


def test_a_detail_the_study_does_not_offer_is_refused(tmp_path: Path) -> None:
    with new_store(tmp_path / "data") as store:
        notice = notice_sha256(studies.study_of(store, STUDY), "en")
        for detail in ("keys", "raw", "rhythm/2"):
            with pytest.raises(InvalidInput, match="is not offered"):
                enrol.join(store, STUDY, ("next-action",), notice, detail=detail)
