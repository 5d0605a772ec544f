"""The savings ledger as pages show it: the way from found to verified, initiatives, and one with its evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.effect import EffectDay, EffectWords, effect, way
from apps.charts.figures import Figure
from apps.dashboards import exploring, naming
from apps.dashboards.telling import said
from apps.dashboards.templatetags import costs as written
from apps.dashboards.trends import DAY_FORMAT, FigureLink
from apps.learning.effects.grading import B_REASONS, C_REASONS
from apps.operations.models import Recommendation
from apps.operations.people import may_decide
from apps.operations.selectors import seen_by
from apps.savings import scopes, selectors
from apps.savings.models import Initiative, InitiativeStep, Measurement
from apps.savings.outcomes import Beside, beside
from apps.savings.people import Reader, may_change, owns, sees_cost
from apps.savings.selectors import Entry, Way
from apps.savings.statements import Statement, controls_of, scope_of, stated_by, statement_of
from apps.savings.states import allowed
from apps.teams.approval import Actor
from apps.units.selectors import drivers
from apps.warehouse.sentences import told, told_of

State = Initiative.State
STATE_WORDS: dict[str, Promise] = {
    State.DRAFT: gettext_lazy("draft"),
    State.STATED: gettext_lazy("stated"),
    State.VERIFIED: gettext_lazy("saving verified"),
    State.NOT_VERIFIED: gettext_lazy("saving not verified"),
    State.REVERTED: gettext_lazy("reverted"),
    State.WITHDRAWN: gettext_lazy("withdrawn"),
}
TONES = {"stated": "running", "verified": "ok", "not_verified": "error", "reverted": "error", "draft": "warning"}
STEP_WORDS: dict[str, Promise] = {
    "identified": gettext_lazy("Identified"),
    "approved": gettext_lazy("Approved"),
    "implemented": gettext_lazy("Implemented"),
    "verified": gettext_lazy("Verified"),
}
VERDICT_WORDS: dict[str, Promise] = {
    "saved": gettext_lazy("saved"),
    "not shown": gettext_lazy("no saving can be told"),
    "cost more": gettext_lazy("it cost more"),
    "unknown": gettext_lazy("cannot be measured"),
}
BUTTONS: dict[str, Promise] = {
    "state": gettext_lazy("State it"),
    "withdraw": gettext_lazy("Withdraw"),
    "revert": gettext_lazy("It was undone"),
    "comment": gettext_lazy("Comment"),
}
TOLD: dict[str, Promise] = {
    "write": gettext_lazy("wrote it down"),
    "state": gettext_lazy("stated it"),
    "withdraw": gettext_lazy("withdrew it"),
    "revert": gettext_lazy("undid it"),
    "comment": gettext_lazy("said"),
    "verify": gettext_lazy("verified the saving"),
    "refute": gettext_lazy("could not verify the saving"),
    "lapse": gettext_lazy("saw the saving end"),
}
METHOD_WORDS: dict[str, Promise] = {
    "regression": gettext_lazy("Regression on drivers and calendar (IPMVP option C)"),
    "difference_in_differences": gettext_lazy("Difference in differences"),
    "synthetic_control": gettext_lazy("Synthetic control"),
    "structural": gettext_lazy("Structural time series"),
}


@dataclass(frozen=True)
class Line:
    """An initiative in the list."""

    entry: Entry
    name: str
    team: str
    state: str
    tone: str
    verdict: str


@dataclass(frozen=True)
class LedgerPage:
    """The ledger: a way for every currency, and the initiatives."""

    ways: tuple[tuple[Way, FigureLink], ...]
    lines: tuple[Line, ...]
    may_write: bool
    csv: str


@dataclass(frozen=True)
class HistoryLine:
    """One step, in the reader's words."""

    step: InitiativeStep
    by: str
    told: str
    why: str


@dataclass(frozen=True)
class MonthLine:
    """What a month saved, with its bounds."""

    first: date
    saving: Decimal
    lower: Decimal
    upper: Decimal


@dataclass(frozen=True)
class MethodLine:
    """What one method of the ensemble says."""

    title: str
    saving: Decimal
    weight: Decimal
    error: Decimal | None


@dataclass(frozen=True)
class InitiativePage:
    """One initiative; `measured` is what its verdict rests on, else the newest measurement."""

    line: Line
    hypothesis: str
    scope: str
    controls: tuple[str, ...]
    measured: Measurement | None
    monthly: tuple[tuple[str, Decimal], ...]
    says: tuple[str, ...]
    methods: tuple[MethodLine, ...]
    months: tuple[MonthLine, ...]
    overlaps: tuple[int, ...]
    figure: FigureLink | None
    beside: tuple[Beside, ...]
    carried: tuple[tuple[Recommendation, str], ...]
    history: tuple[HistoryLine, ...]
    buttons: tuple[tuple[str, str], ...]
    may_change: bool


