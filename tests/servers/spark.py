"""A Spark Connect server of its own for the tests, from the package that its client comes in."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyspark

from tests.servers.process import find_program, free_port, is_listening, start

HOME = Path(pyspark.__file__).parent
SMALL = {
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    # Small tables are computed sooner than code for them is compiled.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -Duser.timezone=Asia/Shanghai",
}


@contextmanager
def running_spark(folder: Path, *, settings: Mapping[str, str] = SMALL) -> Iterator[str]:
    """A server with one process for everything; its address, as COSTOPS_ENGINE takes it."""
    java = Path(find_program("java", package="openjdk-17-jre-headless")).resolve().parents[1]
    port = free_port()
    told = {
        **settings,
        "spark.connect.grpc.binding.port": str(port),
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    command = [HOME / "bin" / "spark-submit", "--master", "local[2]", "--driver-memory", "1g"]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    command += [word for name, value in told.items() for word in ("--conf", f"{name}={value}")]
    environment = os.environ | {"SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1", "JAVA_HOME": str(java)}
    process = start([*command, "spark-internal"], log=folder / "spark.log", environment=environment, cwd=folder)
    process.wait_until(lambda: is_listening(port), what="Spark Connect", seconds=180)
    try:
        yield f"sc://127.0.0.1:{port}"
    finally:
        process.stop()
