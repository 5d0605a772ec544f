"""The schedule of a workload by its settings: learned, planned, replayed, checked, and what is shown of it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.money import rounded
from apps.finops.stakes import Stake, in_cluster
from apps.learning.threads import alone
from apps.planning.arrays import unpack
from apps.planning.drafts import Action, Check, Draft, Settings
from apps.planning.methods.schedule import demand as students_demand
from apps.planning.methods.schedule import pattern
from apps.planning.methods.schedule.plan import Horizon, Scheduled, needs_of, schedule
from apps.planning.methods.schedule.problem import Floats, Ints, Lesson, Limits, Span, by_hour
from apps.planning.methods.schedule.verify import Verdict, verify
from apps.planning.planners import timetable_files as files
from apps.planning.planners import timetable_words as words
from apps.planning.reading.timetable import AHEAD, DAY
from apps.planning.words import share

REPLAYED, SHOWN = 14, 7
"""Days replayed, and days of the plan that the page shows: those after them tell only what comes every week."""
LEAST_REPLICAS = 1
DAYS_PER_MONTH = Fraction(365, 12)
WORTH_IT = Decimal("0.05")
"""Of what a workload costs: whoever saves less is told so on the page, and not asked to do anything."""


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
    def ahead(self) -> int:
        """The hours from the last one known to the first one planned, the first of today."""
        return int(self.meta["ahead"]) * DAY

    @property
    def start(self) -> int:
        """The first hour planned, since 1970."""
        return int(self.meta["first"]) + self.hours + self.ahead

    def clock(self, start: int, count: int) -> Ints:
        """The hour of the day of so many hours, from the one behind the first `start` on."""
        found: Ints = (self.meta["clock"] + np.arange(start, start + count)) % DAY
        return found

    def is_free(self, start: int, count: int) -> Ints:
        """Whether nobody works, by day, as the business calendar has it."""
        days = (self.meta["clock"] + np.arange(start, start + count, DAY)) // DAY
        found: Ints = np.array(self.meta["free"], dtype=np.int64)[days]
        return found


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


def _learn(case: _Case, until: int, start: int, days: int, quantile: float) -> _Learned:
    """From the hours before `until`, for so many days from the hour `start` on."""
    used, students = case.arrays["demand"][:until], by_hour(case.lessons, case.meta["first"], case.hours)[:until]
    found = None
    if (students > 0).sum() >= students_demand.LEAST_CLASS_HOURS:
        found = students_demand.learn(students, case.clock(0, until), np.arange(until) // DAY, used, quantile)
    quiet = np.where(students > 0, np.nan, used) if found is not None else used
    rows = until // DAY
    days_known = quiet[: rows * DAY].reshape(rows, DAY)
    filled = np.where(np.isnan(days_known), np.nanmin(used), days_known) if found is not None else days_known
    learned = pattern.learn(filled, case.is_free(0, rows * DAY), quantile, kind_count=2)
    return _Learned(np.concatenate([learned.needs[kind] for kind in case.is_free(start, days * DAY)]), found)


def _horizon(case: _Case, learned: _Learned, start: int) -> Horizon:
    return Horizon(case.meta["first"] + start, case.clock(start, len(learned.base)), learned.base)


def _scheduled(case: _Case, learned: _Learned, start: int, settings: Settings, *, cycles: bool = False) -> Scheduled:
    horizon = _horizon(case, learned, start)
    inside = [one for one in case.lessons if one.end > horizon.start and one.start < horizon.end]
    return schedule(
        horizon, inside, learned.demand, per_replica=case.per_replica, early=int(settings["early"]),
        limits=_limits(case, settings), cycles=cycles,
    )  # fmt: skip


def _limits(case: _Case, settings: Settings) -> Limits:
    return Limits(LEAST_REPLICAS, case.meta["most"] if settings["bounded"] else None, int(settings["change"]))


@alone
def make(data: bytes, settings: Settings) -> Draft:
    """The schedule of one workload by these settings."""
    case = _case(data, settings)
    cost, last = max(Decimal(case.meta["cost_per_month"]), Decimal(0)), date.fromisoformat(case.meta["since"])
    quantile = settings["quantile"] / 100
    past, coming = case.hours - REPLAYED * DAY, case.hours + case.ahead
    try:
        then = _learn(case, past, past, REPLAYED, quantile)
        now = _learn(case, case.hours, coming, AHEAD, quantile)
    except pattern.TooLittleHistory as little:
        return Draft(case.meta["currency"], cost, Decimal(0), (Sentence(words.TOO_LITTLE, {"why": str(little)}),),
                     settings=settings, billed_until=last)  # fmt: skip
    replayed = _replicas(_scheduled(case, then, past, settings), REPLAYED * DAY)
    plan = _scheduled(case, now, coming, settings, cycles=True)
    verdict = _verified(case, plan, now, settings)
    written = files.of(plan.steps, case.meta)
    freed, saving = _saving(case, replayed, past, cost)
    return Draft(
        currency=case.meta["currency"], cost_per_month=cost, saving_per_month=saving,
        says=_says(case, plan, now, settings), risks=_risks(case, replayed, past, verdict),
        binds=_binds(case, plan) + files.told(written),
        unknowns=(Sentence(words.UNKNOWN_STUDENTS if case.lessons else words.UNKNOWN_FUTURE),
                  Sentence(words.UNKNOWN_NODES)),
        checks=_checks(case, verdict, files.holds(written, plan.steps), freed, past),
        actions=_actions(case, cost, saving, replayed, past, verdict),
        tables={"steps": _steps(case, plan), "classes": _classes(case, verdict)},
        content=_content(case, plan, replayed, past) | written, settings=settings,
        billed_until=last,
        # Replica-minutes that the method compares, no money.
        objective=float(plan.cost), bound=float(plan.cost),
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
    inside = _coming(case) if learned.demand is not None else []
    limits = _limits(case, settings)
    horizon = _horizon(case, learned, case.hours + case.ahead)
    needs = needs_of(horizon, learned.demand, case.per_replica) if learned.demand is not None else lambda *_: 0
    return verify(
        [(one.start, one.end, one.students) for one in inside],
        [(step.start, step.end, step.replicas) for step in plan.steps], needs, early=int(settings["early"]),
        least=limits.least, most=limits.most, told_cost=plan.cost, change_minutes=limits.change_minutes, cycles=True,
    )  # fmt: skip


def _coming(case: _Case, days: int = AHEAD) -> list[Lesson]:
    """The classes that lie in the coming days with all their minutes, those before them too, by their start."""
    first, last = 60 * case.start + 60, 60 * (case.start + days * DAY)
    return [one for one in case.lessons if one.start >= first and one.end <= last]


def _shown(case: _Case, plan: Scheduled) -> list[Span]:
    """The steps of the coming week."""
    last = 60 * (case.start + SHOWN * DAY)
    return [replace(step, end=min(step.end, last)) for step in plan.steps if step.start < last]


def _saving(case: _Case, replayed: Floats, past: int, cost: Decimal) -> tuple[Floats, Decimal]:
    """Replica-hours that ran and would not have, as far as they ran on nodes that come and go; and their money, less
    that of the replicas the plan would have added."""
    pods, elastic = case.arrays["pods"][past:], case.arrays["elastic"][past:]
    freed: Floats = np.minimum(np.clip(np.nan_to_num(pods) - replayed, 0, None), elastic)
    added = float(np.nansum(np.clip(replayed - pods, 0, None)))
    hours = Fraction(max(float(freed.sum()) - added, 0.0) * case.request) * DAYS_PER_MONTH / REPLAYED
    return freed, min(cost, rounded(Fraction(Decimal(case.meta["price"])) * hours))


def _says(case: _Case, plan: Scheduled, learned: _Learned, settings: Settings) -> tuple[Sentence, ...]:
    shown, classes = _shown(case, plan), len(_coming(case, SHOWN))
    heights = [step.replicas for step in shown]
    told = {"least": f"{min(heights)}", "most": f"{max(heights)}", "changes": f"{len(shown) - 1}"}
    told |= {"first": _local(case, 60 * case.start)[:10]} if case.meta["is_late"] else {}
    if learned.demand is None:
        unlearned = [Sentence(words.UNLEARNED, {"count": f"{classes}"})] if classes else []
        return (
            Sentence(words.SAY_PATTERN_LATE if case.meta["is_late"] else words.SAY_PATTERN, told),
            *unlearned,
            Sentence(words.PEAKS if case.meta["has_peaks"] else words.MEANS),
        )
    found = learned.demand
    best = found.pinball[found.model]
    return (
        Sentence(words.SAY_LATE if case.meta["is_late"] else words.SAY, told | {"classes": f"{classes}"}),
        Sentence(words.EARLY, {"minutes": f"{settings['early']:.0f}"}),
        Sentence(words.LEARNED, {"days": f"{case.hours // DAY}", "model": found.model,
                                 "times": f"{found.without_students / max(best, 1e-9):.1f}"}),
        Sentence(words.PEAKS if case.meta["has_peaks"] else words.SHARES),
    )  # fmt: skip


def _risks(case: _Case, replayed: Floats, past: int, verdict: Verdict) -> tuple[Sentence, ...]:
    demand, used, ran = (case.arrays[name][past:] for name in ("demand", "used", "pods"))
    known = ~np.isnan(used)
    short = float((demand[known] > replayed[known] * case.request + 1e-9).mean()) if known.any() else 0.0
    planned, stood = (float(np.nansum(part[known]) * case.request) for part in (replayed, ran))
    told = [
        Sentence(words.RISK, {"days": f"{REPLAYED}", "short": share(short)}),
        Sentence(words.USED, {"used": share(float(used[known].sum()) / max(planned, 1e-9)),
                              "before": share(float(used[known].sum()) / max(stood, 1e-9))}),
    ]  # fmt: skip
    if verdict.uncovered:
        told.append(Sentence(words.UNCOVERED, {"count": f"{len(verdict.uncovered)}", "most": f"{case.meta['most']}"}))
    if case.meta["is_late"]:
        told.append(Sentence(words.LATE, {"day": case.meta["since"]}))
    return tuple(told)


def _binds(case: _Case, plan: Scheduled) -> tuple[Sentence, ...]:
    """The least, and where the plan and the autoscaler's bounds disagree."""
    least, most = case.meta["least"], case.meta["most"]
    needs = max(span.replicas for span in plan.needs)
    below = sum(step.minutes for step in _shown(case, plan) if least is not None and step.replicas < least) // 60
    told = [Sentence(words.BIND_REST, {"least": f"{LEAST_REPLICAS}"})]
    if most is not None and needs > most:
        told.append(Sentence(words.CONFLICT_MOST, {"most": f"{most}", "needs": f"{needs}"}))
    if below:
        told.append(Sentence(words.CONFLICT_LEAST, {"least": f"{least}", "hours": f"{below}"}))
    return tuple(told)


