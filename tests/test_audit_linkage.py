from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from datasets_fixtures import AALTO, needs_aalto
from overt.audit import attacks, linkage, profiles, rates, report
from overt.datasets import synthetic
from overt.datasets.formats import aalto
from overt.datasets.transform import to_rhythm0
from overt.features import presses
from overt.schema.errors import InvalidInput, TooFew
from overt.schema.event import EVENTS


@pytest.fixture(scope="module")
def crowd() -> list[tuple[pa.Table, ...]]:
    return [p.sessions for p in synthetic.people(24, 11, minutes=2, pointer_moves=False)]


@pytest.fixture(scope="module")
def result(crowd: list[tuple[pa.Table, ...]]) -> linkage.Linkage:
    return linkage.linkage(crowd, keys=(50, 150))


def test_knowing_the_keys_recognises_people_and_dropping_them_helps(
    result: linkage.Linkage,
) -> None:
    raw, rhythm = result.best("raw", 50), result.best("rhythm", 50)
    assert raw.rank1_low > 5 * raw.chance
    assert raw.rank1 > rhythm.rank1 + 0.1
    assert raw.eer_global < rhythm.eer_global


def test_more_keys_make_the_attack_stronger(result: linkage.Linkage) -> None:
    assert result.best("raw", 150).rank1 >= result.best("raw", 50).rank1 - 0.02
    assert result.best("raw", 150).eer_subject_mean <= result.best("raw", 50).eer_subject_mean


def test_every_figure_has_an_interval_around_it(result: linkage.Linkage) -> None:
    assert {row.attack for row in result.rows} == set(attacks.ATTACKS)
    for row in result.rows:
        assert row.rank1_low <= row.rank1 <= row.rank1_high
        assert row.eer_global_low <= row.eer_global <= row.eer_global_high
        assert row.eer_subject_mean_low <= row.eer_subject_mean <= row.eer_subject_mean_high
        assert row.chance == 1 / 24
        assert row.people == 24


def test_rhythm_cannot_see_keys_even_where_they_were_recorded(
    crowd: list[tuple[pa.Table, ...]], result: linkage.Linkage
) -> None:
    blind = [[to_rhythm0(events) for events in sessions] for sessions in crowd]
    again = linkage.linkage(blind, levels=("rhythm",), keys=(50, 150))
    assert again.rows == tuple(row for row in result.rows if row.level == "rhythm")


def remade(events: pa.Table, change: Callable[[np.ndarray], np.ndarray]) -> pa.Table:
    t_us = events.column("t_us").to_numpy()
    at = EVENTS.get_field_index("t_us")
    return events.set_column(at, EVENTS.field(at), pa.array(change(t_us)))


def test_without_anything_personal_the_attack_is_left_with_guessing() -> None:
    """Everybody is the same person: whatever is recognised then would be an error of the audit."""
    (one,) = synthetic.people(1, 5, sessions=80, minutes=1, pointer_moves=False)
    crowd = [one.sessions[2 * n : 2 * n + 2] for n in range(40)]
    result = linkage.linkage(crowd, keys=(50,))
    for row in result.rows:
        assert row.rank1_low <= 0.08, row.attack
        assert 0.4 < row.eer_global < 0.6, row.attack


def test_people_are_recognised_from_the_other_half_and_not_from_the_probe(
    crowd: list[tuple[pa.Table, ...]],
) -> None:
    """With second halves exchanged between neighbours, nobody is recognised any more."""
    swapped = [
        (mine[0], other[1]) for mine, other in zip(crowd, [*crowd[1:], crowd[0]], strict=True)
    ]
    assert linkage.linkage(swapped, keys=(150,)).best("raw", 150).rank1 < 0.15


def test_fewer_than_ten_people_are_refused(crowd: list[tuple[pa.Table, ...]]) -> None:
    with pytest.raises(TooFew, match="10"):
        linkage.linkage(crowd[:9])
    with pytest.raises(TooFew):
        linkage.linkage([])
    with pytest.raises(TooFew, match="probe"):
        linkage.linkage(crowd, keys=(100_000,))


def test_people_who_typed_nothing_do_not_count_as_people(
    crowd: list[tuple[pa.Table, ...]],
) -> None:
    silent = [(EVENTS.empty_table(),)] * 5
    with pytest.raises(TooFew, match="there are 9"):
        linkage.linkage([*crowd[:9], *silent])


def test_a_length_too_few_can_be_probed_at_is_said_to_be_left_out(
    crowd: list[tuple[pa.Table, ...]],
) -> None:
    result = linkage.linkage(crowd, levels=("rhythm",), keys=(50, 100_000))
    assert {row.keys for row in result.rows} == {50}
    assert result.left_out == ("rhythm, 100000 keys: 0 people to probe",)


def test_raw_needs_recorded_keys(crowd: list[tuple[pa.Table, ...]]) -> None:
    blind = [[to_rhythm0(events) for events in sessions] for sessions in crowd]
    with pytest.raises(InvalidInput, match="raw"):
        linkage.linkage(blind)
    with pytest.raises(InvalidInput):
        linkage.linkage(crowd, levels=("screen",))
    with pytest.raises(InvalidInput):
        linkage.linkage(crowd, keys=(5,))


