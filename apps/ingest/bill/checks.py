"""What the careful reader checks in every row of a bill."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from apps.finops.money import NotAnAmount
from apps.ingest.bill.mapping import Bound, Input
from apps.ingest.text import values
from apps.ingest.text.careful import Check, Plan, shown
from apps.ingest.text.header import Header
from apps.warehouse import engine


def plan(header: Header, bound: Bound) -> Plan:
    """The rules of a bill read by this mapping."""
    declared = {bound.name(alias): one for alias in bound.positions if (one := bound.input(alias))}
    required = tuple(column for column, one in declared.items() if one.required)
    return Plan(header, required, {column: check for column, one in declared.items() if (check := _check(one))})


def _check(one: Input) -> Check | None:
    if one.key:
        return check_json
    checks: dict[str, Check | None] = {
        "money": check_amount,
        "json": check_json,
        "time": lambda text: check_instant(text, one.formats),
        "text": _only(one.allowed) if one.allowed else _like(one.pattern) if one.pattern else None,
    }
    check = checks[one.kind]
    return _repaired(one.repair, check) if check and one.repair else check


def _only(allowed: tuple[str, ...]) -> Check:
    """The check of a cell that may hold certain texts only."""
    listed = ", ".join(repr(text) for text in allowed[:20])
    return lambda text: None if text in allowed else f"{shown(text)} is not known here; the mapping knows {listed}."


def _repaired(repair: str, check: Check) -> Check:
    """The check of a cell after the mapping's repair, which only the engine can do."""

    @lru_cache(maxsize=10_000)
    def repaired(text: str) -> str | None:
        query = f"SELECT {repair.replace('{}', '$text')}"
        try:
            (made,) = engine.connect().con.execute(query, {"text": text}).fetchone()
        except Exception as error:  # noqa: BLE001  # whatever the engine says is what is wrong with the value
            return f"{shown(text)} cannot be read: {str(error).splitlines()[0][:200]}"
        return None if made is None else check(str(made))

    return repaired


def _like(pattern: str) -> Check:
    known = re.compile(pattern)
    return lambda text: None if known.fullmatch(text) else f"{shown(text)} is a word we do not know here; report it."


def check_amount(text: str) -> str | None:
    try:
        values.exact_amount(text)
    except NotAnAmount:
        return f"{shown(text)} is not an amount; write plain digits with a decimal point, like -1234.50."
    return None


def check_instant(text: str, formats: tuple[str, ...] = ()) -> str | None:
    readers: list[Callable[[str], object]] = [values.parse_instant]
    readers += [_strptime(pattern) for pattern in formats]
    for read in readers:
        try:
            read(text)
        except ValueError:
            continue
        return None
    years = f"{values.YEARS[0]} to {values.YEARS[-1]}"
    return f"{shown(text)} is not a date and time of the years {years}; write 2026-10-01T13:00:00Z."


def _strptime(pattern: str) -> Callable[[str], object]:
    def read(text: str) -> None:
        if datetime.strptime(text, pattern).year not in values.YEARS:  # noqa: DTZ007  # only whether it can be read
            raise values.NotAnInstant(text)

    return read


def check_json(text: str) -> str | None:
    return None if values.is_json_object(text) else f'{shown(text)} is not a JSON object; write {{"key": "value"}}.'
