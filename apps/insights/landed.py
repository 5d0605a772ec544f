"""Where the month and the quarter of every forecast land, as they are kept with it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from django.db import transaction

from apps.calendars.periods import Period, period_of
from apps.finops.money import add_up, less
from apps.insights.beyond import agreed
from apps.insights.history import History
from apps.insights.landing import Ahead, ahead_of, landing
from apps.insights.models import Forecast, ForecastRun
from apps.warehouse import fencing

DECIMALS = 6
UNIT = Decimal(1).scaleb(-DECIMALS)
EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_AT_ONCE = 500


def text(amount: Decimal) -> str:
    """An amount as forecasts keep it."""
    return f"{amount.quantize(UNIT, context=EXACT):f}"


def exact_text(amount: Decimal) -> str:
    """What was charged, and what it is a part of, with all the decimals it has beyond those: rounded one by one,
    landings would not add up."""
    rounded = amount.quantize(UNIT, context=EXACT)
    return f"{rounded if rounded == amount else amount:f}"


def texts(beyond: Mapping[date, Decimal]) -> dict[str, str]:
    """Amounts of days as forecasts keep them."""
    return {day.isoformat(): exact_text(amount) for day, amount in sorted(beyond.items())}


def periods(history: History) -> list[Period]:
    """The month and the quarter of the first day ahead."""
    return [period_of(grain, history.end) for grain in ("month", "quarter")]


def landings(history: History, level: str, key: str, ahead: Ahead, known: Mapping[str, str]) -> list[dict[str, Any]]:
    """Where they land for a series. `known` is, by kind of period, what changes known ahead add to it."""
    return [
        {"period": period.name, "kind": period.grain, "last_day": period.last_day.isoformat()}
        | _amounts(history, level, key, ahead, period)
        | {"known": known[period.grain]}
        for period in periods(history)
    ]


def _amounts(history: History, level: str, key: str, ahead: Ahead, period: Period) -> dict[str, str]:
    so_far = history.so_far(level, key, period.start, history.end)
    forecast = add_up([so_far, *ahead.means[: (period.end - history.end).days]])
    lands = landing(history.charged(level, key), ahead, period.start, period.end)
    assert lands is not None  # noqa: S101  # a forecast reaches to the end of the longest quarter
    told = {"so_far": so_far, "ahead": less(lands.mean, forecast)} | vars(lands)
    return {name: exact_text(amount) for name, amount in told.items()}


@transaction.atomic
def land_anew(run: ForecastRun, histories: Iterable[History]) -> None:
    """Tell forecasts that were taken over where they land now: something else may be charged ahead."""
    fencing.check()
    for history in histories:
        means = {(one.level, one.key): [Decimal(day[0]) for day in one.days] for one in _touched(run, history)}
        beyond = agreed(history, means) if means else {}
        changed = [
            one for one in _touched(run, history) if _is_changed(one, history, beyond.get((one.level, one.key), {}))
        ]
        Forecast.objects.bulk_update(changed, ["beyond", "landings"], batch_size=_AT_ONCE)


def _touched(run: ForecastRun, history: History) -> Iterator[Forecast]:
    """The forecasts of which something is charged ahead, or was."""
    rows = Forecast.objects.filter(run=run, currency=history.currency)
    found = [
        one.pk
        for one in rows.only("level", "key", "landings")
        if one.key in history.ahead.get(one.level, {}) or any(Decimal(told["ahead"]) for told in one.landings)
    ]
    for place in range(0, len(found), _AT_ONCE):
        yield from rows.filter(pk__in=found[place : place + _AT_ONCE])


def _is_changed(one: Forecast, history: History, beyond: Mapping[date, Decimal]) -> bool:
    """Land it; whether that is elsewhere."""
    before = one.landings, one.beyond
    known = {told["kind"]: told["known"] for told in one.landings}
    one.beyond = texts(beyond)
    ahead = ahead_of(history.end, [day[0] for day in one.days], one.sums, one.beyond)
    one.landings = landings(history, one.level, one.key, ahead, known)
    return (one.landings, one.beyond) != before
