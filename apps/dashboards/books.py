"""The reconciliation: what was charged, what was allocated of it, and the difference, which is zero."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import pandas as pd
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.charts import colours, figures
from apps.dashboards import words
from apps.dashboards.trends import DAY_FORMAT, FigureLink
from apps.finops.tables import KINDS
from apps.finops.windows import ONE_DAY
from apps.marts import selectors as marts
from apps.marts.models import Publication
from apps.marts.query import PublicationFacts
from apps.marts.reconciling import ReconciliationRow, reconciliation


@dataclass(frozen=True)
class BookRow:
    """One row of the page; `url` leads to its days, `kinds` are the costs of the kinds that are shown."""

    row: ReconciliationRow
    url: str
    kinds: tuple[Decimal, ...]


@dataclass(frozen=True)
class Books:
    """What the page shows: the largest difference anywhere, and the rows."""

    facts: PublicationFacts
    difference: Decimal
    rows: tuple[BookRow, ...]
    kinds: tuple[str, ...]

    @property
    def is_even(self) -> bool:
        return self.difference == 0


def books(publication: int | None, params: str) -> Books:
    """Every source, billing month and currency."""
    facts, rows = reconciliation(as_of=publication, by_day=False)
    return _books(facts, rows, lambda row: f"{_days_path(row)}?{params}" if params else _days_path(row))


def _days_path(row: ReconciliationRow) -> str:
    return reverse("reconciliation-days", args=[row.source, row.billing_month, row.currency])


def days(publication: int | None, source: str, billing_month: str, currency: str) -> Books:
    """The days of one source, billing month and currency."""
    facts, rows = reconciliation(as_of=publication, source=source, billing_month=billing_month)
    return _books(facts, [row for row in rows if row.currency == currency], lambda _row: "")


def _books(facts: PublicationFacts, rows: list[ReconciliationRow], url: Callable[[ReconciliationRow], str]) -> Books:
    shown = _shown(rows)
    return Books(
        facts=facts,
        difference=max((row.difference for row in rows), default=Decimal(0)),
        rows=tuple(BookRow(row, url(row), tuple(getattr(row, kind) for kind in shown)) for row in rows),
        kinds=tuple(str(words.KINDS[kind]) for kind in shown),
    )


def _shown(rows: list[ReconciliationRow]) -> list[str]:
    """The kinds worth a column: idle cost is shared only where a policy says so."""
    return [kind for kind in KINDS if kind != "shared_idle" or any(row.shared_idle for row in rows)]


def figure_link(found: Books, source: str, billing_month: str, currency: str) -> FigureLink:
    """The figure of the days: how each day's charges divide into kinds."""
    path = reverse("figure-reconciliation", args=[source, billing_month, currency])
    return FigureLink(
        id="figure-days",
        url=f"{path}?publication={found.facts.number}",
        title=_("Charges per day by kind"),
        unit=currency,
        summary=_("Each bar is one day's charges; the parts add up to what was charged."),
    )


def figure(publication: int | None, source: str, billing_month: str, currency: str) -> figures.Figure:
    """Effective cost per day by kind, as reconciled."""
    told = [book.row for book in days(publication, source, billing_month, currency).rows]
    shown = _shown(told)
    rows = [(row.day, kind, float(getattr(row, kind))) for row in told for kind in shown]
    bands = [
        figures.Band(kind, str(words.KINDS[kind]), colours.KINDS[kind], colours.KIND_PATTERNS.get(kind, ""))
        for kind in shown
    ]
    frame = pd.DataFrame(rows, columns=["time", "band", "cost"])
    return figures.cost_trend(frame, bands=bands, currency=currency, day_format=str(DAY_FORMAT["day"]))


@dataclass(frozen=True)
class PublicationRow:
    """One publication as the list shows it; `totals` pairs a currency with its effective cost."""

    number: int
    created_at: datetime
    status: str
    first_day: date | None
    last_day: date | None
    coverage: Decimal | None
    totals: tuple[tuple[str, Decimal], ...]


def published() -> list[PublicationRow]:
    """The newest publications first."""
    return [_publication_row(publication) for publication in marts.publications()]


def _publication_row(found: Publication) -> PublicationRow:
    observed, expected = found.observed_samples, found.expected_samples
    return PublicationRow(
        number=found.number,
        created_at=found.created_at,
        status=found.status,
        first_day=found.first_day,
        last_day=found.end_day - ONE_DAY if found.end_day else None,
        coverage=Decimal(observed) / Decimal(expected) if expected else None,
        totals=tuple(sorted((currency, _effective(total)) for currency, total in found.totals.items())),
    )


def _effective(total: object) -> Decimal:
    """A stored total: text, or text by cost basis."""
    return Decimal(str(total.get("effective_cost", 0) if isinstance(total, dict) else total))
