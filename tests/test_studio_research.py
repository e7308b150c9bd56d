"""The researcher's page: nobody gets in without the key, and nobody who gets in learns of one."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from gateway_fixtures import STUDY, TINY, join, new_store, sessions, upload
from overt.audit.linkage import SUITE
from overt.consent.recovery import write_code
from overt.datasets.tokens import TOKENS_ID
from overt.gateway import enrol, erase, export, history, researcher
from overt.gateway.enrol import Person
from overt.gateway.filed import KINDS, filed
from overt.gateway.ledger import log_of, openings_of
from overt.gateway.model import Member, Model, discard, keep
from overt.gateway.studies import study_of
from overt.log.verify import verify
from overt.models.card import card
from overt.models.evaluate import Evaluation
from overt.models.metrics import Figure
from overt.models.train import Trained
from overt.schema.manifest import Manifest
from overt.store.store import Store
from overt.studio import shown
from overt.studio.research import COOKIE, READER, SECTIONS
from overt.studio.shown import METRICS
from studio_fixtures import Keyboard, chromium, studio

PATHS = (
    "/research",
    f"/research/{STUDY}",
    "/research/nowhere",
    "/research/jobs/00",
    "/research/x/y",
)
LIVING = 11
PHONE = {"width": 390, "height": 844}
PATIENCE_S = 240


class Place:
    """A data directory with its server, and a researcher who is in."""

    def __init__(self, store: Store, url: str) -> None:
        self.store, self.url = store, url
        self.people: list[Person] = []
        self.client = httpx.Client(base_url=url, follow_redirects=True, timeout=60)
        self.key = researcher.key(store)
        assert self.client.post("/research/key", data={"key": self.key}).status_code == 200

    def run(self, section: str, study: str = STUDY, **form: str) -> str:
        """Press a section's button and wait until its job has ended; return the page."""
        page = self.client.post(f"/research/{study}/{section}", data=form)
        assert page.status_code == 200, page.text
        until = time.monotonic() + PATIENCE_S
        while found := re.search(r'data-job="([0-9a-f]+)"', page.text):
            assert time.monotonic() < until
            job = self.client.get(f"/research/jobs/{found[1]}").json()
            assert "result" not in job
            time.sleep(0.02)  # the job is in another process; nothing here depends on how long
            page = self.client.get(f"/research/{study}")
        return page.text

    def reads(self) -> int:
        """Return how many reads the log has."""
        log = log_of(self.store)
        log.refresh()
        return sum(e.kind == "read" and e.study == STUDY for e in log.entries())


def _model(people: list[Person]) -> Model:
    """Return a model without weights, and the card that one of such people could have."""
    curves = {0: ((10, 5.0), (20, 3.0)), 1: ((10, 4.0), (20, 2.0))}
    rows = {
        name: {
            metric.name: Figure(value + number / 10, value - 0.1, value + 0.1) for metric in METRICS
        }
        for number, (name, value) in enumerate({"encoder": 0.7, "Markov-2": 0.6}.items())
    }
    manifest = Manifest(
        study=STUDY,
        purpose="typing-assist",
        transform="rhythm/0",
        tokens=TOKENS_ID,
        origins={"live": "10–19"},
        splits={"train": "10–19"},
        subjects_root="0" * 64,
        dataset_sha256="1" * 64,
    )
    machine = {"processor": "none", "torch": "none"}
    trained = Trained(TINY, machine, {}, curves)
    made = card(
        trained, Evaluation("leave-shard-out", LIVING, 9, False, rows), manifest, with_curve=True
    )
    members = {person.subject: Member(0, "train", ()) for person in people}
    return Model(STUDY, "typing-assist", trained, members, 2, made)


