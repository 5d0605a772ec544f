"""Starting the rig as a program, short in the suite and long in `make soak`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.servers.installation import ROOT, new_installation

IS_SOAK = "COSTOPS_TEST_SOAK" in os.environ
REPORTS = ROOT / "var" / "soak"


def rig(
    folder: Path, *arguments: str, name: str, sabotage: str = "", database_url: str | None = None
) -> dict[str, Any]:
    """What a run of the rig reports; in a soak kept below var/soak/ as well."""
    home, report = folder / "home", folder / "report.json"
    environment = new_installation(home, database_url=database_url).environment
    command = [sys.executable, "-m", "tests.faults.rig", *arguments, "--home", str(home), "--report", str(report)]
    command += ["--sabotage", sabotage] if sabotage else []
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert report.exists(), (done.stdout + done.stderr)[-4000:]
    told: dict[str, Any] = json.loads(report.read_text())
    if IS_SOAK:
        REPORTS.mkdir(parents=True, exist_ok=True)
        (REPORTS / f"{name}.json").write_text(json.dumps(told, indent=1))
    if told.get("violated"):
        told["said"] = (done.stdout + done.stderr)[-3000:]
    return told


def soak(short: float, variable: str, long: float) -> str:
    """How often or how long: a short cut in the suite, in a soak what the variable says."""
    return str(int(float(os.environ.get(variable, long)) if IS_SOAK else short))
