"""Cutting sessions into batches loses nothing, doubles nothing and mixes no streams."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_fixtures import ALL
from overt.datasets.synthetic import people
from overt.datasets.transform import to_rhythm0
from overt.gateway.streams import Origin, batches_of
from overt.schema.batch import decode, to_events
from overt.schema.event import EVENTS, Kind
from overt.schema.purpose import purposes_for

ORIGIN = Origin(
    source="synthetic/1",
    study="s",
    receipt="0" * 32,
    purposes=ALL,
    level="rhythm",
    transform="rhythm/0",
    time_origin_ms=1_700_000_000_000,
    clock_resolution_us=100,
)


def _key_rows(times_us: list[int], seqs: list[int]) -> pa.Table:
    zeros = np.zeros(len(times_us), np.int64)
    columns = dict.fromkeys(EVENTS.names, zeros)
    columns |= {"t_us": np.array(times_us), "seq": np.array(seqs)}
    columns |= {"kind": np.full(len(times_us), int(Kind.KEY_DOWN))}
    return pa.table([pa.array(columns[f.name], f.type) for f in EVENTS], schema=EVENTS)


def _back(session: pa.Table, origin: Origin) -> pa.Table:
    tables = [to_events(*decode(batch.plain)) for batch in batches_of(session, origin)]
    return pa.concat_tables(tables).sort_by("seq")


def test_every_event_a_purpose_needs_comes_back_once_and_unchanged() -> None:
    session = to_rhythm0(next(people(1, 7, sessions=1, minutes=1)).sessions[0])
    assert _back(session, ORIGIN).equals(session.combine_chunks())


def test_what_no_consented_purpose_needs_is_not_in_any_batch() -> None:
    session = to_rhythm0(next(people(1, 7, sessions=1, minutes=1)).sessions[0])
    origin = Origin(**{**_fields(), "purposes": ("typing-assist",)})
    kinds = session.column("kind").to_numpy()
    wanted = [bool(purposes_for(Kind(k), ["typing-assist"])) for k in kinds.tolist()]
    assert 0 < sum(wanted) < len(wanted)
    assert _back(session, origin).equals(session.filter(pa.array(wanted)).combine_chunks())


def _fields() -> dict[str, object]:
    return {name: getattr(ORIGIN, name) for name in Origin.__dataclass_fields__}


def test_each_batch_holds_one_stream_and_only_the_last_says_end() -> None:
    session = to_rhythm0(next(people(1, 7, sessions=1, minutes=1)).sessions[0])
    made = list(batches_of(session, ORIGIN))
    for batch in made:
        _header, rows = decode(batch.plain)
        for kind in set(rows.column("kind").to_pylist()):
            assert purposes_for(Kind(kind), ORIGIN.purposes) == batch.header.purposes
    assert [b.header.batch for b in made] == list(range(len(made)))
    assert [b.header.end for b in made] == [False] * (len(made) - 1) + [True]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-59_000_000, 2**33), st.integers(1, 40_000)), min_size=1, max_size=20
    )
)
def test_gaps_of_any_length_and_missing_numbers_survive_the_cut(
    steps: list[tuple[int, int]],
) -> None:
    times = np.cumsum([2**34, *(dt for dt, _ in steps)]).tolist()
    seqs = np.cumsum([0, *(ds for _, ds in steps)]).tolist()
    session = _key_rows(times, seqs)
    assert _back(session, ORIGIN).equals(session)


def test_a_batch_never_has_more_rows_than_the_limit() -> None:
    count = 9_000
    session = _key_rows(list(range(count)), list(range(count)))
    assert [b.header.rows for b in batches_of(session, ORIGIN)] == [4096, 4096, 808]
    assert _back(session, ORIGIN).equals(session)
