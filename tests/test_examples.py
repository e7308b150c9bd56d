"""The examples do what their README says, on synthetic people and in a real Chromium."""

import csv
import io
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import consent_fixtures
import ready
from overt.datasets.split import split_of
from overt.gateway import population, studies
from overt.gateway.model import Member, Model, keep
from overt.models.text import taught
from overt.schema.errors import InvalidInput
from overt.store.store import Store
from overt.studio.app import create_app
from pseudo_locales import LONG, RTL, notice, words
from studio_fixtures import chromium, holds, studio, wire
from test_models_text_own import _samples

EXAMPLES = Path(__file__).parents[1] / "examples"


def filled(root: Path, people: int) -> Path:
    """A data directory with the copy task's study and synthetic people in it."""
    with Store.open(root, create=True) as store:
        text = (EXAMPLES / "copy-task" / "study.toml").read_text()
        both = '["typing-assist", "next-action"]'
        studies.register(store, text.replace('["typing-assist"]', both).encode())
        population.fill(store, "copy-task", people, minutes=0.4)
    return root


def parts(root: Path) -> set[str]:
    """Return which parts have people in them: for the few of a test, chance decides that."""
    with Store.open(root) as store:
        tags = [store.keyring.tag(subject) for subject in store.subjects("copy-task")]
    return {split_of(tag) for tag in tags}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = filled(tmp_path_factory.mktemp("examples") / "data", 16)
    while not {"train", "test"} <= parts(root):
        with Store.open(root) as store:
            population.fill(store, "copy-task", 1, minutes=0.4)
    return root


def test_a_study_becomes_a_trained_model_in_under_fifty_lines(data: Path) -> None:
    script = EXAMPLES / "train_pytorch.py"
    assert len(script.read_text().splitlines()) < 50
    done = ready.run(script, "--data-dir", data, "--study", "copy-task", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    assert re.search(r"GRU \d+\.\d%, most frequent \d+\.\d%", done.stdout)


def test_the_example_says_when_there_is_nobody_to_judge_on(tmp_path: Path) -> None:
    one = filled(tmp_path / "one", 1)
    done = ready.run(EXAMPLES / "train_pytorch.py", "--data-dir", one, "--study", "copy-task")
    assert done.returncode == 1
    assert done.stderr.startswith("Too few people")


def test_the_copy_task_makes_a_table_over_at_least_ten_people(data: Path, tmp_path: Path) -> None:
    done = ready.run(EXAMPLES / "copy-task" / "table.py", "--data-dir", data)
    assert done.returncode == 0, done.stderr
    lines = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {line["figure"] for line in lines} >= {"pauses", "revisions", "words_per_minute"}
    assert {line["origin"] for line in lines} == {"synthetic"}
    assert {line["people"] for line in lines} <= {"10–19", "20–49"}
    few = ready.run(EXAMPLES / "copy-task" / "table.py", "--data-dir", filled(tmp_path / "few", 9))
    assert few.returncode == 1
    assert few.stderr.startswith("table: ")
    assert few.stdout == ""


@pytest.mark.parametrize(("data_dir", "site"), [("a/data", "a"), ("a", "a"), ("a", "a/pages")])
def test_a_site_that_would_serve_the_data_directory_is_refused(
    tmp_path: Path, data_dir: str, site: str
) -> None:
    (tmp_path / site).mkdir(parents=True)
    with pytest.raises(InvalidInput, match="not apart from the data directory"):
        create_app(tmp_path / data_dir, site=tmp_path / site)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("name", "field", "refused"), [("site", "#text", "#text"), ("copy-task", "#copy", "#trial")]
)
def test_a_page_records_its_listed_field_after_a_choice_and_works_without(
    tmp_path: Path, name: str, field: str, refused: str
) -> None:
    with Store.open(tmp_path / "data", create=True) as store:
        studies.register(store, (EXAMPLES / name / "study.toml").read_bytes())
    with studio(tmp_path, EXAMPLES / name) as server, chromium() as browser:
        page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.add_init_script(consent_fixtures.HOOK)
        page.goto(f"{server.url}/site/")
        consent_fixtures.decline(page)
        expect(page.locator(refused)).to_be_visible()
        assert page.evaluate("indexedDB.databases().then((all) => all.length)") == 0
        page.reload()
        consent_fixtures.join(page)
        expect(page.locator("overt-indicator")).to_be_visible()
        page.locator(field).click()
        page.keyboard.type("a ferry")
        expect(page.get_by_role("link", name="receipt")).to_be_visible()
        assert page.evaluate("indexedDB.databases().then((all) => all.length)") > 0
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert troubles == []
        if name == "site":
            its_question_stays_closed_to_a_privacy_signal(browser, f"{server.url}/site/")


