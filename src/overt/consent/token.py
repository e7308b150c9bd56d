"""Access tokens: what a device shows the collector, good for some minutes.

`v1.<receipt id>.<expiry, s since 1970>.<base64url(HMAC-SHA256)>`. Nothing is stored; a withdrawal
is seen because the receipt is looked up, not the token. No error repeats the token.
"""

from __future__ import annotations

import base64
import hmac
import re

from overt.schema.errors import Refused
from overt.schema.limits import GRANTS_KEPT_MAX, TOKEN_TTL_S

SECRET_BYTES_MIN = 32
_FORM = re.compile(r"v1\.([0-9a-f]{32})\.([1-9][0-9]{0,11})\.([A-Za-z0-9_-]{43})", re.ASCII)
_LEFT_S_MAX = TOKEN_TTL_S + 60
"""Clocks of several collectors may differ by a minute."""
_REFRESH = "Ask /v1/token for a fresh one."


def _mac(secret: bytes, receipt_id: str, expires_s: str) -> str:
    if len(secret) < SECRET_BYTES_MIN:
        raise Refused("the secret of tokens is too short to be safe", where="token")
    digest = hmac.digest(secret, f"overt token 1\n{receipt_id}\n{expires_s}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest)[:-1].decode()


def issue_token(secret: bytes, receipt_id: str, now_s: int) -> str:
    """Return a token for a receipt (32 hex digits), good for `TOKEN_TTL_S` from `now_s`."""
    token = f"v1.{receipt_id}.{now_s + TOKEN_TTL_S}"
    token = f"{token}.{_mac(secret, receipt_id, token.rpartition('.')[2])}"
    if not _FORM.fullmatch(token):
        raise Refused("a token needs a receipt id of 32 hex digits and a time", where="token")
    return token


def check_token(secret: bytes, token: str, now_s: int) -> str:
    """Return the receipt id that a token stands for.

    Raises:
        Refused: malformed, not made with this secret, expired, or from the future.
    """
    match = _FORM.fullmatch(token)
    if match is None:
        raise Refused("is not a token", where="token", do=_REFRESH)
    receipt_id, expires_s, mac = match.groups()
    if not hmac.compare_digest(_mac(secret, receipt_id, expires_s), mac):
        raise Refused("was not issued here", where="token", do=_REFRESH)
    left_s = int(expires_s) - now_s
    if left_s <= 0:
        raise Refused("has expired", where="token", do=_REFRESH)
    if left_s > _LEFT_S_MAX:
        raise Refused("lasts longer than tokens do: check the clock", where="token", do=_REFRESH)
    return receipt_id


class Tokens:
    """Checks tokens, and remembers good ones: a device shows the same one many times."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._good: dict[bytes, tuple[str, int]] = {}

    def remembered(self, token: bytes, now_s: int) -> str | None:
        """Return the receipt of a token that was good before and still is, else None."""
        receipt_id, expires_s = self._good.get(token, (None, 0))
        return receipt_id if 0 < expires_s - now_s <= _LEFT_S_MAX else None

    def check(self, token: bytes, now_s: int) -> str:
        """Return what `check_token` does, or raise the same."""
        known = self.remembered(token, now_s)
        if known is not None:
            return known
        text = token.decode("latin-1")
        receipt_id = check_token(self._secret, text, now_s)
        if len(self._good) >= GRANTS_KEPT_MAX:
            self._good.clear()
        self._good[token] = (receipt_id, int(text.split(".")[2]))
        return receipt_id
