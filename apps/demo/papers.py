"""What people bring beside bills and usage: the provider's invoices, and how many units the teams served."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from apps.demo.organisation import TEAM_NAMES
from apps.demo.timetable import PROFILE_NAMES, BusinessDay, load_by_hour, next_month

DRIVERS = {"live": ("live", "students-in-class", 4_200), "search": ("search", "searches", 61_000)}
"""The beginning of a team's name → its rhythm, its driver, and units of an hour at full load and scale 1."""
_CENT = Decimal("0.01")


class Invoices:
    """The totals of invoices, added up while the bill is written; invoices are made out in whole cents."""

    def __init__(self) -> None:
        self._billed: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        self._tax: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        self._dates: dict[tuple[str, str, str], str] = {}
        self._withheld: set[str] = set()

    def withhold(self, month: Any) -> None:
        """The invoices of a month whose bill is not complete are not made out yet."""
        self._withheld.add(next_month(month).isoformat())

    def add(self, month: Any, charges: pa.Table) -> None:
        """Charges of a billing month, which is invoiced when it is over."""
        key = ["InvoiceId", "BillingAccountId", "BillingCurrency"]
        named = charges.filter(pc.is_valid(charges["InvoiceId"]))
        for row in named.group_by([*key, "ChargeCategory"]).aggregate([("BilledCost", "sum")]).to_pylist():
            invoice = row["InvoiceId"], row["BillingAccountId"], row["BillingCurrency"]
            self._billed[invoice] += row["BilledCost_sum"]
            self._tax[invoice] += row["BilledCost_sum"] if row["ChargeCategory"] == "Tax" else 0
            self._dates.setdefault(invoice, next_month(month).isoformat())

    def write(self, path: Path) -> None:
        rows = (
            (*invoice, _cents(total), _cents(self._tax[invoice]), self._dates[invoice])
            for invoice, total in sorted(self._billed.items())
            if self._dates[invoice] not in self._withheld
        )
        write_table(path, ("invoice_id", "account", "currency", "total", "tax", "date"), rows)


def write_drivers(path: Path, days: Iterable[BusinessDay], *, seed: int, scale: float) -> None:
    """Students in class and searches by team and day: they follow the load that the servers see."""
    days = tuple(days)
    rng = np.random.default_rng([seed, 31])
    sizes = {team: float(rng.uniform(0.4, 1.6)) * scale for team in TEAM_NAMES}
    rows = []
    for day in days:
        loads = load_by_hour(day.hour_list(), days[-1].day, seed=seed)
        for beginning, (profile, driver, units) in DRIVERS.items():
            busy = float(loads[PROFILE_NAMES.index(profile)].sum())
            rows += [
                (day.day.isoformat(), driver, team, max(int(units * busy * sizes[team]), 1))
                for team in TEAM_NAMES
                if team.startswith(f"{beginning}-")
            ]
    write_table(path, ("date", "driver", "team", "quantity"), rows)


def _cents(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT, ROUND_HALF_UP):f}"


def write_table(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """A CSV file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
