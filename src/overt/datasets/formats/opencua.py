"""Importer of OpenCUA recordings: people doing tasks on their computers, as JSON lines.

Wang et al.: OpenCUA: Open Foundations for Computer-Use Agents, 2025, github.com/xlang-ai/OpenCUA.
One folder a task with `events.jsonl`: the lines of DuckTrack's recorder, numbered (event_idx). The
reduced actions, descriptions, window titles and accessibility trees beside it are not read.

People, sessions, units and what is left out are as in `overt.datasets.formats.ducktrack`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from overt.datasets.formats.ducktrack import one_person, read_recording
from overt.datasets.reading.imported import ImportedPerson, Progress, Skipped

__all__ = ["read", "read_recording"]


def read(
    path: Path,
    *,
    progress: Callable[[Progress], None] | None = None,
    skipped: Skipped | None = None,
) -> Iterator[ImportedPerson]:
    """Yield the one person at `path`, whose sessions are the recordings in it."""
    yield from one_person(path, "opencua", progress, skipped)
