"""Two workers at the same window, each frozen at a named place for longer than every lease, then thawed."""

import argparse
import itertools
import random
import time
from datetime import UTC, datetime
from typing import Any

from apps.warehouse.failpoints import POINTS
from tests.faults import generations
from tests.faults.forking import Child, fork
from tests.faults.generations import Violated
from tests.faults.kills import LONGEST_SECONDS, Run, done

PLACES = (
    "land.list", "land.hash", "land.sync", "read.parse", "read.write", "lake.commit", "books.record", "lake.write@4",
    "lake.commit@3", "publish.check", "publish.pin", "publish.pinned", "finish.record",
)  # fmt: skip
"""Where workers are frozen: at least one place of every stage between claim and unlock. The lake is written by reading
bills first, by allocation (from the third commit on) and by publication."""
NOWHERE = ""
PATIENCE_SECONDS = 4.0
"""So long one is waited for who may be waiting for another that is frozen, or for a lock of the database."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def run(asked: argparse.Namespace, report: dict[str, Any]) -> None:
    """The pairs asked for, or all of them in random order until the time is over."""
    run = Run(asked.home, random.Random(asked.seed))
    pairs = [tuple(one.split(":")) for one in asked.points.split(",") if one]
    if not pairs:
        pairs = list(itertools.product(PLACES, (NOWHERE, *PLACES)))
        run.dice.shuffle(pairs)
    deadline = time.monotonic() + asked.seconds
    tried: list[str] = []
    with run.receiving():
        run.begin()
        try:
            with run.reading():
                for first, second in pairs:
                    if not asked.points and time.monotonic() > deadline:
                        break
                    freeze(run, first, second)
                    tried.append(f"{first}:{second}")
            done(fork(_end, run))
        finally:
            report |= {"schedules": len(tried), "of": len(pairs), "tried": tried, "issues": run.issues.newest}
            for told in run.told.all():
                report |= told
    if "reader" in report:
        raise Violated(report["reader"])


def freeze(run: Run, first: str, second: str) -> None:
    """One worker freezes and loses its lease; another does the next issue of the bill and freezes as well; then the
    first goes on with what it was at, and the second after it."""
    run.issues.issue()
    one = fork(generations.fill, failing=_stopping(first))
    _stops(one, LONGEST_SECONDS, what=first)
    run.issues.issue()
    is_locked = POINTS[first.partition("@")[0]] == "commit of the database" and first != "publish.pin"
    if not is_locked:
        done(fork(end_leases))
    other = fork(generations.fill, failing=_stopping(second) if second else "")
    other_ended = _stops(other, PATIENCE_SECONDS if is_locked else LONGEST_SECONDS, what=second)
    one.thaw()
    one_ended = one.wait(PATIENCE_SECONDS)
    if other_ended is None and second:  # it may end now that the first goes on
        other_ended = _stops(other, PATIENCE_SECONDS, what=second)
    if other_ended is None:
        other.thaw()
        other_ended = other.wait(LONGEST_SECONDS)
    if one_ended is None:
        one_ended = one.wait(LONGEST_SECONDS)
    for child, ended in ((one, one_ended), (other, other_ended)):
        if ended is None:
            child.kill()
            raise Violated(f"{first}:{second}: a worker does not come to an end")
    run.fill_undisturbed()


def _stopping(place: str) -> str:
    point, _, hit = place.partition("@")
    return f"{point}=stop@{hit or 1}"


def _stops(child: Child, seconds: float, *, what: str) -> int | None:
    """Wait until it is frozen; its status where it ended instead, None where it is frozen or waits for somebody."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (status := child.wait(0)) is not None:
            return status
        if what and child.is_stopped():
            return None
        time.sleep(0.01)
    return None


def end_leases() -> None:
    """The time of every lease is over."""
    from apps.pipeline.models import StepRun

    StepRun.objects.filter(state=StepRun.State.RUNNING).update(lease_until=LONG_AGO)


def _end(run: Run) -> None:
    try:
        run.told.add(**generations.check_end(run.issues.newest))
    except Violated as violated:
        run.told.add(reader=str(violated))
