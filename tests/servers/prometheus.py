"""A Prometheus server of its own for the tests, with a history made from OpenMetrics text."""

import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import Process, ServerDidNotStartError, find_program, free_port, start


@dataclass(frozen=True)
class Prometheus:
    """Where the server listens, the folder of its blocks, and its process, which a test may kill."""

    port: int
    data: Path
    process: Process

    @property
    def url(self) -> str:
        """The location of a source that reads it."""
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Whether the server is ready to be queried."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def build_blocks(openmetrics: Path, data: Path) -> None:
    """Add the samples of an OpenMetrics text to a folder of blocks; whole-day blocks build ten times faster."""
    promtool = find_program("promtool", package="prometheus")
    command = [promtool, "tsdb", "create-blocks-from", "--max-block-duration=24h", "openmetrics", openmetrics, data]
    made = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if made.returncode:
        raise ServerDidNotStartError(f"promtool refused {openmetrics}: {made.stderr[-2000:]}{made.stdout[-500:]}")


@contextmanager
def running_prometheus(
    folder: Path, openmetrics: Sequence[Path | str] = (), *, data: Path | None = None, flags: Sequence[str] = ()
) -> Iterator[Prometheus]:
    """A server over blocks built from OpenMetrics files or texts, or over the folder `data` built before.

    `flags` are added to the command line, for example `--query.max-samples=1000`. Nothing is scraped.
    """
    blocks = data or folder / "data"
    blocks.mkdir(parents=True, exist_ok=True)
    for number, source in enumerate(openmetrics):
        path = source if isinstance(source, Path) else folder / f"history-{number}.om"
        if isinstance(source, str):
            path.write_text(source, encoding="utf-8")
        build_blocks(path, blocks)
    settings = folder / "prometheus.yml"
    settings.write_text("global: {scrape_interval: 1h}\n")
    port = free_port()
    command = [find_program("prometheus", package="prometheus"), f"--config.file={settings}"]
    command += [f"--storage.tsdb.path={blocks}", "--storage.tsdb.retention.time=50y"]
    command += [f"--web.listen-address=127.0.0.1:{port}", *flags]
    server = Prometheus(port, blocks, start(command, log=folder / "prometheus.log"))
    server.process.wait_until(server.answers, what="Prometheus")
    try:
        yield server
    finally:
        server.process.stop()
