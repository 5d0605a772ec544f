"""What the sources are, what they brought, and from what every day is made."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q

from apps.finops.money import add_up
from apps.finops.once import once
from apps.finops.problems import Problem
from apps.ingest.lateness import Arrivals, arrivals_of
from apps.ingest.models import LandedFile, MeteredDay, Source
from apps.ingest.quality.rows import about

TELLING = (LandedFile.State.CURRENT, LandedFile.State.REFUSED, LandedFile.State.HELD)
READ_AS = "1"
"""The rules files are read by. Another number makes every day be computed again."""


@dataclass(frozen=True)
class SourceState:
    """A source and what came of it. `last_day` is the newest day with charges or usage that count."""

    source: Source
    files: int
    refused: int
    waiting: int
    rows: int
    last_day: date | None
    last_received: datetime | None
    problems: tuple[Problem, ...]
    held: int = 0
    arrival: Arrivals | None = None

    @property
    def has_failed(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)


def source_states(now: datetime | None = None, *, only: Source | None = None) -> list[SourceState]:
    """Every source, by name, or one; with `now` also how its days arrive."""
    states = LandedFile.State
    counted = Source.objects.order_by("name").annotate(
        current=Count("files", filter=Q(files__state=states.CURRENT)),
        refused=Count("files", filter=Q(files__state=states.REFUSED)),
        waiting=Count("files", filter=Q(files__state=states.LANDED)),
        held=Count("files", filter=Q(files__state=states.HELD)),
        landed_at=Max("files__landed_at"),
    )
    return [_state(source, now) for source in (counted.filter(pk=only.pk) if only else counted)]


def state_of(source: Source, now: datetime) -> SourceState:
    """One source."""
    return next(state for state in source_states(now, only=source))


def _state(source: Any, now: datetime | None) -> SourceState:
    current = source.files.filter(state=LandedFile.State.CURRENT)
    contents = [entry for found in current.values_list("contents", flat=True) for entry in counting(found)]
    metered = MeteredDay.objects.filter(source=source).aggregate(day=Max("day"), at=Max("pulled_at"))
    days = [date.fromisoformat(entry["days"][-1]) for entry in contents if entry["days"]]
    received = [moment for moment in (source.landed_at, metered["at"]) if moment]
    last_day = max([*days, *([metered["day"]] if metered["day"] else [])], default=None)
    arrival = arrivals_of(source, now, last_day) if now and not source.is_prometheus else None
    return SourceState(
        source=source,
        files=source.current,
        refused=source.refused,
        waiting=source.waiting,
        rows=sum(entry["rows"] for entry in contents),
        last_day=last_day,
        last_received=max(received, default=None),
        problems=(*_problems(source), *_late(source, arrival)),
        held=source.held,
        arrival=arrival,
    )


def _late(source: Source, arrival: Arrivals | None) -> Iterator[Problem]:
    if arrival and arrival.late:
        yield about("late", source.name, str(arrival.late))


def _problems(source: Source) -> Iterator[Problem]:
    """Problems of the files that count, and of those refused or held back since."""
    told = source.files.filter(state__in=TELLING).exclude(problems=[])
    for problems in told.order_by("-pk").values_list("problems", flat=True)[:50]:
        yield from (Problem(**problem) for problem in problems)


def retired_sources() -> set[str]:
    """The sources that are looked at no more: nothing is waited for from them."""
    retired = Source.objects.filter(is_active=False).values_list("name", flat=True)
    return once(("retired sources",), lambda: set(retired))


def counting(contents: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The windows of a file that count."""
    return [entry for entry in contents if entry.get("counts", True)]


def billed(contents: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """What a file bills, of the windows of it that count, by currency."""
    amounts: dict[str, list[Decimal]] = defaultdict(list)
    for entry in counting(contents):
        for currency, cost in entry["cost"].items():
            amounts[currency].append(Decimal(cost["billed_cost"]))
    return {currency: add_up(told) for currency, told in sorted(amounts.items())}


def day_fingerprints() -> dict[date, str]:
    """For every day with charges or usage: a hash of all that feeds it, told from the database alone."""
    feeding: dict[str, list[str]] = defaultdict(list)
    current = LandedFile.objects.filter(state=LandedFile.State.CURRENT)
    columns = ("source__name", "sha256", "content_sha256", "contents")
    for name, sha256, content_sha256, contents in current.values_list(*columns):
        for entry in counting(contents):
            for day in entry["days"]:
                cost = json.dumps(entry.get("cost", {}), sort_keys=True)  # the same rows may be read another way
                feeding[day].append(f"{name} {entry['window']} {content_sha256 or sha256} {cost}")
    for name, metered, sha256 in MeteredDay.objects.values_list("source__name", "day", "content_sha256"):
        feeding[str(metered)].append(f"{name} api {sha256}")
    return {date.fromisoformat(day): _digest(parts) for day, parts in sorted(feeding.items())}


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join([READ_AS, *sorted(parts)]).encode()).hexdigest()
