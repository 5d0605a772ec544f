"""Budgets as pages show them: how each stands, in bars and sentences, and one with its burn-down, past and history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.budgets import drafts, selectors
from apps.budgets.landing import path
from apps.budgets.models import Budget, BudgetVersion
from apps.budgets.selectors import Standing, Whole
from apps.budgets.standing import Stand
from apps.calendars.periods import Period, period_of
from apps.calendars.selectors import today
from apps.charts import colours
from apps.charts.burndown import BurnAhead, BurnWords, burn_down
from apps.charts.figures import Figure
from apps.dashboards import naming
from apps.dashboards.asking import METRICS
from apps.dashboards.forecasts import LEVELS
from apps.dashboards.templatetags import costs as written
from apps.dashboards.trends import DAY_FORMAT, FigureLink
from apps.finops.findings import Sentence
from apps.finops.money import add_up
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
    "": LEVELS["total"], "account": gettext_lazy("Account"), "sub_account": gettext_lazy("Sub-account"),
    "region": gettext_lazy("Region"), "node_pool": gettext_lazy("Node pool"), "namespace": gettext_lazy("Namespace"),
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
    periods: tuple[str, ...]
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
        figure=_figure_link(whole, line) if line else None,
        past=tuple(_past(one) for one in reversed(whole.periods)),
        decisions=tuple(_decision(one, titles) for one in reversed(whole.versions)),
        form=form,
    )


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
    share = one.spent / one.amount * 100 if one.amount > 0 and one.spent_until else None
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
    widest = max(one.amount, one.spent, one.upper or Decimal(0), Decimal("0.000001")) * SPARE

    def at(amount: Decimal | None) -> str:
        return f"{max(Decimal(0), min(Decimal(100), (amount or Decimal(0)) / widest * 100)):.2f}"

    low, high = Decimal(at(one.lower)), Decimal(at(one.upper))
    return Bar(at(one.spent), at(one.amount), at(one.landing), f"{low}", f"{max(high - low, Decimal(0))}")


def told(sentence_of: Sentence) -> str:
    """A sentence in the reader's language."""
    return _(sentence_of.text) % sentence_of.values if sentence_of.values else _(sentence_of.text)


def sentence(one: Standing) -> str:
    """How a budget stands, in words."""
    money = written.money
    facts = {
        "day": written.day(one.exceeds_on), "spent": money(one.spent), "amount": money(one.amount),
        "currency": one.currency, "until": written.day(one.spent_until), "landing": money(one.landing),
        "low": money(one.lower), "high": money(one.upper),
        "cases": "–" if one.probability is None else f"{(one.probability * 100):.0f}",
    }  # fmt: skip
    if one.state == "exceeded":
        return _("Exceeded on %(day)s: %(spent)s %(currency)s were spent until %(until)s, of %(amount)s.") % facts
    if one.state == "unknown":
        return told(one.missing) if one.missing else _("Nothing tells where it will land.")
    if one.lower == one.upper:
        return _("Kept: %(spent)s %(currency)s were spent in the whole period, of %(amount)s.") % facts
    lands = _("It lands at %(landing)s %(currency)s, in 80 of 100 cases between %(low)s and %(high)s.") % facts
    if one.exceeds_on:
        return _("Will exceed on %(day)s (80 %%).") % facts + " " + lands
    if one.state == "at_risk":
        return _("Ends above the budget in %(cases)s of 100 cases.") % facts + " " + lands
    return lands


def remarks(one: Standing) -> tuple[str, ...]:
    """What else is to be known of the numbers."""
    found = []
    if one.missing and one.state != "unknown":
        found.append(told(one.missing))
    if one.estimated_days:
        facts = {"days": one.estimated_days, "amount": written.money(one.estimated), "currency": one.currency}
        found.append(
            _("%(days)s days wait for a bill; by usage they cost about %(amount)s %(currency)s, which is not counted.")
            % facts
        )
    if one.is_converted:
        found.append(_("Some of it was charged in other currencies and converted by the rates of its days."))
    if one.carried:
        facts = {"base": written.money(one.base), "carried": written.change(one.carried)}
        found.append(_("The amount is %(base)s of its own and %(carried)s carried on from the period before.") % facts)
    return tuple(found)


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
        periods=tuple(one.start.isoformat() for one in _coming(grain, day)),
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


def _figure_link(whole: Whole, line: Line) -> FigureLink:
    one = line.standing
    return FigureLink(
        "figure-budget", reverse("figure-budget", args=[whole.budget.pk]),
        _("Burn-down of %(period)s") % {"period": one.period_name}, one.currency, line.sentence,
    )  # fmt: skip


def figure(whole: Whole) -> Figure | None:
    """The burn-down of the period told of."""
    one = whole.standing
    if one is None:
        return None
    budget, known = whole.budget, whole.known
    ahead = known.ahead
    is_open = one.lower != one.upper and ahead is not None
    told_until = min(one.end, ahead.first_day) if is_open and ahead else one.end
    spent = [(day, cost) for day, cost in sorted(known.spent.days.items()) if one.start <= day < told_until]
    days = path(known.spent.days, ahead, one.start, one.end) if is_open and ahead else []
    colour = naming.directory().colour(budget.value) if budget.dimension == "team" else colours.KINDS["direct"]
    return burn_down(
        _running(spent), _running(sorted(whole.parts.items())),
        [BurnAhead(day, float(at.mean), float(at.low_80), float(at.high_80)) for day, at in days],
        amount=float(one.amount), exceeds_on=one.exceeds_on, colour=colour, currency=one.currency,
        words=BurnWords(
            _("Spent"), _("Allowed by the profile"), _("Forecast"), _("80 of 100 cases"), _("Budget"),
            _("Exceeded") if one.state == "exceeded" else _("Will exceed (80 %)"),
        ),
        day_format=str(DAY_FORMAT["day"]),
    )  # fmt: skip


def _running(days: Sequence[tuple[date, Decimal]]) -> list[tuple[date, float]]:
    """The sum up to the end of every day."""
    total, found = Decimal(0), []
    for day, amount in days:
        total = add_up([total, amount])
        found.append((day, float(total)))
    return found