def _checks(case: _Case, verdict: Verdict, files_hold: bool, freed: Floats, past: int) -> tuple[Check, ...]:
    """A class without its replicas where no more may run is told as uncovered: a risk, and no mistake of the plan."""
    within = bool((freed <= case.arrays["elastic"][past:] + 1e-9).all() and (freed >= 0).all())
    found = [(one.name, one.holds) for one in verdict.checks]
    others = (("the file says the same as the plan", files_hold), ("money", within))
    return tuple(Check(Sentence(words.CHECKS[name]), holds) for name, holds in (*found, *others))


def _actions(
    case: _Case, cost: Decimal, saving: Decimal, replayed: Floats, past: int, verdict: Verdict
) -> tuple[Action, ...]:
    if saving < cost * WORTH_IT:
        return ()
    workload = f"{case.meta['namespace']}/{case.meta['workload']}"
    placed = {name: case.meta[name] for name in ("cluster", "namespace", "workload")}
    return (
        Action(workload, case.meta["team"], Sentence(words.TITLE, {"workload": workload}),
               _risks(case, replayed, past, verdict), case.meta["currency"], saving,
               date.fromisoformat(case.meta["since"]),
               scope=placed, stakes=(Stake(in_cluster(team=case.meta["team"], **placed), saving),)),
    )  # fmt: skip


