"""What finance and management are told beyond the week: tie-out, restatements, disputes, savings, what to decide."""

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.books.changes import month_window
from apps.books.disputes import WAITING, disputes
from apps.books.invoices import Sums, sums, tie_out
from apps.books.models import Dispute
from apps.books.readiness import Objection, objections
from apps.books.selectors import next_month
from apps.finops.money import add_up, less
from apps.finops.tables import CHARGES
from apps.ingest.changes import changes_of
from apps.ingest.models import Restatement
from apps.marts.models import Publication
from apps.marts.query import EVERYTHING
from apps.marts.reconciling import reconciliation
from apps.marts.selectors import publication
from apps.operations.models import Recommendation
from apps.operations.overlaps import promise
from apps.operations.selectors import Wanted, of_everybody
from apps.reports.outlook import Landing, landings_of_teams
from apps.reports.selectors import CurrencyWeek, Part, WeeklyReport
from apps.reports.weeks import Week
from apps.savings.selectors import STEPS, ways
from apps.teams.models import UNALLOCATED
from apps.teams.selectors import team_titles

MOVERS = 5
TO_DECIDE = 3
State = Recommendation.State


@dataclass(frozen=True)
class TieOut:
    """Whether what was allocated is what was charged, by currency; invoices beside their charges; and what speaks
    against closing the `month` to close next."""

    reconciled: tuple[tuple[str, Decimal, Decimal, Decimal], ...]
    invoices: tuple[Sums, ...]
    month: str
    against: tuple[Objection, ...]


@dataclass(frozen=True)
class Restated:
    """What new issues of a billing month changed, read in the week or since."""

    source: str
    billing_month: str
    at: datetime
    currency: str
    change: Decimal


@dataclass(frozen=True)
class Books:
    """What finance answers for."""

    tie_out: TieOut
    restated: tuple[Restated, ...]
    disputed: tuple[Dispute, ...]
    landings: dict[tuple[str, str], Landing]
    titles: dict[str, str]


@dataclass(frozen=True)
class Summary:
    """What management is told: the teams that moved most by currency, savings by stage, and what to decide."""

    movers: dict[str, tuple[Part, ...]]
    stages: tuple[tuple[str, dict[str, Decimal]], ...]
    to_decide: tuple[Recommendation, ...]
    titles: dict[str, str]


def books(report: WeeklyReport, *, now: datetime) -> Books:
    """The books as of the publication of a report."""
    pinned = publication(report.publication.number)
    return Books(
        tie_out=_tie_out(pinned, now),
        restated=_restated(report.week),
        disputed=tuple(disputes(EVERYTHING).filter(state__in=WAITING)),
        landings=landings_of_teams(report.query),
        titles=team_titles(),
    )


def summary(report: WeeklyReport) -> Summary:
    """The week of a company on one page."""
    return Summary(
        movers={week.currency: _movers(week) for week in report.currencies},
        stages=_stages(),
        to_decide=tuple(_to_decide()),
        titles=team_titles(),
    )


def unallocated(week: CurrencyWeek) -> Decimal:
    """What of a week no rule gives to a team."""
    return add_up(part.amount for part in week.largest if part.name == UNALLOCATED)


def _tie_out(pinned: Publication, now: datetime) -> TieOut:
    _facts, rows = reconciliation(as_of=pinned.number, by_day=False)
    month = next_month(pinned) or ""
    has_charges = CHARGES.name in pinned.versions
    return TieOut(
        reconciled=tuple(
            (
                currency,
                add_up(row.charged for row in rows if row.currency == currency),
                add_up(row.allocated for row in rows if row.currency == currency),
                max(row.difference for row in rows if row.currency == currency),
            )
            for currency in sorted({row.currency for row in rows})
        ),
        invoices=tuple(sums(tie_out(pinned))) if has_charges else (),
        month=month,
        against=tuple(objections(month, month_window(month), pinned, now)) if month else (),
    )


def _restated(week: Week) -> tuple[Restated, ...]:
    begin = datetime.combine(week.start, time(), ZoneInfo(settings.COSTOPS_TIME_ZONE))
    found = []
    for one in Restatement.objects.filter(at__gte=begin).select_related("source").order_by("-pk"):
        cells = changes_of(one)
        for currency in sorted({cell.currency for cell in cells}):
            moved = add_up(
                less(cell.effective_after, cell.effective_before) for cell in cells if cell.currency == currency
            )
            found.append(Restated(one.source.name, one.billing_month, one.at, currency, moved))
    return tuple(found)


def _movers(week: CurrencyWeek) -> tuple[Part, ...]:
    """The teams whose cost changed most, in either direction; none where the week before is not known."""
    moved = [(abs(part.change), part) for part in week.largest if part.change]
    return tuple(part for _change, part in sorted(moved, key=lambda one: (-one[0], one[1].name))[:MOVERS])


def _stages() -> tuple[tuple[str, dict[str, Decimal]], ...]:
    """The way from found to verified, as the ledger of savings tells it."""
    found = ways(None)
    return tuple((step, {way.currency: getattr(way, step) for way in found}) for step in STEPS)


def _to_decide() -> list[Recommendation]:
    """What would save most of what nobody has decided about, one of each team first."""
    open_ones = [one for one in of_everybody(Wanted()) if one.state in (State.FOUND, State.ASSIGNED)]
    promised = promise(open_ones)
    counted = [one for one in open_ones if not promised.is_left_out(one)]
    first = {one.team: one for one in reversed(counted)}
    best = [one for one in counted if first[one.team] is one]
    return (best + [one for one in counted if first[one.team] is not one])[:TO_DECIDE]