@dataclass(frozen=True)
class FormPage:
    """The form that writes an initiative: what stands in its fields, and what can be chosen."""

    number: int | None
    given: Mapping[str, str]
    teams: tuple[tuple[str, str], ...]
    drivers: tuple[str, ...]
    dimensions: tuple[str, ...]


def ledger(reader: Reader, actor: Actor) -> LedgerPage:
    """The ledger, as somebody may see it."""
    titles = naming.directory()
    return LedgerPage(
        ways=tuple((one, _way_link(one)) for one in selectors.ways(reader)),
        lines=tuple(_line(one, titles) for one in selectors.entries(reader)),
        may_write=actor.may_speak,
        csv=f"{reverse('api-savings')}?format=csv",
    )


def _line(entry: Entry, titles: naming.Directory) -> Line:
    one = entry.one
    measured = entry.final or entry.newest
    return Line(
        entry,
        name=told_of(one.title) if one.title else one.name,
        team=titles.title(one.team),
        state=str(STATE_WORDS[one.state]),
        tone=TONES.get(one.state, ""),
        verdict=str(VERDICT_WORDS[measured.verdict]) if measured else "",
    )


def _way_link(one: Way) -> FigureLink:
    steps = _(", ").join(f"{STEP_WORDS[name]} {written.money(amount)}" for name, amount in one.steps)
    return FigureLink(
        id=f"figure-way-{one.currency}",
        url=f"{reverse('figure-savings')}?currency={one.currency}",
        title=_("From found to verified"),
        unit=_("%(currency)s a month") % {"currency": one.currency},
        summary=_("A month, in %(currency)s: %(steps)s. Only what is verified counts as saved.")
        % {"currency": one.currency, "steps": steps},
    )


def way_figure(reader: Reader, currency: str) -> Figure | None:
    """The waterfall of one currency."""
    for one in selectors.ways(reader):
        if one.currency == currency:
            return way([(str(STEP_WORDS[name]), amount) for name, amount in one.steps], currency=currency)
    return None


def page(entry: Entry, actor: Actor, reader: Reader) -> InitiativePage:
    """One initiative, for somebody who may know of it; its cost by the day for whoever sees that cost."""
    one, titles = entry.one, naming.directory()
    measured = entry.final or entry.newest
    content: Mapping[str, Any] = measured.content if measured else {}
    may = may_change(actor, one.team)
    return InitiativePage(
        line=_line(entry, titles),
        hypothesis=one.hypothesis,
        scope=_scope(scope_of(one), titles),
        controls=tuple(_scope(each, titles) for each in controls_of(one)) if actor.teams is None else (),
        measured=measured,
        monthly=_monthly(measured),
        says=_says(content),
        methods=tuple(_method(each) for each in content.get("methods", ())),
        months=tuple(_month(each) for each in content.get("months", ())),
        overlaps=tuple(content.get("overlaps", ())),
        figure=_effect_link(entry, measured) if content.get("days") and sees_cost(reader, one) else None,
        beside=tuple(beside(one)),
        carried=tuple((each, told_of(each.title)) for each in seen_by(reader).filter(initiatives=one)),
        history=tuple(_history(step) for step in one.steps.order_by("pk")),
        buttons=tuple((name, str(BUTTONS[name])) for name in allowed(one.state)) if may else (),
        may_change=may,
    )


def _scope(scope: scopes.Scope, titles: naming.Directory) -> str:
    """The cost it is about, in a line."""
    return " · ".join(_part(name, values, titles) for name, values in scope.items())


def _part(name: str, values: Sequence[str], titles: naming.Directory) -> str:
    title = _("Resource") if name == scopes.RESOURCE else exploring.dimension(name)
    found = [titles.title(one) if name == "team" else naming.called(name, one) for one in values]
    return f"{title} {naming.joined(found)}"


def _told(values: Mapping[str, str]) -> dict[str, str]:
    """What stands in a sentence of the machine; why something cannot be told is a sentence itself."""
    return {name: said(value) if name == "why" else value for name, value in values.items()}


def _says(content: Mapping[str, Any]) -> tuple[str, ...]:
    """What corrected the saving, and what keeps its grade from being better."""
    found = [told(each["text"], _told(each["values"])) for each in content.get("says", ())]
    reasons = B_REASONS | C_REASONS
    return (*found, *(_(reasons[code]) for code in content.get("reasons", ()) if code in reasons))


