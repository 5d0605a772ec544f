"""Schedules: replicas for the classes of a timetable, or for a learned week, started early and changed seldom."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.colours import OTHERS, PALETTE
from apps.charts.figures import Figure
from apps.charts.plans import Axis, Bar, Series, gantt, over
from apps.finops.findings import Sentence
from apps.finops.money import rounded
from apps.planning.arrays import unpack
from apps.planning.drafts import (
    Action,
    Bring,
    Check,
    Column,
    Draft,
    Export,
    FigureShape,
    Planner,
    Settings,
    Slider,
    TableShape,
)
from apps.planning.methods.schedule import demand as students_demand
from apps.planning.methods.schedule import pattern
from apps.planning.methods.schedule.cron import jobs
from apps.planning.methods.schedule.plan import Horizon, Scheduled, needs_of, schedule
from apps.planning.methods.schedule.problem import Floats, Lesson, Limits, by_hour
from apps.planning.methods.schedule.verify import Verdict, verify
from apps.planning.reading.timetable import DAY, read
from apps.planning.scaling import cron_hpa, keda
from apps.planning.timetable import COLUMNS, newest, take
from apps.planning.words import moments, share

REPLAYED, AHEAD = 14, 7
LEAST_REPLICAS = 1
DAYS_PER_MONTH = Fraction(365, 12)
WORTH_IT = Decimal("0.05")
"""Of what a workload costs: whoever saves less is told so on the page, and not asked to do anything."""

SAY = "In the coming week %(classes)s classes: between %(least)s and %(most)s replicas, %(changes)s changes."
SAY_PATTERN = (
    "In the coming week between %(least)s and %(most)s replicas by the week's own pattern, %(changes)s changes."
)
EARLY = "Replicas are there %(minutes)s minutes before a class begins, so that images are pulled and caches warm."
LEARNED = (
    "What a class needs is learned from %(days)s days by %(model)s; without the timetable the same is off %(times)s "
    "times as far."
)
RISK = (
    "Replayed on the last %(days)s days, decided from the days before them, use was above the planned replicas in "
    "%(short)s of the hours."
)
USED = "Of the planned cores %(used)s would have been used, of those that ran %(before)s were."
UNCOVERED = "%(count)s classes are not covered: the most of %(most)s replicas is reached."
UNLEARNED = "%(count)s classes have no replicas of their own: too few past classes are known. Bring those too."
CONFLICT_MOST = "The autoscaler allows %(most)s replicas at most, and the plan needs %(needs)s: raise its bound."
CONFLICT_LEAST = (
    "The autoscaler keeps %(least)s replicas at least, and the plan needs fewer in %(hours)s hours: lower its bound."
)
BIND_REST = "Replicas never fall below %(least)s."
UNKNOWN_STUDENTS = "How many students really come; a class nobody entered has no replicas of its own."
UNKNOWN_FUTURE = "Whether the coming week is like the last ones."
UNKNOWN_NODES = "Whole nodes: what is freed counts on nodes that come and go, which follow by whole nodes only."
TOO_LITTLE = "There is no schedule: %(why)s."
TITLE = "Schedule the replicas of %(workload)s"
CHECKS = {
    "every class is covered": "every class has its replicas, or is told uncovered",
    "no minute is left out or told twice": "no minute is left out or told twice",
    "replicas stay within their bounds": "replicas stay within their bounds",
    "the cost adds up": "replica-minutes add up",
    "money": "no more is saved than ran on nodes that come and go",
}


@dataclass(frozen=True)
class _Case:
    """A workload's past, its classes, and how much a replica carries."""

    meta: dict[str, Any]
    arrays: dict[str, Any]
    lessons: list[Lesson]
    request: float
    per_replica: float

    @property
    def hours(self) -> int:
        return len(self.arrays["used"])

    @property
    def end(self) -> int:
        """The hour behind the last one known."""
        return int(self.meta["first"]) + self.hours

    @property
    def clock(self) -> Any:
        return (self.meta["clock"] + np.arange(self.hours + AHEAD * DAY)) % DAY

    @property
    def weekday(self) -> Any:
        return (self.meta["weekday"] + (self.meta["clock"] + np.arange(self.hours + AHEAD * DAY)) // DAY) % 7


def _case(data: bytes, settings: Settings) -> _Case:
    meta, arrays = unpack(data)
    columns = (arrays[name].tolist() for name in ("start", "end", "students"))
    lessons = [Lesson(*one) for one in zip(meta["names"], *columns, strict=True)]
    known = arrays["request"][~np.isnan(arrays["request"])]
    request = float(np.max(known[-7 * DAY :], initial=0)) or 1.0
    return _Case(meta, arrays, lessons, request, request * settings["target"] / 100)


@dataclass(frozen=True)
class _Learned:
    """What was learned up to a day: the week's own pattern outside of classes, and what classes need."""

    base: Floats
    demand: students_demand.Demand | None


def _learn(case: _Case, until: int, ahead: int, quantile: float) -> _Learned:
    """From the hours before `until`, for `ahead` hours from there on."""
    used, students = case.arrays["used"][:until], by_hour(case.lessons, case.meta["first"], case.hours)[:until]
    found = None
    if (students > 0).sum() >= students_demand.LEAST_CLASS_HOURS:
        days = np.arange(until) // DAY
        found = students_demand.learn(students, case.clock[:until], days, used, quantile)
    quiet = np.where(students > 0, np.nan, used) if found is not None else used
    rows = until // DAY
    free = (case.weekday[: rows * DAY : DAY] >= 5).astype(np.int64)
    days_known = quiet[: rows * DAY].reshape(rows, DAY)
    filled = np.where(np.isnan(days_known), np.nanmin(used), days_known) if found is not None else days_known
    learned = pattern.learn(filled, free, quantile, kind_count=2)
    coming = (case.weekday[until : until + ahead : DAY] >= 5).astype(np.int64)
    return _Learned(np.concatenate([learned.needs[kind] for kind in coming]), found)


def _scheduled(case: _Case, learned: _Learned, first: int, settings: Settings) -> Scheduled:
    hours = len(learned.base)
    start = first - case.meta["first"]
    horizon = Horizon(first, case.clock[start : start + hours], learned.base)
    inside = [one for one in case.lessons if one.end > 60 * first and one.start < 60 * (first + hours)]
    return schedule(
        horizon, inside, learned.demand, per_replica=case.per_replica, early=int(settings["early"]),
        limits=_limits(case, settings),
    )  # fmt: skip


def _limits(case: _Case, settings: Settings) -> Limits:
    return Limits(LEAST_REPLICAS, case.meta["most"] if settings["bounded"] else None, int(settings["change"]))


def make(data: bytes, settings: Settings) -> Draft:
    """The schedule of one workload by these settings."""
    case = _case(data, settings)
    cost = max(Decimal(case.meta["cost_per_month"]), Decimal(0))
    quantile = settings["quantile"] / 100
    past = case.hours - REPLAYED * DAY
    try:
        then, now = (_learn(case, until, ahead, quantile) for until, ahead in ((past, REPLAYED * DAY),
                                                                              (case.hours, AHEAD * DAY)))  # fmt: skip
    except pattern.TooLittleHistory as little:
        return Draft(case.meta["currency"], cost, Decimal(0), (Sentence(TOO_LITTLE, {"why": str(little)}),),
                     settings=settings)  # fmt: skip
    replayed = _replicas(_scheduled(case, then, case.meta["first"] + past, settings), REPLAYED * DAY)
    plan = _scheduled(case, now, case.end, settings)
    verdict = _verified(case, plan, now, settings)
    freed, saving = _saving(case, replayed, past, cost)
    return Draft(
        currency=case.meta["currency"], cost_per_month=cost, saving_per_month=saving,
        says=_says(case, plan, now, settings), risks=_risks(case, replayed, past, verdict),
        binds=_binds(case, plan),
        unknowns=(Sentence(UNKNOWN_STUDENTS if case.lessons else UNKNOWN_FUTURE), Sentence(UNKNOWN_NODES)),
        checks=_checks(case, verdict, freed, past), actions=_actions(case, cost, saving, replayed, past, verdict),
        tables={"steps": _steps(case, plan), "classes": _classes(case, verdict)},
        content=_content(case, plan, replayed, past, verdict), settings=settings,
        objective=float(plan.cost), bound=None,
    )  # fmt: skip


def _replicas(plan: Scheduled, hours: int) -> Floats:
    """The most replicas of each hour."""
    first = plan.steps[0].start // 60
    found = np.zeros(hours)
    for step in plan.steps:
        low, high = step.start // 60 - first, -(-step.end // 60) - first
        found[low:high] = np.maximum(found[low:high], step.replicas)
    return found


def _verified(case: _Case, plan: Scheduled, learned: _Learned, settings: Settings) -> Verdict:
    """Checked minute by minute against the classes as they were brought."""
    inside = [one for one in _coming(case) if learned.demand is not None]
    limits = _limits(case, settings)
    horizon = Horizon(case.end, case.clock[case.hours :], learned.base)
    needs = needs_of(horizon, learned.demand, case.per_replica) if learned.demand is not None else lambda *_: 0
    return verify(
        [(one.start, one.end, one.students) for one in inside],
        [(step.start, step.end, step.replicas) for step in plan.steps], needs, early=int(settings["early"]),
        least=limits.least, most=limits.most, told_cost=plan.cost, change_minutes=limits.change_minutes,
    )  # fmt: skip


def _coming(case: _Case) -> list[Lesson]:
    """The classes that lie in the coming week with all their minutes, those before them too."""
    first, last = 60 * case.end + 60, 60 * (case.end + AHEAD * DAY)
    return [one for one in case.lessons if one.start >= first and one.end <= last]


def _saving(case: _Case, replayed: Floats, past: int, cost: Decimal) -> tuple[Floats, Decimal]:
    """Replica-hours that ran and would not have, as far as they ran on nodes that come and go; and their money, less
    that of the replicas the plan would have added."""
    pods, elastic = case.arrays["pods"][past:], case.arrays["elastic"][past:]
    freed: Floats = np.minimum(np.clip(np.nan_to_num(pods) - replayed, 0, None), elastic)
    added = float(np.nansum(np.clip(replayed - pods, 0, None)))
    hours = Fraction(max(float(freed.sum()) - added, 0.0) * case.request) * DAYS_PER_MONTH / REPLAYED
    return freed, min(cost, rounded(Fraction(Decimal(case.meta["price"])) * hours))


def _says(case: _Case, plan: Scheduled, learned: _Learned, settings: Settings) -> tuple[Sentence, ...]:
    heights = [step.replicas for step in plan.steps]
    told = {"least": f"{min(heights)}", "most": f"{max(heights)}", "changes": f"{plan.changes}"}
    if learned.demand is None:
        unlearned = Sentence(UNLEARNED, {"count": f"{len(_coming(case))}"})
        return (Sentence(SAY_PATTERN, told), *([unlearned] if _coming(case) else []))
    found = learned.demand
    best = found.pinball[found.model]
    return (
        Sentence(SAY, told | {"classes": f"{len(_coming(case))}"}),
        Sentence(EARLY, {"minutes": f"{settings['early']:.0f}"}),
        Sentence(LEARNED, {"days": f"{case.hours // DAY}", "model": found.model,
                           "times": f"{found.without_students / max(best, 1e-9):.1f}"}),
    )  # fmt: skip


def _risks(case: _Case, replayed: Floats, past: int, verdict: Verdict) -> tuple[Sentence, ...]:
    used, ran = case.arrays["used"][past:], case.arrays["pods"][past:]
    known = ~np.isnan(used)
    short = float((used[known] > replayed[known] * case.request + 1e-9).mean()) if known.any() else 0.0
    planned, stood = (float(np.nansum(part[known]) * case.request) for part in (replayed, ran))
    told = [
        Sentence(RISK, {"days": f"{REPLAYED}", "short": share(short)}),
        Sentence(USED, {"used": share(float(used[known].sum()) / max(planned, 1e-9)),
                        "before": share(float(used[known].sum()) / max(stood, 1e-9))}),
    ]  # fmt: skip
    if verdict.uncovered:
        told.append(Sentence(UNCOVERED, {"count": f"{len(verdict.uncovered)}", "most": f"{case.meta['most']}"}))
    return tuple(told)


def _binds(case: _Case, plan: Scheduled) -> tuple[Sentence, ...]:
    """The least, and where the plan and the autoscaler's bounds disagree."""
    least, most = case.meta["least"], case.meta["most"]
    needs = max(span.replicas for span in plan.needs)
    below = sum(step.minutes for step in plan.steps if least is not None and step.replicas < least) // 60
    told = [Sentence(BIND_REST, {"least": f"{LEAST_REPLICAS}"})]
    if most is not None and needs > most:
        told.append(Sentence(CONFLICT_MOST, {"most": f"{most}", "needs": f"{needs}"}))
    if below:
        told.append(Sentence(CONFLICT_LEAST, {"least": f"{least}", "hours": f"{below}"}))
    return tuple(told)


def _checks(case: _Case, verdict: Verdict, freed: Floats, past: int) -> tuple[Check, ...]:
    """A class without its replicas is told as uncovered: that is a risk, and no mistake of the plan."""
    reached = case.meta["most"] is not None
    found = [(one.name, one.holds or (one.name == "every class is covered" and reached)) for one in verdict.checks]
    within = bool((freed <= case.arrays["elastic"][past:] + 1e-9).all() and (freed >= 0).all())
    return tuple(Check(Sentence(CHECKS[name]), holds) for name, holds in (*found, ("money", within)))


def _actions(
    case: _Case, cost: Decimal, saving: Decimal, replayed: Floats, past: int, verdict: Verdict
) -> tuple[Action, ...]:
    if saving < cost * WORTH_IT:
        return ()
    workload = f"{case.meta['namespace']}/{case.meta['workload']}"
    return (
        Action(workload, case.meta["team"], Sentence(TITLE, {"workload": workload}),
               _risks(case, replayed, past, verdict), case.meta["currency"], saving,
               datetime.fromisoformat(case.meta["since"]).date()),
    )  # fmt: skip


def _local(case: _Case, minute: int) -> str:
    moment = datetime.fromtimestamp(60 * minute, UTC).astimezone(ZoneInfo(case.meta["zone"]))
    return moment.replace(tzinfo=None).isoformat(timespec="minutes")


def _steps(case: _Case, plan: Scheduled) -> list[list[Any]]:
    return [[_local(case, step.start), _local(case, step.end), step.replicas] for step in plan.steps]


def _classes(case: _Case, verdict: Verdict) -> list[list[Any]]:
    missing = {one.place: one.missing for one in verdict.uncovered}
    return [
        [one.name, _local(case, one.start), _local(case, one.end), one.students, missing.get(place, 0)]
        for place, one in enumerate(_coming(case))
    ]


def _content(case: _Case, plan: Scheduled, replayed: Floats, past: int, verdict: Verdict) -> dict[str, Any]:
    zone = ZoneInfo(case.meta["zone"])
    cron = [[one.at.cron, one.at.once, one.replicas] for one in jobs(plan.steps, zone)]
    week = slice(-7 * DAY, None)
    return {
        "first": case.end - 7 * DAY, "used": _rounded(case.arrays["used"][week]),
        "ran": _rounded(case.arrays["pods"][week] * case.request), "planned": _rounded(replayed[week] * case.request),
        "cron": cron, "zone": case.meta["zone"],
        "steps": [[_local(case, step.start), _local(case, step.end), step.replicas] for step in plan.steps],
        "namespace": case.meta["namespace"], "workload": case.meta["workload"], "kind": case.meta["kind"],
    }  # fmt: skip


def _rounded(values: Any) -> list[float]:
    return [round(float(one), 3) for one in np.nan_to_num(values)]


def draw(draft: Draft, what: str) -> Figure:
    """The coming week as bars, classes without enough replicas in red; or the last week, replayed."""
    content = draft.content
    if what == "gantt":
        told = _("%(n)s replicas")
        bars = [
            _bar(_("replicas"), start, end, told % {"n": count}, PALETTE[0]) for start, end, count in content["steps"]
        ]
        for name, start, end, students, missing in draft.tables["classes"]:
            said = f"{name} · " + _("%(n)s students") % {"n": students}
            bars.append(_bar(_("classes"), start, end, said, PALETTE[9] if missing else PALETTE[2]))
        return gantt(bars)
    hours = moments(content["first"], len(content["used"]))
    series = [
        Series(_("used"), content["used"], PALETTE[0], "area"), Series(_("ran"), content["ran"], OTHERS, "step"),
        Series(_("planned"), content["planned"], PALETTE[1], "step"),
    ]  # fmt: skip
    return over(Axis("", hours, is_time=True), series, unit=_("cores"))


def _bar(row: str, start: str, end: str, told: str, colour: str) -> Bar:
    length = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return Bar(row, start, end, int(length / timedelta(milliseconds=1)), told, colour)


def identity() -> str:
    """The version of the timetable."""
    return f"{newest()[1]}"


PLANNER = Planner(
    name="timetable",
    title=gettext_lazy("Timetable schedules"),
    about=gettext_lazy("Replicas for every class, there when it begins and gone when it is over."),
    version="2",
    read=read,
    make=make,
    draw=draw,
    identity=identity,
    bring=Bring(gettext_lazy("Timetable of classes"), COLUMNS, take),
    sliders=(
        Slider("early", gettext_lazy("Minutes before a class for pulling and warming up"), 0, 60, 5, 10, "min"),
        Slider("quantile", gettext_lazy("Hours that are to have enough"), 80, 99.9, 0.1, 98, "%"),
        Slider("target", gettext_lazy("How much of a replica's request is used at most"), 30, 100, 5, 80, "%"),
        Slider("change", gettext_lazy("A change must save so many replica-minutes"), 0, 600, 10, 60),
        Slider("bounded", gettext_lazy("Stay within the autoscaler's bound (1) or not (0)"), 0, 1, 1, 0),
    ),
    tables=(
        TableShape(
            "classes", gettext_lazy("Classes of the coming week"),
            (
                Column("class", gettext_lazy("Class")),
                Column("start", gettext_lazy("Start")),
                Column("end", gettext_lazy("End")),
                Column("students", gettext_lazy("Students"), "number"),
                Column("missing", gettext_lazy("Replicas missing"), "number"),
            ),
        ),
        TableShape(
            "steps", gettext_lazy("Replicas of the coming week"),
            (
                Column("start", gettext_lazy("Start")),
                Column("end", gettext_lazy("End")),
                Column("replicas", gettext_lazy("Replicas"), "number"),
            ),
        ),
    ),
    figures=(
        FigureShape("replay", gettext_lazy("The last week, replayed"), gettext_lazy("cores")),
        FigureShape("gantt", gettext_lazy("The coming week"), ""),
    ),
    exports=(Export("cronhpa.yaml", "text/yaml", cron_hpa), Export("keda.yaml", "text/yaml", keda)),
)  # fmt: skip