def _local(case: _Case, minute: int) -> str:
    moment = datetime.fromtimestamp(60 * minute, UTC).astimezone(ZoneInfo(case.meta["zone"]))
    return moment.replace(tzinfo=None).isoformat(timespec="minutes")


def _steps(case: _Case, plan: Scheduled) -> list[list[Any]]:
    return [[_local(case, step.start), _local(case, step.end), step.replicas] for step in _shown(case, plan)]


def _classes(case: _Case, verdict: Verdict) -> list[list[Any]]:
    missing = {one.place: one.missing for one in verdict.uncovered}
    last = 60 * (case.start + SHOWN * DAY)
    return [
        [one.name, _local(case, one.start), _local(case, one.end), one.students, missing.get(place, 0)]
        for place, one in enumerate(_coming(case))
        if one.end <= last
    ]


def _content(case: _Case, plan: Scheduled, replayed: Floats, past: int) -> dict[str, Any]:
    week = slice(-7 * DAY, None)
    return {
        "first": case.meta["first"] + case.hours - 7 * DAY, "used": _rounded(case.arrays["used"][week]),
        "ran": _rounded(case.arrays["pods"][week] * case.request), "planned": _rounded(replayed[week] * case.request),
        "demand": _rounded(case.arrays["demand"][week]), "steps": _steps(case, plan),
    }  # fmt: skip


def _rounded(values: Any) -> list[float]:
    return [round(float(one), 3) for one in np.nan_to_num(values)]
