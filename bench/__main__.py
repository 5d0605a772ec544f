"""All benchmarks, one after another; the status is 1 when any of them misses a goal."""

import subprocess
import sys

NAMES = (
    "ingest", "aws", "allocation", "ask", "pages", "explain", "restatement", "why", "waste", "idle", "anomalies",
    "forecast", "purchase", "colocation",
)  # fmt: skip

if __name__ == "__main__":
    missed = [name for name in NAMES if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode]
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)
