"""What speaks against closing a month: it is not over, its bills may still change, or something has not arrived."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.books.disputes import WAITING
from apps.books.models import Dispute
from apps.finops.tables import ALLOCATED, CHARGES, RECONCILIATION_MART
from apps.finops.windows import Window
from apps.ingest import kinds
from apps.ingest.lateness import arrivals_of
from apps.ingest.models import LandedFile, Source
from apps.marts.models import Publication
from apps.marts.services import DAYS_UNTIL_FINAL
from apps.rates.selectors import first_gap
from apps.warehouse import lake
from apps.warehouse.engine import rows_of


@dataclass(frozen=True)
class Objection:
    """One sentence: `text` as it is translated, and the `values` that stand in it."""

    text: str
    values: Mapping[str, str]

    def __str__(self) -> str:
        return self.text % self.values


def _against(text: str, **values: object) -> Objection:
    return Objection(text, {name: str(value) for name, value in values.items()})


COMPLETE = 0.97
"""The share of a day's cost that is usually there when it counts as arrived."""


def objections(month: str, window: Window, pinned: Publication, now: datetime) -> list[Objection]:
    """Sentences, each with what to do; none when the month is final and complete."""
    unpinned = [table.name for table in (CHARGES, ALLOCATED, RECONCILIATION_MART) if table.name not in pinned.versions]
    if unpinned:
        told = ", ".join(unpinned)
        return [
            _against(
                "Publication %(number)s pins no %(tables)s: run `manage.py fill` first.",
                number=pinned.number,
                tables=told,
            )
        ]
    return [
        *_not_final(month, window, pinned, now),
        *_not_published(pinned),
        *_missing_days(month, window, pinned),
        *_not_arrived(window, now),
        *_disputed(month, window),
        *_without_rates(month, window),
    ]


def _not_final(month: str, window: Window, pinned: Publication, now: datetime) -> Iterator[Objection]:
    _, end = window.hours(ZoneInfo(settings.COSTOPS_TIME_ZONE))
    if end > now:
        yield _against("%(month)s is not over: it ends on %(end)s.", month=month, end=window.end)
        return
    bill = lake.scan(CHARGES, at=pinned.versions[CHARGES.name])
    bill = bill.filter(bill.x_ChargeDay >= window.start, bill.x_ChargeDay < window.end)
    ((billed_until,),) = rows_of(bill.aggregate(end=bill.BillingPeriodEnd.max()))
    final = max(end, billed_until or end) + timedelta(days=DAYS_UNTIL_FINAL)
    if final > now:
        moment = f"{final:%Y-%m-%d %H:%M} UTC"
        yield _against(
            "The bills of %(month)s may still change: they are final from %(moment)s on.", month=month, moment=moment
        )


def _not_published(pinned: Publication) -> Iterator[Objection]:
    changed = [table.name for table in (CHARGES, ALLOCATED) if lake.version(table) != pinned.versions[table.name]]
    if changed:
        told = ", ".join(changed)
        text = "Publication %(number)s lacks the newest %(tables)s: run `manage.py fill` first."
        yield _against(text, number=pinned.number, tables=told)


def _missing_days(month: str, window: Window, pinned: Publication) -> Iterator[Objection]:
    """Days a source left out, if it charges on most days, of this month or the one before; sources that charged the
    month before and now do not; a first month of which most days have no charges at all."""
    months = (f"{window.start - timedelta(days=1):%Y-%m}", month)
    version = pinned.versions[RECONCILIATION_MART.name]
    files = [file for file in lake.files(RECONCILIATION_MART, at=version) if file.partition["month"] in months]
    rows = lake.scan(RECONCILIATION_MART, only=files)
    days: dict[str, dict[str, set[date]]] = {name: defaultdict(set) for name in months}
    for source, day in rows_of(rows.select("source", "day").distinct()):
        days[f"{day:%Y-%m}"][source].add(day)
    for source in sorted(days[months[0]].keys() - days[month].keys()):
        text = "Source %(source)s charged in %(before)s and has no charges in %(month)s: see whether its bill arrived."
        yield _against(text, source=source, before=months[0], month=month)
    all_days = set(window.days())
    for source, charged in sorted(days[month].items()):
        missing = sorted(all_days - charged)
        if missing and 2 * max(len(charged), len(days[months[0]].get(source, ()))) >= len(all_days):
            told = ", ".join([*(str(day) for day in missing[:5]), *(["…"] if len(missing) > 5 else [])])
            yield _against(
                "Source %(source)s has no charges on %(days)s: is its bill complete?", source=source, days=told
            )
    known = all_days & set().union(*days[month].values())
    if not days[months[0]] and 2 * len(known) < len(all_days):
        text = "There are charges on %(known)s of %(all)s days of %(month)s: is this first month complete?"
        yield _against(text, known=len(known), all=len(all_days), month=month)


def _not_arrived(window: Window, now: datetime) -> Iterator[Objection]:
    _, end = window.hours(ZoneInfo(settings.COSTOPS_TIME_ZONE))
    for source in Source.objects.filter(is_active=True, kind__in=kinds.BILLS).order_by("name"):
        waiting = source.files.filter(state__in=(LandedFile.State.LANDED, LandedFile.State.HELD)).count()
        if waiting:
            text = "Source %(source)s: %(files)s files are held back or not read yet; see the page Quality."
            yield _against(text, source=source.name, files=waiting)
        curve = arrivals_of(source, now).curve
        share = curve.expected((now - end).total_seconds() / 3600) if curve else 1.0
        if share < COMPLETE:
            text = "Source %(source)s: usually %(share)s of the last day's cost has arrived by now."
            yield _against(text, source=source.name, share=f"{share:.0%}")


def _disputed(month: str, window: Window) -> Iterator[Objection]:
    """Disputes of the month that nobody answered, or that were accepted and not settled."""
    waiting = Dispute.objects.filter(state__in=WAITING).order_by("pk")
    first, end = str(window.start), str(window.end)
    found = [str(one.pk) for one in waiting if one.cell["start"] < end and one.cell["end"] > first]
    if found:
        text = "Disputes about %(month)s are not settled: %(numbers)s; see the page Disputes."
        yield _against(text, month=month, numbers=", ".join(found))


def _without_rates(month: str, window: Window) -> Iterator[Objection]:
    """Closing locks the rates of the month: what is missing then could never be added."""
    if gap := first_gap(window):
        text = "The rates of %(month)s are incomplete: none from %(source)s to %(target)s on %(day)s; import it."
        yield _against(text, month=month, **dict(zip(("source", "target", "day"), gap, strict=True)))
