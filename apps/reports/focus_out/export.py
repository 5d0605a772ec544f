"""One export: the rows of a window, written beside the target, added up again, and only then put in its place."""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import ibis.expr.types as ir

from apps.finops.errors import CostOpsError
from apps.finops.money import add_up
from apps.finops.tables import ALLOCATED, CHARGES, COSTS
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.selectors import answer, publication
from apps.reports.focus_out import allocated, charges
from apps.reports.focus_out.completion import completed
from apps.reports.focus_out.writing import Form, Key, Sums, read_back, write

What = Literal["charges", "allocated"]
_ROWS: dict[What, Callable[[CostQuery, Publication], ir.Table]] = {"charges": charges.rows, "allocated": allocated.rows}
_KEY = ("source", "billing_month", "currency")


class NotExported(CostOpsError):
    """The file could not be written, or did not add up; there is no file."""


@dataclass(frozen=True)
class Exported:
    """What was written: rows, and by currency what they add up to, in the order of the four cost bases."""

    publication: int
    rows: int
    totals: dict[str, tuple[Decimal, ...]]


def export(what: What, query: CostQuery, target: Path, form: Form) -> Exported:
    """Write a window of a publication as FOCUS; the file adds up to what was published, or there is none."""
    pinned = publication(query.as_of)
    if missing := [table.name for table in (CHARGES, ALLOCATED) if table.name not in pinned.versions]:
        raise NotExported(f"Publication {pinned.number} pins no {missing[0]}; run `manage.py fill` and export again.")
    if not target.parent.is_dir():
        raise NotExported(f"{target}: cannot be written, there is no folder {target.parent}; make it first.")
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        count = write(completed(_ROWS[what](query, pinned)), part, form)
        sums = read_back(part, form)
        _compare(sums, _expected(query, pinned))
        _sync(part)
        os.replace(part, target)
    except OSError as error:
        raise NotExported(f"{target}: cannot be written ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)
    return Exported(pinned.number, count, _by_currency(sums))


def _expected(query: CostQuery, pinned: Publication) -> Sums:
    """What was published for the window: the marts were reconciled with the charges, in all four costs."""
    found: dict[Key, dict[str, Decimal]] = {}
    for basis in COSTS:
        asked = replace(query, metric=basis, group_by=_KEY, as_of=pinned.number)
        for source, month, currency, amount in answer(asked).rows:
            found.setdefault((source, month, currency), {})[basis] = amount
    return {key: tuple(amounts[basis] for basis in COSTS) for key, amounts in found.items()}


def _compare(sums: Sums, expected: Sums) -> None:
    if sums == expected:
        return
    key = next(key for key in sorted({*sums, *expected}) if sums.get(key) != expected.get(key))
    shown = ", ".join(f"{amount:f}" for amount in sums.get(key, ()))
    published = ", ".join(f"{amount:f}" for amount in expected.get(key, ()))
    raise NotExported(
        f"{' '.join(key)}: the file adds up to {shown or 'nothing'}, published is {published or 'nothing'} "
        f"({', '.join(COSTS)}). There is no file; run `manage.py reconcile`."
    )


def _by_currency(sums: Sums) -> dict[str, tuple[Decimal, ...]]:
    totals: dict[str, tuple[Decimal, ...]] = {}
    for (_, _, currency), amounts in sorted(sums.items()):
        before = totals.get(currency, (Decimal(0),) * len(COSTS))
        totals[currency] = tuple(map(add_up, zip(before, amounts, strict=True)))
    return totals


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
