"""Rows at the terminal: as a table for people, as CSV or JSON for programs."""

import argparse
import csv
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table

FORMATS = ("table", "csv", "json")
_PLACES = Decimal("0.01")


def add_format(parser: argparse.ArgumentParser) -> None:
    """The option every command that prints rows has."""
    parser.add_argument("--format", choices=FORMATS, default="table", help="table (rounded), csv or json (full precision)")


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], style: str, stream: TextIO) -> None:
    """Print rows. Amounts keep every decimal in csv and json, where they are text; a table rounds them to two."""
    _STYLES[style](columns, rows, stream)


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False)
    kept = list(rows)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if _is_number(kept, number) else "left", overflow="fold")
    for row in kept:
        table.add_row(*(_shown(value) for value in row))
    Console(file=stream, width=None if stream.isatty() else 200, markup=False, highlight=False).print(table)


def _is_number(rows: list[Sequence[Any]], number: int) -> bool:
    return bool(rows) and isinstance(rows[0][number], Decimal | int | float)


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.quantize(_PLACES) if abs(value) >= _PLACES or not value else value.normalize():,f}"
    return "" if value is None else str(value)


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date | datetime) else value


def _print_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_exact(value) for value in row] for row in rows)


def _print_json(columns: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO) -> None:
    shaped = [dict(zip(columns, map(_exact, row), strict=True)) for row in rows]
    stream.write(json.dumps(shaped, ensure_ascii=False, indent=1) + "\n")


_STYLES = {"table": _print_table, "csv": _print_csv, "json": _print_json}
