"""The page of the four costs side by side: what discounts and amortisation make of list prices."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.books.bases import Bases, bases, without_list
from apps.dashboards import naming
from apps.dashboards.asking import Asked
from apps.dashboards.lines import Key, Name
from apps.dashboards.selectors import Choice, choices, compared, in_currency
from apps.marts.query import PublicationFacts
from apps.rates.selectors import UsedRate

MOST_LINES = 100


@dataclass(frozen=True)
class BasesLine:
    """One team or service in the four costs."""

    name: Name
    costs: Bases


@dataclass(frozen=True)
class BasesTable:
    """Teams or services, the largest first; `more` are left out, and in the CSV."""

    title: str
    column: str
    lines: tuple[BasesLine, ...]
    more: int
    csv_url: str


@dataclass(frozen=True)
class BasesPage:
    """What the page shows; `total` is None where nothing costs anything, `without_list` where all has list prices."""

    asked: Asked
    facts: PublicationFacts
    currencies: tuple[Choice, ...]
    rates: tuple[UsedRate, ...]
    total: Bases | None
    without_list: Decimal | None
    tables: tuple[BasesTable, ...]


def page(asked: Asked) -> BasesPage:
    """The four costs of a period, in all, by team and by service, in one currency."""
    asked, answered, earlier = compared(asked, "team")
    whole = bases(asked.query())
    return BasesPage(
        asked=asked,
        facts=whole.publication,
        currencies=choices(asked, answered, earlier),
        rates=whole.rates,
        total=next((one for one in whole.totals if one.currency == asked.currency), None),
        without_list=without_list(asked.query()).get(asked.currency),
        tables=(
            _table(asked, "team", _("Teams"), _("Team"), naming.team_namer(asked, naming.directory())),
            _table(asked, "service", _("Services"), _("Service"), naming.plain_namer("service")),
        ),
    )


def _table(asked: Asked, by: str, title: str, column: str, name: Callable[[Key], Name]) -> BasesTable:
    found = [one for one in bases(asked.query(by)).rows if one.currency == asked.currency]
    found.sort(key=lambda one: (-abs(one.effective_cost), one.key))
    params = {"group_by": by, "start": asked.window.start, "end": asked.window.end, "as_of": asked.publication}
    params |= in_currency(asked)
    return BasesTable(
        title=title,
        column=column,
        lines=tuple(BasesLine(name(one.key), one) for one in found[:MOST_LINES]),
        more=max(0, len(found) - MOST_LINES),
        csv_url=f"{reverse('api-bases')}?{urlencode(params | {'format': 'csv'})}",
    )
