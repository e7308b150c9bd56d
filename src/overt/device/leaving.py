"""Leaving: this computer is emptied at once, and the server told, now or when it can be reached.

What stays until the server has heard of it is only what proves to it who leaves: ids of receipts
and secrets of this device, in a vault of their own.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from overt.device import at_login
from overt.device.account import Account
from overt.device.vault import Vault, as_json
from overt.schema.errors import Missing, NotConsented, OvertError, Withdrawn

LEFT = "left"
"""Folder below a study's, and name in its vault, of what the server has not heard yet."""


def leave(place: Path, base: str, study: str) -> str | None:
    """Leave the study that is kept at `place`; return the erasure's job, None: told later.

    Raises `NotConsented` where nobody has joined, and `Withdrawn`, with all destroyed, where the
    server knows nothing of the person any more.
    """
    vault = Vault(place)
    account = Account(base, study, vault)
    proofs = account.proofs()
    account.close()
    if not proofs:
        vault.close()
        raise NotConsented("nobody has joined on this computer", where="grant")
    # Before anybody is asked: whatever comes, here it is gone, and who leaves is not forgotten.
    later = Vault(place / LEFT)
    later.change({LEFT: as_json({"base": base, "proofs": proofs})})
    later.close()
    vault.destroy()
    at_login.remove(place)
    try:
        return _told(place, study)
    except Missing:
        return None
    except OvertError as error:
        what = "you had left already; what was on this computer is destroyed"
        raise Withdrawn(what, where="receipt") from error


def tell(place: Path, study: str) -> str | None:
    """Tell a server of a leaving that it has not heard of; return the job, None: there is none.

    Raises `Missing` where it still cannot be reached.
    """
    if not (place / LEFT / "key").exists():
        return None
    try:
        return _told(place, study)
    except Missing:
        raise
    except OvertError:
        return None  # it knows nothing of the person any more


def _told(place: Path, study: str) -> str:
    """Tell the server, and forget who left unless it cannot be reached."""
    vault = Vault(place / LEFT)
    kept = vault.get_json(LEFT)
    account = Account(kept["base"], study, vault)
    try:
        job = account.withdraw(kept["proofs"])
    except OvertError as error:
        if not isinstance(error, Missing):
            _forget(place, vault)
        raise
    else:
        _forget(place, vault)
    finally:
        account.close()
        vault.close()
    return job


def _forget(place: Path, vault: Vault) -> None:
    vault.destroy()
    (place / LEFT).rmdir()


def by_recovery(base: str, study: str, code: str) -> str:
    """Leave from any computer with the recovery code on the receipt; return the erasure's job."""
    with TemporaryDirectory() as nothing:
        vault = Vault(Path(nothing))
        account = Account(base, study, vault)
        try:
            return account.withdraw([{"recovery_code": code}])
        finally:
            account.close()
            vault.destroy()
