"""Budgets as pages show them: how each stands, in bars and sentences, and one with its burn-down, past and history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.budgets import drafts, selectors
from apps.budgets.models import Budget, BudgetVersion
from apps.budgets.selectors import Standing, Whole
from apps.budgets.standing import Stand
from apps.calendars.periods import Period, period_of
from apps.calendars.selectors import today
from apps.dashboards import naming
from apps.dashboards.asking import METRICS
from apps.dashboards.budget_figures import figure_link
from apps.dashboards.budget_words import sentence
from apps.dashboards.forecasts import LEVELS
from apps.dashboards.trends import FigureLink
from apps.teams.approval import Actor
from apps.teams.organising import tree
from apps.teams.tree import KINDS as KINDS_OF_UNITS

STATES: dict[str, tuple[Promise, str]] = {
    "exceeded": (gettext_lazy("exceeded"), "error"),
    "at_risk": (gettext_lazy("at risk"), "warning"),
    "unknown": (gettext_lazy("unknown"), ""),
    "on_track": (gettext_lazy("on track"), "ok"),
}
"""The worst first: name → words, tone."""
GRAINS: dict[str, Promise] = {
    "month": gettext_lazy("Month"), "quarter": gettext_lazy("Quarter"), "year": gettext_lazy("Year"),
}  # fmt: skip
PROFILES: dict[str, Promise] = {
    "even": gettext_lazy("even by day"),
    "workdays": gettext_lazy("by working days"),
    "terms": gettext_lazy("by school terms: a day in a term weighs so many times another"),
    "last_year": gettext_lazy("as last year's same weeks"),
    "months": gettext_lazy("by the weights of twelve months"),
}
ROLLOVERS: dict[str, Promise] = {
    "none": gettext_lazy("nothing is carried on"),
    "unused": gettext_lazy("what is unused is carried on"),
    "overspent": gettext_lazy("what is overspent is carried on"),
    "both": gettext_lazy("both are carried on"),
}
DIMENSIONS: dict[str, Promise] = LEVELS | {
    "": LEVELS["total"], "provider": gettext_lazy("Provider"), "account": gettext_lazy("Account"),
    "sub_account": gettext_lazy("Sub-account"), "region": gettext_lazy("Region"),
    "node_pool": gettext_lazy("Node pool"), "namespace": gettext_lazy("Namespace"),
    "workload": gettext_lazy("Workload"), "source": gettext_lazy("Source"),
    "charge_category": gettext_lazy("Charge category"),
}  # fmt: skip
CHOICES = 13
"""So many periods to begin with are offered: this one, and those of a year of months."""
SPARE = Decimal("1.04")
"""A bar is a little wider than what it shows."""


@dataclass(frozen=True)
class Bar:
    """A standing as a bar 100 wide: where spent ends, the landing with its bounds, and the budget."""

    spent: str
    budget: str
    landing: str
    low: str
    width: str


@dataclass(frozen=True)
class Line:
    """A budget in the list."""

    standing: Standing
    of: str
    team: str
    state: str
    tone: str
    sentence: str
    share: Decimal | None
    bar: Bar


@dataclass(frozen=True)
class Form:
    """What a form offers; `given` is what is filled in."""

    dimensions: tuple[tuple[str, str], ...]
    grains: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, str], ...]
    profiles: tuple[tuple[str, str], ...]
    rollovers: tuple[tuple[str, str], ...]
    teams: tuple[tuple[str, str], ...]
    periods: tuple[tuple[str, str], ...]
    given: Mapping[str, str]


@dataclass(frozen=True)
class BudgetsPage:
    """The list, the worst first; `counts` are how many there are of every state, `ended` hold no longer."""

    lines: tuple[Line, ...]
    counts: tuple[tuple[str, str, str, int], ...]
    state: str
    ended: tuple[tuple[int, str], ...]
    form: Form | None


@dataclass(frozen=True)
class PastLine:
    """A period of the past, or the present one."""

    stand: Stand
    share: Decimal | None
    is_kept: bool | None


@dataclass(frozen=True)
class DecisionLine:
    """What was decided about a budget, in words."""

    version: BudgetVersion
    profile: str
    rollover: str
    team: str


@dataclass(frozen=True)
class BudgetPage:
    """One budget; `line` is None where it holds no longer."""

    budget: Budget
    of: str
    metric: str
    grain: str
    team: str
    line: Line | None
    figure: FigureLink | None
    past: tuple[PastLine, ...]
    decisions: tuple[DecisionLine, ...]
    form: Form | None


def page(
    given: Mapping[str, str], filled: Mapping[str, str], reader: frozenset[str] | None, by: Actor, now: datetime
) -> BudgetsPage:
    """The budgets somebody sees, those of one state where the address names it."""
    found = selectors.standings(now=now, teams=reader)
    titles = naming.directory()
    state = given.get("state", "") if given.get("state") in STATES else ""
    order = list(STATES)
    lines = sorted(
        (_line(one, titles) for one in found if state in ("", one.state)),
        key=lambda line: (order.index(line.standing.state), -(line.share or 0), line.standing.budget.name),
    )
    counts = tuple(
        (key, str(words), tone, sum(one.state == key for one in found)) for key, (words, tone) in STATES.items()
    )
    alive = {one.budget.number for one in found}
    ended = tuple((one.pk, one.name) for one in selectors.budgets(reader) if one.pk not in alive)
    form = _form("month", today(now), filled) if by.teams is None else None
    return BudgetsPage(tuple(lines), counts, state, ended, form)


def one_page(whole: Whole, filled: Mapping[str, str], by: Actor, now: datetime) -> BudgetPage:
    """One budget, for somebody who sees it."""
    titles, budget = naming.directory(), whole.budget
    line = _line(whole.standing, titles) if whole.standing else None
    newest = selectors.newest_version(budget)
    form = None
    if by.teams is None:
        told = drafts.draft_of(budget, newest, None)
        now_given = {name: getattr(told, name) or "" for name in vars(told)} | {"valid_from": "", "why": ""}
        form = _form(budget.grain, today(now), filled or now_given)
    return BudgetPage(
        budget=budget,
        of=scope_title(budget.dimension, budget.value, titles),
        metric=str(METRICS[budget.metric]),
        grain=str(GRAINS[budget.grain]),
        team=titles.title(newest.owner_team) if newest.owner_team else "",
        line=line,
        figure=figure_link(whole, line.standing) if line else None,
        past=tuple(_past(one) for one in reversed(whole.periods)),
        decisions=tuple(_decision(one, titles) for one in reversed(whole.versions)),
        form=form,
    )


def lines_of(found: Iterable[Standing]) -> tuple[Line, ...]:
    """Standings as lines, for a page that leads to budgets."""
    titles = naming.directory()
    return tuple(_line(one, titles) for one in found)


def scope_title(dimension: str, value: str, titles: naming.Directory) -> str:
    """What a budget is of, as people say it."""
    if not dimension:
        return str(DIMENSIONS[""])
    title = naming.before_value(dimension, _dimension_title(dimension))
    return f"{title} {_value_title(dimension, value, titles)}"


def _dimension_title(dimension: str) -> str:
    return naming.tag(dimension) or str(DIMENSIONS[dimension])


def _value_title(dimension: str, value: str, titles: naming.Directory) -> str:
    if dimension == "team":
        return titles.title(value)
    if dimension in KINDS_OF_UNITS and (unit := tree().by_name.get(value)):
        return unit.title or value
    return naming.called(dimension, value)


def _line(one: Standing, titles: naming.Directory) -> Line:
    words, tone = STATES[one.state]
    share = one.spent / one.amount * 100 if one.amount > 0 and one.spent is not None else None
    return Line(
        standing=one,
        of=scope_title(one.dimension, one.value, titles),
        team=titles.title(one.budget.team) if one.budget.team else "",
        state=str(words),
        tone=tone,
        sentence=sentence(one),
        share=share,
        bar=_bar(one),
    )


def _bar(one: Standing) -> Bar:
    widest = max(one.amount, one.spent or Decimal(0), one.upper or Decimal(0), Decimal("0.000001")) * SPARE

    def at(amount: Decimal | None) -> str:
        return f"{max(Decimal(0), min(Decimal(100), (amount or Decimal(0)) / widest * 100)):.2f}"

    low, high = Decimal(at(one.lower)), Decimal(at(one.upper))
    return Bar(at(one.spent), at(one.amount), at(one.landing), f"{low}", f"{max(high - low, Decimal(0))}")


def _past(stand: Stand) -> PastLine:
    share = stand.spent / stand.amount * 100 if stand.spent is not None and stand.amount > 0 else None
    is_over = stand.probability is not None and stand.probability in (0, 1)
    return PastLine(stand, share, stand.spent is not None and stand.spent <= stand.amount if is_over else None)


def _decision(version: BudgetVersion, titles: naming.Directory) -> DecisionLine:
    profile = str(PROFILES[version.profile]) + (f" ({version.weights})" if version.weights else "")
    return DecisionLine(
        version,
        profile,
        str(ROLLOVERS[version.rollover]),
        titles.title(version.owner_team) if version.owner_team else "",
    )


def _form(grain: str, day: date, given: Mapping[str, str]) -> Form:
    titles = naming.directory().titles
    return Form(
        dimensions=tuple((key, _dimension_title(key)) for key in drafts.scopes()),
        grains=_words(GRAINS),
        metrics=tuple((key, str(words)) for key, words in METRICS.items()),
        profiles=_words(PROFILES),
        rollovers=_words(ROLLOVERS),
        teams=tuple((name, title or name) for name, title in titles.items()),
        periods=tuple((one.start.isoformat(), one.name) for one in _coming(grain, day)),
        given=given,
    )


def _words(words: Mapping[str, Promise]) -> tuple[tuple[str, str], ...]:
    return tuple((key, str(word)) for key, word in words.items())


def _coming(grain: str, day: date) -> Iterable[Period]:
    period = period_of(grain, day)
    for _number in range(CHOICES):
        yield period
        period = period.following


def read_draft(given: Mapping[str, str]) -> dict[str, Any]:
    """What a form says of a budget; days that cannot be read are no days."""
    names = (*drafts.FIXED, "amount", "profile", "weights", "rollover", "owner_team", "owner", "why")
    told_of: dict[str, Any] = {name: given[name].strip() for name in names if name in given}
    for name in ("valid_from", "valid_to"):
        if given.get(name, "").strip():
            told_of[name] = read_day(given[name])
    return told_of


def read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