def _monthly(measured: Measurement | None) -> tuple[tuple[str, Decimal], ...]:
    names = ("saving", "lower", "upper")
    found = [(name, selectors.per_month(measured, name)) for name in names] if measured else []
    return tuple((name, amount) for name, amount in found if amount is not None)


def _method(each: Mapping[str, Any]) -> MethodLine:
    name = each["name"]
    return MethodLine(
        str(METHOD_WORDS.get(name, name)), Decimal(str(each["saving"])), 100 * Decimal(str(each["weight"])),
        None if each["error"] is None else Decimal(str(each["error"])),
    )  # fmt: skip


def _month(each: Sequence[Any]) -> MonthLine:
    return MonthLine(date.fromisoformat(each[0]), *(Decimal(str(amount)) for amount in each[1:]))


def _history(step: InitiativeStep) -> HistoryLine:
    is_machines = not step.by or bool(step.values)
    why = told(step.why, _told(step.values)) if is_machines and step.why else step.why
    return HistoryLine(step, step.by or "CostOps", str(TOLD[step.action]), why)


def _effect_link(entry: Entry, measured: Measurement | None) -> FigureLink | None:
    if measured is None or not measured.saving_text:
        return None
    one, bounds = entry.one, {name: written.money(measured.money(name)) for name in ("saving", "lower", "upper")}
    told_bounds = bounds | {"currency": one.currency, "day": written.day(measured.end - timedelta(days=1))}
    return FigureLink(
        id="figure-effect",
        url=reverse("figure-saving", args=[one.pk]),
        title=_("What it cost, and what it would have cost"),
        unit=one.currency,
        summary=_(
            "Until %(day)s it cost %(saving)s %(currency)s less than it would have; between %(lower)s and %(upper)s."
        )
        % told_bounds,
    )


def effect_figure(entry: Entry, reader: Reader) -> Figure | None:
    """Actual cost beside its counterfactual, for whoever sees that cost."""
    measured = entry.final or entry.newest
    if measured is None or not measured.content.get("days") or not sees_cost(reader, entry.one):
        return None
    words = EffectWords(_("Actual"), _("Would have cost"), _("95 % of the days within"), _("Start"))
    days = [EffectDay(date.fromisoformat(day), *amounts) for day, *amounts in measured.content["days"]]
    before = [(date.fromisoformat(day), cost) for day, cost in measured.content.get("before", ())]
    one = entry.one
    return effect(
        before, days, start=one.start, measured_from=one.measured_from, currency=one.currency, words=words,
        day_format=str(DAY_FORMAT["day"]),
    )  # fmt: skip


def form(actor: Actor, given: Mapping[str, str], *, number: int | None = None) -> FormPage:
    """The form, with what was written in it."""
    titles = naming.directory()
    known = {name: titles.title(name) for name in titles.titles if actor.speaks_for((name,))}
    return FormPage(
        number, given, tuple(sorted(known.items(), key=lambda pair: pair[1])), tuple(name for name, _by in drivers()),
        scopes.DIMENSIONS,
    )  # fmt: skip


def as_given(statement: Statement) -> dict[str, str]:
    """A statement as the fields of the form."""
    return {
        "name": statement.name, "hypothesis": statement.hypothesis, "team": statement.team,
        "scope": scopes.written(statement.scope), "currency": statement.currency,
        "promised_per_month": f"{statement.promised:f}", "start": f"{statement.start}",
        "transition_days": f"{statement.transition_days}", "window_days": f"{statement.window_days}",
        "drivers": ", ".join(statement.drivers), "is_about_price": "on" if statement.is_about_price else "",
        "controls": "\n".join(scopes.written(each).replace("\n", "; ") for each in statement.controls),
        "recommendations": ", ".join(map(str, statement.recommendations)),
    }  # fmt: skip


def of_recommendation(one: Recommendation, today: date) -> dict[str, str]:
    """The form as a recommendation fills it."""
    given = as_given(stated_by(one, start=today)) if one.scope else {"team": one.team, "currency": one.currency}
    return given | {"name": told_of(one.title)[:200], "recommendations": f"{one.pk}"}


def of_initiative(one: Initiative, actor: Actor) -> dict[str, str]:
    """The form as a draft stands; what it is compared with and carries out for those alone who may name it."""
    controls = tuple(each for each in controls_of(one) if owns(actor, each))
    carried = tuple(each.pk for each in one.recommendations.order_by("pk") if may_decide(actor, each))
    return as_given(replace(statement_of(one), controls=controls, recommendations=carried))
