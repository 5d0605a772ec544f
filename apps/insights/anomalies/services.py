"""Looking for anomalies on the days that are over in what was published, again when these or what people say change."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.calendars.selectors import calendar, today
from apps.finops.problems import Problem
from apps.finops.steps import StepResult
from apps.insights.anomalies import cells as places
from apps.insights.anomalies.belonging import where_they_belong
from apps.insights.anomalies.cells import Cells
from apps.insights.anomalies.feedback import reviews_of
from apps.insights.anomalies.writing import anomaly
from apps.insights.models import Anomaly, AnomalyFeedback, AnomalyRun
from apps.insights.runs import keep, looked_at, taken_over
from apps.learning.anomalies.describing import Alert, describe
from apps.learning.anomalies.episodes import Found
from apps.learning.anomalies.usual import WARM_UP
from apps.marts.selectors import publication

if TYPE_CHECKING:
    from apps.learning.anomalies.detector import AnomalyDetector, Backtest

MODEL_VERSION = "2"
"""Raised whenever the same costs would be judged otherwise."""
KEPT_RUNS = 30
RECENT_DAYS = 60
"""What began earlier is no news."""
LEAST_SHARE = 0.002
"""Less than this part of what everything costs (or uses) is not worth anybody's look."""
LEAST_CHANGE = 0.1
"""Nor is what never was a tenth off, or not half as much all in all."""
SEED = 20261127


@dataclass(frozen=True)
class Judged:
    """One measure: its alerts, where they belong, and the detector that found them."""

    cells: Cells
    alerts: list[Alert]
    detector: "AnomalyDetector"


def identity() -> str:
    """What anomalies depend on besides costs and usage."""
    newest = AnomalyFeedback.objects.order_by("-pk").values_list("pk", flat=True).first()
    return f"{MODEL_VERSION} {calendar()} {newest or 0}"


def find(*, now: datetime) -> StepResult:
    """Look through the newest publication; the same costs are not looked through again."""
    pinned = publication()
    days = looked_at(pinned, identity(), today=today(now))
    if (before := taken_over(AnomalyRun, pinned.number, now, days=days)) is not None:
        return _result(before)
    known = places.read(pinned, today=today(now))
    inputs = _fingerprint(known)
    if (before := taken_over(AnomalyRun, pinned.number, now, inputs=inputs)) is not None:
        AnomalyRun.objects.filter(pk=before.pk).update(days=days)
        return _result(before)
    judged = [_judge(one) for one in known if len(one.amounts) > WARM_UP]
    usage = [one for one in known if one.measure != "cost"]
    said = f"there are no {WARM_UP + 1} days of {{}} yet; anomalies will be looked for later."
    problems = tuple(
        Problem("note", "too_short", f"{one.measure} {one.unit}", said.format(one.measure))
        for one in known
        if len(one.amounts) <= WARM_UP
    )
    rows = [
        anomaly(one.cells, alert, usage, pinned, is_by_rule=one.detector.is_rule_)
        for one in _once(judged)
        for alert in one.alerts
    ]
    run = AnomalyRun(
        publication=pinned.number, model_version=MODEL_VERSION, inputs=inputs, days=days, created_at=now,
        end_day=max((one.cells.end for one in judged), default=None), detectors=[_told(one) for one in judged],
    )  # fmt: skip
    keep(run, _named(rows), most=KEPT_RUNS)
    return _result(run, problems)


def _result(run: AnomalyRun, problems: tuple[Problem, ...] = ()) -> StepResult:
    return StepResult(rows=run.anomalies.count(), problems=problems, versions={"publication": run.publication})


def _judge(cells: Cells) -> Judged:
    """The alerts of one measure that began lately, each at the level where it belongs."""
    from apps.learning.anomalies.detector import AnomalyDetector  # two seconds that only learning needs to wait for

    detector = AnomalyDetector(calendar(), random_state=SEED)
    reviews = reviews_of(cells)
    detector.fit(cells.days, cells.matrix, reviews)
    known, flags = detector.judge(cells.days, cells.matrix)
    earliest = max(WARM_UP, len(cells.days) - RECENT_DAYS)
    alerts = [one for one in describe(known, flags, earliest=earliest) if _matters(cells, one)]
    return Judged(cells, where_they_belong(cells, alerts), detector)


