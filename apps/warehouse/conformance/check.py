"""Asking every rule of FOCUS 1.2 of a file: one scan, then an example of each rule that is broken."""

# ruff: noqa: S608  # identifiers are quoted columns of the model, the path is quoted

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb

from apps.warehouse import engine
from apps.warehouse.conformance.opening import NotChecked, open_file, reason_of
from apps.warehouse.conformance.rules import Rule, Sheet, criteria, rules

Outcome = Literal["passed", "failed", "not applicable", "not told"]
_WHERE = ("ResourceId", "ChargePeriodStart", "ChargeCategory")
"""What an example names beside the columns of its rule, so that the row can be found."""


@dataclass(frozen=True)
class Result:
    """What became of one rule: `rows` break it, `example` is one of them; `reason` says why it was not asked."""

    rule: Rule
    outcome: Outcome
    rows: int = 0
    example: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """Every rule of the model, and what the file says to it."""

    rows: int
    results: tuple[Result, ...]

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if result.outcome == "failed"]

    def count(self, outcome: Outcome) -> int:
        return sum(result.outcome == outcome for result in self.results)


def check(path: Path, *, without: Collection[str] = ()) -> Report:
    """Ask every rule of a CSV or Parquet file; `without` names the criteria its provider does not meet."""
    if unknown := sorted(set(without) - set(criteria())):
        raise NotChecked(f"Unknown criterion {unknown[0]!r}. Known are {', '.join(criteria())}.")
    try:
        relation, sheet = open_file(path)
        return _asked(relation, sheet, frozenset(without))
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise NotChecked(f"{path}: cannot be read as CSV or Parquet ({reason_of(error)}); export it again.") from error
    except OSError as error:
        raise NotChecked(f"{path}: {error.strerror}.") from error


def _asked(relation: str, sheet: Sheet, without: frozenset[str]) -> Report:
    results: dict[str, Result] = {}
    asked: list[Rule] = []
    for rule in rules():
        if reason := _not_asked(rule, sheet, without):
            results[rule.id] = reason
        elif rule.check in _OF_THE_FILE:
            results[rule.id] = _OF_THE_FILE[rule.check](rule, relation, sheet)
        else:
            asked.append(rule)
    counts = ", ".join(f"count(*) FILTER (WHERE {sheet.broken(rule)})" for rule in asked) or "0"
    rows, *broken = engine.connect().con.execute(f"SELECT count(*), {counts} FROM {relation}").fetchall()[0]
    for rule, count in zip(asked, broken, strict=False):
        example = _example(rule, relation, sheet) if count else ""
        results[rule.id] = Result(rule, "failed" if count else "passed", count, example)
    return Report(rows, tuple(results[rule.id] for rule in rules()))


def _not_asked(rule: Rule, sheet: Sheet, without: frozenset[str]) -> Result | None:
    if rule.requirement is None:
        return Result(rule, "not told", reason=rule.patched or "no file tells")
    if lacking := without & frozenset(rule.criteria):
        return Result(rule, "not applicable", reason=f"without {', '.join(sorted(lacking))}")
    absent = [column for column in rule.columns() if column not in sheet.types]
    if absent and rule.check != "ColumnPresent":
        return Result(rule, "not applicable", reason=f"no column {', '.join(absent)}")
    return None


def _present(rule: Rule, _relation: str, sheet: Sheet) -> Result:
    if rule.column in sheet.types:
        return Result(rule, "passed")
    return Result(rule, "failed", example=f"no column {rule.column}")


def _distinct(rule: Rule, relation: str, sheet: Sheet) -> Result:
    """Groups that break the rule are counted, not rows, as the validator does."""
    node = rule.requirement or {}
    where = f"WHERE {sheet.holds(rule.condition)}" if rule.condition else ""
    found = (
        engine.connect()
        .con.execute(
            f'SELECT count(*) OVER (), "{node["a"]}", found FROM (SELECT "{node["a"]}", '
            f'list_sort(list(DISTINCT "{node["b"]}")) AS found FROM {relation} {where} GROUP BY ALL) '
            f"WHERE len(found) <> {node['count']} ORDER BY 2 LIMIT 1"
        )
        .fetchone()
    )
    if found is None:
        return Result(rule, "passed")
    count, group, values = found
    return Result(
        rule, "failed", count, f"{node['a']}={_shown(group)} has {node['b']} {', '.join(map(_shown, values))}"
    )


_OF_THE_FILE = {"ColumnPresent": _present, "CheckDistinctCount": _distinct}


def _example(rule: Rule, relation: str, sheet: Sheet) -> str:
    columns = [name for name in dict.fromkeys((*rule.columns(), *_WHERE)) if name in sheet.types]
    listed = ", ".join(f'"{name}"' for name in columns)
    row = (
        engine.connect()
        .con.execute(f"SELECT {listed} FROM {relation} WHERE {sheet.broken(rule)} ORDER BY ALL LIMIT 1")
        .fetchone()
    )
    return ", ".join(_told(zip(columns, row or (), strict=False)))


def _told(pairs: Iterable[tuple[str, Any]]) -> Iterable[str]:
    return (f"{name}={_shown(value)}" for name, value in pairs)


def _shown(value: Any) -> str:
    text = "NULL" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
