"""Looking for charges that another file told before, where files are copies of parts of a table that only grows."""

# ruff: noqa: S608  # identifiers are declared columns, and every text is quoted: engines take no parameters there

from collections.abc import Iterable, Sequence

from apps.finops.problems import Problem
from apps.finops.tables import CHARGES
from apps.ingest.bill.origins import quoted
from apps.ingest.quality.rows import about
from apps.warehouse import engine, lake

_EXPORTED = "TRY_CAST(replace(json_extract_string(\"x_Other\", '$.export_time'), ' UTC', 'Z') AS TIMESTAMPTZ)"
_SAME = (
    *(f'"{name}"' for name in (
        "BillingAccountId", "BillingPeriodStart", "SubAccountId", "ChargePeriodStart", "ChargePeriodEnd",
        "ChargeCategory", "ServiceName", "SkuId", "ResourceId", "BilledCost", "x_SourceCost", "ConsumedQuantity",
    )),
    _EXPORTED,
)  # fmt: skip
"""What makes two charges the same row of the table. A correction has a time of export of its own."""


def look(
    name: str, parts: Sequence[lake.WrittenFile], others: Iterable[lake.StoredFile | lake.WrittenFile]
) -> list[Problem]:
    """How many charges of a file, written but not committed, stand in other files of their months as well."""
    months = {part.partition["x_BillingMonth"] for part in parts}
    beside = [other for other in others if other.partition["x_BillingMonth"] in months]
    if not parts or not beside:
        return []
    identity = f"hash({', '.join(_SAME)})"
    query = (
        f"SELECT count(*), count(*) FILTER (WHERE {identity} IN (SELECT {identity} FROM {_origin(beside)})) "
        f"FROM {_origin(parts)}"
    )
    total, repeated = engine.connect().con.execute(query).fetchone()
    return [about("told_before", name, f"{repeated} of {total} charges.")] if repeated else []


def _origin(files: Iterable[lake.StoredFile | lake.WrittenFile]) -> str:
    paths = ", ".join(f"'{quoted(str(path))}'" for path in lake.paths(CHARGES, files))
    return f"read_parquet([{paths}], hive_partitioning=false, union_by_name=true)"
