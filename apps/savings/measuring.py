"""Measuring one initiative: its counterfactual, what prices and moved cost take from its saving, if it lasts."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any

import numpy as np

from apps.calendars.selectors import calendar
from apps.finops.findings import Sentence
from apps.learning.effects import measuring as effects
from apps.learning.effects.study import Effect, EffectError, Study
from apps.operations.deciding import today
from apps.savings.models import Initiative, Measurement
from apps.savings.selectors import CENT
from apps.savings.series import Series

SHOWN_BEFORE = 56
"""Days before the start that the figure shows."""

LATE = "It was stated after it had begun: its grade is C at best"
CANNOT = "It cannot be measured: %(why)s"
UNTOLD = "The driver %(driver)s is not told for every day: it was left out"
NO_CONTROLS = "There is nothing left alone to compare it with; only its own history tells what it would have cost"
PRICE = "Prices alone changed the cost by %(amount)s %(currency)s a day: that is no saving"
PRICE_UNKNOWN = "What prices changed by themselves is not known"
MOVED_UNKNOWN = "Whether cost only moved elsewhere is not known: nothing was taken off for it"
MOVED = "The team's other cost rose by %(amount)s %(currency)s over the same days: counted as moved, not saved"
GIVEN_UP = (
    "Nobody metered %(clusters)s for two months: it counts as given up; what runs on elsewhere, unmetered, would look "
    "the same. Its grade is C at best"
)


@dataclass(frozen=True)
class Measured:
    """What was measured until before a day. Money is of all days from the first that counts; `says` are reasons and
    corrections, `days` (day, actual, counterfactual, lower, upper), `before` the cost of the days before the start,
    `months` (first day, saving, lower, upper)."""

    effect: Effect | None
    moved: Decimal
    grade: str
    says: tuple[Sentence, ...]
    days: tuple[tuple[str, float, float, float, float], ...] = ()
    months: tuple[tuple[str, float, float, float], ...] = ()
    before: tuple[tuple[str, float], ...] = ()

    @property
    def verdict(self) -> str:
        """Moved cost is taken from the whole interval."""
        if self.effect is None:
            return Measurement.Verdict.UNKNOWN
        if self.effect.lower - float(self.moved) > 0:
            return Measurement.Verdict.SAVED
        return Measurement.Verdict.COST_MORE if self.effect.upper < 0 else Measurement.Verdict.NOT_SHOWN

    def columns(self) -> dict[str, Any]:
        """The numbers as a Measurement keeps them."""
        if self.effect is None:
            return {"verdict": self.verdict, "grade": ""}
        bounds = {name: money(getattr(self.effect, name)) - self.moved for name in ("saving", "lower", "upper")}
        return {
            "verdict": self.verdict, "grade": self.grade, "percent_text": _percent(self.effect.percent),
            **{f"{name}_text": f"{amount:f}" for name, amount in bounds.items()},
        }  # fmt: skip


def _percent(share: float) -> str:
    return f"{share:.2f}" if isfinite(share) else ""


def money(amount: float) -> Decimal:
    """An estimate, to the cent: more digits would pretend to be exact."""
    return Decimal(repr(float(amount))).quantize(CENT)


def measure(one: Initiative, series: Series, *, end: date) -> Measured:
    """Measure an initiative from its series, until before `end`."""
    study = _study(one, series, end)
    assumed = [Sentence(GIVEN_UP, {"clusters": ", ".join(series.given_up)})] if series.given_up else []
    says = [*_late(one), *assumed, *_prices(one, series)]
    says += [Sentence(UNTOLD, {"driver": name}) for name in series.drivers if name not in study.drivers]
    if not series.controls:
        says.append(Sentence(NO_CONTROLS))
    try:
        found = effects.measure(study)
    except EffectError as missing:
        return Measured(None, Decimal(0), "", (Sentence(CANNOT, {"why": str(missing)}),))
    told = _moved(study, series)
    moved = told or Decimal(0)
    if told is None:
        says.append(Sentence(MOVED_UNKNOWN))
    elif moved:
        says.append(Sentence(MOVED, {"amount": f"{moved:,.2f}", "currency": one.currency}))
    months = _months(study) if end >= one.decided_on else ()
    grade = max(found.grade, "C") if _late(one) or assumed else found.grade
    return Measured(found, moved, grade, tuple(says), _days(found), months, _history(one, series))


def _study(one: Initiative, series: Series, end: date) -> Study:
    """What the methods are told; prices that changed by themselves are taken out of the days after the start."""
    cost = series.cost.copy()
    if series.price_per_day:
        after = np.array([day >= one.measured_from for day in series.days])
        cost[after] -= float(series.price_per_day)
    return study_of(
        series, start=one.start, end=end, transition_days=one.transition_days, cost=cost, calendar=calendar()
    )


def study_of(series: Series, *, start: date, end: date, transition_days: int = 0, **given: Any) -> Study:
    """A series as the methods are told it; a driver that is not known on every day is left out."""
    told: dict[str, Any] = {
        "days": np.array(series.days, dtype="datetime64[D]"), "cost": series.cost, "controls": dict(series.controls),
        "drivers": {name: values for name, values in series.drivers.items() if not np.isnan(values).any()},
    }  # fmt: skip
    return Study(start=start, end=end, transition_days=transition_days, **(told | given))


def _late(one: Initiative) -> list[Sentence]:
    return [Sentence(LATE)] if one.stated_at and today(one.stated_at) > one.start else []


def _prices(one: Initiative, series: Series) -> list[Sentence]:
    if one.is_about_price:
        return []
    if series.price_per_day is None:
        return [Sentence(PRICE_UNKNOWN)]
    if abs(series.price_per_day) < CENT:
        return []
    return [Sentence(PRICE, {"amount": f"{series.price_per_day:+,.2f}", "currency": one.currency})]


def _moved(study: Study, series: Series) -> Decimal | None:
    """How much more the rest costs than it would have, where that is more than noise; None where nobody can tell."""
    if series.rest is None:
        return None
    try:
        found = effects.measure(replace(study, cost=series.rest))
    except EffectError:
        return None
    return money(-found.saving) if found.upper < 0 else Decimal(0)


def _days(found: Effect) -> tuple[tuple[str, float, float, float, float], ...]:
    """Every day from the start on whose cost is known."""
    told = found.counterfactual
    numbers = np.column_stack((told.actual, told.expected, told.lower, told.upper)).round(2)
    return tuple(
        (f"{day}", *row.tolist())
        for day, row in zip(told.days.astype(object), numbers, strict=True)
        if np.isfinite(row).all()
    )


def _history(one: Initiative, series: Series) -> tuple[tuple[str, float], ...]:
    """What it cost on the days just before."""
    days = [(day, cost) for day, cost in zip(series.days, series.cost, strict=True) if day < one.start]
    return tuple((f"{day}", round(float(cost), 2)) for day, cost in days[-SHOWN_BEFORE:])


def _months(study: Study) -> tuple[tuple[str, float, float, float], ...]:
    found = [(each.month, each.effect) for each in effects.persistence(study)]
    return tuple((f"{month}", round(one.saving, 2), round(one.lower, 2), round(one.upper, 2)) for month, one in found)
