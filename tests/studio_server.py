"""Runs the studio for tests: `python studio_server.py DATA_DIR [SITE]`; prints its address.

What is made up and trained from the page is kept small, so that a path takes seconds.
"""

import socket
import sys
from pathlib import Path

import uvicorn

from overt.studio.app import create_app
from overt.studio.lesson import Lesson

SMALL = Lesson(people=8, minutes=0.4, epochs=1)

if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0))
    folders = [Path(argument) for argument in sys.argv[1:]]
    app = create_app(folders[0], SMALL, *folders[1:])
    sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    server = uvicorn.Server(config)
    app.standing.goes_on = lambda: not server.should_exit
    server.run(sockets=[listening])
