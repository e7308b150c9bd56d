"""The one error tree of Overt.

```
OvertError
├── InvalidInput      a file, batch, study, argument: what is wrong, where, what to do
├── Refused           policy, receipt or gate said no; any failed check ends here too
│   ├── NotConsented  no valid receipt for the purpose at this moment
│   ├── Withdrawn     the person has left (tombstone)
│   └── TooFew        not enough people or probes to compute or to release
├── Damaged           something sealed, logged or signed does not verify
└── Missing           a tool, extra, file or study that is not there, and how to get it
```

A message says what happened, where (a field path, a file and line) and what to do.
It never repeats captured data, keys, tokens or pseudonyms.
"""

from __future__ import annotations


class OvertError(Exception):
    """Base of everything Overt raises on purpose.

    `what` happened, `where` (field path or place), `do` (what the reader can do about it).
    """

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        self.what, self.where, self.do = what, where, do
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}. {self.do}" if self.do else text

    def as_dict(self) -> dict[str, str]:
        """Return the three parts for a JSON answer; empty parts are left out."""
        parts = {"what": self.what, "where": self.where, "do": self.do}
        return {name: text for name, text in parts.items() if text}


class InvalidInput(OvertError):
    """Input that does not have the form it must have."""


class Refused(OvertError):
    """A check said no, or could not be carried out."""


class NotConsented(Refused):
    """There is no valid receipt for this purpose at this moment."""


class Withdrawn(Refused):
    """The person has withdrawn; nothing more is taken and the device purges."""


class TooFew(Refused):
    """Too few people or probes for a figure that says anything, or that protects anyone."""


class Damaged(OvertError):
    """Something sealed, logged or signed does not verify."""


class Missing(OvertError):
    """A tool, an extra, a file or a study is not there."""
