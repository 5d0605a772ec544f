"""Fifty requests a second, pages and API mixed, by forty people at once while bills are published: latency, errors, memory.

python -m bench.load --seconds 600 --rate 50       # the goal; shorter and slower runs say so in their report
python -m bench.load --every 0                     # a bill as soon as the last one is published
python -m bench.load --no-pipeline                 # the site alone

Requests leave at their time whether or not earlier ones were answered, so a slow answer is told in full. Half of the clients
of the API send the ETag they were given last. Every request of pages counts from its own time of leaving. Before the clock
starts everybody has looked at everything; what is published meanwhile is new to all.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench import addresses, company
from bench.measure import ROUNDS, bench_home, keep, told_by_child

ADDRESS = "127.0.0.1:8290"
SHARE_OF_API = 0.5
EVERY_SECONDS = 5
FLOOR = "/healthz"
PAGES = (
    "/", "/", "/teams/{team}/", "/teams/{team}/", "/explorer/", "/forecasts/", "/budgets/", "/recommendations/", "/alerts/", "/idle/",
    "/anomalies/", "/plans/", "/savings/", "/efficiency/", "/units/", "/why/", "/reports/", "/calendar/",
    "/search/suggestions/?q=ns-7", "/figures/teams/{team}/kind/", "/figures/teams/{team}/namespace/", "/figures/overview/kind/",
    "/figures/overview/team/", "/figures/explorer/",
)  # fmt: skip
"""What people look at, the overview and their team's page twice as often."""
NOT_OF_LEADS = ("reconciliation", "sources", "rules", "worklist", "changes", "restatements", "publications", "audit",
                "quality", "rates", "invoices", "prices", "runs", "offers", "channels", "deliveries", "plans", "commitments",
                "closings", "adjustments", "cost", "drivers", "opencost", "alert-rules", "explain", "why")  # fmt: skip
"""Beginnings of names that leads may not read, or whose answers are exports."""
GOALS = {"pages_p95_ms": 150.0, "api_p95_ms": 100.0, "errors": 0}


@dataclass
class Person:
    """Somebody signed in, who asks for pages by session and the API by token."""

    name: str
    team: str
    session: str
    token: str
    keeps_etags: bool
    etags: dict[str, str] = field(default_factory=dict)


def people() -> list[tuple[str, str, str, str]]:
    """Name, team, session and token of every lead; sessions and tokens are made anew."""
    from datetime import UTC, datetime

    from django.contrib.auth.models import User
    from django.test import Client

    from apps.api.models import ApiToken
    from apps.api.services import issue_token

    told = []
    ApiToken.objects.all().delete()
    for number in range(company.LEADS):
        user, client = User.objects.get(username=company.lead(number)), Client()
        client.force_login(user)
        key = issue_token(user, now=datetime.now(UTC), name="load")  # an entry point
        told.append((user.username, f"team-{number:03d}", client.cookies["sessionid"].value, key))
    return told


