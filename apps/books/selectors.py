"""Reading the books: closed months, the month to close next, and adjusting entries still to be booked."""

from datetime import date
from decimal import Decimal

from apps.books import manual
from apps.books.changes import ChangeQuery, in_every_basis, month_window
from apps.books.models import Close, TrailEntry
from apps.books.statement import KEY, Entry, cost_rows, entry
from apps.finops.errors import CostOpsError
from apps.finops.money import add_up
from apps.finops.tables import COST_MART
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.selectors import publication
from apps.warehouse import lake

_DAWN = date(1970, 1, 1)


class NotClosed(CostOpsError):
    """The month is not closed, so there is no statement of it."""


def closes() -> list[Close]:
    """Every closed month, the earliest first."""
    return list(Close.objects.select_related("publication").order_by("number"))


def close_of(month: str) -> Close:
    """The close of a month."""
    month_window(month)
    found = Close.objects.select_related("publication").filter(month=month).first()
    if found is None:
        raise NotClosed(f"{month} is not closed. `manage.py close list` shows what is.")
    return found


def last_close() -> Close | None:
    return Close.objects.select_related("publication").order_by("-number").first()


def trail(limit: int = 200) -> list[TrailEntry]:
    """What was done to the books, the newest first."""
    return list(TrailEntry.objects.order_by("-pk")[:limit])


def months_of(pinned: Publication) -> list[str]:
    """The months a publication holds cost of."""
    version = pinned.versions.get(COST_MART.name)
    return (
        sorted({file.partition["month"] for file in lake.files(COST_MART, at=version)}) if version is not None else []
    )


def next_month(pinned: Publication) -> str | None:
    """The month to close next: the earliest with cost that is not closed."""
    last = last_close()
    return next((month for month in months_of(pinned) if last is None or month > last.month), None)


def adjustments(month: str, before: Publication, after: Publication) -> list[Entry]:
    """The adjusting entries of a month: what `after` says otherwise than `before` of all earlier months, by class."""
    until = month_window(month).start
    if before.number == after.number:
        return []
    query = ChangeQuery(
        before.number, after.number, group_by=("month", "class", *KEY[:-1]), window=Window(_DAWN, until)
    )
    found = []
    for original, kind, team, source, service, cost_kind, currency, *costs in in_every_basis(query):
        found.append(entry(month, original, kind, (team, source, service, cost_kind, currency), costs))
    return found


def open_month(pinned: Publication) -> str | None:
    """The month that entries are booked in: the one to close next, else the one after the last that is closed."""
    last = last_close()
    return next_month(pinned) or (f"{month_window(last.month).end:%Y-%m}" if last else None)


def pending() -> list[Entry]:
    """The adjusting entries the open month will book, as of the newest publication: what changed of closed months, and
    what people booked."""
    last, waiting = last_close(), list(manual.waiting())
    if last is None and not waiting:
        return []
    pinned = publication()
    month = (f"{month_window(last.month).end:%Y-%m}" if last else open_month(pinned)) or ""
    changed = adjustments(month, last.publication, pinned) if last else []
    return [*changed, *manual.rows(waiting, month)]


def moved(before: Publication, after: Publication, until: date) -> dict[tuple[str, ...], tuple[Decimal, ...]]:
    """What two publications say differently of the months before a day, by original month and KEY: from their marts
    alone, whatever the classes say."""
    months = {month for pinned in (before, after) for month in months_of(pinned) if month < f"{until:%Y-%m}"}
    found: dict[tuple[str, ...], tuple[Decimal, ...]] = {}
    for month in sorted(months):
        old, new = cost_rows(before, month), cost_rows(after, month)
        zeros = (Decimal(0),) * 4
        for key in old.keys() | new.keys():
            costs = tuple(
                add_up([b, a.copy_negate()]) for a, b in zip(old.get(key, zeros), new.get(key, zeros), strict=True)
            )
            if any(costs):
                found[month, *key] = costs
    return found