def test_one_session_is_split_and_labelled() -> None:
    crowd = [p.sessions for p in synthetic.people(12, 2, sessions=1, minutes=2)]
    row = linkage.linkage(crowd, keys=(50,)).rows[0]
    assert row.same_session == 12


def test_two_runs_agree(crowd: list[tuple[pa.Table, ...]], result: linkage.Linkage) -> None:
    assert linkage.linkage(crowd, keys=(50, 150)) == result


def test_halves_follow_time_and_share_no_press(crowd: list[tuple[pa.Table, ...]]) -> None:
    first, second = profiles.halves(crowd[0], "raw")
    counts = [len(presses.presses_of(events)) for events in crowd[0]]
    assert [len(first), len(second)] == counts
    first, second = profiles.halves(crowd[0][:1], "raw")
    assert len(first) + len(second) == counts[0]


def test_equal_error_rates_and_ranks_agree_with_obvious_loops() -> None:
    rng = np.random.default_rng(4)
    owner = np.repeat(np.arange(12), 3)
    scores = rng.normal(size=(36, 12)).astype(np.float32)
    scores[np.arange(36), owner] += 1
    scores[0, 3] = scores[0, 0]
    for probe in range(36):
        row, own = scores[probe], scores[probe, owner[probe]]
        above = sum(1 for s in row if s > own)
        ties = sum(1 for s in row if s == own) - 1
        assert rates.ranks(scores, owner)[probe] == 1 + above + ties / 2
    expected = []
    for person in range(12):
        genuine = [scores[p, person] for p in range(36) if owner[p] == person]
        impostor = [scores[p, person] for p in range(36) if owner[p] != person]
        worst = [
            max(
                sum(g < threshold for g in genuine) / len(genuine),
                sum(i >= threshold for i in impostor) / len(impostor),
            )
            for threshold in [*scores[:, person], np.inf]
        ]
        expected.append(min(worst))
    np.testing.assert_allclose(rates.eer_subjects(scores, owner), expected)
    genuine = scores[np.arange(36), owner]
    impostor = np.delete(scores.ravel(), np.arange(36) * 12 + owner)
    whole = min(max((genuine < t).mean(), (impostor >= t).mean()) for t in scores.ravel())
    counts = rates.histograms(scores, owner, owner, 12)
    assert rates.eer_global(counts, rates.draws(12, 0)).value == pytest.approx(whole, abs=0.01)


def test_manhattan_agrees_with_an_obvious_loop(crowd: list[tuple[pa.Table, ...]]) -> None:
    halves = [profiles.halves(sessions, "raw") for sessions in crowd]
    seen = profiles.observations([first for first, _ in halves])
    common = profiles.population(seen, len(crowd))
    people = attacks.Profiles(attacks.Moments(seen, common, len(crowd)), common)
    shown = profiles.observations([second.part(0, 50) for _, second in halves[:3]])
    probes = attacks.Moments(shown, common, 3)
    found = attacks.scaled_manhattan(people, probes)
    for probe in range(3):
        for person in range(len(crowd)):
            distance = 0.0
            for feature in range(common.features):
                n = probes.count[probe, feature]
                if n:
                    scale = (people.within[feature] / n + people.between[feature] / 2) ** 0.5
                    mean = probes.sum[probe, feature] / n
                    distance += abs(mean - people.mean[person, feature]) / scale
            assert found[probe, person] == pytest.approx(-distance, rel=1e-4)


def test_report_is_one_page_with_figures_intervals_suite_and_caveats(
    result: linkage.Linkage,
) -> None:
    page = report.html(result, study="A <study>", origin="synthetic people")
    best = result.best("raw", 150)
    assert "A &lt;study&gt;" in page
    assert f"{100 * best.rank1:.1f} %" in page
    assert linkage.SUITE in page
    assert page.count("<svg") == 2 + len(linkage.LEVELS)
    assert "synthetic people" in page
    for attack in attacks.ATTACKS:
        assert attack in page
    assert not re.search(r"<script|src=|href=|https?:|@import|url\(", page)


def test_report_of_one_session_each_says_that_it_flatters_the_attacker() -> None:
    crowd = [p.sessions for p in synthetic.people(12, 2, sessions=1, minutes=2)]
    page = report.html(linkage.linkage(crowd, keys=(50,)), study="s", origin="o")
    assert "optimistic for the attacker" in page


def test_report_never_promises_what_no_attack_can_show(result: linkage.Linkage) -> None:
    page = report.html(result, study="s", origin="o").lower()
    for word in ("anonymous", "unlinkable", "gdpr-compliant", "provably clean", "impossible"):
        assert word not in page


@needs_aalto
def test_real_people_are_recognised_and_rhythm_alone_does_not_protect_them() -> None:
    crowd = [p.sessions for _, p in zip(range(80), aalto.read(AALTO), strict=False)]
    result = linkage.linkage(crowd, keys=(250,))
    assert result.best("raw", 250).rank1 > 0.8
    assert result.best("rhythm", 250).rank1 > 0.5
