"""Work that outlasts a request: each job runs in a thread and is asked about by its random id."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from overt.schema.errors import OvertError, Refused

FINISHED_KEPT = 64
"""Finished jobs that can still be asked about; older ones are forgotten."""

Progress = Callable[[str, float], None]
"""Called with what is being done, in words, and the share that is done, 0 to 1."""


@dataclass
class Job:
    """One piece of work. `state` is `running`, `done` or `failed`."""

    state: str = "running"
    what: str = ""
    share: float = 0.0
    result: Any = None
    error: dict[str, str] | None = None
    ended: threading.Event = field(default_factory=threading.Event, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the job for a JSON answer."""
        made = {"state": self.state, "what": self.what, "share": round(self.share, 3)}
        if self.error is not None:
            return {**made, "error": self.error}
        return made if self.result is None else {**made, "result": self.result}


class Jobs:
    """The jobs of one server, in memory: a job that must survive a crash keeps its own state."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._named: dict[str, str] = {}
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[Progress], Any]) -> str:
        """Run `work` in a thread and return the job's id.

        While a job of the same `name` runs, its id is returned instead of starting another.
        """
        with self._lock:
            known = self.named(name)
            if known is not None and known.state == "running":
                return self._named[name]
            job, job_id = Job(), secrets.token_hex(16)
            self._jobs[job_id] = job
            self._named[name] = job_id
            self._forget_old()
        thread = threading.Thread(target=self._run, args=(job, work), name="overt job", daemon=True)
        thread.start()
        return job_id

    def get(self, job_id: str) -> Job | None:
        """Return a job, or None if there is no such one (any more)."""
        return self._jobs.get(job_id)

    def named(self, name: str) -> Job | None:
        """Return the latest job of a name, or None."""
        return self._jobs.get(self._named.get(name, ""))

    def _forget_old(self) -> None:
        finished = [k for k, job in self._jobs.items() if job.state != "running"]
        for old in finished[:-FINISHED_KEPT]:
            del self._jobs[old]
        self._named = {name: k for name, k in self._named.items() if k in self._jobs}

    def _run(self, job: Job, work: Callable[[Progress], Any]) -> None:
        def progress(what: str, share: float) -> None:
            job.what, job.share = what, min(max(share, 0.0), 1.0)

        try:
            job.result = work(progress)
            job.share, job.state = 1.0, "done"
        except OvertError as error:
            job.error, job.state = error.as_dict(), "failed"
        except Exception:
            unexpected = Refused("failed in an unexpected way", do="Look at the server's output.")
            job.error, job.state = unexpected.as_dict(), "failed"
            raise
        finally:
            job.ended.set()
