"""Reading driver quantities: CSV, one quantity a row, all of it or nothing."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.finops import sheets
from apps.finops.sheets import Wrong, WrongCell

SCOPES = ("team", "service", "namespace")
HEADERS = tuple(("date", "driver", scope, "quantity") for scope in SCOPES)
_DRIVER = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}", re.ASCII)
_LONGEST = {"team": 60, "service": 300, "namespace": 300}


@dataclass(frozen=True)
class Quantity:
    """So many units of a driver on a day, of one team, service or namespace."""

    line: int
    day: date
    driver: str
    scope: str
    subject: str
    quantity: Decimal

    @property
    def key(self) -> tuple[str, str, date, str]:
        return self.driver, self.scope, self.day, self.subject


def read(content: bytes, name: str, *, teams: Iterable[str]) -> list[Quantity]:
    """The quantities of a file; raises BadSheet for whatever is wrong with any of them."""
    known = frozenset(teams)
    rows = sheets.read(content, name=name, headers=HEADERS, row=lambda line, cells: _quantity(line, cells, known))
    sheets.refuse(name, list(_doubled(rows)))
    return rows


def is_driver_name(text: str) -> bool:
    """Lower-case letters, digits, hyphens and underscores: a name for addresses and folders."""
    return _DRIVER.fullmatch(text) is not None


def _quantity(line: int, cells: dict[str, str], teams: frozenset[str]) -> Quantity:
    scope = next(name for name in SCOPES if name in cells)
    if not is_driver_name(cells["driver"]):
        raise WrongCell("driver", f"{cells['driver'][:60]!r} is not a name such as requests or gpu-seconds")
    subject = sheets.words(cells, scope, most=_LONGEST[scope])
    if scope == "team" and subject not in teams:
        raise WrongCell("team", f"there is no team {subject!r}")
    quantity = sheets.amount(cells, "quantity")
    if quantity < 0:
        raise WrongCell("quantity", f"{cells['quantity'][:40]} is negative")
    return Quantity(line, sheets.day(cells, "date"), cells["driver"], scope, subject, quantity)


def _doubled(rows: Iterable[Quantity]) -> Iterator[Wrong]:
    seen: dict[tuple[str, str, date, str], int] = {}
    for row in rows:
        first = seen.setdefault(row.key, row.line)
        if first != row.line:
            told = f"column {row.scope}: {row.driver} of {row.subject} on {row.day} stands in line {first} already"
            yield Wrong(row.line, f"{told}; keep one")
