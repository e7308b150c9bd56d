"""The studio's JSON interface and pages, asked directly."""

from __future__ import annotations

import asyncio
import hashlib
import html
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from consent_fixtures import sentences
from overt.schema.errors import NotConsented, TooFew
from overt.store.store import Store
from overt.studio import standing
from overt.studio.jobs import Jobs
from overt.studio.lesson import purpose_of
from overt.studio.shell import BODY_BYTES_MAX
from overt.studio.synthetic import PEOPLE, profiles
from studio_fixtures import studio

SECRET = "Vq8-weasel-Hd"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with studio(tmp_path_factory.mktemp("studio")) as server:
        with httpx.Client(base_url=server.url) as made:
            yield made
        assert SECRET.encode() not in server.printed.read_bytes()


def join(client: httpx.Client, *purposes: str) -> dict[str, Any]:
    notice = client.get("/v1/studies/five-minutes/notice?lang=en")
    asked = {
        "study": "five-minutes",
        "purposes": list(purposes),
        "notice_sha256": notice.headers["X-Notice-SHA256"],
        "lang": "en",
    }
    answer = client.post("/v1/join", json=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def bearer(joined: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {joined['token']}"}


def test_the_notice_comes_as_the_exact_bytes_its_hash_names(client: httpx.Client) -> None:
    answer = client.get("/v1/studies/five-minutes/notice?lang=en")
    assert hashlib.sha256(answer.content).hexdigest() == answer.headers["X-Notice-SHA256"]
    page = client.get("/").text
    assert answer.headers["X-Notice-SHA256"] in page
    read = " ".join(html.unescape(page).split())
    assert {one for one in sentences(answer.json()) if one not in read} == set()


@pytest.mark.parametrize("path", ["/", "/leave", "/study/five-minutes", "/nowhere", "/v1/nowhere"])
def test_no_page_allows_inline_code_or_a_frame_around_it(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert " style=" not in answer.text
    assert "<script>" not in answer.text
    assert " onclick=" not in answer.text


def test_what_is_about_a_person_is_not_kept_by_caches(client: httpx.Client) -> None:
    joined = join(client, "typing-assist")
    answer = client.get("/v1/me/state", headers=bearer(joined))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["purposes"] == ["typing-assist"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_another_site_cannot_post(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.post("/v1/withdraw", json={"recovery_code": "x"}, headers=headers)
    assert answer.status_code == 403
    here = str(client.base_url).rstrip("/")
    own = client.post("/v1/withdraw", json={}, headers={"Origin": here})
    assert own.status_code == 400
    scheme = client.post("/v1/withdraw", json={}, headers={"Origin": here.replace("http", "ftp")})
    assert scheme.status_code == 403


def test_a_long_body_is_refused_before_it_is_read(client: httpx.Client) -> None:
    answer = client.post("/v1/join", content=b"{" + b" " * BODY_BYTES_MAX)
    assert answer.status_code == 413
    parts = (b" " * 1024 for _ in range(BODY_BYTES_MAX // 1024 + 1))
    assert client.post("/v1/join", content=parts).status_code == 413


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b'{"study": 1}', "study"),
        (json.dumps({"study": SECRET, "purposes": SECRET}).encode(), "purposes"),
        (json.dumps({"study": "five-minutes", "purposes": [SECRET] * 99}).encode(), "purposes"),
        (b"[" * 9000, "body"),
        (b'{"study": "\\ud800"}', "body"),
    ],
)
def test_a_bad_body_is_told_where_and_never_repeated(
    client: httpx.Client, body: bytes, where: str
) -> None:
    answer = client.post("/v1/join", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["where"] == where
    assert SECRET not in answer.text


def test_joining_needs_the_notice_of_now_and_a_purpose(client: httpx.Client) -> None:
    asked = {"study": "five-minutes", "lang": "en", "notice_sha256": "0" * 64}
    assert client.post("/v1/join", json={**asked, "purposes": ["typing-assist"]}).status_code == 400
    notice = client.get("/v1/studies/five-minutes/notice").headers["X-Notice-SHA256"]
    assert client.post("/v1/join", json={**asked, "notice_sha256": notice}).status_code == 400


@pytest.mark.parametrize("path", ["state", "export", "proof", "model", "risk"])
def test_what_is_about_a_person_needs_their_token(client: httpx.Client, path: str) -> None:
    assert client.get(f"/v1/me/{path}").status_code == 401
    wrong = {"Authorization": f"Bearer {SECRET}"}
    answer = client.get(f"/v1/me/{path}", headers=wrong)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert SECRET not in answer.text


def test_a_device_gets_a_fresh_token_with_its_secret_alone(client: httpx.Client) -> None:
    joined = join(client, "typing-assist")
    asked = {"receipt_id": joined["receipt"]["receipt_id"], "device_secret": SECRET}
    assert client.post("/v1/token", json=asked).status_code == 403
    asked["device_secret"] = joined["device_secret"]
    fresh = client.post("/v1/token", json=asked).json()
    assert client.get("/v1/me/state", headers=bearer(fresh)).status_code == 200


def test_withdrawing_holds_when_it_is_answered(client: httpx.Client) -> None:
    joined = join(client, "typing-assist", "next-action")
    proof = {"recovery_code": joined["receipt"]["recovery_code"]}
    left = client.post("/v1/withdraw", json=proof)
    assert left.status_code == 200
    assert client.get("/v1/me/state", headers=bearer(joined)).status_code == 410
    batch = client.post("/v1/batches", content=b"OVB1", headers=bearer(joined))
    assert batch.status_code == 410
    status = client.get(f"/v1/erasures/{left.json()['job']}").json()
    assert next(step for step in status["steps"] if step["name"] == "keys")["done"]
    assert client.post("/v1/withdraw", json=proof).status_code == 403


def test_withdrawing_one_purpose_keeps_the_other(client: httpx.Client) -> None:
    joined = join(client, "typing-assist", "next-action")
    asked = {
        "receipt_id": joined["receipt"]["receipt_id"],
        "device_secret": joined["device_secret"],
        "purposes": ["next-action"],
    }
    assert client.post("/v1/withdraw", json=asked).status_code == 200
    state = client.get("/v1/me/state", headers=bearer(joined)).json()
    assert state["purposes"] == ["typing-assist"]


def test_how_one_stands_is_answered_as_soon_as_it_is_not_what_one_knows(
    client: httpx.Client,
) -> None:
    joined = join(client, "typing-assist", "next-action")
    proof = {
        "receipt_id": joined["receipt"]["receipt_id"],
        "device_secret": joined["device_secret"],
    }

    def ask(known: str) -> httpx.Response:
        how = {"headers": bearer(joined), "params": {"known": known}, "timeout": 8.0}
        return client.get("/v1/me/state", **how)

    with ThreadPoolExecutor(1) as elsewhere:
        for known, gone, left in (
            ("typing-assist,next-action", {"purposes": ["next-action"]}, ["typing-assist"]),
            ("typing-assist", {}, None),
        ):
            asked = elsewhere.submit(ask, known)
            assert ask("").json()["purposes"] == sorted(known.split(","))
            assert not asked.done(), "there is no news"
            assert client.post("/v1/withdraw", json={**proof, **gone}).status_code == 200
            assert asked.result().json().get("purposes") == left
    assert ask("typing-assist").status_code == 410, "at once"


def test_no_question_is_kept_open_by_a_server_that_stops_or_keeps_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "data", create=True)
    asked: list[str] = []

    async def is_gone() -> bool:
        asked.append("looked")
        return True

    for goes_on, held_max, looked in ((True, 1, 1), (False, 1, 0), (True, 0, 0)):
        monkeypatch.setattr(standing, "HELD_MAX", held_max)
        kept = standing.Standing(store)
        kept.goes_on = lambda goes_on=goes_on: goes_on
        asked.clear()
        asyncio.run(kept.news("0" * 32, frozenset({"typing-assist"}), is_gone))
        assert len(asked) == looked


def test_the_page_of_a_study_lists_nobody(client: httpx.Client) -> None:
    joined = join(client, "typing-assist")
    after = client.get("/study/five-minutes").text
    assert joined["receipt"]["receipt_id"] not in after
    assert "&lt;10" in after
    assert client.get("/study/nowhere").status_code == 404


def test_errors_are_pages_for_people_and_json_for_programs(client: httpx.Client) -> None:
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert "There is no such page" in page.text
    program = client.get("/v1/nowhere")
    assert program.status_code == 404
    assert program.json()["error"]["what"]
    for path in ("/study/nowhere", "/v1/studies/nowhere/notice"):
        said = client.get(path).text
        assert "five-minutes" not in (said.partition("</header>")[2] or said), "no other is named"
    assert client.get("/healthz").json() == {"ok": True}


def test_a_model_is_trained_only_for_a_purpose_that_was_chosen(client: httpx.Client) -> None:
    joined = join(client, "typing-assist")
    asked = {"purpose": "person-or-program"}
    answer = client.post("/v1/train", json=asked, headers=bearer(joined))
    assert answer.status_code == 403
    with pytest.raises(NotConsented):
        purpose_of([])
    assert purpose_of(["typing-assist", "person-or-program"]) == "typing-assist"


def test_without_real_others_there_is_no_figure_of_risk(client: httpx.Client) -> None:
    joined = join(client, "typing-assist")
    answer = client.get("/v1/me/risk", headers=bearer(joined)).json()
    assert answer["comparable"] is False
    assert "rank" not in answer


def test_people_to_compare_with_are_labelled_synthetic_and_the_same_for_all() -> None:
    made = profiles()
    assert made["label"] == "synthetic"
    assert len(made["people"]) == PEOPLE
    for person in made["people"]:
        downs = [down for _, _, down, _ in person]
        assert len(person) >= 200
        assert downs == sorted(downs)
        assert all(up >= down for _, _, down, up in person)


def test_a_job_that_fails_says_so_and_another_of_its_name_joins_it() -> None:
    jobs = Jobs()
    gate: list[str] = []

    def work(progress: Any) -> None:
        progress("half", 0.5)
        gate.append("ran")
        raise TooFew("nobody is here", where="study")

    first = jobs.start("train", work)
    job = jobs.get(first)
    assert job is not None
    assert job.ended.wait(5)
    assert job.as_dict()["error"]["what"] == "nobody is here"
    assert jobs.named("train") is job
    again = jobs.start("train", work)
    assert again != first
