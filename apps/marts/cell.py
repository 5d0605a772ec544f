"""The address of a number: the question of one cell as parameters, and back."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlencode

from apps.finops.once import once
from apps.finops.tags import key_of
from apps.finops.windows import ONE_DAY
from apps.marts.query import EVERYTHING, FILTERS, BadQuestion, CostQuery, Scope
from apps.teams.organising import tree
from apps.teams.tree import LEVELS

FILTER_NAMES = {name: "billing_currency" if name == "currency" else name for name in FILTERS}
"""Dimension or level → the parameter that filters by it; `currency` itself asks for amounts in one."""
EXCLUDE_NAMES = {name: f"exclude[{parameter}]" for name, parameter in FILTER_NAMES.items()}
"""The same → the parameter that leaves values out."""
IN_QUOTES = re.compile(r'"(?:[^"]|"")*+"')
"""A value of a list in which every character is its own."""
LONGEST = 8_000
"""An address of more characters is none: servers take a first line of some eight thousand (`costops.gunicorn`)."""
_DAYS = ("start", "end")
_NUMBERS = ("as_of", "rates_as_of", "organisation_as_of")
PARAMETERS = (*_DAYS, "metric", "currency", *_NUMBERS, *FILTER_NAMES.values(), *EXCLUDE_NAMES.values())
_DEFAULT_METRIC = "effective_cost"
Told = TypeVar("Told")


def asked_filters(given: Mapping[str, Told]) -> list[tuple[str, Told]]:
    """What the parameters of an address say of dimensions, levels and tags; a tag's parameter is called as it is."""
    named = [(name, given[key]) for name, key in FILTER_NAMES.items() if key in given]
    return named + [(name, given[name]) for name in sorted(given) if key_of(name)]


def asked_excludes(given: Mapping[str, Told]) -> list[tuple[str, Told]]:
    """What the parameters of an address leave out, dimension by dimension, level by level, tag by tag."""
    inner = {key.removeprefix("exclude[")[:-1]: told for key, told in given.items() if key.startswith("exclude[")}
    return asked_filters(inner)


def listed(values: Sequence[str]) -> str:
    """Values as a comma-separated list; one that would read as several, or as any of them, stands in quotes."""
    return ",".join(_quoted(value) for value in values)


def _quoted(value: str) -> str:
    doubled = value.replace('"', '""')
    return f'"{doubled}"' if value == "*" or any(mark in value for mark in ',"\n\r') else value


def parameters(query: CostQuery) -> dict[str, str]:
    """A question as parameters of an address; its groups and the viewer's scope are no part of a cell."""
    told = {
        "start": query.start.isoformat(),
        "end": query.end.isoformat(),
        "metric": "" if query.metric == _DEFAULT_METRIC else query.metric,
        "currency": query.currency or "",
        "as_of": str(query.as_of or ""),
        "rates_as_of": "" if query.rates_as_of is None else str(query.rates_as_of),
        "organisation_as_of": "" if query.organisation_as_of is None else str(query.organisation_as_of),
    }
    filters = {FILTER_NAMES.get(name, name): listed(values) for name, values in _merged(query).items()}
    excludes = {
        EXCLUDE_NAMES.get(name, f"exclude[{name}]"): listed(values) for name, values in _excluded(query).items()
    }
    return {name: value for name, value in told.items() if value} | filters | excludes


def _merged(query: CostQuery) -> dict[str, tuple[str, ...]]:
    """The filters by dimension; where one was narrowed again, what both let through."""
    merged: dict[str, tuple[str, ...]] = {}
    for name, values in query.filters:
        merged[name] = tuple(value for value in merged.get(name, values) if value in values)
        if not merged[name]:
            raise BadQuestion(f"filter: {name} is narrowed to nothing")
    return merged


def _excluded(query: CostQuery) -> dict[str, tuple[str, ...]]:
    """What is left out, by dimension; where that was said twice, all of it."""
    left_out: dict[str, tuple[str, ...]] = {}
    for name, values in query.excludes:
        left_out[name] = tuple(dict.fromkeys((*left_out.get(name, ()), *values)))
    return left_out


def address(path: str, query: CostQuery) -> str:
    """A path that is told of a cell; empty where that would be too long to be asked."""
    return _bounded(f"{path}?{urlencode(parameters(query))}")


def _bounded(told: str) -> str:
    return told if len(told) <= LONGEST else ""


