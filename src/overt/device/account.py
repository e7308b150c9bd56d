"""The person's dealings with the server: notice, joining, token, withdrawal."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from overt.device.vault import Vault, as_json
from overt.schema.errors import InvalidInput, Missing, NotConsented, OvertError, Refused, Withdrawn

PATIENCE_S = 20.0
GONE = 410


@dataclass(frozen=True)
class Shown:
    """A notice as the server sent it, and the hash of its bytes that a receipt binds to."""

    notice: dict[str, Any]
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What the person granted on this device."""

    base: str
    study: str
    receipt_id: str
    receipt: dict[str, Any] = field(repr=False)
    device_secret: str = field(repr=False)
    purposes: tuple[str, ...]
    level: str
    transform: str
    outbox_delay_s: int
    hold_days: int
    applications: tuple[dict[str, Any], ...]
    """Of the study's list, those that the person switched on."""
    notice_sha256: str
    lang: str


class Account:
    """One study at one server. Errors are `OvertError`s of the usual kinds."""

    def __init__(self, base: str, study: str, vault: Vault) -> None:
        self._base, self._study, self._vault = base.rstrip("/"), study, vault
        self._http = httpx.Client(base_url=self._base, timeout=PATIENCE_S)
        self._token = ""
        kept = vault.get_json("grant")
        self.grant: Grant | None = None
        if kept is not None:
            purposes, listed = tuple(kept.pop("purposes")), tuple(kept.pop("applications"))
            self.grant = Grant(**kept, purposes=purposes, applications=listed)

    def notice(self, lang: str) -> Shown:
        """Fetch the notice as it must be shown. Keeps nothing."""
        answer = self._ask("GET", f"/v1/studies/{self._study}/notice", params={"lang": lang})
        return Shown(json.loads(answer.content), hashlib.sha256(answer.content).hexdigest())

    def join(
        self,
        shown: Shown,
        purposes: tuple[str, ...],
        applications: tuple[dict[str, Any], ...],
        lang: str,
        detail: str,
    ) -> Grant:
        """Join for these purposes. Call it only from the person's own confirmation."""
        asked = {
            "study": self._study,
            "purposes": list(purposes),
            "notice_sha256": shown.sha256,
            "lang": lang,
            "detail": detail,
        }
        joined = self._ask("POST", "/v1/join", json=asked).json()
        settings = shown.notice["settings"]
        grant = Grant(
            base=self._base,
            study=self._study,
            receipt_id=joined["receipt"]["receipt_id"],
            receipt=joined["receipt"],
            device_secret=joined["device_secret"],
            purposes=tuple(sorted(purposes)),
            level=settings["level"],
            transform=detail if "/" in detail else f"{detail}/0",
            outbox_delay_s=settings["outbox_delay_s"],
            hold_days=settings["hold_days"],
            applications=applications,
            notice_sha256=shown.sha256,
            lang=lang,
        )
        self._token = joined["token"]
        self._vault.change({"grant": as_json(asdict(grant))})
        self.grant = grant
        return grant

    def withdraw(self) -> str:
        """Withdraw from everything; returns the job of the erasure."""
        grant = self._granted()
        asked = {"receipt_id": grant.receipt_id, "device_secret": grant.device_secret}
        return str(self._ask("POST", "/v1/withdraw", json=asked).json()["job"])

    def is_withdrawn(self) -> bool:
        """Ask whether the person has withdrawn, here or elsewhere."""
        return self.send("GET", "/v1/me/state").status_code == GONE

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request with the token; a refused token is fetched anew once."""
        answer = self._with_token(method, path, **more) if self._token else None
        if answer is not None and answer.status_code != 401:
            return answer
        grant = self._granted()
        asked = {"receipt_id": grant.receipt_id, "device_secret": grant.device_secret}
        fresh = self._request("POST", "/v1/token", json=asked)
        if fresh.status_code != 200:
            return fresh
        self._token = fresh.json()["token"]
        return self._with_token(method, path, **more)

    def _with_token(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._request(method, path, headers=headers, **more)

    def _granted(self) -> Grant:
        if self.grant is None:
            raise NotConsented("nobody has joined on this device", where="grant", do="Join first.")
        return self.grant

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Missing(
                "cannot be reached", where=self._base, do="Look at the address and the connection."
            ) from error

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self._request(method, path, **more)
        if answer.is_success:
            return answer
        try:
            said = answer.json()["error"]
        except (ValueError, KeyError, TypeError):
            said = {"what": f"the server answered {answer.status_code}"}
        kinds: dict[int, type[OvertError]] = {GONE: Withdrawn, 400: InvalidInput, 404: Missing}
        kind = kinds.get(answer.status_code, Refused)
        raise kind(said.get("what", ""), where=said.get("where", self._base), do=said.get("do", ""))
