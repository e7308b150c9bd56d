"""`overt up`: the server on embedded defaults."""

from __future__ import annotations

import errno
import gc
import socket
import threading
from pathlib import Path

from overt.commands.console import remark, say
from overt.schema.errors import InvalidInput, OvertError

BACKLOG = 2048
CARE_INTERVAL_S = 3600.0
"""Retention counts in days; an erasure that a request began and could not finish waits for this."""

RETRY_INTERVAL_S = 600.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises `InvalidInput` where it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise InvalidInput(
                f"port {port} is taken", where="--port", do="Choose another, or 0 for a free one."
            ) from error
        raise InvalidInput(f"cannot listen on {host}:{port}", where="--host") from error
    return sock


def _care(data_dir: Path, stop: threading.Event) -> None:
    """Finish interrupted erasures and erase what has been kept long enough; hourly, until told.

    What could not be done, say because a reader kept the database busy, is tried again soon.
    """
    from overt.gateway import erase, retention
    from overt.store.store import Store

    def finish_erasures(store: Store) -> None:
        for job in erase.resume_erasures(store):
            remark(f"overt: finished an erasure that was interrupted ({job})")

    with Store.open(data_dir) as store:
        while True:
            wait_s = CARE_INTERVAL_S
            for task in (finish_erasures, retention.expire):
                try:
                    task(store)
                except Exception as error:  # noqa: BLE001 - whatever it is, care goes on
                    remark(f"overt: {error if isinstance(error, OvertError) else type(error)}")
                    wait_s = RETRY_INTERVAL_S
            if stop.wait(wait_s):
                return


def serve(
    data_dir: Path, host: str, port: int, *, epochs: int | None = None, site: Path | None = None
) -> None:
    """Serve until interrupted; prints one address when connections are taken.

    `epochs` is how often a training that the page asks for passes over its data; `site` a folder
    of pages of one's own.
    """
    import uvicorn

    from overt.studio.app import create_app
    from overt.studio.lesson import Lesson

    sock = listening(host, port)
    app = create_app(data_dir, Lesson(epochs=epochs), site)
    config = uvicorn.Config(
        app,
        http=app.connection,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
    )
    # What is here by now stays: no collection need look at it again.
    gc.freeze()
    stop = threading.Event()
    threading.Thread(target=_care, args=(data_dir, stop), name="care", daemon=True).start()
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{sock.getsockname()[1]}/"
    say(address)
    if host not in LOOPBACK:
        remark(
            "overt: others can reach this, and nothing is encrypted on the way: put TLS before it"
        )
    remark(f"overt: for researchers: {address}research, with the key of `overt access researcher`")
    try:
        server = uvicorn.Server(config)
        app.standing.goes_on = lambda: not server.should_exit
        server.run(sockets=[sock])
    finally:
        stop.set()