def _matters(cells: Cells, alert: Alert) -> bool:
    """Whether so much moved that somebody should look: of everything, and of what was expected."""
    off = cells.matrix[alert.first : alert.last + 1, alert.series] - alert.expected
    usual = np.abs(cells.amounts[-WARM_UP:].sum(axis=1)).mean()
    is_large = np.abs(off).max() >= LEAST_SHARE * usual
    is_far = (np.abs(off) >= LEAST_CHANGE * np.abs(alert.expected)).any()
    return bool(is_large and is_far and abs(off.sum()) >= LEAST_CHANGE / 2 * np.abs(alert.expected).sum())


def _once(judged: list[Judged]) -> list[Judged]:
    """Without alerts of usage that an alert of cost tells already, or one of another measure."""
    found: list[Judged] = []
    told: list[tuple[date, bool, dict[str, str]]] = []
    for one in judged:
        alerts = []
        for alert in one.alerts:
            series = one.cells.series[alert.series]
            place = {name: value for name, value in zip(places.FIELDS, series.cell, strict=True) if value}
            here = (one.cells.day(alert.first), alert.is_upward, place)
            if one.cells.measure == "cost" or not any(_is_same(here, other) for other in told):
                alerts.append(alert)
                told.append(here)
        found.append(Judged(one.cells, alerts, one.detector))
    return found


def _is_same(one: tuple[date, bool, dict[str, str]], other: tuple[date, bool, dict[str, str]]) -> bool:
    """Began together, in one direction, one place within the other."""
    near = abs((one[0] - other[0]).days) <= 3 and one[1] == other[1]
    return near and all(other[2][name] == value for name, value in one[2].items() if name in other[2])


def _named(rows: list[Anomaly]) -> list[Anomaly]:
    """Each anomaly with the name it had before: the same place within a week is the same anomaly."""
    last = AnomalyRun.objects.order_by("-publication").first()
    before: dict[tuple[str, ...], list[Anomaly]] = {}
    for old in last.anomalies.all() if last else ():
        before.setdefault(old.place, []).append(old)
    taken: set[str] = set()
    for row in sorted(rows, key=lambda one: (one.first_day, one.place)):
        near = [
            old for old in before.get(row.place, ())
            if abs((old.first_day - row.first_day).days) <= 7 and old.slug not in taken
        ]  # fmt: skip
        row.slug = near[0].slug if near else _slug(row)
        if near:
            row.seen_day = min(row.seen_day, near[0].seen_day)
        taken.add(row.slug)
    return rows


def _slug(row: Anomaly) -> str:
    return hashlib.sha256(repr((row.place, row.first_day)).encode()).hexdigest()[:16]


def _fingerprint(known: list[Cells]) -> str:
    digest = hashlib.sha256(identity().encode())
    for one in known:
        digest.update(repr((one.measure, one.unit, one.start, one.end, one.keys)).encode())
        digest.update(np.ascontiguousarray(one.amounts).tobytes())
    return digest.hexdigest()


def _told(one: Judged) -> dict[str, Any]:
    """What the page says of a detector."""
    tried = one.detector.backtest_
    return {
        "measure": one.cells.measure, "unit": one.cells.unit, "is_rule": one.detector.is_rule_,
        "series": len(one.cells.series), "days": len(one.cells.days), "end_day": one.cells.end.isoformat(),
        "model": _scores(tried, "model"), "rule": _scores(tried, "rule"),
    }  # fmt: skip


def _scores(tried: "Backtest | None", which: str) -> dict[str, float] | None:
    if tried is None:
        return None
    found: Found = getattr(tried, which)
    return {"f1": round(found.f1, 4), "false_per_thousand": round(found.false_per_thousand, 4)}
