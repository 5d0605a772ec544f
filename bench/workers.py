"""A backlog of sixteen months, normalised and allocated by one worker and by two: how much sooner two are done.

A worker is a process with one thread for its engine: as many cores as workers are in use. Sixteen bills of a month each and
sixteen windows of days are the units. `--bucket` puts the lake into an S3 server of the tests, each worker a machine with a
home folder and a read cache of its own, empty at first (and needs PostgreSQL, as machines do). Server and database work
on the same cores: what they took of them is told beside.

The floor is what the machine itself gives in the same run: a loop that only computes, in one process and in two. Cores
of one processor slow each other down, and other programs take their share: two workers can be no better than it.

python -m bench.workers [--bucket] [--days 487] [--scale 0.1]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.measure import ROUNDS, bench_home, cpu_seconds, report

NAME = "workers"
GOAL = {"two_of_one": 1 / 1.8}
"""The time of two workers as a share of the time of one, at most."""
ROOT = Path(__file__).resolve().parents[1]
LOOP = "total = 0\nfor number in range({turns}): total += number * number % 7"
TURNS = 40_000_000
STEPS = frozenset({"normalize", "allocate"})
PREPARE = """
from django.core.management import call_command
from django.utils import timezone
from pathlib import Path
from apps.pipeline import services
folder = Path({folder!r})
call_command("migrate", verbosity=0)
for bill in sorted((folder / "billing").glob("*.csv")):
    call_command("source", "add", bill.stem[-7:], "--kind", "focus", "--location", str(bill), verbosity=0)
