"""Looking at the charges of one file: every check of a row in one pass, and examples of what it found."""

# ruff: noqa: S608  # the checks are ours, and every text is quoted: engines take no parameters there

from collections.abc import Iterator, Sequence

from apps.finops.problems import Problem
from apps.finops.tables import CHARGES
from apps.ingest.bill.origins import quoted
from apps.ingest.quality.checks import ROW_CHECKS, SEVERITY, SOURCE_CHECKS, RowCheck
from apps.warehouse import engine, lake

EXAMPLES = 3
FEWEST = 20
SAMPLE = 250_000
_SAME = ("ResourceId", "ChargePeriodStart", "SkuPriceId", "ChargeDescription", "ChargeCategory", "BilledCost",
         "EffectiveCost", "ConsumedQuantity", "BillingAccountId", "BillingCurrency", "SubAccountId", "ServiceName",
         "x_Other")  # fmt: skip


def look(name: str, parts: Sequence[lake.WrittenFile]) -> Iterator[Problem]:
    """What the charges of a file, written but not committed, break."""
    if not parts:
        return
    paths = ", ".join(f"'{quoted(str(path))}'" for path in lake.paths(CHARGES, parts))
    origin = f"read_parquet([{paths}], hive_partitioning=false)"
    connection = engine.connect().con
    checks = [check for check in ROW_CHECKS if not check.by_value or _has_a_value_that_breaks(check, origin)]
    counts = ", ".join(f"count(*) FILTER (WHERE {check.broken})" for check in checks)
    total, accounts, *found = connection.execute(f"SELECT count(*), {_CURRENCIES}, {counts} FROM {origin}").fetchone()
    for check, count in zip(checks, found, strict=True):
        if count > check.from_share * total:
            rows = connection.execute(
                f'SELECT "x_Row" FROM {origin} WHERE {check.broken} ORDER BY 1 LIMIT {EXAMPLES}'
            ).fetchall()
            yield _told(check, name, count, [row for (row,) in rows])
    if accounts:
        yield about("several_currencies", name)
    yield from _duplicates(name, origin, total)


def _has_a_value_that_breaks(check: RowCheck, origin: str) -> bool:
    asked = " OR ".join(
        f'EXISTS (FROM (SELECT DISTINCT "{column}" FROM {origin}) WHERE {condition})'
        for column, condition in check.by_value.items()
    )
    (found,) = engine.connect().con.execute(f"SELECT {asked}").fetchone()
    return bool(found)


_CURRENCIES = 'count(DISTINCT ("BillingAccountId", "BillingCurrency")) > count(DISTINCT "BillingAccountId")'


def _told(check: RowCheck, name: str, count: int, rows: list[int]) -> Problem:
    shown = ", ".join(str(row) for row in rows)
    return Problem(
        SEVERITY[check.then], check.code, f"{name}, row {shown}", f"{check.means} {count} charges. {check.way_out}"
    )


def _duplicates(name: str, origin: str, rows_in_all: int) -> Iterator[Problem]:
    """Charges that repeat others. Of many charges only those of some resources are compared, so that a repeated charge
    and its like are both looked at or neither is."""
    step = rows_in_all // SAMPLE + 1
    if step > 1:
        origin = f'(FROM {origin} WHERE hash("ResourceId") % {step} = 0)'
    columns = ", ".join(f'"{column}"' for column in _SAME)
    rows = (
        engine.connect()
        .con.execute(
            'SELECT min("x_Row"), max("x_Row"), sum(count(*)) OVER (), count(*) OVER () '
            f'FROM (SELECT hash({columns}) AS identity, "x_Row" FROM {origin}) GROUP BY identity '
            f"QUALIFY count(*) > 1 ORDER BY 1 LIMIT {EXAMPLES}"
        )
        .fetchall()
    )
    if not rows:
        return
    *_, total, distinct = rows[0]
    shown = "; ".join(f"{first} and {last}" for first, last, *_ in rows)
    told = f"{total - distinct} charges repeat others."
    if step > 1:
        told = f"About {(total - distinct) * step} charges repeat others, by a sample of the resources."
    code = "mostly_duplicates" if total >= FEWEST and 3 * (total - distinct) >= total else "duplicate_rows"
    yield about(code, f"{name}, rows {shown}", told)


def about(code: str, subject: str, more: str = "") -> Problem:
    """A problem of a source, with what was found said between what it means and the way out."""
    check = SOURCE_CHECKS[code]
    return Problem(SEVERITY[check.then], code, subject, " ".join(filter(None, (check.means, more, check.way_out))))
