"""Rows at the terminal: as a table for people, as CSV or JSON with full precision for programs."""

import argparse
import csv
import json
import os
import pwd
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Literal, cast

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from apps.finops.lines import without_orders
from apps.finops.spreadsheets import cell

Format = Literal["table", "csv", "json"]
FORMATS: tuple[Format, ...] = ("table", "csv", "json")


def add_format(parser: argparse.ArgumentParser) -> None:
    """The option of every command that prints rows."""
    parser.add_argument("--format", choices=FORMATS, default="table", help="how rows are printed (default table)")


def day(text: str) -> date:
    """The value of an option that is a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write year-month-day, such as 2026-10-01") from None


def month(text: str) -> str:
    """The value of an option that is a billing month."""
    try:
        return f"{date.fromisoformat(f'{text}-01'):%Y-%m}"
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no month; write year-month, such as 2026-10") from None


def count(text: str) -> int:
    """The value of an option that says how many, at least one."""
    if not re.fullmatch("0*[1-9][0-9]{0,6}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 9999999")
    return int(text)


def working(on: str) -> Status:
    """Around what takes long: a line that moves on a terminal, nothing in a pipe."""
    return Console(stderr=True).status(escape(on))


def exactly(value: Any) -> str:
    """A value as text: a table would round amounts to cents."""
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def operator() -> str:
    """Whoever sits at the terminal: the account of the machine, whatever the environment says."""
    account = os.getuid()
    try:
        return pwd.getpwuid(account).pw_name
    except KeyError:  # it has no name, as in some containers
        return str(account)


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], form: Format, stream: Any) -> None:
    """Write rows under their column names; amounts keep every decimal, in JSON they are strings.

    `stream` is a text file, or what Django wraps around one.
    """
    _PRINT[form](columns, rows, cast(IO[str], stream))


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]], stream: IO[str]) -> None:
    kept = [list(row) for row in rows]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for at, column in enumerate(columns):
        is_number = any(isinstance(row[at], int | Decimal) and not isinstance(row[at], bool) for row in kept)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in kept:
        table.add_row(*(_shown(value) for value in row))
    console = Console(file=stream, highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 10_000  # a pipe has no width: nothing is folded for it
    console.print(table)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], stream: IO[str]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_field(value) for value in row] for row in rows)


def _field(value: Any) -> str:
    """An amount may come as text: with its sign it is no formula."""
    return cell(value) if isinstance(value, str) and not _NUMBER.fullmatch(value) else _text(value)


def _json(columns: Sequence[str], rows: Iterable[Sequence[Any]], stream: IO[str]) -> None:
    listed = [{column: _plain(value) for column, value in zip(columns, row, strict=True)} for row in rows]
    stream.write(json.dumps(listed, ensure_ascii=False, indent=1) + "\n")


_CENT = Decimal("0.01")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_PRINT = {"table": _table, "csv": _csv, "json": _json}


def _shown(value: Any) -> str:
    """For people: two decimals, but never 0.00 for what is not nothing. Programs and doubters take csv or json."""
    if isinstance(value, Decimal):
        return f"{value:,.2f}" if not value or abs(value) >= _CENT else f"{value.normalize():f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return harmless(_text(value))


def harmless(text: str) -> str:
    """Names come from bills and clusters: on a terminal, control characters and marks that reorder text are orders."""
    return without_orders(text.replace("\n", " "))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | date):
        return _text(value)
    return value
