"""From the parameters of a request to the books to ask and what to ask them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from apps.api.compat.books import Books
from apps.api.compat.columns import KEYED, PLAIN, UNKNOWN, Field, parse_aggregate
from apps.api.compat.filters import Comparison, Filter, Group, Kind, both, comparisons, parse_filter
from apps.api.compat.parameters import ASSET_LEGACY, LEGACY
from apps.api.compat.parts import Asked
from apps.api.compat.windows import parse_accumulate, parse_window, sets_of
from apps.api.errors import BadParameterError
from apps.finops.windows import Window
from apps.marts.query import CostQuery, Scope
from apps.marts.selectors import answer, publication
from apps.teams.organising import tree

DEFAULT_AGGREGATE = (Field("cluster"), Field("namespace"), Field("controller"))
"""The finest that is published."""

ASSET_FIELDS = ("assetType", "cluster", "name", "category", "account", "project", "provider", "providerID", "service")
CLOUD_FIELDS = ("invoiceEntityID", "accountID", "provider", "providerID", "category", "service", "regionID")

_UNKNOWN_KEYED = {"annotation", "nodeLabel"}
_NONE: Mapping[str, str] = {}
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Clock:
    """The day it is, in the time zone of the books."""

    today: date
    zone: ZoneInfo


def checked(parameter: str, read: Callable[[], _Value]) -> _Value:
    """What `read` returns; what it refuses is a bad parameter."""
    try:
        return read()
    except ValueError as refused:
        raise BadParameterError(parameter, f"{parameter} {refused}") from refused


def books_of(given: Mapping[str, Any], scope: Scope, clock: Clock) -> Books:
    """The books of a request: its window, publication, currency and cost basis."""
    if not given.get("window"):
        raise BadParameterError("window", "window is missing; say for example window=7d or window=lastmonth")
    widen = given.get("wholeDays", False)
    window = checked("window", lambda: parse_window(given["window"], today=clock.today, zone=clock.zone, widen=widen))
    books = Books(publication(given.get("as_of")), window, scope, given.get("metric", "effective_cost"))
    return replace(books, currency=given.get("currency") or _only_currency(books))


def _only_currency(books: Books) -> str:
    return only_one(books.currencies(), "this window has") or ""


def only_one(currencies: Sequence[str], what_has: str) -> str | None:
    """The only currency there is, None where there is none; several are never added."""
    if len(currencies) > 1:
        told = f"currency must be said: {what_has} costs in {', '.join(currencies)}, which are never added"
        raise BadParameterError("currency", told)
    return next(iter(currencies), None)


def currency_of_all(given: Mapping[str, Any], scope: Scope) -> str | None:
    """The currency of everything that was published, as far as somebody may see it."""
    if given.get("currency"):
        return str(given["currency"])
    pinned = publication(given.get("as_of"))
    if pinned.first_day is None or pinned.end_day is None:
        return None
    found = answer(CostQuery(pinned.first_day, pinned.end_day, as_of=pinned.number, scope=scope))
    return only_one(sorted(found.totals), "there are")


def sets_asked(given: Mapping[str, Any], window: Window) -> tuple[Window, ...]:
    """The sets of the answer."""
    name = "accumulateBy" if "accumulateBy" in given else "accumulate"
    accumulate = checked(name, lambda: parse_accumulate(given.get(name, "")))
    return tuple(checked("step", lambda: sets_of(window, step=given.get("step", ""), accumulate=accumulate)))


def allocation_question(given: Mapping[str, Any], window: Window) -> Asked:
    """What is asked of allocations."""
    aggregate = _aggregate(given.get("aggregate", ""))
    fields, keyed = (*PLAIN, *(set(UNKNOWN) - _UNKNOWN_KEYED)), (*KEYED, *_UNKNOWN_KEYED)
    tree = _filter_of(given, LEGACY, fields=fields, keyed=keyed, unknown=UNKNOWN)
    named = {each.name for each in aggregate} | {each.field for each in comparisons(tree)}
    return Asked(
        sets=sets_asked(given, window),
        aggregate=aggregate,
        filter=tree,
        shared=_shared(given),
        includes_idle=given.get("includeIdle", given.get("idle", False)),
        shares_idle=given.get("shareIdle", False),
        splits_idle=given.get("splitIdle", False),
        idle_by_node=given.get("idleByNode", False),
        shares_evenly=given.get("shareSplit") == "even",
        includes_external=given.get("external", True),
        departments=_departments(window) if "department" in named else (),
    )


def _departments(window: Window) -> tuple[tuple[str, date, date, str], ...]:
    """Team, first day, day after the last, department: by the newest organisation, of the days of a window."""
    known = tree()
    return tuple(
        (team, spot.since, spot.until, spot.value("department"))
        for team in sorted(known.teams)
        for spot in known.spots(team)
        if spot.value("department") and spot.since < window.end and window.start < spot.until
    )


def _aggregate(text: str) -> tuple[Field, ...]:
    """What to group by: nothing at all, for all of it in one."""
    if text.strip().lower() == "all":
        return ()
    return checked("aggregate", lambda: parse_aggregate(text)) or DEFAULT_AGGREGATE


def asset_filter(given: Mapping[str, Any]) -> Filter | None:
    """The filter of a question about assets."""
    return _filter_of(given, ASSET_LEGACY, fields=ASSET_FIELDS)


def cloud_filter(given: Mapping[str, Any]) -> Filter | None:
    """The filter of a question about cloud costs."""
    return _filter_of(given, {}, fields=CLOUD_FIELDS)


def _filter_of(
    given: Mapping[str, Any],
    legacy: Mapping[str, str],
    *,
    fields: Collection[str],
    keyed: Collection[str] = (),
    unknown: Mapping[str, str] = _NONE,
) -> Filter | None:
    """The filter of the newer language and those of the older parameters: all of them hold."""
    text = given.get("filter", "")
    trees = [checked("filter", lambda: _known(parse_filter(text, fields=fields, keyed=keyed), unknown))]
    for parameter, field in legacy.items():
        if given.get(parameter) and field in unknown:
            raise BadParameterError(parameter, f"{parameter} cannot be answered: {unknown[field]}")
        trees.append(_older(parameter, field, given.get(parameter, "")))
    return both(*trees)


def _known(tree: Filter | None, unknown: Mapping[str, str]) -> Filter | None:
    for each in comparisons(tree):
        if each.field in unknown:
            raise ValueError(f"by {each.field} cannot be answered: {unknown[each.field]}")
    return tree


def _older(parameter: str, field: str, text: str) -> Filter | None:
    """The filter of one of the older parameters: any of its values."""
    values = [value.strip() for value in text.split(",") if value.strip()]
    alike: dict[tuple[str, Kind], list[str]] = defaultdict(list)
    for value in values:
        key, kind, wanted = checked(parameter, partial(_older_value, field, value))
        alike[key, kind].append(wanted)
    parts = tuple(Comparison(field, key, kind, tuple(wanted)) for (key, kind), wanted in alike.items())
    return Group(False, parts) if parts else None


def _older_value(field: str, value: str) -> tuple[str, Kind, str]:
    """The key, the kind of comparison and the text of one value."""
    key = ""
    if field in KEYED:
        key, colon, value = (part.strip() for part in value.partition(":"))
        if not colon or not key:
            raise ValueError(f"needs name:value, not {key!r}")
    return (key, "starts", value[:-1]) if value.endswith("*") else (key, "is", value)


def _shared(given: Mapping[str, Any]) -> Filter | None:
    """The rows whose cost all others share: any of the namespaces or labels."""
    found = [_older(name, field, given.get(name, "")) for name, field in _SHARED.items()]
    parts = tuple(tree for tree in found if tree is not None)
    return Group(False, parts) if parts else None


_SHARED = {"shareNamespaces": "namespace", "shareLabels": "label"}
