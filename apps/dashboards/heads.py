"""The head of a page of cost: six numbers, each with a line that says what it means and the page that tells it whole.

No number is computed here: each is what the page behind asks its own selectors.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.alerts import selectors as alerts
from apps.alerts.models import Alert
from apps.budgets import selectors as budgets
from apps.budgets.models import BudgetVersion
from apps.budgets.selectors import Standing
from apps.calendars.selectors import today
from apps.dashboards import selectors
from apps.dashboards.asking import DEFAULT_METRIC, Asked
from apps.dashboards.budget_words import sentence
from apps.dashboards.budgets import STATES
from apps.dashboards.forecasts import LandingCard
from apps.dashboards.lines import Line, Name, total_of
from apps.dashboards.templatetags import costs as written
from apps.finops.once import once
from apps.finops.periods import windows
from apps.insights.idle import selectors as idle
from apps.insights.models import IdleExclusion
from apps.marts.query import Scope
from apps.marts.selectors import CACHE_SECONDS, identity, publication
from apps.operations import selectors as operations
from apps.operations.models import Recommendation
from apps.operations.selectors import Reader
from apps.operations.states import OPEN
from apps.rates.selectors import MissingRate
from apps.savings import selectors as savings

FRESH_SECONDS = 60
"""So long a standing of budgets is believed: rates and calendars, which it also rests on, change without a number."""


@dataclass(frozen=True)
class Card:
    """One number of the head. Without `amount` and `text` it is not known yet, and `meaning` says why.

    `tone` is that of a tag; `beside` is a second thing to read on, with its address.
    """

    title: str
    url: str
    meaning: str
    amount: Decimal | None = None
    text: str = ""
    unit: str = ""
    tone: str = ""
    beside: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class About:
    """Whom a head is for, and of what: all that one may see, or one `team`."""

    asked: Asked
    reader: Reader
    now: datetime
    team: str = ""

    @property
    def narrowed(self) -> dict[str, str]:
        return {"team": self.team} if self.team else {}

    @cached_property
    def actions(self) -> list[Recommendation]:
        """What is to be decided or done, the most money first."""
        return operations.recommendations(self.reader, operations.Wanted(team=self.team))

    @cached_property
    def alerts(self) -> list[Alert]:
        """What asks for attention, the gravest first."""
        return alerts.alerts(self.reader, alerts.Wanted(team=self.team))

    def link(self, name: str, **params: str) -> str:
        """A page, narrowed to the team where the head is of one."""
        told = urlencode(self.narrowed | params)
        return f"{reverse(name)}?{told}" if told else reverse(name)


def head(about: About, landing: LandingCard | None) -> tuple[Card, ...]:
    """The cards. What is so now is not said beside costs of a publication somebody pinned."""
    cards = [_month(about), _landing(about, landing)]
    if not about.asked.pinned:
        cards += [_budget(about), _idle(about), _saved(about), _to_do(about)]
    return tuple(cards)


def _month(about: About) -> Card:
    """The month of the newest day, against the same days of the month before; not known for want of a rate."""
    try:
        return _known_month(about)
    except MissingRate as missing:
        told = {"source": missing.source, "target": missing.target, "day": written.day(missing.day)}
        why = _("There is no rate from %(source)s to %(target)s on %(day)s.") % told
        where = reverse("team", args=[about.team]) if about.team else reverse("overview")
        return Card(_("Month to date"), f"{where}?period=month", why)


def _known_month(about: About) -> Card:
    asked = about.asked
    end = publication(asked.publication).came_until or asked.window.end
    window, before = windows("month", end=end)
    before = asked.published.beside(window, before)
    month = replace(asked, period="month", window=window, before=before, metric=DEFAULT_METRIC)
    if not asked.reporting and not asked.names_currency:
        month = month.settled("")  # what the period was settled on may not occur in the month
    settled, answered, earlier = selectors.compared(month, **about.narrowed)
    if not month.currency and answered.totals:
        settled = settled.settled(min(answered.totals))
    was = selectors.before_of(earlier, settled)
    line = Line(
        Name(""),
        cost=total_of(selectors.amounts(answered, settled).values()),
        before=None if was is None else total_of(was.values()),
        ahead=total_of(selectors.ahead_of(settled, **about.narrowed).values()),
    )
    where = reverse("team", args=[about.team]) if about.team else reverse("overview")
    until = _("until %(day)s") % {"day": written.day(settled.last_day)}
    days, days_before = ((one.end - one.start).days for one in (settled.came or window, before))
    facts = {"share": written.change_percent(line.change_share), "days": days, "before": days_before}
    if days == days_before:
        compared = _("%(share)s against the same days of the month before") % facts
    else:  # the month before is over by then
        compared = _("%(share)s in %(days)s days against all %(before)s of the month before") % facts
    if settled.came_last_day:  # a bill is late
        told = {"compared": compared, "day": written.day(settled.came_last_day)}
        compared = _("%(compared)s, compared until %(day)s") % told
    return Card(
        title=_("Month to date"),
        url=f"{where}?{settled.params(metric=DEFAULT_METRIC)}",
        meaning=until if line.before is None else _(", ").join((until, compared)),
        amount=line.cost if settled.currency else None,
        text="" if settled.currency else _("No cost"),
        unit=settled.currency,
    )


def _landing(about: About, landing: LandingCard | None) -> Card:
    if landing is None:
        why = _("There is no forecast of this yet.")
        return Card(_("Lands at"), about.link("forecasts"), why)
    one = landing.landing
    meaning = _("in 80 of 100 cases %(low)s to %(high)s") % {
        "low": written.money(one.low_80), "high": written.money(one.high_80),
    }  # fmt: skip
    if landing.is_partial:
        meaning = f"{meaning}; {_('Only what is billed in this currency: forecasts are not converted.')}"
    return Card(f"{one.title} {one.period}", landing.url, meaning, amount=one.mean, unit=landing.currency)


def standings(about: About) -> tuple[Standing, ...]:
    """How budgets stand, as their page tells it; of a team, those that are of it."""
    asked = about.asked
    newest = once(("newest budget",), lambda: BudgetVersion.objects.aggregate(newest=Max("pk"))["newest"])
    key = ("budgets", identity(publication(asked.publication)), newest, today(about.now), _named(asked.scope))
    found: tuple[Standing, ...] = _remembered(
        key, FRESH_SECONDS, lambda: budgets.standings(now=about.now, teams=asked.scope.teams)
    )
    if not about.team:
        return found
    return tuple(one for one in found if (one.dimension, one.value) == ("team", about.team))


def _budget(about: About) -> Card:
    found = standings(about)
    title, url = _("Budgets"), reverse("budgets")
    if not found:
        return Card(title, url, _("There is no budget of this."))
    if about.team and len(found) == 1:
        (one,) = found
        return _one_budget(one)
    counts = {state: sum(one.state == state for one in found) for state in STATES}
    told = [f"{STATES[state][0]} {count}" for state, count in counts.items() if count]
    worst = next(state for state in STATES if counts[state])
    troubled = counts["exceeded"] + counts["at_risk"]
    return Card(
        title, url, _(", ").join(told), text=f"{troubled}", tone=STATES[worst][1],
        unit=_("of %(n)d exceeded or at risk") % {"n": len(found)},
    )  # fmt: skip


def _one_budget(one: Standing) -> Card:
    words, tone = STATES[one.state]
    spent = one.spent if one.spent_until is not None and one.amount > 0 else None
    return Card(
        title=_("Budget: %(state)s") % {"state": words},
        url=one.link,
        meaning=sentence(one),
        text="" if spent is None else written.percent(spent / one.amount * 100),
        unit=_("of %(amount)s %(currency)s") % {"amount": written.money(one.amount), "currency": one.currency},
        tone=tone,
    )


def _idle(about: About) -> Card:
    url, title = about.link("idle"), _("Idle a month")
    if not idle.is_any():
        return Card(title, url, _("Nothing was looked through for what is idle yet."))
    run, day = idle.newest_run(), today(about.now)
    newest = IdleExclusion.objects.aggregate(newest=Max("pk"))["newest"]
    key = ("idle", run.pk, run.publication, newest, day, _named(about.asked.scope), about.team)

    def asked() -> tuple[dict[str, Decimal], dict[str, Decimal], int]:
        found = idle.listed(run, about.asked.scope, day=day, team=about.team)
        return idle.totals(found), idle.totals(one for one in found if one.state == "safe"), len(found)

    totals, safe, count = _remembered(key, CACHE_SECONDS, asked)
    amount, unit, others = _in_currency(totals, about.asked.currency)
    found = ngettext("%(n)d finding", "%(n)d findings", count) % {"n": count}
    may_stop = _("%(amount)s safe to stop") % {"amount": _written(safe)} if safe else ""
    return Card(title, url, _joined(found, may_stop, others), amount=amount, unit=unit)


def _saved(about: About) -> Card:
    """What was verified of savings; what is only promised is not counted."""
    found = savings.entries(about.reader, team=about.team)
    totals = savings.verified_per_month(found)
    verified = sum(one.verified_per_month is not None for one in found)
    day = today(about.now)
    measured = sum(one.one.state == savings.State.STATED and one.one.start <= day for one in found)
    waiting = ngettext("%(n)d more is being measured", "%(n)d more are being measured", measured) % {"n": measured}
    title, url = _("Verified savings a month"), reverse("savings")
    if not verified:
        return Card(title, url, waiting if measured else _("No saving was verified yet."))
    amount, unit, others = _in_currency(totals, about.asked.currency)
    told = ngettext("of %(n)d initiative", "of %(n)d initiatives", verified) % {"n": verified}
    return Card(title, url, _joined(told, waiting if measured else "", others), amount=amount, unit=unit)


def _to_do(about: About) -> Card:
    """What is to be decided or done, and what asks for attention beside it."""
    found, at_hand = about.actions, about.alerts
    day = today(about.now)
    overdue = sum(one.state in OPEN and one.due < day for one in found)
    critical = sum(one.severity == "critical" for one in at_hand)
    told = ngettext("%(n)d alert", "%(n)d alerts", len(at_hand)) % {"n": len(at_hand)}
    if critical:
        told += ngettext(", %(n)d critical", ", %(n)d critical", critical) % {"n": critical}
    return Card(
        title=_("Open actions"),
        url=about.link("recommendations"),
        meaning=ngettext("%(n)d overdue", "%(n)d overdue", overdue) % {"n": overdue},
        text=written.count(len(found)),
        tone="error" if critical else "warning" if overdue else "",
        beside=(told, about.link("alerts")),
    )


def _in_currency(totals: Mapping[str, Decimal], wanted: str) -> tuple[Decimal, str, str]:
    """The amount in the currency of the page, else in the first there is, its currency, and the rest in words."""
    currency = wanted if wanted in totals else next(iter(totals), wanted)
    rest = {other: amount for other, amount in totals.items() if other != currency}
    others = _("and %(amounts)s") % {"amounts": _written(rest)} if rest else ""
    return totals.get(currency, Decimal(0)), currency, others


def _written(totals: Mapping[str, Decimal]) -> str:
    return _(", ").join(f"{written.money(amount)} {written.plain(currency)}" for currency, amount in totals.items())


def _joined(*parts: str) -> str:
    return _(", ").join(part for part in parts if part)


def _named(scope: Scope) -> Iterable[str] | None:
    return None if scope.teams is None else sorted(scope.teams)


def _remembered(key: tuple[Any, ...], seconds: int, make: Callable[[], Any]) -> Any:
    """What was made for the same key before, or made now."""
    name = f"head:{hashlib.sha256(repr(key).encode()).hexdigest()}"
    found = cache.get(name)
    if found is None:
        found = make()
        cache.set(name, found, seconds)
    return found
