"""The engine's query that turns the text of a bill into charges.

Two forms of one query. The *plain* one knows decimals of up to twelve places and `YYYY-MM-DDTHH:MM:SSZ` and stops at
anything else; the *general* one hands every other value to `apps.ingest.text.values`, one by one. Both read every cell
as text, bind columns by name, and stop at the first cell they cannot take: nothing is skipped, rounded or guessed
silently.
"""

# ruff: noqa: S608  # identifiers are declared columns, and every text is quoted: engines take no parameters there

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.finops import focus
from apps.ingest.text import values
from apps.ingest.text.header import MAX_FIELD, Header

MONEY = tuple(name for name, kind in focus.COLUMNS.items() if kind == focus.MONEY)
TIMES = tuple(name for name, kind in focus.COLUMNS.items() if kind == focus.TIME)
SEVERAL_MONTHS = "several billing months"
_STOP = "error('{column}')"
_SHIFT = "INTERVAL 15 DAY"


@dataclass(frozen=True)
class BillQuery:
    """What to read and how: `first_row` is the number of rows of this file read before."""

    path: Path
    header: Header
    zone: str
    is_plain: bool = True
    is_numbered: bool = True
    first_row: int = 0

    def month(self, month: str, *, only: bool) -> str:
        """The charges of one billing month; rows of other months stop the query, or (`only`) are left out."""
        start = f'("BillingPeriodStart" + {_SHIFT})'
        inside = f"{start} >= TIMESTAMP '{month}-01' AND {start} < TIMESTAMP '{month}-01' + INTERVAL 1 MONTH"
        condition = inside if only else f"CASE WHEN {inside} THEN true ELSE error('{SEVERAL_MONTHS}') END"
        names = ", ".join(self._stored(name) for name in focus.COLUMNS)
        return (
            f'SELECT {names}, {self._day()} AS "x_ChargeDay", x_Row AS "x_Row", x_Rounded AS "x_Rounded", '
            f'x_Other AS "x_Other" FROM ({self._typed()}) WHERE {condition}'
        )

    def months(self) -> str:
        start = self._instant("BillingPeriodStart")
        return f"SELECT DISTINCT strftime({start} + {_SHIFT}, '%Y-%m') FROM {self._csv()} ORDER BY 1"

    def first_month(self) -> str:
        start = self._instant("BillingPeriodStart")
        return f"SELECT strftime({start} + {_SHIFT}, '%Y-%m') FROM {self._csv()} LIMIT 1"

    def _typed(self) -> str:
        parts = [f'{self._cell(name)} AS "{name}"' for name in focus.COLUMNS]
        parts += [f"{self._row()} AS x_Row", f"{self._rounded()} AS x_Rounded", f"{self._other()} AS x_Other"]
        return f"SELECT {', '.join(parts)} FROM {self._csv()}"

    def _csv(self) -> str:
        columns = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(len(self.header.columns)))
        missing = ", ".join(f"'{text}'" for text in values.MISSING)
        return (
            f"read_csv('{quoted(str(self.path))}', auto_detect=false, header=true, delim=',', quote='\"', escape='\"', "
            f"columns={{{columns}}}, nullstr=[{missing}], max_line_size={MAX_FIELD}, strict_mode=true)"
        )

    def _cell(self, name: str) -> str:
        if name not in self.header.known:
            return f"NULL::{'DECIMAL(38,12)' if name in MONEY else 'TIMESTAMP' if name in TIMES else 'VARCHAR'}"
        if name in MONEY:
            return self._present(name, self._amount(name))
        if name in TIMES:
            return self._present(name, self._instant(name))
        if name in focus.JSON_COLUMNS:
            return self._json(name)
        return self._present(name, self._text(name))

    def _text(self, name: str) -> str:
        return f"c{self.header.position(name)}"

    def _present(self, name: str, expression: str) -> str:
        if name not in focus.REQUIRED:
            return expression
        return f"CASE WHEN {self._text(name)} IS NULL THEN {_STOP.format(column=name)} ELSE {expression} END"

    def _amount(self, name: str) -> str:
        text = self._text(name)
        odd = _STOP.format(column=name) if self.is_plain else f"costops_amount({text})"
        # Eighteen digits are read four times faster than thirty-eight, and hold nearly every amount.
        return (
            f"CASE WHEN {text} IS NULL THEN NULL "
            f"WHEN regexp_full_match({text}, '{values.PLAIN_AMOUNT}') THEN {text}::DECIMAL(18,12)::DECIMAL(38,12) "
            f"WHEN regexp_full_match({text}, '{values.LARGE_AMOUNT}') THEN {text}::DECIMAL(38,12) ELSE {odd} END"
        )

    def _instant(self, name: str) -> str:
        text = self._text(name)
        odd = _STOP.format(column=name) if self.is_plain else f"costops_instant({text})"
        return (
            f"CASE WHEN {text} IS NULL THEN NULL "
            f"WHEN regexp_full_match({text}, '{values.PLAIN_INSTANT}') THEN {text}::TIMESTAMP ELSE {odd} END"
        )

    def _json(self, name: str) -> str:
        text = self._text(name)
        return (
            f"CASE WHEN {text} IS NULL OR json_type({text}) = 'OBJECT' THEN {text} ELSE {_STOP.format(column=name)} END"
        )

    def _row(self) -> str:
        return f"{self.first_row} + row_number() OVER ()" if self.is_numbered else "NULL::BIGINT"

    def _rounded(self) -> str:
        if self.is_plain:
            return "NULL::VARCHAR"
        flags = ", ".join(self._flag(name) for name in MONEY if name in self.header.known)
        return f"nullif(concat_ws(',', {flags}), '')"

    def _flag(self, name: str) -> str:
        text = self._text(name)
        is_odd = f"NOT regexp_full_match({text}, '{values.LARGE_AMOUNT}')"
        return f"CASE WHEN {is_odd} AND costops_rounded({text}) THEN '{name}' END"

    def _other(self) -> str:
        if not self.header.unknown:
            return "NULL::VARCHAR"
        pairs = ", ".join(f"'{quoted(name)}', c{at}" for name, at in self.header.unknown.items())
        return f"nullif(json_merge_patch('{{}}', json_object({pairs}))::VARCHAR, '{{}}')"

    def _stored(self, name: str) -> str:
        return f'timezone(\'UTC\', "{name}") AS "{name}"' if name in TIMES else f'"{name}"'

    def _day(self) -> str:
        start = '"ChargePeriodStart"'
        if self.zone == "UTC":
            return f"{start}::DATE"
        return f"business_day(timezone('UTC', {start}), '{quoted(self.zone)}')"


def quoted(text: str) -> str:
    return text.replace("'", "''")


def register(connection: Any) -> None:
    """Make the one-by-one readers known to an engine's connection; they serve the general query."""
    known = {row[0] for row in connection.execute("SELECT function_name FROM duckdb_functions()").fetchall()}
    functions = (
        ("costops_amount", values.exact_amount, "DECIMAL(38,12)"),
        ("costops_rounded", values.is_rounded, "BOOLEAN"),
        ("costops_instant", _naive_instant, "TIMESTAMP"),
    )
    for name, function, kind in functions:
        if name not in known:
            connection.create_function(name, function, ["VARCHAR"], kind)


def _naive_instant(text: str) -> Any:
    return values.parse_instant(text).replace(tzinfo=None)
