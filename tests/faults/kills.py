"""SIGKILL at random moments of ingest → publish, with somebody reading all the while; then at every named place."""

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from apps.warehouse.failpoints import POINTS, STAGES
from tests.faults import generations
from tests.faults.forking import Child, Points, Told, fork, inherit_orphans, readers
from tests.faults.generations import Issues, Reader, Violated

LONGEST_SECONDS = 120
READERS_END_SECONDS = 10
SEEN_SECONDS = 60
MOST_IN_A_ROW = 25
"""Then one fill is left alone: else issues that nobody read would grow in number beyond what any fill can do."""
START, END = "start", "end"


class Run:
    """One kill run: its world, what it hit and what others told."""

    def __init__(self, home: Path, dice: random.Random) -> None:
        self.dice = dice
        self.issues = Issues(home / "school")
        self.points = Points(home / "points")
        self.told = Told(home / "told")
        self.received = Told(home / "received")
        self.hit: Counter[str] = Counter()
        self.points_hit: Counter[str] = Counter()
        self.fills = 0
        self.kills = 0
        self.full_seconds = 0.0
        self.in_a_row = 0

    def begin(self) -> None:
        done(fork(self._set_up))
        self.fill_undisturbed()

    def _set_up(self) -> None:
        from tests.channels.worlds import a_channel

        self.issues.open()
        a_channel("webhook", url=f"http://127.0.0.1:{self.port}", secret="hush")

    def fill_undisturbed(self) -> None:
        began = time.monotonic()
        done(fork(generations.fill, failing=self._logging()))
        self.full_seconds = self.full_seconds * 0.7 + (time.monotonic() - began) * (0.3 if self.full_seconds else 1)
        self.fills += 1
        self.in_a_row = 0

    def _logging(self, more: str = "") -> str:
        return f"*=log:{self.points.path};{more}"

    def kill_at_random(self) -> None:
        """Kill a fill after a random time of what a whole one takes; often the bill was issued anew before."""
        if self.in_a_row == MOST_IN_A_ROW:
            self.fill_undisturbed()
        if self.dice.random() < 0.6:
            self.issues.issue()
        began = time.monotonic()
        child = fork(generations.fill, failing=self._logging())
        status = child.wait(self.dice.uniform(0, self.full_seconds * 1.02))
        if status is None:
            status = child.kill()
        self._count(status, time.monotonic() - began)

    def kill_at(self, point: str) -> None:
        """Kill a fill of a new issue when it, or who reads for it, comes to a place."""
        self.issues.issue()
        told = self._logging(f"{point}=kill:PID@{self.dice.choice((1, 1, 2))}")
        child = fork(generations.fill, failing=told)
        self._count(child.wait(LONGEST_SECONDS), self.full_seconds)

    def kill_in(self, stage: str, *, at_least: int) -> None:
        """Kill at the places of a stage until it was hit so often."""
        places = [point for point, of in POINTS.items() if of == stage]
        for _ in range(5 * at_least):
            if self.hit[stage] >= at_least:
                return
            self.kill_at(self.dice.choice(places))
        if self.hit[stage] < at_least:
            raise Violated(f"no kill hits the stage {stage}: {dict(self.hit)}")

    def _count(self, status: int | None, seconds: float) -> None:
        point = self.points.last()
        if status == 0:
            self.fills += 1
            self.in_a_row = 0
            self.full_seconds = self.full_seconds * 0.7 + seconds * 0.3
            self.hit[END] += 1
        elif status == -9:
            self.kills += 1
            self.in_a_row += 1
            self.hit[POINTS[point] if point else START] += 1
            self.points_hit[point or START] += 1
        else:
            raise Violated(f"a fill ended with status {status}, last at {point}")

    def read(self) -> None:
        """Ask until told to stop; what is wrong is written down."""
        reader, reads, seen = Reader(), 0, set()
        stop = self.told.path.with_name("stop")
        try:
            while not stop.exists():
                if (issue := reader.ask()) not in seen:
                    seen.add(issue)
                    self.told.add(seen=issue)
                reads += 1
                time.sleep(0.1)
        except Violated as violated:
            self.told.add(reader=str(violated))
        self.told.add(reads=reads, issues_seen=len(seen - {0}))

    def publish_to_readers(self) -> None:
        """A new issue that nobody disturbs, and everybody who reads comes to see."""
        self.issues.issue()
        self.fill_undisturbed()
        deadline = time.monotonic() + SEEN_SECONDS
        while {"seen": self.issues.newest} not in (told := self.told.all()):
            if wrong := [one["reader"] for one in told if "reader" in one]:
                raise Violated(wrong[0])
            if time.monotonic() > deadline:
                raise Violated(f"nobody who reads sees the published issue {self.issues.newest}")
            time.sleep(0.05)

    @contextmanager
    def reading(self) -> Iterator[None]:
        child = fork(self.read)
        try:
            yield
        finally:
            self.told.path.with_name("stop").touch()
            done(child)

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Somebody who takes what the outbox sends."""
        received = self.received

        class Taker(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                received.add(id=self.headers["X-CostOps-Delivery"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                """Nobody reads it."""

        server = HTTPServer(("127.0.0.1", 0), Taker)
        self.port = server.server_address[1]
        child = fork(server.serve_forever)
        server.socket.close()
        try:
            yield
        finally:
            child.kill()


def done(child: Child) -> None:
    if (status := child.wait(LONGEST_SECONDS)) != 0:
        if status is None:
            child.kill()
        raise Violated(f"a process that nobody disturbed ended with status {status}")


def check_readers() -> None:
    """Nobody reads on for a worker that is gone."""
    deadline = time.monotonic() + READERS_END_SECONDS
    while left := readers():
        if time.monotonic() > deadline:
            raise Violated(f"processes read on for nobody: {left}")
        time.sleep(0.05)


def run(asked: argparse.Namespace, report: dict[str, Any]) -> None:
    """So many kills at random, or so many seconds of them; then at the stages that were hit less often than asked."""
    run = Run(asked.home, random.Random(asked.seed))
    deadline = time.monotonic() + asked.seconds
    inherit_orphans()
    with run.receiving():
        run.begin()
        try:
            with run.reading():
                run.publish_to_readers()
                while run.kills < asked.kills and time.monotonic() < deadline:
                    run.kill_at_random()
                report["kills_at_random"] = run.kills
                for stage in STAGES:
                    run.kill_in(stage, at_least=asked.each)
                run.publish_to_readers()
            check_readers()
            done(fork(_end, run))
        finally:
            report |= {
                "asked": asked.kills, "kills": run.kills, "fills": run.fills, "stages": dict(sorted(run.hit.items())),
                "points": dict(sorted(run.points_hit.items())), "issues": run.issues.newest,
            }  # fmt: skip
            for told in run.told.all():
                report |= {name: value for name, value in told.items() if name != "seen"}
    if "reader" in report:
        raise Violated(report["reader"])


def _end(run: Run) -> None:
    from datetime import timedelta

    from django.db.models import F

    from apps.channels.delivering import CLAIM_HOLDS
    from apps.channels.models import Message

    late = Message.objects.filter(state="sending")
    late.update(claimed_at=F("claimed_at") - CLAIM_HOLDS - timedelta(seconds=1))  # claims of the dead run out
    generations.tell()
    try:
        run.told.add(**generations.check_end(run.issues.newest))
        run.told.add(**generations.check_outbox([told["id"] for told in run.received.all()]))
    except Violated as violated:
        run.told.add(reader=str(violated))
