"""Where things lie under the data directory: pure path arithmetic, no I/O.

```
master.key            32 bytes, 0600; absent when a passphrase is used
keyring               header and fixed slots that all look alike without the master key
keyring.lock          held while slots change
control.db            SQLite: random row ids, states and counts
segments/<id>.seg     sealed rows, append-only but for erasure
artefacts/<row>.art   sealed features, data sets, models
log/                  the transparency log (overt.log)
```
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one data directory."""

    root: Path

    @property
    def master_key(self) -> Path:
        """Key that opens the keyring; never part of a backup."""
        return self.root / "master.key"

    @property
    def keyring(self) -> Path:
        """Fixed slots with every key and pseudonym."""
        return self.root / "keyring"

    @property
    def keyring_lock(self) -> Path:
        """Lock file between processes that change slots."""
        return self.root / "keyring.lock"

    @property
    def control(self) -> Path:
        """Control database."""
        return self.root / "control.db"

    @property
    def segments(self) -> Path:
        """Folder of segments."""
        return self.root / "segments"

    @property
    def artefacts(self) -> Path:
        """Folder of sealed derived files."""
        return self.root / "artefacts"

    @property
    def log(self) -> Path:
        """Folder of the transparency log."""
        return self.root / "log"

    def segment(self, name: str) -> Path:
        """Return the path of a segment by its random name (32 hexadecimal digits)."""
        return self.segments / f"{name}.seg"

    def artefact(self, row: str) -> Path:
        """Return the path of an artefact by its row id."""
        return self.artefacts / f"{row}.art"
