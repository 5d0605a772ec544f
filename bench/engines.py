"""Allocation of some days of the same nodes and pods by DuckDB in the process and by Apache Spark on the same machine."""

import os
import tempfile
from pathlib import Path

from bench import allocation
from bench.measure import Case, run

NODES = int(os.environ.get("COSTOPS_BENCH_NODES", "2000"))
DAYS = int(os.environ.get("COSTOPS_BENCH_DAYS", "3"))


def build() -> None:
    """A month of usage and charges, once."""
    allocation.NODES = NODES
    allocation.build()


def allocate() -> None:
    """The days, by the engine that the environment names."""
    import datetime as dt

    from apps.allocation import services
    from apps.finops.windows import Window

    services.allocate(Window(allocation.START, allocation.START + dt.timedelta(days=DAYS)))


def by_spark() -> None:
    """The same where the server of this benchmark is."""
    from django.conf import settings

    settings.COSTOPS_ENGINE = os.environ["BENCH_SPARK"]
    allocate()


def connected() -> None:
    """Rules, and a session: what a worker has for as long as it lives."""
    from django.conf import settings

    from apps.warehouse import spark

    allocation.plain()
    settings.COSTOPS_ENGINE = os.environ["BENCH_SPARK"]
    spark.session()
    settings.COSTOPS_ENGINE = "duckdb"


if __name__ == "__main__":
    from tests.servers.spark import running_spark

    with tempfile.TemporaryDirectory() as folder, running_spark(Path(folder), settings={}) as address:
        os.environ["BENCH_SPARK"] = address
        run(
            "engines", build=build, floor=Case("allocate, DuckDB", allocate, allocation.plain),
            ours=Case("allocate, Apache Spark of one process", by_spark, connected), goal={"ratio": 100},
        )  # fmt: skip
