"""Pages of other sites: those a study lists can ask people to join, all others get nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from local_http import Silent, answering
from overt.consent.notice import notice_bytes, notice_sha256
from overt.gateway import studies
from overt.schema.study import load_study, template
from overt.store.store import Store
from studio_fixtures import chromium, studio

STATIC = Path(__file__).parents[1] / "src" / "overt" / "studio" / "static"
INTEGRITY = json.loads((STATIC / "integrity.json").read_text())["overt.js"]
NEEDED = [
    ("GET", "/v1/studies/writing/notice"),
    ("POST", "/v1/join"),
    ("POST", "/v1/token"),
    ("POST", "/v1/withdraw"),
    ("POST", "/v1/batches"),
    ("GET", "/v1/me/state"),
    ("GET", "/v1/me/export"),
    ("POST", "/v1/me/delete"),
    ("GET", "/v1/me/proof"),
    ("GET", "/v1/erasures/0"),
    ("GET", "/static/overt.js"),
    ("GET", "/static/overt-record.js"),
    ("GET", "/static/overt-more.js"),
    ("GET", "/v1/me/model"),
    ("GET", "/static/overt-frame.js"),
    ("GET", "/static/consent.js"),
    ("GET", "/static/person-or-program.js"),
    ("GET", "/static/text-assist.js"),
]
NOT_NEEDED = [
    "/",
    "/study/writing",
    "/static/five-minutes.js",
    "/v1/train",
    "/research/key",
    "/v1/nowhere",
]

PAGE = """<!doctype html><meta charset="utf-8"><title>elsewhere</title>
<link rel="icon" href="data:,"><input data-overt>
<script type="module" src="SERVER/static/overt.js" integrity="INTEGRITY" crossorigin></script>
<script type="module" src="/page.js"></script>"""
SCRIPT = """import { open } from "SERVER/static/overt.js";
window.overt = await open({ study: "writing", base: "SERVER" });"""
POLICY = (
    "default-src 'none'; script-src 'self' SERVER; connect-src 'self' SERVER; img-src data:; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The strictest a site can say and still load the SDK."""


class Site:
    """A site of somebody else's, with the SDK on its page under a strict policy."""

    def __init__(self) -> None:
        self.url = self.server = ""
        self.integrity = INTEGRITY


