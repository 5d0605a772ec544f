"""An independent tally of a bill: rows and control sums, added as whole numbers and not by the engine."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from apps.finops.money import SCALE, UNIT, NotAnAmount
from apps.ingest.bill import lists
from apps.ingest.bill.mapping import Bound
from apps.ingest.text import values

_EXACT = Context(prec=120)
_MONEY = pa.decimal128(38, SCALE)
_LONG = pa.decimal256(76, 40)
UNREADABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError)
"""How Arrow says that it cannot take a value, or any of its type."""


@dataclass
class Tally:
    """`units` maps (currency, stored column) to a sum in units of 10^-12; sums of 0 are left out."""

    rows: int = 0
    units: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, other: "Tally") -> None:
        self.rows += other.rows
        for key, units in other.units.items():
            self.units[key] += units

    def count(self, currency: str, amounts: Mapping[str, Decimal | None]) -> None:
        """Add the control sums of a group of rows."""
        for column, amount in amounts.items():
            self.units[currency, column] += _units(amount)

    @property
    def said(self) -> tuple[int, dict[tuple[str, str], int]]:
        return self.rows, {key: units for key, units in self.units.items() if units}


def tally_cells(rows: pa.Table, bound: Bound, *, is_plain: bool) -> Tally:
    """Add up rows of text cells. `is_plain`: every amount has at most twelve decimals and no exponent."""
    cells = {at: rows.column(at).combine_chunks() for at in wanted(bound)}
    return _tally([(rows.num_rows, cells)], bound, is_plain=is_plain)


def tally_parquet(path: Path, bound: Bound, *, is_plain: bool) -> Tally:
    """Add up a Parquet bill without the engine."""
    with pq.ParquetFile(path) as file:
        places = sorted(wanted(bound))
        names = [bound.columns[at] for at in places]
        batches = (_renamed(batch, places, names) for batch in file.iter_batches(1 << 17, columns=names))
        return _tally(batches, bound, is_plain=is_plain)


def _tally(batches: Iterable[tuple[int, Mapping[int, pa.Array]]], bound: Bound, *, is_plain: bool) -> Tally:
    total = Tally()
    for rows, cells in batches:
        total.rows += rows
        nothing = pa.nulls(rows, pa.string())
        currencies = (nothing if bound.currency is None else cells[bound.currency]).dictionary_encode()
        for column, places in bound.control.items():
            costs = _first([cells[at] for at in places])
            for currency, units in _sums(currencies, costs, is_plain=is_plain):
                total.units[currency, column] += units
        for column, summands in bound.added.items():
            for at, each in summands.items():
                costs = lists.sums(cells[at], each) if _is_list(cells[at], each) else cells[at]
                for currency, units in _sums(currencies, costs, is_plain=is_plain):
                    total.units[currency, column] += units
    return total


def _is_list(cells: pa.Array, each: str) -> bool:
    """Whether amounts stand in lists; a column of numbers is amounts, whatever is said of it."""
    return bool(each) and not (
        _is_exact(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_integer(cells.type)
    )


def wanted(bound: Bound) -> set[int]:
    """The positions that are counted, or by whose currency that is done."""
    read = {at for places in (*bound.control.values(), *bound.added.values()) for at in places}
    return read | ({bound.currency} if bound.currency is not None else set())


def listed(bound: Bound) -> set[int]:
    """Those of them that may hold lists of amounts."""
    return {at for summands in bound.added.values() for at, each in summands.items() if each}


def _first(cells: list[pa.Array]) -> pa.Array:
    """Of every row the first of its cells that has a value."""
    if len(cells) == 1:
        return cells[0]
    if len({cell.type for cell in cells}) > 1:
        cells = [cell.cast(pa.string()) for cell in cells]
    if pa.types.is_string(cells[0].type):
        missing = pa.array(values.MISSING)
        cells = [pc.if_else(pc.is_in(cell, missing), pa.scalar(None, pa.string()), cell) for cell in cells]
    return pc.coalesce(*cells)


def _renamed(batch: pa.RecordBatch, places: list[int], names: list[str]) -> tuple[int, Mapping[int, pa.Array]]:
    return batch.num_rows, {at: _column(batch, name) for at, name in zip(places, names, strict=True)}


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column, or a field of one that holds structs, by the names of both."""
    if name in batch.schema.names:
        return batch.column(name)
    outer = next(one for one in batch.schema.names if name.startswith(f"{one}."))
    return pc.struct_field(batch.column(outer), [name.removeprefix(f"{outer}.")])


