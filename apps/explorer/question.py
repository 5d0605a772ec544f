"""What an address of the explorer asks: read strictly, written canonically; the address is the whole state."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from apps.finops.currencies import CURRENCIES
from apps.finops.errors import CostOpsError
from apps.finops.periods import windows, year_before
from apps.finops.windows import ONE_DAY, Window
from apps.marts.cell import EXCLUDE_NAMES, FILTER_NAMES
from apps.marts.query import GROUPS, METRICS, TIME_DIMENSIONS, CostQuery, Scope
from apps.marts.tagging import tag_dimensions

PERIODS = ("month", "last-month", "quarter", "year", "7", "30", "90", "365", "custom")
GRAINS = ("", "day", "week", "month", "none")
"""Time steps; empty: as the period and the chart want it."""
COMPARED = ("", "before", "year")
CHARTS = ("area", "bars", "treemap", "sunburst", "heatmap", "sankey", "table")
TOPS = (5, 10, 20, 40)
MOST_GROUPS = 3
MOST_VALUES = 100
MOST_TEXT = 8_000
MOST_STEPS = 400
MOST_DAYS = 5 * 366
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
CONVERTED = "in-"
_ITEM = re.compile(r'(?:\s*+("(?:[^"]|"")*+")\s*+|([^,"]*+))(?:,|$)')
_STEP_DAYS = {"day": 1, "week": 7, "month": 30}


def groupings() -> tuple[str, ...]:
    """What a chart can be divided by, chosen tags too; amounts of different currencies never share one."""
    return (*(name for name in GROUPS if name not in (*TIME_DIMENSIONS, "currency")), *tag_dimensions())


def filter_names() -> dict[str, str]:
    """Dimension, level or chosen tag → the parameter that filters by it."""
    return FILTER_NAMES | {name: name for name in tag_dimensions()}


def exclude_names() -> dict[str, str]:
    """The same → the parameter that leaves values of it out."""
    return EXCLUDE_NAMES | {name: f"exclude[{name}]" for name in tag_dimensions()}


class CannotBeAsked(CostOpsError):
    """Some parameters cannot be meant; `faults` names each with what it may be."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = dict(faults)
        super().__init__("; ".join(f"{name}: {fault}" for name, fault in faults.items()))


