"""A card shows figures over ten living people or more, or over none of them."""

from pathlib import Path

import pytest

from gateway_fixtures import STUDY, TINY, join, new_store, sessions, upload
from overt.gateway import train


@pytest.mark.parametrize(
    ("living", "shown"), [pytest.param(1, "<10", marks=pytest.mark.soak), (10, "10–19")]
)
def test_a_card_judges_a_few_living_people_never_and_ten_always(
    tmp_path: Path, living: int, shown: str
) -> None:
    recorded = sessions(count=1)
    with new_store(tmp_path / "data", people=9) as store:
        for _ in range(living):
            _, person = join(store)
            upload(store, person, recorded)
        judged = train.train(store, STUDY, "typing-assist", config=TINY)["evaluation"]
    assert judged["persons"] == shown


def test_a_few_living_people_among_themselves_are_on_a_card_without_figures(tmp_path: Path) -> None:
    recorded = sessions(count=1)
    with new_store(tmp_path / "data") as store:
        for _ in range(4):
            _, person = join(store)
            upload(store, person, recorded)
        judged = train.train(store, STUDY, "typing-assist", config=TINY)["evaluation"]
    assert judged["protocol"] == "none"
    assert {f["value"] for row in judged["rows"].values() for f in row.values()} == {None}
