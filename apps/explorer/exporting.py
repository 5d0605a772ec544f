"""An exploration as a file: every row by itself, amounts to the last decimal, text that is no formula."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from apps.explorer.answering import ZERO, Explored, total_of
from apps.finops.spreadsheets import cell
from apps.finops.tabling import as_workbook


@dataclass(frozen=True)
class Sheet:
    """Rows under their columns; `amounts` are the columns of money, None in them is not known."""

    columns: tuple[str, ...]
    amounts: frozenset[str]
    rows: tuple[tuple[Any, ...], ...]


def sheet(found: Explored) -> Sheet:
    """The rows of an answer as the page shows them, the largest first within a time step; those the page tells in one
    line stand by themselves. Where time is no part of it they have what they are compared with, and where something is
    of days that have not come, what of the cost is: change = cost − ahead − before."""
    asked = found.asked
    if found.step:
        ordered = sorted(found.steps.items(), key=lambda row: (row[0][0], -abs(row[1]), row[0][1]))
        rows = tuple((day, *key, found.currency, cost) for (day, key), cost in ordered)
        return Sheet((found.step, *asked.by, "currency", asked.metric), frozenset({asked.metric}), rows)
    costs, earlier, ahead = found.costs, found.earlier, found.ahead
    keys = sorted({*costs, *(earlier or ())}, key=lambda key: (-abs(costs.get(key, ZERO)), key))
    columns = (*asked.by, "currency", asked.metric)
    if earlier is None:
        return Sheet(columns, frozenset(columns[-1:]), tuple((*key, found.currency, costs[key]) for key in keys))
    rows = tuple(
        (
            *key,
            found.currency,
            now := costs.get(key, ZERO),
            was := earlier.get(key, ZERO),
            total_of([now, -ahead.get(key, ZERO), -was]),
            *([ahead.get(key, ZERO)] if ahead else []),
        )
        for key in keys
    )
    beside = ("before", "change", *(["ahead"] if ahead else []))
    return Sheet((*columns, *beside), frozenset({asked.metric, *beside}), rows)


def as_csv(told: Sheet) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(told.columns)
    writer.writerows([cell(value) for value in row] for row in told.rows)
    return out.getvalue().encode()


def as_xlsx(told: Sheet) -> bytes:
    """A workbook of one sheet, whose amounts are numbers and days are days."""
    return as_workbook("costs", told.columns, told.rows)


def as_parquet(told: Sheet) -> bytes:
    """A Parquet file; amounts are DECIMAL(38,12), as in the lake."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*told.rows, strict=True)) if told.rows else [()] * len(told.columns)
    arrays = [
        pa.array(list(values), _kind(name, values, told)) for name, values in zip(told.columns, columns, strict=True)
    ]
    out = io.BytesIO()
    pq.write_table(pa.table(arrays, names=list(told.columns)), out)
    return out.getvalue()


def _kind(name: str, values: Sequence[Any], told: Sheet) -> Any:
    import pyarrow as pa

    if name in told.amounts:
        return pa.decimal128(38, 12)
    return pa.date32() if values and isinstance(values[0], date) else pa.string()


FORMS: dict[str, tuple[Callable[[Sheet], bytes], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": (as_parquet, "application/vnd.apache.parquet"),
}
"""The end of a file's name → what writes it, its media type."""
