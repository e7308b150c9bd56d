"""The person's dealings with the server: notice, joining, token, withdrawal."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import httpx

from overt.device.clock import ServerClock, running_ns
from overt.device.notice import check_receipt, told
from overt.device.vault import Vault, as_json
from overt.schema.errors import InvalidInput, Missing, NotConsented, OvertError, Refused, Withdrawn
from overt.schema.purpose import TOGETHER

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
    epsilon_max: str = ""
    """ε that all learning together may cost, as the notice states it; empty: none is learned."""
    former: tuple[dict[str, str], ...] = field(default=(), repr=False)
    """Receipt and device secret of earlier notices; what was recorded then goes under them."""


class Account:
    """One study at one server. Errors are `OvertError`s of the usual kinds."""

    def __init__(self, base: str, study: str, vault: Vault) -> None:
        self._base, self._study, self._vault = base.rstrip("/"), study, vault
        self._http = httpx.Client(base_url=self._base, timeout=PATIENCE_S)
        self._tokens: dict[str, str] = {}
        self.clock = ServerClock()
        self._pauses: Any = None
        self._elsewhere = False
        kept = vault.get_json("grant")
        self.grant: Grant | None = None
        if kept is not None:
            lists: dict[str, Any] = {
                name: tuple(kept.pop(name)) for name in ("purposes", "applications", "former")
            }
            self.grant = Grant(**kept, **lists)
        if self.grant is not None and self.grant.base != self._base:
            # Whoever is asked next gets this device's secret, and what waits here.
            raise Refused(
                f"a study of this name was joined at {self.grant.base}",
                where="--study",
                do="Give that address, or another folder with --device-dir.",
            )

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def notice(self, lang: str) -> Shown:
        """Fetch the notice as it must be shown. Keeps nothing."""
        path = f"/v1/studies/{self._study}/notice"
        answer = self._request("GET", path, params={"lang": lang})
        return Shown(self._answered(answer, "settings"), hashlib.sha256(answer.content).hexdigest())

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
        names = ("receipt", "token", "device_secret")
        joined = self._ask("POST", "/v1/join", *names, json=asked)
        check_receipt(joined["receipt"], purposes, detail)
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
            epsilon_max=settings.get("epsilon_max", ""),
            former=tuple(self.proofs()),
        )
        self._tokens[grant.receipt_id] = joined["token"]
        self._keep(grant)
        return grant

    def pair(self, handed: dict[str, Any], applications: tuple[dict[str, Any], ...]) -> Grant:
        """Keep a grant that another device of the same person handed over.

        Without what is learned together: there each device counts as a person, and two of one
        person would answer twice.
        """
        purposes = tuple(one for one in handed.pop("purposes") if one not in TOGETHER)
        own: dict[str, Any] = {"base": self._base, "study": self._study}
        own |= {"purposes": purposes, "applications": applications}
        grant = Grant(**own, **handed, former=tuple(self.proofs()))
        self._keep(grant)
        return grant

    def ask_anyone(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Ask what needs no proof; returns the answer as JSON."""
        return self._ask(method, path, json=body)

    def ask_as_person(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Ask with this device's token; returns the answer as JSON."""
        return self._answered(self.send(method, path, json=body))

    @property
    def receipt_id(self) -> str:
        """Id of the present receipt, or nothing."""
        return "" if self.grant is None else self.grant.receipt_id

    def _keep(self, grant: Grant) -> None:
        self._vault.change({"grant": as_json(asdict(grant))})
        self.grant = grant

    def proofs(self) -> list[dict[str, str]]:
        """Return what shows that this device belongs to a receipt: the present one first."""
        if self.grant is None:
            return []
        own = {"receipt_id": self.grant.receipt_id, "device_secret": self.grant.device_secret}
        return [own, *self.grant.former]

    def withdraw(self, proofs: Sequence[dict[str, str]]) -> str:
        """Withdraw the receipts of `proofs`; returns the job of the first one's erasure."""
        own, *former = proofs
        for proof in former:
            # One that the server does not know any more must not keep anyone from leaving.
            with contextlib.suppress(Refused, InvalidInput):
                self._ask("POST", "/v1/withdraw", json=proof)
        return told(self._ask("POST", "/v1/withdraw", "job", json=own)["job"])

    def narrow(self, purposes: tuple[str, ...]) -> Grant:
        """Go on with what is left of the purposes; keeps the grant so."""
        grant = replace(self.granted(), purposes=purposes)
        self._keep(grant)
        return grant

    def standing(self) -> tuple[str, ...] | None:
        """Ask which purposes are left, here or elsewhere; () for none, None where it is unknown.

        Raises `NotConsented` where nobody has joined.
        """
        self.granted()
        asked_ns = running_ns()
        try:
            answer = self.send("GET", "/v1/me/state")
            answered_ns = running_ns()
            said = self._answered(answer, "purposes")
        except Withdrawn:
            return ()
        except OvertError:
            return None
        if isinstance(now_us := said.get("now_us"), int):
            self.clock.heard(asked_ns, now_us, answered_ns)
        self._heard(said.get("pauses"))
        return tuple(said["purposes"])

    def pause(self) -> None:
        """Tell the person's other devices of a pause."""
        self._pauses = self.ask_as_person("POST", "/v1/me/pause", {})["pauses"]

    def paused_elsewhere(self) -> bool:
        """Return, once, whether another device of the person has paused since we last asked."""
        paused, self._elsewhere = self._elsewhere, False
        return paused

    def _heard(self, pauses: Any) -> None:
        before, self._pauses = self._pauses, pauses
        if pauses and before and pauses["run"] == before["run"]:
            self._elsewhere = self._elsewhere or pauses["count"] > before["count"]

    def send(self, method: str, path: str, receipt: str = "", **more: Any) -> httpx.Response:
        """Send a request with a receipt's token; one that is refused is renewed once."""
        receipt = receipt or self.granted().receipt_id
        token = self._tokens.get(receipt, "")
        answer = self._with_token(token, method, path, **more) if token else None
        if answer is not None and answer.status_code != 401:
            return answer
        proof = next((one for one in self.proofs() if one["receipt_id"] == receipt), None)
        if proof is None:
            raise NotConsented("this device has no such receipt", where="receipt")
        fresh = self._request("POST", "/v1/token", json=proof)
        if fresh.status_code != 200:
            return fresh
        self._tokens[receipt] = self._answered(fresh, "token")["token"]
        return self._with_token(self._tokens[receipt], method, path, **more)

    def _with_token(self, token: str, method: str, path: str, **more: Any) -> httpx.Response:
        return self._request(method, path, headers={"Authorization": f"Bearer {token}"}, **more)

    def granted(self) -> Grant:
        """Return what was granted. Raises `NotConsented` where nobody has joined."""
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

    def _ask(self, method: str, path: str, *names: str, **more: Any) -> dict[str, Any]:
        return self._answered(self._request(method, path, **more), *names)

    def _answered(self, answer: httpx.Response, *names: str) -> dict[str, Any]:
        """Return an answer's object with these names, or raise what the server said against it."""
        said = spoken(answer)
        refusal = said.get("error")
        if answer.is_success and said.keys() >= {*names}:
            return said
        if answer.is_success or not isinstance(refusal, dict):
            raise Missing(
                f"something else answers than this server ({answer.status_code})",
                where=self._base,
                do="A network may want you to log in first; else look at the address.",
            )
        kinds: dict[int, type[OvertError]] = {GONE: Withdrawn, 400: InvalidInput, 404: Missing}
        broken = answer.status_code >= 500
        kind = Missing if broken else kinds.get(answer.status_code, Refused)
        what, where, do = (told(refusal.get(name, "")) for name in ("what", "where", "do"))
        raise kind(what, where=where or self._base, do=do)


def spoken(answer: httpx.Response) -> dict[str, Any]:
    """Return the object in an answer; an empty one where it is not in our form.

    What stands between a device and its server (a login page, a proxy) may answer anything, 200
    and 410 too, and must be taken for nobody's word.
    """
    try:
        said = answer.json()
    except ValueError:
        said = None
    return said if isinstance(said, dict) and said else {}