class Load:
    """What is asked of a site, and how it answered."""

    def __init__(self, address: str, everybody: list[Person], seed: int) -> None:
        self.client = httpx.AsyncClient(
            base_url=f"http://{address}", timeout=30, limits=httpx.Limits(max_connections=200)
        )
        self.everybody, self.drawn = everybody, random.Random(seed)
        self.api = [one for one in addresses.of_the_api() if not one.split("/")[3].startswith(NOT_OF_LEADS)]
        self.api += [
            "/api/v1/costs/?group_by=day,kind&start=2026-10-01&end=2026-11-01",
            "/api/v1/costs/?group_by=namespace&start=2026-10-01&end=2026-11-01",
        ]
        self.taken: dict[str, list[float]] = {"pages": [], "api": [], "floor": []}
        self.statuses: Counter[str] = Counter()
        self.slowest: dict[str, list[float]] = {}

    async def look_around(self) -> None:
        """Everybody asks for everything twice: a site that runs since yesterday was looked at before, by each of its
        processes."""
        waiting = [(person, *one) for person in self.everybody for one in self._every(person)] * 2

        async def ask() -> None:
            while waiting:
                _, address, headers = waiting.pop()
                await self.client.get(address, headers=headers)

        await asyncio.gather(*(ask() for _ in range(4)))

    def _every(self, person: Person) -> Iterator[tuple[str, dict[str, str]]]:
        yield from ((page.format(team=person.team), {"cookie": f"sessionid={person.session}"}) for page in PAGES)
        headers = {"authorization": f"Token {person.token}"}
        yield from ((address.replace(addresses.TEAM, person.team), headers) for address in self.api)

    async def run(self, rate: float, seconds: float) -> None:
        """Leave at `rate` a second for so many seconds, and wait for the last answers."""
        began, asked = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            asked.append(asyncio.create_task(self._ask(began + number / rate, number)))
        await asyncio.gather(*asked)
        await self.client.aclose()

    async def _ask(self, due: float, number: int) -> None:
        person = self.drawn.choice(self.everybody)
        if number % 50 == 0:
            kind, address, headers = "floor", FLOOR, {}
        elif self.drawn.random() < SHARE_OF_API:
            kind, address = "api", self.drawn.choice(self.api).replace(addresses.TEAM, person.team)
            headers = {"authorization": f"Token {person.token}"}
            if person.keeps_etags and address in person.etags:
                headers["if-none-match"] = person.etags[address]
        else:
            kind, address = "pages", self.drawn.choice(PAGES).format(team=person.team)
            headers = {"cookie": f"sessionid={person.session}"}
        try:
            answer = await self.client.get(address, headers=headers)
            self.statuses[f"{answer.status_code}"] += 1
            if answer.status_code >= 400:
                self.statuses[f"{answer.status_code} {address}"] += 1
            if etag := answer.headers.get("etag"):
                person.etags[address] = etag
        except httpx.HTTPError as error:
            self.statuses[f"{type(error).__name__} {address}"] += 1
            self.statuses["0"] += 1
        taken = 1000 * (time.perf_counter() - due)
        self.taken[kind].append(taken)
        self.slowest.setdefault(address.partition("?")[0], []).append(taken)


def told(load: Load, memory: list[dict[str, Any]]) -> dict[str, Any]:
    """Percentiles by kind, the slowest addresses, what failed, and memory over time."""
    requests = sum(map(len, load.taken.values()))
    cpu = memory[-1]["web_cpu_seconds"] - memory[0]["web_cpu_seconds"]
    found: dict[str, Any] = {"web_cpu_ms_per_request": round(1000 * cpu / requests, 1)}
    for kind, values in load.taken.items():
        cuts = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else [0.0] * 99
        found |= {f"{kind}_{name}_ms": round(cuts[at], 1) for name, at in (("p50", 49), ("p95", 94), ("p99", 98))}
        found[f"{kind}_requests"] = len(values)
    slow = sorted(((statistics.median(values), name) for name, values in load.slowest.items()), reverse=True)
    answered = {name: count for name, count in load.statuses.items() if " " not in name}
    return found | {
        "errors": sum(count for name, count in answered.items() if name == "0" or name >= "400"),
        "statuses": dict(sorted(load.statuses.items())),
        "slowest_p50_ms": {name: round(median, 1) for median, name in slow[:12]},
        "memory": memory,
    }


@contextmanager
def site(address: str) -> Iterator[subprocess.Popen[bytes]]:
    """The web server of the company's home, as `make run` starts it, with no limit to what one may ask in a minute."""
    environment = os.environ | {"COSTOPS_HOME": str(bench_home("company")), "COSTOPS_API_REQUESTS_PER_MINUTE": "0"}
    for line in ("migrate", "collectstatic --noinput"):
        subprocess.run([sys.executable, "manage.py", *line.split(), "--verbosity", "0"], env=environment, check=True)
    command = ["gunicorn", "--config", "python:costops.gunicorn", "costops.wsgi", "--bind", address]
    with (bench_home() / "load-web.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", *command], env=environment, stdout=log, stderr=log)
    try:
        for _ in range(240):
            try:
                httpx.get(f"http://{address}{FLOOR}", timeout=2)
                break
            except httpx.HTTPError:
                time.sleep(0.5)
        yield server
    finally:
        server.terminate()
        server.wait(60)


