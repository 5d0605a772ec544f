"""The pages of plans: what every planner would change, and one plan with its sliders, figures, tables and files."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.charts.figures import Figure
from apps.dashboards import naming
from apps.dashboards.idle import spoken
from apps.dashboards.templatetags import costs as written
from apps.dashboards.trends import FigureLink
from apps.finops.findings import Sentence
from apps.marts.query import BadQuestion, Scope
from apps.planning import selectors
from apps.planning.drafts import BadSettings, Draft, Planner, Slider, TableShape
from apps.planning.exporting import Exported, NoSuchFile, exported, file_names
from apps.planning.models import Fault
from apps.planning.outcomes import Measured, measured
from apps.planning.registry import planner_of
from apps.planning.selectors import NoPlan, Shown, Standing
from apps.teams.approval import Actor

SUBJECT = "subject"
_WORDY = ("text", "words", "team")


@dataclass(frozen=True)
class PlannerRow:
    """One planner in the list: what its plans save a month, and how many were made, withheld or are not sound.

    `of_others`: plans were made, and none has anything of the reader's teams. `outdated`: of bills that ended long ago.
    """

    title: str
    about: str
    url: str
    totals: tuple[tuple[str, Decimal], ...]
    made: int
    withheld: tuple[str, ...]
    unsound: int
    fault: Fault | None
    of_others: bool = False
    outdated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dial:
    """A slider with where it stands."""

    slider: Slider
    value: str
    low: str
    high: str
    step: str


@dataclass(frozen=True)
class Cell:
    """A cell of a table as it is read; `exact` where it is money."""

    text: str
    is_number: bool
    exact: str = ""


@dataclass(frozen=True)
class PlanTable:
    """A table of a plan; `more` rows are in its file only."""

    title: str
    heads: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Cell, ...], ...]
    more: int
    csv_url: str


@dataclass(frozen=True)
class PlanPage:
    """One plan; without `draft` it was withheld, and without `shown` none was made yet, or only `of_others`: none has
    anything of the reader's teams. With a `fault` it is an earlier one."""

    planner: Planner
    fault: Fault | None = None
    subjects: tuple[tuple[str, str], ...] = ()
    subject: str = ""
    shown: Shown | None = None
    draft: Draft | None = None
    withheld: str = ""
    says: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    unknowns: tuple[str, ...] = ()
    checks: tuple[tuple[str, bool], ...] = ()
    gap: Decimal | None = None
    dials: tuple[Dial, ...] = ()
    figures: tuple[FigureLink, ...] = ()
    tables: tuple[PlanTable, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    may_choose: bool = False
    is_chosen: bool = False
    measured: tuple[Measured, ...] = ()
    may_measure: bool = False
    may_bring: bool = False
    of_others: bool = False
    outdated: str = ""

    @property
    def share(self) -> Decimal | None:
        """The saving in hundredths of what it is about."""
        if self.draft is None or not self.draft.cost_per_month:
            return None
        return 100 * self.draft.saving_per_month / self.draft.cost_per_month


def overview(scope: Scope) -> tuple[PlannerRow, ...]:
    """Every planner, with what its newest plans come to."""
    return tuple(_row(one, scope) for one in selectors.standing(scope))


def _row(standing: Standing, scope: Scope) -> PlannerRow:
    planner, found = standing.planner, standing.plans
    sound = [one for one in found if one.draft and one.draft.is_verified]
    return PlannerRow(
        title=str(planner.title),
        about=str(planner.about),
        url=reverse("plan", args=[planner.name]),
        totals=tuple(selectors.totals(sound).items()),
        made=sum(one.draft is not None for one in found),
        withheld=tuple(dict.fromkeys(spoken(one.withheld) for one in found if one.withheld)),
        unsound=sum(one.draft is not None and not one.draft.is_verified for one in found),
        fault=standing.fault,
        of_others=not found and scope.teams is not None and standing.is_planned,
        outdated=tuple(dict.fromkeys(spoken(one.outdated) for one in found if one.outdated)),
    )


def page(name: str, given: Mapping[str, Any], scope: Scope, actor: Actor) -> PlanPage:
    """A plan as somebody may see it, by the settings the address names."""
    planner, fault = planner_of(name), selectors.fault_of(name)
    may_bring = planner.bring is not None and actor.teams is None
    everyone = selectors.plans(name, scope)
    subjects = tuple((one.plan.subject, one.plan.subject or _("Everything")) for one in everyone)
    try:
        found = _found(planner, given, scope)
    except NoPlan:
        if given.get(SUBJECT) is not None:
            raise
        return PlanPage(
            planner, fault, may_bring=may_bring, of_others=scope.teams is not None and selectors.is_planned(name)
        )
    if found.draft is None:
        told = spoken(found.withheld) if found.withheld else ""
        return PlanPage(planner, fault, subjects, found.plan.subject, found, withheld=told, may_bring=may_bring)
    draft, sees_all = found.draft, scope.teams is None
    params = urlencode({SUBJECT: found.plan.subject} | (dict(draft.settings) if found.is_tried else {}))
    return PlanPage(
        planner=planner,
        fault=fault,
        subjects=subjects,
        subject=found.plan.subject,
        shown=found,
        draft=draft,
        outdated=spoken(found.outdated) if found.outdated else "",
        says=_spoken(draft.says),
        risks=_spoken(draft.risks),
        binds=_spoken(draft.binds),
        unknowns=_spoken(draft.unknowns),
        checks=tuple((spoken(check.title), check.is_kept) for check in draft.checks),
        gap=None if draft.gap is None else Decimal(str(round(100 * draft.gap, 3))),
        dials=tuple(_dial(slider, draft) for slider in planner.sliders) if sees_all else (),
        figures=figures_of(planner, draft, params) if sees_all else (),
        tables=tuple(
            _table(planner, shape, draft, params)
            for shape in planner.tables
            if shape.most and shape.name in draft.tables
        ),
        files=tuple((file, _file_url(planner, file, params)) for file in file_names(planner)) if sees_all else (),
        measured=tuple(measured(planner.name, found.plan.subject)) if sees_all else (),
        may_bring=may_bring,
        may_measure=bool(planner.outcomes) and actor.teams is None,
        may_choose=found.is_tried and actor.teams is None,
        is_chosen=found.is_tried
        and planner.settled(selectors.chosen_settings(planner, found.plan.subject)) == dict(draft.settings),
    )


def figure(name: str, what: str, given: Mapping[str, Any], scope: Scope) -> Figure | None:
    """A figure of a plan, for those who see everything; None where there is none."""
    planner = planner_of(name)
    found = _found(planner, given, scope)
    if found.draft is None or scope.teams is not None or what not in {shape.name for shape in planner.figures}:
        return None
    return planner.draw(found.draft, what)


def file(name: str, file_name: str, given: Mapping[str, Any], scope: Scope) -> Exported | None:
    """A file of a plan: all that the reader may see of it; None where there is none."""
    planner = planner_of(name)
    found = _found(planner, given, scope)
    if found.draft is None or (scope.teams is not None and not file_name.endswith(".csv")):
        return None
    try:
        return exported(planner, found.draft, file_name)
    except NoSuchFile:
        return None


def _found(planner: Planner, given: Mapping[str, Any], scope: Scope) -> Shown:
    asked = {key: value for key, value in given.items() if key != SUBJECT}
    try:
        return selectors.plan_of(planner.name, given.get(SUBJECT), scope, asked)
    except BadSettings as bad:
        raise BadQuestion(str(bad)) from bad


def _spoken(sentences: tuple[Sentence, ...]) -> tuple[str, ...]:
    return tuple(spoken(one) for one in sentences)


def labels(planner: str) -> dict[str, str]:
    """What the sliders of a planner are called, by their names."""
    return {slider.name: str(slider.title) for slider in planner_of(planner).sliders}


def _dial(slider: Slider, draft: Draft) -> Dial:
    numbers = draft.settings.get(slider.name, slider.default), slider.low, slider.high, slider.step
    return Dial(slider, *(f"{number:g}" for number in numbers))


def figures_of(planner: Planner, draft: Draft, params: str) -> tuple[FigureLink, ...]:
    summary = naming.in_a_row(_spoken(draft.says))
    shown = [shape for shape in planner.figures if not shape.of or draft.content.get(shape.of)]
    return tuple(
        FigureLink(
            id=f"figure-{shape.name}",
            url=f"{reverse('figure-plan', args=[planner.name, shape.name])}?{params}",
            title=str(shape.title),
            unit=str(shape.unit),
            summary=summary if place == 0 else "",
        )
        for place, shape in enumerate(shown)
    )


def _file_url(planner: Planner, name: str, params: str) -> str:
    return f"{reverse('plan-file', args=[planner.name, name])}?{params}"


def _table(planner: Planner, shape: TableShape, draft: Draft, params: str) -> PlanTable:
    titles = naming.directory()
    rows = draft.tables[shape.name]
    kinds = [column.kind for column in shape.columns]
    return PlanTable(
        title=str(shape.title),
        heads=tuple((str(column.title), column.kind not in _WORDY) for column in shape.columns),
        rows=tuple(
            tuple(_cell(value, kind, titles) for value, kind in zip(row, kinds, strict=True))
            for row in rows[: shape.most]
        ),
        more=max(0, len(rows) - shape.most),
        csv_url=_file_url(planner, f"{shape.name}.csv", params),
    )


def _cell(value: Any, kind: str, titles: naming.Directory) -> Cell:
    if value is None or value == "":
        return Cell("–", kind not in _WORDY)
    if kind == "team":
        return Cell(written.plain(titles.title(value)), False)
    if kind == "money":
        return Cell(written.money(Decimal(value)), True, exact=str(value))
    if kind == "share":
        return Cell(written.percent(Decimal(str(round(100 * value, 4)))), True)
    if kind == "number":
        return Cell(f"{Decimal(str(round(value, 3))).normalize():,f}", True)
    return Cell(written.plain(_(value) if kind == "words" else value), False)
