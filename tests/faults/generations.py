"""A small school whose bill is issued again and again: what it adds up to tells which issue an answer is of."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.pipeline.school import total
from tests.pipeline.world import NOW, OCTOBER, School

STEPS = ("land", "normalize", "meter", "allocate", "publish")
DAYS = 3
BASE, STEP = Decimal("1.20"), Decimal("0.001")
EVERYTHING = (date(2026, 1, 1), date(2027, 1, 1))


class Violated(AssertionError):
    """A promise was broken."""


def price(generation: int) -> str:
    return str(BASE + generation * STEP)


def cost_of(generation: int, days: int = DAYS) -> Decimal:
    return total(days, node_price=price(generation))


def generation_of(cost: Decimal, days: int = DAYS) -> int:
    """The one issue of the bill that adds up to this."""
    generation = ((cost / days - Decimal("0.10")) / 2 - BASE) / STEP
    if generation != int(generation) or generation < 0:
        raise Violated(f"{cost} is the total of no issue of the bill ({generation})")
    return int(generation)


@dataclass
class Issues:
    """The school, and the number of the bill's newest issue."""

    folder: Path
    newest: int = 0

    def open(self) -> None:
        """The school with its first issue; in a process of its own."""
        School.open(self.folder)

    def issue(self) -> None:
        """Write the bill again, with another price: at once under its name, as whoever exports does."""
        self.newest += 1
        beside = School(self.folder).write_bill(".next", OCTOBER, DAYS, node_price=price(self.newest))
        beside.replace(self.folder / "bills" / "2026-10.csv")


def fill() -> None:
    """Everything that is due, up to a publication, and the publication told."""
    from apps.pipeline import services

    report = services.fill(now=NOW, steps=STEPS)
    if report.failed and any(run.failure != "refused" for run in report.failed):
        raise Violated(f"a fill failed: {[(run.key, run.failure, run.message) for run in report.failed]}")
    tell()


def tell() -> None:
    """Put the newest publication into the outbox, and deliver."""
    from django.db import transaction
    from django.utils import timezone

    from apps.channels import delivering, services
    from apps.channels.models import Channel
    from apps.marts.models import Publication
    from tests.channels.worlds import a_notice

    with transaction.atomic():
        newest = Publication.objects.order_by("-number").first()
        if newest is None:
            return
        notice = a_notice(f"publication {newest.number}", thread="")
        services.send(notice, to=Channel.objects.order_by("pk")[:1], now=NOW)
    delivering.deliver_due(timezone.now)


@dataclass
class Reader:
    """Somebody who asks again and again, and holds what it is answered against what may be."""

    generation: int = 0
    number: int = 0

    def ask(self) -> int:
        """Ask once, by two questions that one publication must answer alike; the issue it was of, 0 for none yet."""
        from apps.marts.models import Publication
        from apps.marts.query import CostQuery
        from apps.marts.selectors import answer

        newest = Publication.objects.order_by("-number").first()
        if newest is None:
            return 0
        fine = answer(CostQuery(*EVERYTHING, group_by=("day", "team", "kind", "namespace"), as_of=newest.number))
        whole = answer(CostQuery(*EVERYTHING, as_of=newest.number))
        cost = whole.rows[0][-1]
        generation = generation_of(cost)
        if sum(row[-1] for row in fine.rows) != cost or Decimal(newest.totals["CNY"]) != cost:
            raise Violated(f"publication {newest.number}: its parts are not its total {cost}")
        by_day: dict[Any, Decimal] = defaultdict(Decimal)
        for row in fine.rows:
            by_day[row[0]] += row[-1]
        if set(by_day.values()) != {cost_of(generation, 1)} or len(by_day) != DAYS:
            raise Violated(f"publication {newest.number}: days of several issues, {dict(by_day)}")
        if (newest.number, generation) < (self.number, self.generation) or generation < self.generation:
            raise Violated(f"from issue {self.generation} back to {generation}, publication {newest.number}")
        self.generation, self.number = generation, newest.number
        return generation


def check_end(newest: int) -> dict[str, int]:
    """After a last fill that nobody disturbed: what is published is the newest issue, once, in every table."""
    from apps.finops.tables import ALLOCATED, CHARGES
    from apps.ingest.models import LandedFile
    from apps.marts.models import Publication
    from apps.pipeline.models import StepRun
    from apps.warehouse import lake
    from apps.warehouse.engine import rows_of

    found = Reader().ask()
    if found != newest:
        raise Violated(f"issue {newest} is what counts, and {found} is published")
    for table, column in ((CHARGES, "EffectiveCost"), (ALLOCATED, "effective_cost")):
        ((cost,),) = rows_of(lake.scan(table).aggregate(cost=lake.scan(table)[column].sum()))
        if cost != cost_of(newest):
            raise Violated(f"{table.name} holds {cost}, not {cost_of(newest)}")
    current = list(LandedFile.objects.filter(source__name="bill", state="current").values_list("path", flat=True))
    if len(current) != 1 or LandedFile.objects.filter(state="landed").exists():
        raise Violated(f"the bill counts by {current}")
    if StepRun.objects.filter(state__in=StepRun.ACTIVE).exists():
        raise Violated("a run is left behind")
    return {"publications": Publication.objects.count(), "runs": StepRun.objects.count(), "orphans": orphans()}


def orphans() -> int:
    """Files that killed writers left in the folders of tables: in the way of nobody."""
    from apps.finops.tables import LAKE
    from apps.warehouse import lake

    count = 0
    for table in LAKE:
        folder = lake.location(table)
        if folder.exists():
            known = {folder / file.path for at in range(lake.version(table) + 1) for file in lake.files(table, at=at)}
            count += len(set(folder.rglob("*.parquet")) - known)
    return count


def check_outbox(received: list[str]) -> dict[str, int]:
    """Every notice in one message, every message taken at least once, and a repetition by the same id alone."""
    from apps.channels.models import Entry, Message

    messages = set(Message.objects.values_list("message_id", flat=True))
    if set(Message.objects.values_list("state", flat=True)) - {"sent"} or messages != set(received):
        raise Violated(f"{len(messages)} messages, {len(set(received))} of them received")
    keys = list(Entry.objects.values_list("key", flat=True))
    if len(keys) != len(set(keys)) or len(keys) != len(messages):
        raise Violated("a notice is told twice")
    return {"told": len(keys), "repeated": len(received) - len(messages)}
