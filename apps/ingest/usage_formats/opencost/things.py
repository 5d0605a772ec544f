"""Allocations and assets as an export tells them: in JSON by their names, in CSV a day of a container per row."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from apps.ingest.text import careful, values
from apps.ingest.unpack import Member
from apps.ingest.usage_formats.base import BadUsage
from apps.ingest.usage_formats.sheets import Line, columns_of, lines, refuse_missing

MOST_BYTES = 512 << 20
MOST_DAYS = 31
_MOST_DIGITS = 100
"""Before or after the point: `1e-10000000` is short, and to reckon with it takes time without end."""
_HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)
"""What may be half a character only."""
_MINUTE = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)
Ran = tuple[datetime, datetime]
_NUMBERS = {
    "CPUCoreUsageAverage": "cpuCoreUsageAverage",
    "CPUCoreRequestAverage": "cpuCoreRequestAverage",
    "RAMBytesUsageAverage": "ramByteUsageAverage",
    "RAMBytesRequestAverage": "ramByteRequestAverage",
    "GPUs": "gpuCount",
}
_PROPERTIES = {
    "Namespace": "namespace", "ControllerKind": "controllerKind", "ControllerName": "controller", "Pod": "pod",
    "Node": "node",
}  # fmt: skip
"""Columns of the CSV → what JSON calls them."""
_OPTIONAL = ("GPUs", "Node")


@dataclass(frozen=True)
class Thing:
    """An allocation or an asset, where it stands, and the cluster of those that name none."""

    cells: Mapping[str, Any]
    where: str
    cluster: str

    def number(self, name: str) -> Fraction | None:
        """A quantity, None where it is not told."""
        told = self.cells.get(name)
        if told is None or told == "":
            return None
        if not _is_quantity(told):
            message = f"{careful.shown(str(told))} is not a quantity; export the window again."
            raise BadUsage("bad_value", f"{self.where}, {name}", message)
        return Fraction(told)

    def over_time(self, whole: str, each: str) -> Fraction:
        """What was there over all its time, or else at once for as long as it ran."""
        told = self.number(whole)
        return told if told is not None else (self.number(each) or Fraction(0)) * self.hours

    def instant(self, *path: str) -> datetime:
        told: Any = self.cells
        for name in path:
            told = told.get(name) if isinstance(told, Mapping) else None
        try:
            return values.parse_instant(str(told))
        except values.NotAnInstant:
            message = f"{careful.shown(str(told))} is not an instant; export the window again."
            raise BadUsage("bad_value", f"{self.where}, {'.'.join(path)}", message) from None

    def text(self, name: str) -> str:
        return str(self.cells.get(name) or "")

    def said(self, name: str) -> str:
        return str(self._properties.get(name) or "")

    def labels(self, name: str) -> dict[str, str]:
        told = self._properties.get(name)
        return {str(key): str(value) for key, value in told.items()} if isinstance(told, Mapping) else {}

    @property
    def _properties(self) -> Mapping[str, Any]:
        told = self.cells.get("properties")
        return told if isinstance(told, Mapping) else {}

    @property
    def window(self) -> Ran:
        start, end = self.instant("window", "start"), self.instant("window", "end")
        wrong = ""
        if not start < end <= start + timedelta(days=MOST_DAYS):
            wrong = f"A window must last from a moment to {MOST_DAYS} days"
        elif start.replace(minute=0, second=0, microsecond=0) != start:
            wrong = "A window must begin at a whole hour"
        if wrong:
            raise BadUsage("window", f"{self.where}, window", f"{wrong}; export by hour or by day.")
        return start, end

    @property
    def ran(self) -> Ran:
        """When it ran: inside its window."""
        start, end = self.window
        if "start" in self.cells and "end" in self.cells:
            ran = max(start, self.instant("start")), min(end, self.instant("end"))
            return ran if ran[0] < ran[1] else (start, start + _MINUTE)
        return start, end

    @property
    def hours(self) -> Fraction:
        """How long it ran, in hours."""
        minutes, (start, end) = self.number("minutes"), self.ran
        return minutes / 60 if minutes is not None else Fraction((end - start) // _MICROSECOND, 3_600_000_000)


def _is_quantity(told: Any) -> bool:
    if not isinstance(told, Decimal) or not told.is_finite() or told < 0:
        return False
    return max(abs(int(told.as_tuple().exponent)), told.adjusted()) <= _MOST_DIGITS


def in_json(member: Member, cluster: str) -> Iterator[Thing]:
    """What `/allocation` or `/assets` answered: sets of things by name."""
    for at, one in enumerate(_sets(member)):
        for name, cells in (one or {}).items():
            where = f"{member.name}, data[{at}].{name}"
            if not isinstance(cells, dict):
                raise BadUsage("json", where, "Not an allocation nor an asset.")
            yield Thing(cells, where, cluster)


def _sets(member: Member) -> list[Any]:
    if member.path.stat().st_size > MOST_BYTES:
        said = f"More than {MOST_BYTES >> 20} MiB of JSON; export fewer days at once."
        raise BadUsage("too_large", member.name, said)
    try:
        text = member.path.read_bytes().decode("utf-8-sig")
        told = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)
        if _HALF.search(text):
            json.dumps(told, ensure_ascii=False, default=str).encode()
    except (ValueError, RecursionError) as error:
        said = f"The file is not JSON ({error}); it may be cut off, export it again."
        raise BadUsage("json", member.name, said) from error
    sets = told.get("data") if isinstance(told, dict) else told
    sets = [sets] if isinstance(sets, dict) else sets
    if not isinstance(sets, list) or not all(isinstance(one, dict) or one is None for one in sets):
        raise BadUsage("json", member.name, "The JSON has no `data` with sets of allocations or assets by name.")
    return sets


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def in_csv(member: Member, cluster: str) -> Iterator[Thing]:
    """What OpenCost's exporter wrote: a day of a container per row, whose node is seldom told."""
    columns = columns_of(member)
    needs = [name for name in ("Date", *_PROPERTIES, *_NUMBERS) if name not in _OPTIONAL]
    refuse_missing(member, columns, needs)
    for line in lines(member, columns):
        yield _of_a_day(line, cluster)


def _of_a_day(line: Line, cluster: str) -> Thing:
    try:
        day = values.parse_instant(line.text("Date"))
        numbers = {
            name: values.exact_amount(line.text(column)) for column, name in _NUMBERS.items() if line.text(column)
        }
    except ValueError as error:
        said = f"{error} is neither a day nor a quantity; export again."
        raise BadUsage("bad_value", line.where, said) from None
    properties = {name: line.text(column) for column, name in _PROPERTIES.items()}
    window = {"start": day.isoformat(), "end": (day + timedelta(days=1)).isoformat()}
    return Thing({**numbers, "properties": properties, "window": window}, line.where, cluster)
