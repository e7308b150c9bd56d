"""A study's model of text: what is asked of it, and that it forgets bit for bit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from overt.consent.notice import notice_sha256
from overt.datasets import synthetic
from overt.gateway import answering, enrol, erase, population, studies, train
from overt.gateway.model import Member, Model, discard, keep, newest
from overt.gateway.streams import Origin, batches_of
from overt.models.answers import programs
from overt.models.card import markdown
from overt.models.programs import fitted
from overt.models.text import taught
from overt.models.text.vocabulary import learned
from overt.schema.errors import InvalidInput, Missing, TooFew
from overt.schema.study import template
from overt.store.append import Incoming, gzipped
from overt.store.store import Store
from test_models_text_own import _samples
from test_programs_gateway import _samples as windows

STUDY, PURPOSE, PROGRAMS = "writing", "text-assist", "person-or-program"


def keys_store(root: Path) -> Store:
    """Return an open store with one live study at level keys for text, and for programs."""
    store = Store.open(root, create=True)
    text = template(STUDY, "Writing").replace('"rhythm"', '"keys"')
    both = f'"{PURPOSE}", "{PROGRAMS}"'
    studies.register(store, text.replace('"next-action", "typing-assist"', both).encode())
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = keys_store(tmp_path_factory.mktemp("text") / "data")
    yield made
    made.close()


MODEL = taught.train(_samples(14), general=learned([["the", "sea"]]))


def _kept(store: Store, purpose: str = PURPOSE, **counts: int) -> None:
    """Keep a model that so many people of each origin taught."""
    members = {
        subject: Member(number % 2, "train", ("row",))
        for origin, count in counts.items()
        for number, subject in enumerate(store.add_subjects(STUDY, origin, count))
    }
    model = MODEL if purpose == PURPOSE else fitted.train(windows())
    keep(store, Model(STUDY, purpose, model, members, 2, {}))


def test_a_model_that_would_speak_for_a_few_is_not_asked(store: Store) -> None:
    with pytest.raises(Missing, match="no model yet"):
        answering.asker(store, STUDY, "next-text")
    for counts, said in (
        ({"synthetic": 9}, "<10 people"),
        ({"live": 9, "synthetic": 20}, "<10 living people"),
    ):
        _kept(store, **counts)
        with pytest.raises(TooFew, match=said):
            answering.asker(store, STUDY, "next-text")
    with pytest.raises(InvalidInput, match="no purpose that covers"):
        answering.asker(store, STUDY, "pause")
    with pytest.raises(InvalidInput, match="by no model of a study"):
        answering.asker(store, STUDY, "next-element")


def test_what_is_asked_is_answered_by_the_model_of_that_moment(store: Store) -> None:
    _kept(store, PROGRAMS, synthetic=10)
    asker = answering.asker(store, STUDY, PROGRAMS)
    assert asker.taught_by.startswith(f"10–19 people of study {STUDY}, model ")
    said = asker.answer({"pointer": programs.EXAMPLE["pointer"]})["pointer"]
    assert said["verdict"] in ("person", "program", "cannot tell")
    assert said["windows"] > 0
    few = asker.answer({"pointer": programs.EXAMPLE["pointer"][:20]})["pointer"]
    assert few["verdict"] == "cannot tell"
    with pytest.raises(InvalidInput, match="knows no typing"):
        asker.answer({"presses": []})
    _kept(store, PROGRAMS, live=9, synthetic=10)
    with pytest.raises(TooFew):
        asker.answer({"pointer": []})
    discard(store, STUDY, PROGRAMS)
    with pytest.raises(Missing):
        asker.answer({"pointer": []})


def test_who_is_leaving_answers_no_more_before_the_model_is_trained_again(tmp_path: Path) -> None:
    with keys_store(tmp_path / "data") as store:
        subjects = store.add_subjects(STUDY, "live", 12)
        receipts = [f"{number:032x}" for number in range(12)]
        store.put_receipts(
            (receipt, subject, (PURPOSE, PROGRAMS), "keys", b"{}")
            for receipt, subject in zip(receipts, subjects, strict=True)
        )
        members = {one: Member(number == 0, "train", ()) for number, one in enumerate(subjects)}
        both = fitted.train(windows())
        keep(store, Model(STUDY, PROGRAMS, both, members, 2, {}))
        asked = {"pointer": programs.EXAMPLE["pointer"]}
        asker = answering.asker(store, STUDY, PROGRAMS)
        before = asker.answer(asked)
        assert both.sha256()[:16] in asker.taught_by
        erase.begin(store, enrol.Person(subjects[0], receipts[0], STUDY))
        now = answering.asker(store, STUDY, PROGRAMS)
        assert both.only([0]).sha256()[:16] in now.taught_by
        assert asker.answer(asked) == now.answer(asked) != before
        store.control.withdraw(receipts[1], [PROGRAMS])  # of this purpose alone
        with pytest.raises(Missing, match="without somebody who left"):
            asker.answer(asked)


def _joined(store: Store) -> enrol.Person:
    """Enrol somebody who writes at level keys."""
    notice = notice_sha256(studies.study_of(store, STUDY), "en")
    person = enrol.by_token(store, enrol.join(store, STUDY, (PURPOSE,), notice).token)
    origin = Origin(
        source="sdk/test",
        study=STUDY,
        receipt=person.receipt,
        purposes=(PURPOSE,),
        level="keys",
        transform="keys/0",
        time_origin_ms=int(time.time() * 1000) - 3_600_000,
        clock_resolution_us=100,
    )
    (session,) = next(synthetic.people(1, 99, sessions=1, minutes=0.5)).sessions
    store.append_batches(
        [Incoming(b.header, gzipped(b.plain)) for b in batches_of(session, origin)]
    )
    return person


@pytest.mark.soak
def test_a_study_of_text_is_trained_and_forgets_a_person_bit_for_bit(tmp_path: Path) -> None:
    pytest.importorskip("symspellpy")
    with keys_store(tmp_path / "data") as store:
        population.fill(store, STUDY, 14, seed=2, minutes=0.5)
        person = _joined(store)
        card = train.train(store, STUDY, PURPOSE)
        before = newest(store, STUDY, PURPOSE)
        assert before is not None
        assert card["certified"]
        assert card["data"]["tokens"] == taught.SAMPLE_ID
        assert "bits a character" in markdown(card)
        rows = card["evaluation"]["rows"]
        public = rows["public word counts, taught by nobody"]["bits_a_character"]
        assert rows["model"]["bits_a_character"]["value"] < public["value"]
        with pytest.raises(TooFew, match="living"):
            answering.asker(store, STUDY, "slips")
        assert person.subject in before.manifest
        done = erase.finish(store, erase.begin(store, person))
        after = newest(store, STUDY, PURPOSE)
        assert after is not None
        assert person.subject not in after.manifest
        (model,) = done["models"]
        assert model["equal"]
        assert model["certified"]
        assert model["sha256_before"] != model["sha256_after"] == model["sha256_never_met"]
        assert answering.asker(store, STUDY, "slips").answer({"text": "teh"})["words"]