def question(given: Mapping[str, str], scope: Scope = EVERYTHING) -> CostQuery:
    """The question of an address, for a viewer; raises BadQuestion that names the parameter."""
    unknown = sorted(name for name in set(given) - set(PARAMETERS) if not key_of(name))
    if unknown:
        raise BadQuestion(f"{unknown[0][:60]}: there is no such parameter; there is {', '.join(PARAMETERS)}")
    start, end = (_day(name, given.get(name, "")) for name in _DAYS)
    as_of, rates_as_of, organisation_as_of = (_number(name, given.get(name, "")) for name in _NUMBERS)
    return CostQuery(
        start,
        end,
        metric=given.get("metric") or _DEFAULT_METRIC,
        filters=tuple((name, values(FILTER_NAMES.get(name, name), text)) for name, text in asked_filters(given)),
        excludes=tuple((name, values(f"exclude[{name}]", text)) for name, text in asked_excludes(given)),
        as_of=as_of,
        scope=scope,
        currency=given.get("currency") or None,
        rates_as_of=rates_as_of,
        organisation_as_of=organisation_as_of,
    )


def _day(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or len(text) != 10 or not 1970 <= found.year < 2200:
        raise BadQuestion(f"{name}: {text[:40]!r} is not a day; write it as 2026-10-01")
    return found


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadQuestion(f"{name}: {text[:40]!r} is not a whole number")
    return int(text)


def values(name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader([text], strict=True), []) or [""])
    except csv.Error as unreadable:
        raise BadQuestion(f"{name}: not a comma-separated list; quote a value that holds a comma") from unreadable


def cell(query: CostQuery, **groups: Any) -> CostQuery:
    """The question of one row: a day, week or month narrows the window, a dimension the filters."""
    start, end = query.start, query.end
    for name in ("day", "week", "month"):
        if name in groups:
            first, after = _span(name, groups.pop(name))
            start, end = max(start, first), min(end, after)
    filters = _merged(query) | {name: (value,) for name, value in groups.items()}
    return replace(query, start=start, end=end, filters=tuple(filters.items()), group_by=())


def _span(grain: str, value: date | str) -> tuple[date, date]:
    if isinstance(value, str):
        first = date.fromisoformat(f"{value}-01")
        return first, (first + timedelta(days=32)).replace(day=1)
    return value, value + (ONE_DAY if grain == "day" else timedelta(days=7))


def is_told_by(query: CostQuery, level: str, value: str) -> bool:
    """Whether a filter by the value of a level keeps just what its row of an answer holds. A row is of the outermost
    unit, and a filter also keeps what has it further in; and where the question is filtered by other units, the filter
    would stand in their place."""
    if value not in _merged(query).get(level, (value,)):
        return False
    key = ("below their kind", level, query.organisation_as_of, query.start, query.end)
    return value not in once(key, lambda: _below_their_kind(query, level))


def _below_their_kind(query: CostQuery, level: str) -> frozenset[str]:
    return tree(query.organisation_as_of).below_their_kind(level, query.start, query.end)


def row_addresses(path: str, query: CostQuery, columns: Sequence[str]) -> Callable[[Sequence[Any]], str]:
    """What makes the address of each row of an answer: an answer may hold fifty thousand of them.

    Empty where no explanation is of the same amount: a row by cost centre holds what has this one nearest, and a filter
    also what has it further up; a row by another level may not be told by its value; and explanations know nothing of
    accounts that add to what teams cost. Empty, too, where it would be too long to be asked.
    """
    if "cost_center" in columns or query.scope.is_by_account:
        return lambda row: ""
    by_level = [(at, _exact_values(query, name)) for at, name in enumerate(columns) if name in LEVELS]
    spans = [(at, name) for at, name in enumerate(columns) if name in ("day", "week", "month")]
    named = [
        (at, FILTER_NAMES.get(name, name)) for at, name in enumerate(columns) if name in FILTER_NAMES or key_of(name)
    ]
    if query.currency is not None:
        named = [(at, key) for at, key in named if key != FILTER_NAMES["currency"]]
    told = parameters(query)
    fixed = {name: value for name, value in told.items() if name not in {key for _, key in named} | set(_DAYS)}
    after = urlencode(fixed)

    def made(row: Sequence[Any]) -> str:
        if not all(is_exact(row[at]) for at, is_exact in by_level):
            return ""
        start, end = query.start, query.end
        for at, name in spans:
            first, until = _span(name, row[at])
            start, end = max(start, first), min(end, until)
        mine = "".join(f"&{quote_plus(key)}={_spelled(row[at])}" for at, key in named)
        return _bounded(f"{path}?start={start}&end={end}{mine}{'&' if after else ''}{after}")

    return made


def _exact_values(query: CostQuery, level: str) -> Callable[[str], bool]:
    return lru_cache(maxsize=None)(lambda value: is_told_by(query, level, value))


@lru_cache(maxsize=20_000)
def _spelled(value: str) -> str:
    return quote_plus(listed([value]))