Chosen = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Exploration:
    """One question with the way it is drawn. Every field that is left alone is left out of the address.

    `by` are at most three dimensions, the outermost first; `filters` pairs dimensions, in the order of
    `filter_names`, with the values that count, `excludes` with those that do not; `currency` is one, or one that all
    amounts are converted to, written `in-CNY`.
    """

    metric: str = "effective_cost"
    period: str = "30"
    start: date | None = None
    last: date | None = None
    grain: str = ""
    by: tuple[str, ...] = ("team",)
    filters: Chosen = ()
    excludes: Chosen = ()
    compare: str = ""
    currency: str = ""
    chart: str = "area"
    top: int = 10
    publication: int | None = None

    @property
    def reporting(self) -> str:
        """The currency that all amounts are converted to, if any."""
        return self.currency.removeprefix(CONVERTED) if self.currency.startswith(CONVERTED) else ""

    def params(self) -> str:
        """The address, canonical: what is the default is left out, unless nothing else would be left."""
        said = {name: _WRITERS[name](getattr(self, name)) for name in _WRITERS}
        named = {name: value for name, value in said.items() if value != _DEFAULTS[name]}
        only = {FILTER_NAMES.get(name, name): listed(values) for name, values in self.filters}
        but = {EXCLUDE_NAMES.get(name, f"exclude[{name}]"): listed(values) for name, values in self.excludes}
        told = urlencode(named | only | but)
        return told or f"period={self.period}"

    def narrowed(self, **values: str) -> "Exploration":
        """The same about one value of some dimensions."""
        return self.filtered({**dict(self.filters), **{name: (value,) for name, value in values.items()}})

    def without(self, name: str) -> "Exploration":
        """The same without the filter of a dimension."""
        return self.filtered({key: values for key, values in self.filters if key != name})

    def filtered(self, filters: Mapping[str, Sequence[str]]) -> "Exploration":
        return replace(self, filters=_chosen(filters))

    def excluding(self, excludes: Mapping[str, Sequence[str]]) -> "Exploration":
        return replace(self, excludes=_chosen(excludes))

    def with_all_of(self, name: str) -> "Exploration":
        """The same with nothing of a dimension left out."""
        return self.excluding({key: values for key, values in self.excludes if key != name})

    def windows(self, end: date, whole: date | None = None) -> tuple[Window, Window]:
        """The days asked for and those before them, where costs end before `end`; from `whole` on a bill is late."""
        custom = Window(self.start, self.last + ONE_DAY) if self.start and self.last else None
        window, before = windows(self.period, end=end, custom=custom, whole=whole)
        return window, year_before(window) if self.compare == "year" else before

    def step(self, window: Window) -> str:
        """The time step it is drawn by; empty where time is no part of it."""
        if self.chart in ("treemap", "sunburst", "sankey"):
            return ""
        is_plain = self.chart == "table" or (self.chart == "heatmap" and len(self.by) > 1)
        if self.grain == "none" or (not self.grain and is_plain):
            return fitting(window) if self.needs_time else ""
        step = self.grain or fitting(window)
        if (window.end - window.start).days / _STEP_DAYS[step] > MOST_STEPS:
            raise CannotBeAsked({"grain": f"at most {MOST_STEPS} steps can be drawn; take a longer step"})
        return step

    @property
    def needs_time(self) -> bool:
        return self.chart == "area" or (self.chart == "heatmap" and len(self.by) < 2)

    def query(self, window: Window, *, as_of: int, scope: Scope) -> CostQuery:
        """The question about all of it, not yet grouped."""
        return CostQuery(
            window.start, window.end, metric=self.metric, filters=self.filters, excludes=self.excludes, as_of=as_of,
            scope=scope, currency=self.reporting or None,
        )  # fmt: skip


def _chosen(values: Mapping[str, Sequence[str]]) -> Chosen:
    return tuple((name, tuple(values[name])) for name in filter_names() if values.get(name))


def fitting(window: Window) -> str:
    """The time step of which a window has at most some hundred."""
    days = (window.end - window.start).days
    return "day" if days <= 100 else "week" if days <= 730 else "month"


def listed(values: Iterable[str]) -> str:
    """Values as a list that `parted` reads back; one that would read as several, or as none, stands in quotes."""
    return ",".join(_quoted(value) for value in values)


def _quoted(value: str) -> str:
    doubled = value.replace('"', '""')
    return value if value and value == value.strip() and not set(value) & set(',"') else f'"{doubled}"'


def parted(text: str) -> tuple[str, ...]:
    """The values of a list, each once. Spaces around commas are none of theirs, and what is nothing is no value; in
    quotes everything is meant, `""` too: what a dimension does not apply to."""
    found, place = [], 0
    while place < len(text):
        item = _ITEM.match(text, place)
        if item is None:
            raise ValueError("not a comma-separated list; quote a value that holds a comma or a quote")
        quoted, plain = item.groups()
        if quoted or plain.strip():
            found.append(quoted[1:-1].replace('""', '"') if quoted else plain.strip())
        place = item.end()
    return tuple(dict.fromkeys(found))


def read(given: Mapping[str, Sequence[str]]) -> Exploration:
    """The question of an address (name → its values); raises CannotBeAsked that names every fault."""
    faults: dict[str, str] = {}
    found: dict[str, Any] = {}
    filters: dict[str, tuple[str, ...]] = {}
    excludes: dict[str, tuple[str, ...]] = {}
    taken = [
        *((found, name, name, reader) for name, reader in _READERS.items()),
        *((filters, name, key, _values) for name, key in filter_names().items()),
        *((excludes, name, key, _values) for name, key in exclude_names().items()),
    ]
    for name in sorted(set(given) - {key for _, _, key, _ in taken}):
        faults[name[:60]] = "there is no such parameter"
    for held, name, key, reader in taken:
        if key in given:
            try:
                held[name] = reader(given[key])
            except ValueError as wrong:
                faults[key] = str(wrong)
    asked = {name: value for name, value in found.items() if value is not None}
    if not faults:
        _check_days(asked, faults)
        if asked.get("chart") == "sankey" and not asked.get("by", ("team",)):
            faults["by"] = "choose at least one dimension for cost to flow to"
    if faults:
        raise CannotBeAsked(faults)
    return Exploration(**asked).filtered(filters).excluding(excludes)


