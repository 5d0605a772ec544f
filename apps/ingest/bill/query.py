"""The engine's query that turns the rows of a bill into charges: read strictly, mapped, and placed in a month.

It stops at the first cell that it cannot take: nothing is skipped, rounded or guessed silently.
"""

# ruff: noqa: S608  # identifiers are declared columns, and every text is quoted: engines take no parameters there

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apps.finops import focus
from apps.ingest.bill.mapping import Bound, Input, Told
from apps.ingest.bill.origins import Origin, quoted, stop

MONEY = tuple(name for name, kind in focus.COLUMNS.items() if kind == focus.MONEY)
TIMES = tuple(name for name, kind in focus.COLUMNS.items() if kind == focus.TIME)
SEVERAL_MONTHS = "several billing months"
_SHIFT = "INTERVAL 15 DAY"
_TYPES = {"text": "VARCHAR", "money": "DECIMAL(38,12)", "time": "TIMESTAMP", "json": "VARCHAR"}
_OWN = ("x_Row", "x_Rounded", "x_Other", "x_SourceCost", "x_Mapping")


@dataclass(frozen=True)
class BillQuery:
    """What to read and how: `first_row` is the number of rows of this file read before, `told` what discovery says."""

    origin: Origin
    bound: Bound
    zone: str
    first_row: int = 0
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def general(self) -> "BillQuery":
        """The same in the form that takes odd values one by one."""
        return replace(self, origin=replace(self.origin, is_plain=False))

    def month(self, month: str, *, only: bool) -> str:
        """The charges of one billing month; rows of other months stop the query, or (`only`) are left out."""
        start = f'("BillingPeriodStart" + {_SHIFT})'
        inside = f"{start} >= TIMESTAMP '{month}-01' AND {start} < TIMESTAMP '{month}-01' + INTERVAL 1 MONTH"
        condition = inside if only else f"CASE WHEN {inside} THEN true ELSE error('{SEVERAL_MONTHS}') END"
        names = ", ".join(self._stored(name) for name in focus.COLUMNS)
        own = ", ".join(f'"{name}"' for name in _OWN)
        return f'SELECT {names}, {self._day(month)} AS "x_ChargeDay", {own} FROM ({self._mapped()}) WHERE {condition}'

    def months(self) -> str:
        return f"SELECT DISTINCT {self._months()} ORDER BY 1"

    def first_month(self) -> str:
        return f"SELECT {self._months()} LIMIT 1"

    def _months(self) -> str:
        """In few words: the engine binds those that nobody reads as well, for longer than many a file takes."""
        period = self._column("BillingPeriodStart")
        only = self.bound.mapping.only
        read = [alias for alias in self.bound.mapping.inputs if _names(alias, f"{period} {only}")]
        parts = ", ".join(f'{self._input(alias)} AS "{alias}"' for alias in read) or "NULL"
        rows = f"(SELECT {parts} FROM {self.origin.relation}){f' WHERE {only}' if only else ''}"
        return f"strftime(({period}) + {_SHIFT}, '%Y-%m') FROM {rows}"

    def _mapped(self) -> str:
        mapping = self.bound.mapping
        parts = [f'{self._column(name)} AS "{name}"' for name in focus.COLUMNS]
        own = {"x_SourceCost": "NULL::DECIMAL(38,12)", "x_Mapping": "NULL::VARCHAR"} | {
            name: expression for name, expression in mapping.columns.items() if name in _OWN
        }
        if "x_SourceCost" in mapping.columns:
            own["x_Mapping"] = f"'{mapping.name} {mapping.version}'"
        parts += ["x_Row", "x_Rounded", "x_Other", *(f'{expression} AS "{name}"' for name, expression in own.items())]
        only = f" WHERE {mapping.only}" if mapping.only else ""
        return f"SELECT {', '.join(parts)} FROM ({self._typed()}){only}"

    def _column(self, name: str) -> str:
        kind = "DECIMAL(38,12)" if name in MONEY else "TIMESTAMP" if name in TIMES else "VARCHAR"
        expression = self.bound.mapping.columns.get(name, "NULL")
        return expression if expression == f'"{name}"' else f"({expression})::{kind}"

    def _typed(self) -> str:
        parts = [f'{self._input(alias)} AS "{alias}"' for alias in self.bound.mapping.inputs]
        number = f"{self.first_row} + {self.origin.number}"
        parts += [f"{number} AS x_Row", f"{self._rounded()} AS x_Rounded", f"{_object(self._kept())} AS x_Other"]
        return f"SELECT {', '.join(parts)} FROM {self.origin.relation}"

    def _input(self, alias: str) -> str:
        declared = self.bound.mapping.inputs[alias]
        if isinstance(declared, Told):
            return f"'{quoted(self.told.get(declared.what, ''))}'"
        if not isinstance(declared, Input):
            keys = self.bound.gathered[alias]
            return _object({key: self.origin.text(at) for key, at in keys.items()})
        if alias not in self.bound.positions:
            return f"NULL::{_TYPES[declared.kind]}"
        at = self.bound.positions[alias]
        read = {
            "text": self.origin.words,
            "money": self.origin.amount,
            "time": self.origin.instant,
            "json": self.origin.json_object,
        }
        expression = read[declared.kind](at, declared)
        if not declared.required:
            return expression
        return f"CASE WHEN {self.origin.text(at)} IS NULL THEN {stop(self.bound.columns[at])} ELSE {expression} END"

    def _rounded(self) -> str:
        if self.origin.is_plain:
            return "NULL::VARCHAR"
        flags = [
            f"CASE WHEN {self.origin.is_rounded(at, one)} THEN '{quoted(self.bound.columns[at])}' END"
            for alias, at in self.bound.positions.items()
            if (one := self.bound.input(alias)) and one.kind == "money"
        ]
        return f"nullif(concat_ws(',', {', '.join(flags)}), '')" if flags else "NULL::VARCHAR"

    def _kept(self) -> dict[str, str]:
        return {name: self.origin.text(at) for name, at in self.bound.kept.items()}

    def _stored(self, name: str) -> str:
        return f'timezone(\'UTC\', "{name}") AS "{name}"' if name in TIMES else f'"{name}"'

    def _day(self, month: str) -> str:
        """The business day. Around one month most zones keep one offset; adding it is cheaper than asking for it."""
        start = '"ChargePeriodStart"'
        zoned = f"business_day(timezone('UTC', {start}), '{quoted(self.zone)}')"
        first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC) - timedelta(days=32)
        hours = [first + timedelta(hours=hour) for hour in range(24 * 96)]
        offsets = {hour.astimezone(ZoneInfo(self.zone)).utcoffset() for hour in hours}
        if len(offsets) > 1:
            return zoned
        (offset,) = offsets
        seconds = int(offset.total_seconds()) if offset else 0
        inside = f"{start} BETWEEN TIMESTAMP '{first:%Y-%m-%d}' AND TIMESTAMP '{hours[-1]:%Y-%m-%d}'"
        return f"CASE WHEN {inside} THEN ({start} + INTERVAL {seconds} SECOND)::DATE ELSE {zoned} END"


def _names(alias: str, expression: str) -> bool:
    return re.search(rf"\b{re.escape(alias)}\b", expression, re.IGNORECASE) is not None


def _object(values: dict[str, str]) -> str:
    """A JSON object of the values that are present, NULL where there are none."""
    if not values:
        return "NULL::VARCHAR"
    pairs = ", ".join(f"'{quoted(key)}', {text}" for key, text in values.items())
    made = f"nullif(json_merge_patch('{{}}', json_object({pairs}))::VARCHAR, '{{}}')"
    return f"CASE WHEN coalesce({', '.join(values.values())}) IS NULL THEN NULL ELSE {made} END"