@contextmanager
def site() -> Iterator[Site]:
    made = Site()

    class Answers(Silent):
        def respond(self) -> None:
            script = self.path == "/page.js"
            text = (SCRIPT if script else PAGE).replace("INTEGRITY", made.integrity)
            self.answer(
                200,
                text.replace("SERVER", made.server).encode(),
                Content_Type="text/javascript" if script else "text/html",
                Content_Security_Policy=POLICY.replace("SERVER", made.server),
            )

    with answering(Answers) as made.url:
        yield made


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site, Site]]:
    """The server, a site that its study lists, and one that it does not."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with ExitStack() as stack:
        listed, other = stack.enter_context(site()), stack.enter_context(site())
        with Store.open(folder / "data", create=True) as store:
            for name, origin in (("writing", listed.url), ("reading", "https://reading.example")):
                text = template(name, name).replace(
                    "[notice.en]", f'origins = ["{origin}"]\n[notice.en]'
                )
                studies.register(store, text.encode())
            sites = '[[sites]]\norigin = "https://browsing.example"\n[notice.en]'
            text = template("browsing", "x").replace("\n[notice.en]", f"\n{sites}")
            studies.register(store, text.encode())
        server = stack.enter_context(studio(folder))
        listed.server = other.server = server.url
        yield server.url, listed, other


@pytest.fixture(scope="module")
def client(places: tuple[str, Site, Site]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=places[0]) as made:
        yield made


def preflight(client: httpx.Client, path: str, origin: str, method: str = "POST") -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    asked["Access-Control-Request-Headers"] = "authorization,content-type"
    return client.options(path, headers=asked)


def allowed(answer: httpx.Response) -> dict[str, str]:
    return {
        name: text for name, text in answer.headers.items() if name.startswith("access-control")
    }


def test_the_page_of_a_study_names_its_sites(
    places: tuple[str, Site, Site], client: httpx.Client
) -> None:
    assert f"<code>{places[1].url}</code>" in client.get("/study/writing").text
    assert "<code>https://browsing.example</code>" in client.get("/study/browsing").text


@pytest.mark.parametrize(("method", "path"), NEEDED)
def test_a_listed_site_gets_what_a_device_needs_and_no_other_does(
    places: tuple[str, Site, Site], client: httpx.Client, method: str, path: str
) -> None:
    _, listed, other = places
    told = preflight(client, path, listed.url, method)
    assert told.status_code == 204
    assert told.headers["Access-Control-Allow-Origin"] == listed.url
    assert "authorization" in told.headers["Access-Control-Allow-Headers"]
    answer = client.request(method, path, headers={"Origin": listed.url})
    assert answer.headers["Access-Control-Allow-Origin"] == listed.url
    assert answer.headers["Vary"] == "Origin"
    for one in (told, answer):
        assert "access-control-allow-credentials" not in one.headers
        assert "*" not in str(allowed(one))
    refused = preflight(client, path, other.url, method)
    unheard = client.request(method, path, headers={"Origin": other.url})
    assert (refused.status_code, unheard.status_code) == (403, 403)
    assert allowed(refused) == allowed(unheard) == {}


def test_an_origin_is_listed_whole_or_not_at_all(
    places: tuple[str, Site, Site], client: httpx.Client
) -> None:
    url = places[1].url
    near = [url.replace("http:", "https:"), f"{url}0", url[:-1], f"{url}/", f"{url}.evil.example"]
    for origin in (*near, "null", "https://reading.example.evil.example", "https://example"):
        assert allowed(preflight(client, "/v1/join", origin)) == {}
        assert client.post("/v1/join", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("path", NOT_NEEDED)
def test_all_else_is_for_pages_of_the_server_alone(
    places: tuple[str, Site, Site], client: httpx.Client, path: str
) -> None:
    headers = {"Origin": places[1].url}
    assert preflight(client, path, places[1].url).status_code == 403
    assert allowed(client.get(path, headers=headers)) == {}
    assert client.post(path, headers=headers).status_code == 403


def test_a_site_of_one_study_cannot_ask_people_for_another(
    places: tuple[str, Site, Site], client: httpx.Client
) -> None:
    headers = {"Origin": places[1].url}
    for study in ("reading", "five-minutes"):
        shown = client.get(f"/v1/studies/{study}/notice", headers=headers)
        asked = {"study": study, "purposes": ["next-action"], "notice_sha256": "0" * 64}
        joined = client.post("/v1/join", json={**asked, "lang": "en"}, headers=headers)
        for answer in (shown, joined):
            assert answer.status_code == 403
            assert answer.json()["error"]["where"] == "header Origin"


def test_an_extension_may_ask_for_studies_that_list_sites_for_it_and_for_no_others(
    places: tuple[str, Site, Site], client: httpx.Client, tmp_path: Path
) -> None:
    ours = "chrome-extension://" + "abcdefghijklmnop" * 2
    for origin in (ours, "moz-extension://01234567-89ab-cdef-0123-456789abcdef"):
        headers = {"Origin": origin}
        shown = client.get("/v1/studies/browsing/notice", headers=headers)
        assert allowed(shown)["access-control-allow-origin"] == origin
        assert client.get("/v1/studies/writing/notice", headers=headers).status_code == 403
        assert client.post("/v1/join", headers=headers, json={"study": "writing"}).is_error
    for origin in (f"{ours}a", ours.replace("abc", "xyz"), "moz-extension://", f"https://{ours}"):
        headers = {"Origin": origin}
        assert client.get("/v1/studies/browsing/notice", headers=headers).status_code == 403
    with Store.open(tmp_path, create=True) as store:
        studies.register(store, template("writing", "x").encode())
        assert not studies.is_for_extensions(store)


JOIN = """async () => {
  const { notice } = await overt.notice();
  await overt.join(["typing-assist"]);
  return notice.sections[1].text.at(-1);
}"""
TRY = """async ([server, options]) => {
  const answer = await fetch(server + "/v1/join", options).catch((error) => error);
  return answer instanceof Error ? "refused" : "answered";
}"""


def test_a_page_of_a_listed_site_records_sends_and_leaves_under_the_strictest_policy(
    places: tuple[str, Site, Site],
) -> None:
    server, listed, other = places
    with chromium() as browser:
        page = browser.new_page()
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text))
        page.goto(listed.url)
        page.wait_for_function("window.overt")
        the_third_file_is_the_one_that_was_built_or_none(page, troubles)
        assert listed.url in page.evaluate(JOIN)
        page.wait_for_function("overt.state().phase === 'recording'")
        page.locator("[data-overt]").click()
        page.keyboard.type("a ferry")
        page.evaluate("overt.removeSince(-1)")
        assert page.evaluate("overt.outbox().then((list) => list.length)") >= 1
        page.evaluate("overt.sendNow()")
        counts = page.evaluate("overt.counts()")
        assert counts["stored"] == counts["produced"] > 10
        page.keyboard.type("b")
        page.evaluate("overt.sendNow()")  # a token that is known by now
        state = page.evaluate("overt.fetch('/v1/me/state').then((answer) => answer.json())")
        assert state["stored"]["events"] == page.evaluate("overt.counts()")["stored"]
        assert page.context.cookies() == []
        page.evaluate("overt.withdraw()")
        assert page.evaluate("indexedDB.databases()") == []
        # Chromium notes that a question under way was answered with "withdrawn".
        assert [trouble for trouble in troubles if "410" not in trouble] == []
        in_its_place_is_another_file(page, listed)
        page.goto(other.url)
        post = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": "{}"}
        assert page.evaluate(TRY, [server, post]) == "refused"
        assert page.evaluate("window.overt") is None


def the_third_file_is_the_one_that_was_built_or_none(page: Any, troubles: list[str]) -> None:
    """What joins is loaded when somebody does, and is held to its hash."""
    script = (STATIC / "overt-more.js").read_text() + "globalThis.other = true;"
    how = {"content_type": "text/javascript", "headers": {"Access-Control-Allow-Origin": "*"}}
    page.route("**/overt-more.js", lambda route: route.fulfill(body=script, **how))
    with page.expect_event("console", lambda message: "integrity" in message.text):
        told = page.evaluate(f"({JOIN})().catch((error) => `${{error.name}} ${{error.message}}`)")
    assert told.startswith("OvertError overt-more.js: could not be loaded as it was built")
    page.unroute("**/overt-more.js")
    assert page.evaluate("[overt.state().phase, globalThis.other]") == ["none", None]
    troubles.clear()


def in_its_place_is_another_file(page: Any, listed: Site) -> None:
    """What the page runs when the SDK is not the one whose hash it states: nothing of it."""
    listed.integrity = INTEGRITY[:-4] + "AAAA"
    with page.expect_event("console", lambda message: "integrity" in message.text):
        page.goto(listed.url)
    listed.integrity = INTEGRITY
    assert page.evaluate("window.overt") is None


def test_the_notice_names_the_sites_and_a_new_one_asks_again() -> None:
    def study(*origins: str) -> Any:
        line = f"origins = {json.dumps(origins)}\n[notice.de]\nabout = 'Wozu.'\n[notice.en]"
        return load_study(template("writing", "x").replace("[notice.en]", line).encode())

    one, two = "https://one.example", "https://two.example:8443"
    for language in ("en", "de"):
        text = json.loads(notice_bytes(study(one, two), language))["sections"][1]["text"][-1]
        assert one in text
        assert two in text
        assert len({notice_sha256(study(*sites), language) for sites in ((), (one,), (two,))}) == 3
