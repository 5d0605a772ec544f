"""What a page is asked: a period and the one before it, a cost basis, a currency, a publication and a viewer."""

from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.finops.periods import Published
from apps.finops.windows import ONE_DAY, Window
from apps.marts.query import CostQuery, Scope

PERIODS = {
    "month": _("This month"),
    "last-month": _("Last month"),
    "7": _("7 days"),
    "30": _("30 days"),
    "90": _("90 days"),
    "custom": _("Custom"),
}
DEFAULT_PERIOD = "30"
CONVERTED = "in-"
"""Before a currency in an address: all amounts, converted to it."""
DEFAULT_METRIC = "effective_cost"
METRICS = {
    "effective_cost": _("Effective cost"),
    "billed_cost": _("Billed cost"),
    "list_cost": _("List cost"),
    "contracted_cost": _("Contracted cost"),
}


@dataclass(frozen=True)
class Asked:
    """`currency` is empty until `settled`; `pinned`: the viewer chose the publication, rather than the newest.

    `first_day` is the first day published: what lies before it is unknown, not zero; so is what comes after the days
    that came, the last before `came_until`, those from `whole_until` on in part. `reporting` is the currency that all
    amounts are converted to, if any; it is the `currency` then. `names_currency`: the address names it.
    """

    period: str
    window: Window
    before: Window
    metric: str
    currency: str
    publication: int
    pinned: bool
    scope: Scope
    first_day: date
    came_until: date
    whole_until: date
    reporting: str = ""
    names_currency: bool = False

    def query(self, *groups: str, **filters: str) -> CostQuery:
        """The question of the period, grouped and narrowed."""
        question = CostQuery(
            start=self.window.start,
            end=self.window.end,
            metric=self.metric,
            group_by=groups,
            as_of=self.publication,
            scope=self.scope,
            currency=self.reporting or None,
        )
        return question.narrowed(**filters)

    @property
    def earlier(self) -> "Asked":
        """The same about the period before."""
        return replace(self, window=self.before)

    @property
    def published(self) -> Published:
        return Published(self.first_day, self.whole_until, self.came_until)

    @property
    def came(self) -> Window | None:
        """The days of the period that are published, and have come; they are compared. None where there are none."""
        return self.published.part_of(self.window)

    @property
    def came_in_part(self) -> Window | None:
        """The days of the period that came, where a bill is late on every one of them: none is compared, then."""
        return self.published.came_in_part(self.window)

    @property
    def why_none_came(self) -> Promise:
        """Why no day of it is compared, where `came` has none."""
        if self.came_in_part:
            return _("a bill is late on every day of this period")
        return _("no day of this period is published")

    @property
    def ahead(self) -> "Asked | None":
        """The same about the days of the period that have not come, or are not compared; None where all are."""
        known = Published(self.first_day, self.came_until) if self.came_in_part else self.published
        days = known.ahead_in(self.window)
        return None if days is None else replace(self, window=days)

    @property
    def is_comparable(self) -> bool:
        """Whether some of the period and the whole period before are published; a part of it would pass for a rise."""
        return self.published.compared(self.window, self.before) is not None

    @property
    def days_known(self) -> int:
        """How many days of the period are published, at least one; a mean over others would be too low."""
        days = self.came or self.came_in_part
        return (days.end - days.start).days if days else 1

    def settled(self, currency: str) -> "Asked":
        return replace(self, currency=currency)

    @property
    def as_billed(self) -> "Asked":
        """The same with every amount in its own currency."""
        return replace(self, reporting="")

    def converted(self, currency: str) -> "Asked":
        """The same with every amount in one currency."""
        return replace(self, currency=currency, reporting=currency)

    @property
    def alone(self) -> "Asked":
        """The same where the period before is not known."""
        return replace(self, first_day=max(self.first_day, self.window.start))

    @property
    def currency_choice(self) -> str:
        """The currency as an address names it."""
        return f"{CONVERTED}{self.reporting}" if self.reporting else self.currency

    @property
    def last_day(self) -> date:
        return self.window.end - ONE_DAY

    @property
    def before_last_day(self) -> date:
        return self.before.end - ONE_DAY

    @property
    def came_last_day(self) -> date | None:
        """The last day that came, where others of the period have not; None where all or none have."""
        return self.came.end - ONE_DAY if self.came and self.came.end < self.window.end else None

    @property
    def published_last_day(self) -> date:
        return self.whole_until - ONE_DAY

    @property
    def grain(self) -> str:
        """The time step that a figure of this window can show: at most some hundred of them."""
        days = (self.window.end - self.window.start).days
        return "day" if days <= 100 else "week" if days <= 730 else "month"

    def params(self, **changed: str) -> str:
        """This question as the query string of a page; what is the default is left out."""
        chosen = {"period": self.period, "metric": self.metric, "currency": self.currency_choice}
        if self.period == "custom":
            chosen |= {"start": self.window.start.isoformat(), "last": self.last_day.isoformat()}
        if self.pinned:
            chosen["publication"] = str(self.publication)
        chosen |= changed
        defaults = {"period": DEFAULT_PERIOD, "metric": DEFAULT_METRIC, "currency": ""}
        return urlencode({name: value for name, value in chosen.items() if value != defaults.get(name)})

    def figure_params(self) -> str:
        """The same for a figure: every day and the publication named, so that page and figure cannot differ."""
        return urlencode(
            {
                "period": "custom",
                "start": self.window.start.isoformat(),
                "last": self.last_day.isoformat(),
                "metric": self.metric,
                "currency": self.currency_choice,
                "publication": str(self.publication),
            }
        )
