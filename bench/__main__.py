"""All benchmarks, one after another; the status is 1 when any of them misses a goal.

python -m bench --data DIR      # those of public files too: DIR/series, DIR/vm, DIR/crane, DIR/openb, DIR/nab
"""

import argparse
import subprocess
import sys
from pathlib import Path

NAMES = (
    "ingest", "aws", "allocation", "ask", "pages", "explain", "restatement", "why", "waste", "idle", "anomalies",
    "forecast", "purchase", "colocation", "gpu", "pools", "rightsizing", "schedule", "effects", "workers", "engines",
    "nightly", "browser", "load",
)  # fmt: skip
DATA = {
    "forecast": "series", "anomalies": "series", "idle": "vm/bitbrains_rnd_hourly.parquet", "purchase": "",
    "colocation": "", "gpu": "", "pools": "", "rightsizing": "", "schedule": "", "effects": "",
}  # fmt: skip
"""What a benchmark of public files is given of the folder."""


def command(name: str, data: Path | None) -> list[str]:
    """How one benchmark is run."""
    given = ["--data", str(data / DATA[name])] if data and name in DATA else []
    return [sys.executable, "-m", f"bench.{name}", *given]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of public files; without it only what is generated")
    asked = parser.parse_args()
    missed = [name for name in NAMES if subprocess.run(command(name, asked.data), check=False).returncode]
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)
