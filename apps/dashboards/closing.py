"""Closed months as a page shows them: what is closed, what comes next, and what the open month will adjust."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.books import readiness, selectors, statement
from apps.books.changes import month_window
from apps.books.models import Close
from apps.charts.labels import plain
from apps.dashboards import naming, trails
from apps.dashboards.cells import link
from apps.dashboards.changes import TITLES
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.selectors import publication

ACTIONS: dict[str, Promise] = {
    "closed": gettext_lazy("closed"),
    "forced to close": gettext_lazy("forced to close"),
    "refused to close": gettext_lazy("refused to close"),
    "verified": gettext_lazy("verified"),
    "imported invoices": gettext_lazy("imported invoices"),
    "booked an entry": gettext_lazy("booked an entry"),
    "opened": gettext_lazy("opened"),
    "commented": gettext_lazy("commented on"),
    "accepted": gettext_lazy("accepted"),
    "rejected": gettext_lazy("rejected"),
    "settled": gettext_lazy("settled"),
    "withdrew": gettext_lazy("withdrew"),
}
CLASSES = TITLES | {"manual": gettext_lazy("Booked by hand"), "disputed": gettext_lazy("Disputed")}
MOST_ENTRIES = 200
TRAIL = 50
Totals = tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class ClosedMonth:
    """One closed month: its statement's effective cost by currency, what of it is its own (each with the address that
    explains it), and what adjusts earlier months or was booked by hand; `changes` leads to why they changed."""

    close: Close
    totals: Totals
    own: tuple[tuple[str, Decimal, str], ...]
    adjusted: Totals
    changes: str


@dataclass(frozen=True)
class EntryRow:
    """One adjusting entry."""

    original_month: str
    kind: str
    team: str
    service: str
    currency: str
    amount: Decimal


@dataclass(frozen=True)
class ClosingPage:
    """The page; `next_month` is None when nothing is left to close, `objections` speak against closing it."""

    closed: tuple[ClosedMonth, ...]
    next_month: str | None
    objections: tuple[str, ...]
    publication: Publication
    entries: tuple[EntryRow, ...]
    more: int
    pending: Totals
    trail: tuple[trails.Step, ...]


def page(now: datetime) -> ClosingPage:
    """Everything about closing months."""
    pinned = publication()
    month = selectors.next_month(pinned)
    against = readiness.objections(month, month_window(month), pinned, now) if month else []
    pending = selectors.pending()
    teams = naming.directory()
    entries = sorted((_entry(row, teams) for row in pending), key=lambda row: -abs(row.amount))
    return ClosingPage(
        closed=tuple(reversed(_all_closed())),
        next_month=month,
        objections=tuple(_(one.text) % one.values for one in against),
        publication=pinned,
        entries=tuple(entries[:MOST_ENTRIES]),
        more=max(0, len(entries) - MOST_ENTRIES),
        pending=_totals(pending),
        trail=trails.steps(selectors.trail(TRAIL), ACTIONS),
    )


def _all_closed() -> list[ClosedMonth]:
    closes = selectors.closes()
    return [_closed(one, before) for one, before in zip(closes, [None, *closes], strict=False)]


def _closed(close: Close, before: Close | None) -> ClosedMonth:
    told = statement.rows(close)
    own = statement.totals(row for row in told if not row["class"])
    numbers = {"from": before.publication.number, "to": close.publication.number} if before else {}
    return ClosedMonth(
        close,
        _totals(told),
        tuple((currency, total, _explanation(close, currency)) for currency, total in sorted(own.items())),
        _totals(close.entries),
        f"{reverse('changes')}?{urlencode(numbers)}" if numbers else "",
    )


def _explanation(close: Close, currency: str) -> str:
    window = month_window(close.month)
    filters = (("currency", (currency,)),)
    return link(CostQuery(window.start, window.end, as_of=close.publication.number, filters=filters))


def _totals(rows: list[statement.Entry]) -> Totals:
    return tuple(sorted(statement.totals(rows).items()))


def _entry(row: statement.Entry, teams: naming.Directory) -> EntryRow:
    return EntryRow(
        original_month=row["original_month"],
        kind=str(CLASSES[row["class"]]),
        team=plain(teams.title(row["team"])),
        service=plain(naming.called("service", row["service"])),
        currency=row["currency"],
        amount=Decimal(row["effective_cost"]),
    )