@pytest.mark.soak
def test_a_page_helps_with_writing_by_the_study_s_model_and_without_a_network(
    tmp_path: Path,
) -> None:
    pytest.importorskip("symspellpy")
    with Store.open(tmp_path / "data", create=True) as store:
        studies.register(store, (EXAMPLES / "writing-help" / "study.toml").read_bytes())
        model = taught.train(_samples(14))
        subjects = store.add_subjects("writing-help", "synthetic", 14)
        members = {one: Member(at % 2, "train", ("row",)) for at, one in enumerate(subjects)}
        keep(store, Model("writing-help", "text-assist", model, members, 2, {}))
    with (
        studio(tmp_path, EXAMPLES / "writing-help") as server,
        wire(server.url) as relay,
        chromium() as browser,
    ):
        page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        page.add_init_script(consent_fixtures.HOOK)
        page.goto(f"{relay.url}/site/")
        text, words, slip = (page.locator(one) for one in ("#text", "#words button", "#slip"))
        page.wait_for_selector("overt-consent")
        assert not holds(relay.everything(), "GET /static/text-assist"), "only for who chose it"
        consent_fixtures.join(page)
        expect(page.locator("overt-indicator")).to_be_visible()
        text.focus()
        page.keyboard.type("we go to the ")
        expect(words.first).to_have_text("sea")
        expect(page.locator("#from")).to_contain_text("people in this study")
        page.context.set_offline(True)
        words.first.click()
        page.keyboard.type("and beleive ")
        expect(slip).to_have_text("beleive → believe")
        page.locator("#put").click()
        expect(text).to_have_value("we go to the sea and believe ")
        page.keyboard.type("zqanary then zq")
        expect(words.first).to_have_text("zqanary")
        page.context.set_offline(False)
        page.evaluate("""async () => {
          const { open } = await import("/static/overt.js");
          await (await open({ study: "writing-help" })).withdraw();
        }""")
        expect(words).to_have_count(0)
        page.keyboard.type(" the ")
        expect(words).to_have_count(0)


@pytest.mark.soak
def test_the_indicator_holds_words_of_any_length_in_either_direction(tmp_path: Path) -> None:
    text = (EXAMPLES / "site" / "study.toml").read_text()
    pages = shutil.copytree(EXAMPLES / "site", tmp_path / "pages")
    for language in (LONG, RTL):
        text += notice(language)
        own = (pages / "index.html").read_text().replace('lang="en"', f'lang="{language}"')
        (pages / f"{language}.html").write_text(own)
    with Store.open(tmp_path / "data", create=True) as store:
        studies.register(store, text.encode())
    with studio(tmp_path, pages) as server, chromium() as browser:
        for language in (LONG, RTL):
            url = f"{server.url}/site/{language}.html"
            its_words_are_there_whole_and_it_works(browser, url, tmp_path)


SCREENS = {"phone": (390, 844), "desktop": (1280, 800), "zoom of 200 %": (640, 400)}
"""CSS pixels: a window of 1280 at 200 % has 640."""


def its_words_are_there_whole_and_it_works(browser: Any, url: str, folder: Path) -> None:
    context = browser.new_context()
    context.add_init_script(consent_fixtures.HOOK)
    context.add_init_script("""const attachOf = Element.prototype.attachShadow;
      Element.prototype.attachShadow = function (how) {
        return (window.lastRoot = attachOf.call(this, how)); };""")
    page = context.new_page()
    page.goto(url)
    language = url.rpartition("/")[2].removesuffix(".html")

    def seen(what: str, look: Any) -> None:
        for screen, (width, height) in SCREENS.items():
            page.set_viewport_size({"width": width, "height": height})
            look(screen, width)
            page.screenshot(path=str(folder / f"{language}-{what}-{screen}.png"), full_page=True)

    def marked(screen: str, width: int) -> None:
        chip = page.locator("overt-indicator").bounding_box()
        assert chip["x"] >= 0, screen
        assert chip["x"] + chip["width"] <= width, screen
        assert page.evaluate("lastRoot.querySelector('div').dir") == (
            "rtl" if language == RTL else "ltr"
        )

    consent_fixtures.join(page)
    expect(page.locator("overt-indicator")).to_be_visible()
    seen("indicator", marked)
    said = page.evaluate("lastRoot.querySelector('span').textContent")
    assert said == tomllib.loads(words(language))["words"][language]["indicator"]["recording"]
    expect(page.locator("#state")).to_have_text("recording")
    context.close()


def its_question_stays_closed_to_a_privacy_signal(browser: Any, url: str) -> None:
    page = browser.new_page()
    page.add_init_script(consent_fixtures.HOOK)
    page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    expect(page.locator("#offer")).to_be_visible()
    expect(page.locator("overt-consent")).not_to_be_attached()
    assert not any("/v1/" in one for one in asked)
    page.locator("#offer").click()
    expect(page.locator("overt-consent")).to_be_attached()
    assert page.evaluate("root.querySelectorAll(':checked').length") == 0
