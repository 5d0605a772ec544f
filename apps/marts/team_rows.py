"""Rows of all teams, computed once and looked up by team: many people ask the same, each of the own teams, and rows of
one team take nearly as long to compute as those of all."""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from apps.finops.money import add_up
from apps.warehouse.engine import arrow_of

MOST_ROWS = 200_000
"""More rows are not kept: a team's own are computed then."""
MOST_BYTES = 64 * 2**20
MOST_ASKED = 10_000
Key = tuple[Any, ...]
Make = Callable[[frozenset[str] | None], ir.Table]
"""Rows of some teams, or of all: `team` first, what names a row, and sums of it."""


class TeamRows:
    """Tables by key, the least recently used forgotten first; threads that ask for the same at once make it once."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, pa.Table | None] = OrderedDict()
        self._bytes = 0
        self._asked: dict[str, frozenset[str]] = {}
        self._looking, self._making = threading.Lock(), threading.Lock()

    def is_asked_by_others(self, key: str, teams: frozenset[str]) -> bool:
        """Whether the same was asked of other teams before: what one team alone asks need not be known of all."""
        with self._looking:
            if len(self._asked) >= MOST_ASKED:
                self._asked.clear()
            return self._asked.setdefault(key, teams) != teams or key in self._held

    def get(self, key: str, teams: frozenset[str], make: Make, *, names: int) -> list[Key] | None:
        """The rows of some teams: what names one (so many columns of it), and its sums over them; None where there are
        too many of all teams.

        `key` tells everything that rows depend on but the teams. A sum of nothing that is known is None.
        """
        table = self._table(key, make)
        if table is None:
            return None
        own = table.filter(pc.is_in(table["team"], value_set=pa.array(sorted(teams), pa.string())))
        return together(zip(*(column.to_pylist() for column in own.columns[1:]), strict=True), names)

    def clear(self) -> None:
        with self._looking:
            self._held.clear()
            self._bytes = 0
            self._asked.clear()

    def _table(self, key: str, make: Make) -> pa.Table | None:
        if self._has(key):
            return self._held.get(key)
        with self._making:  # who asks for what is there already does not wait for it
            if self._has(key):
                return self._held.get(key)
            found = arrow_of(make(None).limit(MOST_ROWS + 1))
            table = found if found.num_rows <= MOST_ROWS else None
            with self._looking:
                self._held[key] = table
                self._bytes += _size(table)
                while self._bytes > MOST_BYTES:
                    self._bytes -= _size(self._held.popitem(last=False)[1])
            return table

    def _has(self, key: str) -> bool:
        with self._looking:
            if key in self._held:
                self._held.move_to_end(key)
            return key in self._held


def _size(table: pa.Table | None) -> int:
    return 0 if table is None else table.nbytes


def together(rows: Iterable[Key], names: int) -> list[Key]:
    """Rows added up by what names one: so many columns of each."""
    sums: dict[Key, list[Key]] = defaultdict(list)
    for row in rows:
        sums[row[:names]].append(row[names:])
    return [(*name, *(_sum(column) for column in zip(*told, strict=True))) for name, told in sums.items()]


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return add_up(known) if known else None
