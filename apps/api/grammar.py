"""The grammar of Koku's reports, understood as the one question: what stands in brackets, periods counted back, orders,
the largest with Others, and another period beside."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from apps.api.errors import BadParameterError
from apps.api.parameters import (
    COSTS,
    EXCLUDE,
    TABLE_FORMAT,
    Family,
    Known,
    Parameter,
    day,
    narrowing,
    one_of,
    values_or_any,
    whole_number,
)
from apps.finops.windows import ONE_DAY, Window
from apps.marts.cell import FILTER_NAMES, asked_excludes, asked_filters
from apps.marts.comparing import read_comparison
from apps.marts.models import Publication
from apps.marts.query import GROUPS, METRICS, TIME_DIMENSIONS, BadQuestion, CostQuery
from apps.marts.shape import COST, DATE, DELTA, MOST_SHOWN, Shape
from apps.marts.tagging import tag_dimensions

MOST_BACK = 1_200
"""So many days or months a period may be counted back."""
_GRAINS = {"daily": "day", "weekly": "week", "monthly": "month"}
MOST_DAYS = 10 * 366
_SAYS_DAYS = {"start", "end", "start_date", "end_date"}
_TIME_SCOPE = "filter[time_scope_value]"
Values = tuple[tuple[str, tuple[str, ...]], ...]


def _back(value: str) -> int:
    """How many days or months back, written as Koku does: -1 is the month that the last published day is in."""
    try:
        return whole_number(1, MOST_BACK)(value.removeprefix("-"))
    except ValueError:
        raise ValueError(f"is not a whole number between -1 and -{MOST_BACK}") from None


def _comparison(value: str) -> str | Window:
    try:
        return read_comparison(value)
    except BadQuestion as refused:
        raise ValueError(str(refused).removeprefix("compare: ")) from refused


def _kept() -> Mapping[str, Parameter]:
    return narrowing(values_or_any, "Only these values of {}, compared as a whole; `*` for any.")


def _filter() -> Mapping[str, Parameter]:
    return {**_kept()} | {
        one.name: one
        for one in (
            Parameter("limit", whole_number(1, MOST_SHOWN), "The largest so many, then Others.", pattern=r"^\d{1,5}$"),
            Parameter("offset", whole_number(0, 10**6), "Skip so many, without Others.", pattern=r"^\d{1,7}$"),
            Parameter("resolution", one_of(*_GRAINS), "Group by day, week or month as well.", choices=tuple(_GRAINS)),
            Parameter(
                "time_scope_units", one_of("day", "month"), "What is counted back.", choices=("day", "month")
            ),
            Parameter(
                "time_scope_value", _back,
                "-10 days: the last ten published; -1 month: that of the last published day, -2: the one before.",
                pattern=r"^-?\d{1,4}$",
            ),
        )
    }  # fmt: skip


def _group_by() -> Mapping[str, Parameter]:
    told = "Group by {}; values other than `*` are a filter as well."
    names = (*GROUPS, *tag_dimensions())
    return {name: Parameter(name, values_or_any, told.format(name), is_list=True) for name in names}


def _order_by() -> Mapping[str, Parameter]:
    read = one_of("asc", "desc")
    return {
        name: Parameter(name, read, f"The order by {name}.", choices=("asc", "desc"))
        for name in (COST, DELTA, DATE, *GROUPS, *tag_dimensions())
    }


FILTER = Family("filter", _kept, "What is kept: `filter[team]=a,b`.")
GRAMMAR: Known = (
    Family("filter", _filter, "What is kept: `filter[team]=a,b`; the period and how many groups are told."),
    EXCLUDE,
    Family("group_by", _group_by, "Grouped by: `group_by[team]=*`.", is_spread=True),
    Family("order_by", _order_by, "The order, the first given counting most: `order_by[cost]=desc`."),
    Parameter("basis", one_of(*METRICS), "The same as `metric`.", choices=METRICS),
    Parameter("delta", one_of(COST), "The same as `compare=previous`.", choices=(COST,)),
    Parameter(
        "compare",
        _comparison,
        "`previous`, `year`, or a window `2026-09-01/2026-10-01`, its end excluded: the cost then, delta and ratio.",
    ),
    Parameter("start_date", day, "The first day, as Koku says it."),
    Parameter("end_date", day, "The last day, as Koku says it: included."),
    Parameter(
        "explain",
        one_of("rows", "total", "none"),
        "`rows`: every row has the address that explains it; `total`: the whole is explained, too; `none`.",
        choices=("rows", "total", "none"),
    ),
)
ASKED: Known = (*(one for one in COSTS if one.name != TABLE_FORMAT.name), TABLE_FORMAT, *GRAMMAR)
"""What `costs/` may be asked."""


def in_brackets(given: Mapping[str, Any], word: str) -> dict[str, Any]:
    """What was said of a word in brackets, in the order it was said."""
    start = f"{word}["
    return {name.removeprefix(start)[:-1]: value for name, value in given.items() if name.startswith(start)}


def metric_and_groups(given: Mapping[str, Any]) -> dict[str, Any]:
    """The metric, the groups and the currency, where they were said."""
    if given.get("basis", given.get("metric")) != given.get("metric", given.get("basis")):
        raise BadParameterError("basis", f"basis says {given['basis']} and metric {given['metric']}; say it once")
    grouped = tuple(given.get("group_by", ())) + tuple(in_brackets(given, "group_by"))
    grain = _GRAINS.get(given.get("filter[resolution]", ""))
    if grain and grain not in grouped:
        grouped = (grain, *grouped)
    said = {"metric": given.get("basis", given.get("metric")), "group_by": grouped, "currency": given.get("currency")}
    return {name: value for name, value in said.items() if value}


def filters(given: Mapping[str, Any]) -> Values:
    """What is kept: plain, as `filter[…]`, and as values that a group was narrowed to."""
    plain = asked_filters({name: value for name, value in given.items() if "[" not in name})
    said = asked_filters(in_brackets(given, "filter"))
    narrowed = [(name, found) for name, found in in_brackets(given, "group_by").items() if found]
    for name, found in narrowed:
        if name in TIME_DIMENSIONS:
            raise BadParameterError(f"group_by[{name}]", f"group_by[{name}] is {found[0][:40]!r}; it can only be *")
    kept: dict[str, tuple[str, ...]] = dict(plain)
    for name, found in (*said, *narrowed):
        if found:
            kept[name] = tuple(value for value in kept.get(name, found) if value in found)
            if not kept[name]:
                parameter = f"filter[{FILTER_NAMES.get(name, name)}]"
                raise BadParameterError(parameter, f"{parameter}: no value passes all that was said of it")
    return tuple(kept.items())


def excludes(given: Mapping[str, Any]) -> Values:
    """What is left out."""
    return tuple(asked_excludes(given))


def window(given: Mapping[str, Any], pinned: Publication) -> Window:
    """The days of a question: as it says them, counted back from the last published day that came, or all there are."""
    if pinned.first_day is None or pinned.end_day is None or pinned.came_until is None:
        return _window(given, None, None, pinned)
    counted = _counted_back(given, pinned.came_until - ONE_DAY)
    if counted is not None:
        return counted
    return _window(given, pinned.first_day, pinned.end_day, pinned)


def _window(given: Mapping[str, Any], first: date | None, after: date | None, pinned: Publication) -> Window:
    for plain, koku in (("start", "start_date"), ("end", "end_date")):
        if plain in given and koku in given:
            raise BadParameterError(koku, f"{koku} and {plain} say the same; say it once")
    last = given.get("end_date")
    start = given.get("start", given.get("start_date", first))
    end = given.get("end", last + ONE_DAY if last else after)
    if start is None or end is None:
        raise BadParameterError("start", f"publication {pinned.number} holds no costs; give start and end")
    check_span(given, start, end)
    return Window(start, end)


def check_span(given: Mapping[str, Any], start: date, end: date) -> None:
    """Raise BadQuestion where the days that a question names end before they begin, or are too many; all published
    ones may always be meant."""
    if start >= end:
        raise BadQuestion(f"end ({end}) must come after start ({start}); the end day itself is not included")
    if _SAYS_DAYS & set(given) and (end - start).days > MOST_DAYS:
        raise BadQuestion(
            f"start ({start}) and end ({end}) are {(end - start).days} days apart; a question is about {MOST_DAYS} "
            "days, ten years, at most. Ask for a part after the other"
        )


def _counted_back(given: Mapping[str, Any], last: date) -> Window | None:
    """The period that time_scope means, ten days or one month where no number is said; None where none is meant."""
    units, value = given.get("filter[time_scope_units]"), given.get(_TIME_SCOPE, 0)
    if units is None and not value:
        return None
    both = sorted({"start", "end", "start_date", "end_date"} & set(given))
    if both:
        raise BadParameterError(both[0], f"{both[0]} and {_TIME_SCOPE} both say the period; say it once")
    if units == "day" or (units is None and value > 3):
        return Window(last - timedelta(days=(value or 10) - 1), last + ONE_DAY)
    number = last.year * 12 + last.month - (value or 1)
    first = date(number // 12, number % 12 + 1, 1)
    return Window(first, min((first + timedelta(days=32)).replace(day=1), last + ONE_DAY))


_NAMES = {"top": "filter[limit]", "offset": "filter[offset]"}


def shape(given: Mapping[str, Any], query: CostQuery) -> Shape:
    """How the answer is told."""
    order = tuple((name, direction == "desc") for name, direction in in_brackets(given, "order_by").items())
    told = Shape(order, given.get("filter[limit]"), given.get("filter[offset]"), _compare(given))
    try:
        told.check(query)
    except BadQuestion as refused:
        name, _, why = str(refused).partition(": ")
        named = _NAMES.get(name, name)
        raise BadParameterError(named, f"{named}: {why}") from refused
    return told


def _compare(given: Mapping[str, Any]) -> str | Window | None:
    if "delta" in given and given.get("compare", "previous") != "previous":
        raise BadParameterError("delta", "delta and compare say different periods; say one")
    compare: str | Window | None = given.get("compare", "previous" if "delta" in given else None)
    return compare