def spent(root: int) -> tuple[float, float]:
    """The memory in MiB, and the seconds of processors so far, of a process and its children."""
    pages, ticks, todo = 0, 0, [root]
    while todo:
        process = Path(f"/proc/{todo.pop()}")
        try:
            pages += int((process / "statm").read_text().split()[1])
            ticks += sum(map(int, (process / "stat").read_text().rpartition(")")[2].split()[11:13]))
            todo += map(int, (process / "task" / process.name / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1), ticks / os.sysconf("SC_CLK_TCK")


class Pipeline:
    """Fills the company's home again and again: a bill of a day more each time, published like any other."""

    def __init__(self, every: float) -> None:
        self.environment = os.environ | {"COSTOPS_HOME": str(bench_home("company"))}
        self.every, self.fills, self.process, self.began = every, 0, None, -every

    def step(self) -> None:
        """Begin the next fill where the last one ended and it is time for another."""
        if self.process is None or self.process.poll() is not None:
            if self.process is not None and self.process.returncode:
                raise RuntimeError(f"the fill ended with {self.process.returncode}")
            if time.monotonic() < self.began + self.every:
                return
            self.began = time.monotonic()
            company.bring_bill(f"load-{int(time.time())}")  # a name of its own
            self.process = subprocess.Popen(
                ["nice", "-n", "19", sys.executable, "manage.py", "fill"],  # as `make run` starts its worker
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self.fills += 1

    def stop(self) -> None:
        """Leave what it is at: the next fill takes it up."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


async def watched(
    load: Load, asked: argparse.Namespace, server: int, pipeline: Pipeline | None
) -> list[dict[str, Any]]:
    """Run the load; memory and load average every few seconds."""
    await load.look_around()
    running, memory, began = asyncio.create_task(load.run(asked.rate, asked.seconds)), [], time.perf_counter()
    while not running.done():
        if pipeline:
            pipeline.step()
        mib, cpu = spent(server)
        memory.append({
            "second": round(time.perf_counter() - began), "web_cpu_seconds": round(cpu, 2), "web_mib": mib, "load_average": round(os.getloadavg()[0], 1)
        })  # fmt: skip
        await asyncio.wait({running}, timeout=EVERY_SECONDS)
    await running
    return memory


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--address", default=ADDRESS, help=f"where the site listens ({ADDRESS})")
    parser.add_argument("--every", type=float, default=120, help="seconds from a bill to the next; 0: at once")
    parser.add_argument("--no-pipeline", action="store_true", help="nothing fills beside it")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops it stops the site it started
    told_by_child("company", company.build)
    everybody = [
        Person(*one, keeps_etags=number % 2 == 0) for number, one in enumerate(told_by_child("company", people))
    ]
    pipeline, before = (
        None if asked.no_pipeline else Pipeline(asked.every),
        told_by_child("company", company.publications),
    )
    with site(asked.address) as server:
        load = Load(asked.address, everybody, seed=20261101)
        try:
            memory = asyncio.run(watched(load, asked, server.pid, pipeline))
        finally:
            if pipeline:
                pipeline.stop()
    result = {
        "bench": "load", "floor": f"{FLOOR}, which asks nothing, in the same run", "rate": asked.rate, "seconds": asked.seconds,
        "every": asked.every,
        "fills": pipeline.fills if pipeline else 0,
        "publications": told_by_child("company", company.publications) - before, **told(load, memory), "goal": GOALS,
        "rounds": ROUNDS,
    }  # fmt: skip
    if pipeline and not result["publications"]:
        raise RuntimeError("nothing was published meanwhile: look at what the fills of the home say")
    result["missed"] = [name for name, most in GOALS.items() if float(result[name]) > most]
    keep("load", result)
    print(json.dumps({name: value for name, value in result.items() if name != "memory"}, indent=2))
    return bool(result["missed"])


if __name__ == "__main__":
    sys.exit(main())
