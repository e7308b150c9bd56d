"""Overt's collector on one core, as `overt up` runs it: data directory, port, core."""

import gc
import os
import sys

import uvicorn

from overt.collector.app import Collector
from overt.collector.connection import connection_to
from overt.store.store import Store

folder, port, core = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.sched_setaffinity(0, {core})
with Store.open(folder) as store:
    collector = Collector(store)
    gc.freeze()
    uvicorn.run(
        collector, http=connection_to(collector), port=port, log_level="critical", access_log=False,
        server_header=False, date_header=False,
    )  # fmt: skip