call_command("source", "add", "usage", "--kind", "usage_files", "--location", str(folder / "usage"), verbosity=0)
call_command("import_teams", str(folder / "teams.yaml"), verbosity=0)
report = services.fill(now=timezone.now(), steps=("land", "meter"))
assert not report.failed, report.failed
"""


class Taken(NamedTuple):
    """Seconds until a backlog is done, seconds of CPU of all workers and of the store that served them, and the seconds of
    the slowest worker less those it waited for a core: on a machine that others use, what counts."""

    seconds: float
    cpu: float
    served: float
    undisturbed: float


def work() -> None:
    """In a process of its own: say that it is ready, wait for the word, work until nothing is left."""
    import django

    django.setup()
    from django.utils import timezone

    from apps.ingest.apart import asking
    from apps.pipeline import services
    from apps.pipeline.due import Ask
    from apps.warehouse import engine

    engine.connect()
    filling = services._Filling(Ask(timezone.now()), STEPS, services._nobody)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    begun, used, waited = time.perf_counter(), cpu_seconds(), _waited()
    filling.plan()
    while filling.do_one() or filling.plan() or filling.is_waiting():
        filling.plan()
    undisturbed = time.perf_counter() - begun - (_waited() - waited)
    sys.stdout.write("done\n")
    sys.stdout.flush()
    asking.end_readers()  # whoever reads is counted when it has ended
    sys.stdout.write(json.dumps({"cpu": cpu_seconds() - used, "undisturbed": undisturbed}))
    failed = [f"{run.key}: {run.message}" for run in filling.report().failed]
    sys.exit("; ".join(failed) or 0)


def _waited() -> float:
    """Seconds this thread was ready and other programs had the cores; 0 where the kernel does not say."""
    path = Path("/proc/thread-self/schedstat")
    return int(path.read_text().split()[1]) / 1e9 if path.exists() else 0.0


@contextmanager
def installations(count: int, company: Path, *, in_bucket: bool) -> Iterator[list[dict[str, str]]]:
    """The environments of so many workers of one fresh installation: all that comes before the backlog is done."""
    folder, prepared = bench_home(NAME) / "run", bench_home(NAME) / f"prepared-{company.name}"
    shutil.rmtree(folder, ignore_errors=True)
    base = os.environ | {"COSTOPS_THREADS": "1", "COSTOPS_SECRET_KEY": "b" * 50}
    base |= {"DJANGO_SETTINGS_MODULE": "costops.settings"}
    if not in_bucket:
        if not prepared.exists():
            _prepare(company, base | {"COSTOPS_HOME": f"{prepared}.new"})
            Path(f"{prepared}.new").rename(prepared)
        shutil.copytree(prepared, folder)
        yield [base | {"COSTOPS_HOME": str(folder)}] * count
        return
    from tests.servers.objects import running_store, settings_of
    from tests.servers.postgres import running_postgres

    with running_store() as store, running_postgres() as server:
        store.client().create_bucket(Bucket="lake")
        base |= settings_of(store, "bench") | {"COSTOPS_DATABASE_URL": server.create_database("bench")}
        machines = [base | {"COSTOPS_HOME": str(folder / str(number))} for number in range(count)]
        _prepare(company, base | {"COSTOPS_HOME": str(folder / "preparer")})
        yield machines


def _prepare(company: Path, environment: dict[str, str]) -> None:
    code = PREPARE.format(folder=str(company))
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def timed(count: int, company: Path, *, in_bucket: bool) -> Taken:
    """One backlog, done by so many workers."""
    with installations(count, company, in_bucket=in_bucket) as environments:
        workers = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.workers", "--work"], cwd=ROOT, env=environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )
            for environment in environments
        ]  # fmt: skip
        said = [worker.stdout for worker in workers if worker.stdout]
        if any(one.readline() != "ready\n" for one in said):
            raise SystemExit("A worker did not start.")
        begun, served = time.perf_counter(), time.process_time()  # the store of the tests is threads of this process
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        done = [one.readline() for one in said]
        seconds = time.perf_counter() - begun  # how long a process takes to end is not of the backlog
        told = [json.loads(one.read() or "{}") for one in said]
        if any(worker.wait() for worker in workers) or set(done) != {"done\n"}:
            raise SystemExit("A worker failed; `manage.py fill` in var/bench/workers/run says why.")
        served = time.process_time() - served
    return Taken(seconds, sum(one["cpu"] for one in told), served, max(one["undisturbed"] for one in told))


def computed(count: int) -> float:
    """Seconds for the turns of the floor, done by so many processes at once."""
    command = [sys.executable, "-c", LOOP.format(turns=TURNS // count)]
    begun = time.perf_counter()
    for process in [subprocess.Popen(command) for _ in range(count)]:
        process.wait()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bucket", action="store_true")
    parser.add_argument("--days", default="487")
    parser.add_argument("--scale", default="0.1")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work()
    company = bench_home(NAME) / f"company-{asked.days}-{asked.scale}"
    if not company.exists():
        options = ["--days", asked.days, "--scale", asked.scale, "--metrics-days", "0", "--to", str(company)]
        home = os.environ | {"COSTOPS_HOME": str(bench_home(NAME) / "maker")}
        subprocess.run([sys.executable, "manage.py", "demo", *options], cwd=ROOT, env=home, check=True)
    taken: dict[int, list[Taken]] = {1: [], 2: []}
    floor: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for count, runs in taken.items():
            floor[count].append(computed(count))
            runs.append(timed(count, company, in_bucket=asked.bucket))
            sys.stdout.write(f"{count}: {runs[-1]}\n")
    one, two = (Taken(*map(statistics.median, zip(*runs, strict=True))) for runs in taken.values())
    report(
        f"{NAME}-bucket" if asked.bucket else NAME,
        {"one": one._asdict(), "two": two._asdict(), "times_faster": one.seconds / two.seconds,
         "times_faster_undisturbed": one.undisturbed / two.undisturbed, "cpu_ratio": two.cpu / one.cpu,
         "cores_at_work": {count: (of.cpu + of.served) / of.seconds for count, of in ((1, one), (2, two))},
         "floor_times_faster": statistics.median(floor[1]) / statistics.median(floor[2]),
         "two_of_one": two.seconds / one.seconds},
        GOAL,
    )  # fmt: skip


if __name__ == "__main__":
    main()