def _sums(currencies: pa.DictionaryArray, costs: pa.Array, *, is_plain: bool) -> Iterator[tuple[str, int]]:
    if pa.types.is_floating(costs.type):
        yield from _add_floats(currencies, costs)
        return
    if pa.types.is_integer(costs.type):
        costs = costs.cast(pa.string())
    adding = _add_plain if is_plain or _is_exact(costs.type) else _add_texts
    yield from adding(currencies, costs)


def _add_long(currencies: pa.DictionaryArray, costs: pa.Array) -> Iterator[tuple[str, int]]:
    """Up to forty decimals, each amount rounded by itself; refuses what has more."""
    rounded = pc.round(costs.cast(_LONG), ndigits=SCALE, round_mode="half_to_even")
    yield from _add_plain(currencies, rounded)


def _is_exact(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind)) and kind.scale <= SCALE


def _add_plain(currencies: pa.DictionaryArray, costs: pa.Array) -> Iterator[tuple[str, int]]:
    amounts = costs.cast(_MONEY)  # refuses underscores, and more decimals than twelve
    if len(currencies.dictionary) == 1:
        yield currencies.dictionary[0].as_py(), _units(pc.sum(amounts).as_py())
        return
    if not len(currencies.dictionary):
        yield "", _units(pc.sum(amounts).as_py())
        return
    for index, currency in enumerate(currencies.dictionary.to_pylist()):
        mine = amounts.filter(pc.equal(currencies.indices, index))
        yield currency, _units(pc.sum(mine).as_py())


def _add_floats(currencies: pa.DictionaryArray, costs: pa.Array) -> Iterator[tuple[str, int]]:
    """Add up the shortest decimal texts that read back as the same numbers, without writing most of them down.

    At most fifteen digits are always that text when they divide back to the same double; the rest is written.
    """
    floats = costs.to_numpy(zero_copy_only=False).astype(np.float64)
    whole = np.rint(floats * 1e12)
    is_short = (np.abs(whole) < 1e15) & (whole / 1e12 == floats) & pa.types.is_float64(costs.type)
    units = np.where(is_short, whole, 0).astype(np.int64)
    indices = currencies.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    for index in np.unique(indices):
        mine = units[indices == index]
        # Fifteen digits a row: the sum of a batch could pass sixty-three bits, that of its halves cannot.
        total = (int((mine >> 24).sum()) << 24) + int((mine & 0xFFFFFF).sum())
        yield (currencies.dictionary[int(index)].as_py() if index >= 0 else ""), total
    is_long = pa.array(~is_short & ~costs.is_null().to_numpy(zero_copy_only=False))
    yield from _add_texts(currencies.filter(is_long), costs.filter(is_long).cast(pa.string()))


def _add_texts(currencies: pa.DictionaryArray, costs: pa.Array) -> Iterator[tuple[str, int]]:
    try:
        yield from [*_add_long(currencies, costs)]
    except pa.ArrowInvalid:
        yield from _add_one_by_one(currencies, costs)


def _add_one_by_one(currencies: pa.DictionaryArray, costs: pa.Array) -> Iterator[tuple[str, int]]:
    table = pa.table({"currency": currencies.dictionary_decode(), "cost": costs.cast(pa.string())})
    for group in table.group_by(["currency", "cost"]).aggregate([([], "count_all")]).to_pylist():
        text = (group["cost"] or "").strip()
        if text not in values.MISSING:
            yield group["currency"] or "", _units(_amount(text)) * group["count_all"]


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text).quantize(UNIT, rounding=ROUND_HALF_EVEN, context=_EXACT)
    except InvalidOperation as error:
        raise NotAnAmount(text) from error
    if not amount.is_finite():
        raise NotAnAmount(text)
    return amount


def _units(amount: Decimal | None) -> int:
    return int((amount or Decimal(0)).scaleb(SCALE, context=_EXACT))
