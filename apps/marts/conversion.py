"""Converting the rows of the cost mart to a reporting currency, each by the rate of its day."""

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from apps.marts.query import BadQuestion, CostQuery
from apps.rates.selectors import UsedRate, newest_version, used_rates
from apps.warehouse.engine import rows_of
from apps.warehouse.exact import with_conversion

_RATES = pa.schema([("rate_day", pa.date32()), ("rate_from", pa.string()), ("times", pa.int64()), ("per", pa.int64())])


def convert(rows: ir.Table, query: CostQuery) -> tuple[ir.Table, tuple[UsedRate, ...]]:
    """The rows in the reporting currency of a question, and the rates; unchanged where it has none.

    Every row is rounded by itself (DECIMAL(38,12), half-even), so that converted answers add up however they are
    grouped. A day and currency without a rate is a MissingRate, never a rate of one.
    """
    if query.currency is None:
        return rows, ()
    version = query.rates_as_of or 0
    if not 0 <= version <= newest_version():
        raise BadQuestion(f"rates_as_of: there is no version {version} of the rates; the newest is {newest_version()}")
    needed = rows_of(rows.select("day", "currency").distinct())
    rates = tuple(used_rates(needed, query.currency, at=version))
    identity = sorted({day for day, currency in needed if currency == query.currency})
    table = [(rate.day, rate.source, *rate.fraction) for rate in rates]
    table += [(day, query.currency, 1, 1) for day in identity]
    known = ibis.memtable(pa.Table.from_pylist([dict(zip(_RATES.names, one, strict=True)) for one in table], _RATES))
    joined = rows.join(known, [rows.day == known.rate_day, rows.currency == known.rate_from])
    done = with_conversion(joined, query.metric, times="times", per="per")
    return done.mutate(currency=ibis.literal(query.currency)).drop("rate_day", "rate_from", "times", "per"), rates