@pytest.mark.parametrize(
    ("persons", "origin", "is_shown"),
    [("10–19", "live", True), ("<10", "imported", False), ("<10", "synthetic", True)],
)
def test_figures_of_a_model_over_fewer_than_ten_people_are_not_shown(
    persons: str, origin: str, is_shown: bool
) -> None:
    made = _model([]).card
    made["people"]["origins"], made["evaluation"]["persons"] = {origin: persons}, persons
    found = shown.model(made)
    assert bool(found["panels"]) == bool(found["curve"]["unseen"]) == is_shown


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A study of eleven living people with a model, and everything computed once."""
    folder = tmp_path_factory.mktemp("research")
    recorded = [sessions(count=1)[0].slice(0, 300)]
    with new_store(folder / "data") as store, studio(folder) as server:
        made = Place(store, server.url)
        for _ in range(LIVING):
            _, person = join(store)
            upload(store, person, recorded)
            made.people.append(person)
        keep(store, _model(made.people))
        made.run("counts")
        made.run("features", purpose="typing-assist")
        made.run("audits", keys="10")
        yield made
        made.client.close()


def _get(place: Place, path: str, shown: str = "") -> httpx.Response:
    """Ask as somebody without a pass, or with the one shown."""
    return httpx.get(place.url + path, headers={"Cookie": f"{COOKIE}={shown}"}, timeout=60)


def _enter(place: Place, key: str) -> httpx.Response:
    return httpx.post(f"{place.url}/research/key", data={"key": key}, timeout=60)


def test_figures_name_nobody_and_count_in_ranges(place: Place) -> None:
    every = [f for kind in KINDS for f in filed(place.store, STUDY, kind)]
    kept = json.dumps([found.figures for found in every], ensure_ascii=False)
    assert '"people": "10–19"' in kept
    assert str(LIVING) not in {word.strip('",:[]{}') for word in kept.split()}
    for person in place.people:
        assert person.subject not in kept
        assert place.store.keyring.tag(person.subject).hex() not in kept


def test_chance_and_curves_of_an_audit_do_not_tell_how_many_people_there_are(place: Place) -> None:
    (found,) = filed(place.store, STUDY, "audit")
    assert {row["chance"] for row in found.figures["rows"]} == {1 / 10}
    assert {len(row["cmc"]) for row in found.figures["rows"]} == {10}


def test_each_computation_is_in_the_log_with_reader_purpose_and_action(place: Place) -> None:
    details = [t.opening.detail for t in history.told(place.store, STUDY)]
    done = {(d["role"], d["action"], d["purpose"]) for d in details if d["event"] == "read"}
    assert ("researcher", "count", "next-action") in done
    assert ("researcher", "features", "typing-assist") in done
    assert ("auditor", "audit", "typing-assist") in done
    assert {json.dumps(d.get("people")) for d in details if d["event"] == "read"} == {
        '{"live": "10\\u201319"}'
    }


def test_a_person_can_open_every_read_that_covered_them(place: Place) -> None:
    whole = [t for t in history.told(place.store, STUDY) if t.entry.kind == "read"]
    for person in place.people:
        own = [o for o in openings_of(place.store, person.subject) if o.detail["event"] == "read"]
        assert len(own) == len(whole)
    assert place.reads() == len(whole) * (LIVING + 1)


@pytest.mark.parametrize("path", PATHS)
def test_without_the_key_every_path_gives_the_same_answer(place: Place, path: str) -> None:
    there, nowhere = _get(place, path), _get(place, "/research/nothing-here")
    assert there.status_code == 403
    assert there.text == nowhere.text
    assert f"/{STUDY}" not in there.text


@pytest.mark.parametrize("section", [*SECTIONS, "nothing"])
def test_without_the_key_no_button_does_anything(place: Place, section: str) -> None:
    before = place.reads()
    form = {"purpose": "typing-assist", "keys": "11"}
    answer = httpx.post(f"{place.url}/research/{STUDY}/{section}", data=form, timeout=60)
    assert answer.status_code == 403
    assert answer.text == _get(place, "/research/nothing-here").text
    assert place.reads() == before


def test_a_wrong_key_is_refused_alike_however_near_it_is(place: Place) -> None:
    near = place.key[:-1] + ("0" if place.key[-1] != "0" else "1")
    other = write_code(bytes(16))
    answers = [_enter(place, key) for key in (near, other, "", "x")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_a_forged_or_old_pass_does_not_open(place: Place) -> None:
    now_s = int(time.time())
    old = researcher.issue_pass(place.store, now_s - researcher.PASS_S - 1)
    good = researcher.issue_pass(place.store, now_s)
    later = f"{int(good.partition('.')[0]) + 1}.{good.partition('.')[2]}"
    for forged in (old, later, "", "9" * 12, good.partition(".")[0] + "."):
        assert _get(place, "/research", forged).status_code == 403
    assert _get(place, "/research", good).status_code == 200


def test_the_pass_stays_in_the_browser_and_on_the_path(place: Place) -> None:
    answer = _enter(place, place.key)
    assert answer.status_code == 303
    given = answer.headers["set-cookie"].lower()
    assert {"httponly", "path=/research", "samesite=strict"} <= set(given.split("; "))
    page = place.client.get("/research")
    assert page.headers["Cache-Control"] == "no-store"
    assert " style=" not in page.text


def test_another_site_cannot_press_the_buttons(place: Place) -> None:
    before = place.reads()
    answer = place.client.post(
        f"/research/{STUDY}/counts", headers={"Origin": "https://elsewhere.example"}
    )
    assert answer.status_code == 403
    assert place.reads() == before


def test_opening_pages_reads_nobody(place: Place) -> None:
    before = place.reads()
    for path in ("/research", f"/research/{STUDY}"):
        assert place.client.get(path).status_code == 200
    assert place.reads() == before


def test_the_page_shows_figures_and_plots_in_ranges(place: Place) -> None:
    page = place.client.get(f"/research/{STUDY}").text
    assert "10–19" in page
    for words in ("Hold, mean", "Loss in training", "right at the first guess", "Markov, two back"):
        assert words in page
    assert page.count("<svg") > 30


def test_no_answer_names_a_person(place: Place) -> None:
    everything = "".join(
        place.client.get(path).text for path in ("/research", f"/research/{STUDY}", "/")
    )
    for person in place.people:
        known = place.store.keyring.subject(person.subject)
        assert known is not None
        tag = place.store.keyring.tag(person.subject).hex()
        for trace in (person.subject, person.receipt, known.pseudonym.hex(), tag, tag[:16]):
            assert trace not in everything
    assert not re.search(rf"\b{LIVING}\b people", everything)


def test_it_is_used_on_a_phone_by_keyboard_alone(place: Place) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport=PHONE, color_scheme="dark")
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        hands = Keyboard(page)
        page.goto(f"{place.url}/research/{STUDY}")
        hands.write("research-key", place.key)
        hands.press("research-open")
        expect(hands.on(f"study-{STUDY}")).to_be_visible()
        hands.press(f"study-{STUDY}")
        expect(hands.on("run-counts")).to_be_enabled()
        hands.press("run-counts")
        expect(hands.on("run-counts")).to_be_enabled()
        expect(page.locator("[data-job]")).to_have_count(0)
        expect(page.locator("#counts")).to_contain_text("10–19")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        hands.press("research-close")
        expect(hands.on("research-key")).to_be_visible()
        assert not wrong


def test_asking_again_opens_nothing_and_changes_nothing(place: Place) -> None:
    rows = [artefact.row for artefact in place.store.artefacts.filed(STUDY)]
    place.run("counts")
    place.run("features", purpose="typing-assist")
    place.run("audits", keys="10")
    assert [artefact.row for artefact in place.store.artefacts.filed(STUDY)] == rows


@pytest.mark.parametrize("section", [*SECTIONS[1:], "people", "export"])
def test_what_is_asked_for_wrongly_is_told_and_not_done(place: Place, section: str) -> None:
    form = {"purpose": "mood", "level": "faces", "keys": "1; drop"}
    before = place.reads()
    answer = place.client.post(f"/research/{STUDY}/{section}", data=form)
    assert answer.status_code in (400, 404)
    assert "mood" not in answer.text
    assert place.reads() == before


def test_too_few_people_are_refused_in_words(place: Place) -> None:
    for section, words in (("features", "10 people of one origin"), ("audits", "fewer than 10")):
        page = place.run(section, study="five-minutes", purpose="typing-assist")
        assert words in page
        assert "destroyed" not in page


def test_the_page_of_a_study_tells_who_read_it_and_what_was_made_of_it(place: Place) -> None:
    page = httpx.get(f"{place.url}/study/{STUDY}", timeout=60).text
    for words in (
        "A researcher, from the researcher’s page",
        "to compute figures over people",
        "to attack it, and so to test it",
        SUITE,
        "10–19 live",
        "Keys: when each goes down and up",
        "Needs keys and edits",
    ):
        assert words in page
    study = study_of(place.store, STUDY)
    assert f"{study.retention_days} days" in page
    for told in history.told(place.store, STUDY):
        assert told.opening.salt.hex() not in page
        assert told.entry.commitment not in page


def test_a_participants_proof_opens_what_the_page_tells_and_nothing_of_others(
    place: Place,
) -> None:
    mine, *others = place.people
    proof = export.proof(place.store, mine)
    report = verify(proof, enrol.receipt_of(place.store, mine))
    assert report.ok, report.lines
    text = " ".join(line.text for line in report.lines)
    assert f"reader {READER}; role researcher; action features" in text
    opened = {opening["n"] for opening in proof["openings"]}
    assert {t.entry.n for t in history.told(place.store, STUDY)} <= opened
    for other in others:
        assert opened.isdisjoint({o.n for o in openings_of(place.store, other.subject)})


def test_whoever_leaves_takes_the_figures_off_the_page(place: Place) -> None:
    discard(place.store, STUDY, "typing-assist")  # how models are rebuilt is told elsewhere
    job = erase.begin(place.store, place.people[0])
    erase.finish(place.store, job)
    page = place.client.get(f"/research/{STUDY}").text
    assert page.count("destroyed since") == 3
    assert "Hold, mean" not in page
    with Store.open(place.store.layout.root) as again:
        assert [f for kind in KINDS for f in filed(again, STUDY, kind)] == []


def test_a_new_key_ends_what_the_old_one_opened(place: Place) -> None:
    assert place.client.get("/research").status_code == 200
    researcher.new_key(place.store)
    assert place.client.get("/research").status_code == 403
