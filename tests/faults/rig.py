"""Fault runs as a program of their own, `python -m tests.faults.rig SCENARIO --home FOLDER …`; with a JSON report.

A program, because processes are forked from it: what it imported is there at once, and it has no threads. Status 1 and
`violated` in the report say that a promise was broken; `--sabotage` breaks one of our own mechanisms to see that.
"""

import argparse
import importlib
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

WARM = (
    "duckdb", "ibis", "ibis.backends.duckdb", "deltalake", "pandas", "pyarrow.parquet", "apps.pipeline.services",
    "apps.marts.selectors", "apps.channels.delivering", "tests.faults.generations", "tests.channels.worlds",
    "apps.ingest.prometheus.meter",
)  # fmt: skip


def prepare(home: Path, *, is_apart: bool) -> None:
    """Django over a home of its own, and everything imported that work needs."""
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "COSTOPS_HOME": str(home), "DJANGO_SETTINGS_MODULE": "costops.settings", "COSTOPS_THREADS": "1",
        "COSTOPS_READ_APART": str(is_apart).lower(),
        "COSTOPS_LOG_LEVEL": os.environ.get("COSTOPS_LOG_LEVEL", "CRITICAL"), "COSTOPS_CHANNEL_HOSTS": "127.0.0.1",
    }  # fmt: skip
    import django

    django.setup()
    for name in WARM:
        importlib.import_module(name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--each", type=int, default=0, help="how often every stage is hit at least")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--points", default="", help="pairs to try of the failpoint matrix, FIRST:SECOND,…; all")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--sabotage", default="")
    asked = parser.parse_args()
    prepare(asked.home, is_apart=asked.scenario in APART)
    from tests.faults.generations import Violated
    from tests.faults.sabotage import SABOTAGES

    if asked.sabotage:
        SABOTAGES[asked.sabotage].apply()
    report: dict[str, Any] = {"scenario": asked.scenario, "seed": asked.seed, "sabotage": asked.sabotage}
    began = time.monotonic()
    try:
        SCENARIOS[asked.scenario](asked, report)
    except Violated as violated:
        report["violated"] = str(violated)
    report["seconds"] = round(time.monotonic() - began, 1)
    asked.report.write_text(json.dumps(report, indent=1))
    return 1 if "violated" in report else 0


def _kills(asked: argparse.Namespace, report: dict[str, Any]) -> None:
    from tests.faults.kills import run

    run(asked, report)


def _zombies(asked: argparse.Namespace, report: dict[str, Any]) -> None:
    from tests.faults.zombies import run

    run(asked, report)


def _mutations(asked: argparse.Namespace, report: dict[str, Any]) -> None:
    from tests.faults.mutations import run

    run(asked, report)


APART = ("kills", "mutations")
"""Where files are read as installations do; what zombies freeze at its places is the process at work itself."""
SCENARIOS = {"kills": _kills, "zombies": _zombies, "mutations": _mutations}

if __name__ == "__main__":
    sys.exit(main())