def _check_days(asked: dict[str, Any], faults: dict[str, str]) -> None:
    """A custom period has its days; another has none, whatever an address says of them."""
    if asked.get("period") != "custom":
        asked.pop("start", None)
        asked.pop("last", None)
        return
    start, last = asked.get("start"), asked.get("last")
    if start is None or last is None:
        faults["start" if start is None else "last"] = "a custom period needs its first and its last day"
    elif last < start:
        faults["last"] = "is before the first day"
    elif last - start > timedelta(days=MOST_DAYS):
        faults["last"] = "a period lasts at most five years"


def _one(values: Sequence[str]) -> str:
    if len(values) > 1:
        raise ValueError("is given more than once")
    return values[0] if values else ""


def _choice(*choices: str) -> Callable[[Sequence[str]], str | None]:
    def reader(values: Sequence[str]) -> str | None:
        text = _one(values)
        if text and text not in choices:
            raise ValueError(f"is not one of {', '.join(filter(None, choices))}")
        return text or None

    return reader


def _day(values: Sequence[str]) -> date | None:
    text = _one(values)
    if not text:
        return None
    try:
        found = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        found = None
    if found is None or not EARLIEST <= found <= LATEST:
        raise ValueError("is not a day such as 2026-10-01")
    return found


def _groups(values: Sequence[str]) -> tuple[str, ...]:
    """From one list or several parameters; each once, in their order."""
    found = tuple(dict.fromkeys(part.strip() for text in values for part in text.split(",") if part.strip()))
    if unknown := [name for name in found if name not in groupings()]:
        raise ValueError(f"{unknown[0][:60]!r} is not one of {', '.join(groupings())}")
    if len(found) > MOST_GROUPS:
        raise ValueError(f"at most {MOST_GROUPS} dimensions")
    return found


def _values(texts: Sequence[str]) -> tuple[str, ...]:
    text = _one(texts)
    if len(text) > MOST_TEXT:
        raise ValueError(f"is longer than {MOST_TEXT} characters")
    if "\x00" in text:  # other control characters may stand in names of a bill
        raise ValueError("contains a control character")
    found = parted(text)
    if len(found) > MOST_VALUES:
        raise ValueError(f"holds more than {MOST_VALUES} values")
    return found


def _currency(values: Sequence[str]) -> str | None:
    text = _one(values)
    prefix = CONVERTED if text.startswith(CONVERTED) else ""
    code = text.removeprefix(CONVERTED).upper()
    if not code and not prefix:
        return None
    is_known = code in CURRENCIES if prefix else code.isascii() and code.isalpha() and 3 <= len(code) <= 10
    if not is_known:
        raise ValueError("is not a currency code such as CNY")
    return prefix + code


def _number(values: Sequence[str]) -> int | None:
    text = _one(values)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text)):
        raise ValueError("is not a whole number")
    return int(text)


def _top(values: Sequence[str]) -> int | None:
    found = _choice(*(str(top) for top in TOPS))(values)
    return int(found) if found else None


_READERS: dict[str, Callable[[Sequence[str]], Any]] = {
    "metric": _choice(*METRICS),
    "period": _choice(*PERIODS),
    "start": _day,
    "last": _day,
    "grain": _choice(*GRAINS),
    "by": _groups,
    "compare": _choice(*COMPARED),
    "currency": _currency,
    "chart": _choice(*CHARTS),
    "top": _top,
    "publication": _number,
}
_WRITERS: dict[str, Callable[[Any], str]] = {
    name: (lambda value: ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value))
    for name in _READERS
}
_DEFAULTS = {name: _WRITERS[name](getattr(Exploration(), name)) for name in _READERS}
