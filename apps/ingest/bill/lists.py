"""Amounts that stand in a list of objects, like the credits of a row: added up for the tally, and not by the engine."""

import json
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from apps.finops.money import SCALE, NotAnAmount, add_up, parse_amount
from apps.ingest.text import values
from apps.ingest.text.jsonlines import once

_MONEY = pa.decimal128(38, SCALE)
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, object_pairs_hook=once)
_UNREADABLE = (ValueError, RecursionError, InvalidOperation)
_MOST_DIGITS = 100
"""Before or after the point: what has more is no amount, and its sum not to be written out."""


def sums(cells: pa.Array, key: str) -> pa.Array:
    """The sum of every row's amounts under this key, rounded once to twelve decimals; missing where there is no list.

    Whoever exports may have added them up already: a number is its own sum. Raises NotAnAmount where a cell is anything
    but that or a list of objects with an amount each.
    """
    if pa.types.is_null(cells.type):
        return cells.cast(_MONEY)
    if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        encoded = cells.dictionary_encode()
        read = [_sum_of_text(text, key) for text in encoded.dictionary.to_pylist()]
        return pa.array(read, _MONEY).take(encoded.indices)
    if pa.types.is_list(cells.type) or pa.types.is_large_list(cells.type):
        return _sums_of_lists(cells, key)
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_decimal(cells.type):
        return pa.array([None if one is None else _sum([one]) for one in cells.to_pylist()], _MONEY)
    raise NotAnAmount(f"a column of {cells.type}")


def _sum_of_text(text: str, key: str) -> Decimal | None:
    text = text.strip()
    if text in values.MISSING:
        return None
    try:
        found = _DECODER.decode(text)
    except _UNREADABLE:
        found = _as_python_writes_it(text)
    if found is None:
        return None
    if isinstance(found, Decimal):
        return _sum([found])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise NotAnAmount(text)
    return _sum(one.get(key) for one in found)


def _as_python_writes_it(text: str) -> Any:
    try:
        return _DECODER.decode(text.replace("'", '"').replace("None", "null"))
    except _UNREADABLE as error:
        raise NotAnAmount(text) from error


def _sums_of_lists(cells: pa.Array, key: str) -> pa.Array:
    inside = pc.list_flatten(cells)
    by_row: dict[int, list[Any]] = defaultdict(list)
    if len(inside):
        for row, amount in zip(pc.list_parent_indices(cells).to_pylist(), _under(inside, key), strict=True):
            by_row[row].append(amount)
    return pa.array([_sum(by_row[row]) if row in by_row else None for row in range(len(cells))], _MONEY)


def _under(objects: pa.Array, key: str) -> list[Any]:
    if not pa.types.is_struct(objects.type) or objects.type.get_field_index(key) < 0:
        raise NotAnAmount(f"a list of {objects.type}")
    found: list[Any] = pc.struct_field(objects, key).to_pylist()
    return found


def _sum(amounts: Iterable[Any]) -> Decimal:
    """Amounts as they are written; binary ones by their shortest text."""
    return parse_amount(f"{add_up(map(_exact, amounts)):f}")[0]


def _exact(amount: Any) -> Decimal:
    if isinstance(amount, bool) or not isinstance(amount, int | float | str | Decimal):
        raise NotAnAmount(str(amount))
    try:
        found = Decimal(str(amount))
    except InvalidOperation as error:
        raise NotAnAmount(str(amount)) from error
    if not found.is_finite() or abs(found.adjusted()) > _MOST_DIGITS:
        raise NotAnAmount(str(amount))
    return found
