"""How the web server runs: `gunicorn --config python:costops.gunicorn costops.wsgi`; flags of the command go first."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from costops import starting

starting.read_settings()  # in the process that starts workers: these would be started again and again

from costops.settings import COSTOPS_LOG_FORMAT, LOGGING  # noqa: E402  # read above, or the end

if COSTOPS_LOG_FORMAT == "json":  # its own lines too
    logconfig_dict = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": LOGGING["formatters"],
        "handlers": LOGGING["handlers"],
        "root": {"level": "WARNING", "handlers": ["console"]},
        "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False}},
    }

worker_class = "costops.sharing.Sharing"
workers = 2
threads = 4
worker_connections = 500  # open at once, of each process: well below the 1,024 files it may commonly have open
limit_request_line = 8190  # the most it can be: addresses name many a value (apps.marts.cell.LONGEST)
graceful_timeout = 30
keepalive = 75  # longer than proxies keep idle connections: the side that asks closes first
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # a heartbeat belongs in memory

# Every worker keeps its counts of requests in files here, so that each can answer for all (apps/monitoring/metrics.py).
_counts = Path(tempfile.mkdtemp(prefix="costops-metrics-"))
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_counts)  # before prometheus_client is imported, which looks once


def child_exit(_server: Any, worker: Any) -> None:
    """A worker ended: its counts stay, what it was at work on does not."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Counts begin anew with the next server, as Prometheus expects of a restart."""
    shutil.rmtree(_counts, ignore_errors=True)
