"""An independent tally of a bill: rows and two costs, read by another parser and added as whole numbers."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from apps.finops.money import SCALE, UNIT
from apps.ingest.text import values
from apps.ingest.text.header import Header

COSTS = ("BilledCost", "EffectiveCost")
_CURRENCY = "BillingCurrency"
_EXACT = Context(prec=120)
_MONEY = pa.decimal128(38, SCALE)


@dataclass
class Tally:
    """`units` maps (currency, cost column) to a sum in units of 10^-12."""

    rows: int = 0
    units: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, other: "Tally") -> None:
        self.rows += other.rows
        for key, units in other.units.items():
            self.units[key] += units

    def count(self, currency: str, amounts: Mapping[str, Decimal | None]) -> None:
        """Add the two tallied costs of a group of rows."""
        for column in COSTS:
            self.units[currency, column] += _units(amounts[column])


def tally(path: Path, header: Header, *, is_plain: bool) -> Tally:
    """Add up a CSV bill without the engine. `is_plain`: every amount has at most twelve decimals and no exponent."""
    total = Tally()
    for batch in _batches(path, header, pa.string()):
        total.rows += batch.num_rows
        currencies = batch.column(_CURRENCY).dictionary_encode()
        for column in COSTS:
            costs = batch.column(column)
            adding = _add_plain(currencies, costs) if is_plain else _add_texts(currencies, costs)
            for currency, units in adding:
                total.units[currency, column] += units
    return total


def _batches(path: Path, header: Header, kind: pa.DataType) -> Iterator[pa.RecordBatch]:
    wanted = (*COSTS, _CURRENCY)
    with csv.open_csv(
        path,
        read_options=csv.ReadOptions(
            block_size=4 << 20, column_names=list(header.columns), skip_rows=header.lines, use_threads=False
        ),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            include_columns=list(wanted),
            column_types=dict.fromkeys(wanted, kind),
            null_values=list(values.MISSING),
            strings_can_be_null=True,
            check_utf8=False,
        ),
    ) as reader:
        yield from reader


def _add_plain(currencies: pa.DictionaryArray, costs: pa.Array) -> Iterator[tuple[str, int]]:
    amounts = costs.cast(_MONEY)  # refuses underscores, and more decimals than twelve
    if len(currencies.dictionary) == 1:
        yield currencies.dictionary[0].as_py(), _units(pc.sum(amounts).as_py())
        return
    for index, currency in enumerate(currencies.dictionary.to_pylist()):
        mine = amounts.filter(pc.equal(currencies.indices, index))
        yield currency, _units(pc.sum(mine).as_py())


def _add_texts(currencies: pa.DictionaryArray, costs: pa.Array) -> Iterator[tuple[str, int]]:
    table = pa.table({"currency": currencies.dictionary_decode(), "cost": costs})
    for group in table.group_by(["currency", "cost"]).aggregate([([], "count_all")]).to_pylist():
        amount = Decimal(group["cost"].strip()).quantize(UNIT, rounding=ROUND_HALF_EVEN, context=_EXACT)
        yield group["currency"], _units(amount) * group["count_all"]


def _units(amount: Decimal | None) -> int:
    return int((amount or Decimal(0)).scaleb(SCALE, context=_EXACT))
