"""Is this body a batch its receipt allows? Pure: bytes and grant in, checked batch or error out."""

from __future__ import annotations

from overt.schema.batch import check_body, inflate
from overt.schema.coarse import COARSE
from overt.schema.errors import InvalidInput, Withdrawn
from overt.store.append import Incoming, gzipped
from overt.store.control import Grant


def accept(body: bytes, grant: Grant) -> Incoming:
    """Return the checked batch in `body`, to be kept as it came (gzipped if it came plain).

    Raises:
        InvalidInput: damaged, out of range, or not what the receipt is for; names the field.
        Withdrawn: the receipt, or every purpose of the batch, was withdrawn.
    """
    header = check_body(inflate(body))
    if header.receipt != grant.receipt:
        raise _unlike("is not the receipt of the token", "header.receipt")
    if header.study != grant.study:
        raise _unlike("is not the study of the receipt", "header.study")
    if header.level not in ("rhythm", grant.level.partition("/")[0]):
        raise _unlike("is more than the receipt grants", "header.level")
    if header.transform == "raw/0":
        raise _unlike("is for imported data only", "header.transform")
    if grant.level == COARSE and header.transform != COARSE:
        raise _unlike("says more than the receipt grants", "header.transform")
    if not all(purpose in grant.granted for purpose in header.purposes):
        raise _unlike("names a purpose the receipt does not grant", "header.purposes")
    if not any(purpose in grant.active for purpose in header.purposes):
        raise Withdrawn(
            "the purposes of this batch were withdrawn", where="header.purposes", do="Delete it."
        )
    return Incoming(header, gzipped(body))


def _unlike(what: str, where: str) -> InvalidInput:
    return InvalidInput(what, where=where)
