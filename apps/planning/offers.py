"""What can be bought besides hours on demand: a table that people bring as CSV, every version of it kept."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from apps.finops import sheets
from apps.finops.errors import CostOpsError
from apps.finops.sheets import Wrong, WrongCell
from apps.planning.models import OfferTable
from apps.teams.approval import Actor, NotYours

COLUMNS = (
    "name", "kind", "family", "region", "term_months", "ratio", "interruption_rate", "lost_hours", "availability"
)  # fmt: skip
KINDS = ("reserved", "savings_plan", "spot")
SHIPPED = Path(__file__).with_name("offers.csv")
"""Sample discounts off the list, until somebody brings those of the own contract."""
LONGEST_TERM = 60


class NoOffers(CostOpsError):
    """There is no table of this version."""


@dataclass(frozen=True)
class Offered:
    """A line of the table: `ratio` is its price ÷ the list price on demand; `family` and `region` are empty for all."""

    name: str
    kind: str
    family: str
    region: str
    term_months: int
    ratio: Decimal
    interruption_rate: Decimal
    lost_hours: Decimal
    availability: Decimal

    def covers(self, family: str, region: str) -> bool:
        return self.family in ("", family) and self.region in ("", region)


def offers() -> tuple[list[Offered], int]:
    """The newest table and its version; version 0 is what is shipped."""
    newest = OfferTable.objects.order_by("-pk").first()
    if newest is None:
        return read(SHIPPED.read_bytes(), SHIPPED.name), 0
    return [_offered(row) for row in newest.rows], newest.pk


def bring(content: bytes, name: str, *, by: Actor, now: datetime) -> OfferTable:
    """Take a table in place of the one before; all of it or nothing."""
    if by.teams is not None:
        raise NotYours("Finance brings what is offered; nothing was changed.")
    rows = [{key: str(value) for key, value in asdict(one).items()} for one in read(content, name)]
    return OfferTable.objects.create(rows=rows, name=name, by=by.name, at=now)


def take(content: bytes, name: str, by: Actor, now: datetime) -> str:
    """The same, and what was taken."""
    kept = bring(content, name, by=by, now=now)
    return f"{len(kept.rows)} offers, version {kept.pk}; plans are made by them from the next fill on."


def read(content: bytes, name: str) -> list[Offered]:
    """The lines of a file; raises BadSheet for whatever is wrong with any of them."""
    told = sheets.read(content, name=name, headers=[COLUMNS], row=lambda line, cells: (line, _row(cells)))
    seen: dict[tuple[str, str, str], int] = {}
    twice = []
    for line, one in told:
        key = one.name, one.family, one.region
        if (first := seen.setdefault(key, line)) != line:
            twice.append(Wrong(line, f"the same offer as in line {first}; keep one"))
    sheets.refuse(name, twice)
    return [one for _, one in told]


def _row(cells: dict[str, str]) -> Offered:
    kind = cells["kind"]
    if kind not in KINDS:
        raise WrongCell("kind", f"{kind[:40]!r} is not one of {', '.join(KINDS)}")
    term = cells["term_months"] or "0"
    if (
        not term.isascii()
        or not term.isdigit()
        or not int(term) <= LONGEST_TERM
        or (kind == "spot") != (int(term) == 0)
    ):
        raise WrongCell("term_months", f"{term[:20]!r}: 1 to {LONGEST_TERM} for commitments, 0 for spot")
    return Offered(
        sheets.words(cells, "name", most=120), kind, cells["family"][:120], cells["region"][:120], int(term),
        _part(cells, "ratio", least=Decimal("0.01")), _part(cells, "interruption_rate", default="0"),
        _part(cells, "lost_hours", default="0", most=Decimal(100)), _part(cells, "availability", default="1"),
    )  # fmt: skip


def _part(
    cells: dict[str, str], column: str, *, default: str = "", least: Decimal = Decimal(0), most: Decimal = Decimal(1)
) -> Decimal:
    if not cells[column] and default:
        return Decimal(default)
    found = sheets.amount(cells, column)
    if not least <= found <= most:
        raise WrongCell(column, f"{cells[column][:20]} is not between {least} and {most}")
    return found


def _offered(row: dict[str, str]) -> Offered:
    return Offered(
        row["name"], row["kind"], row["family"], row["region"], int(row["term_months"]), Decimal(row["ratio"]),
        Decimal(row["interruption_rate"]), Decimal(row["lost_hours"]), Decimal(row["availability"]),
    )  # fmt: skip
