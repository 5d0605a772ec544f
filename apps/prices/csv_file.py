"""Reading a price list: CSV, one price a row, all of it or nothing."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from apps.finops.errors import CostOpsError
from apps.finops.money import NotAnAmount, parse_amount
from apps.prices.models import Price

COLUMNS = (
    "provider", "region", "sku_id", "service", "unit", "currency", "list_unit_price",
    "contracted_unit_price", "valid_from",
)  # fmt: skip
MOST = 20
MOST_BYTES = 256 << 20
_LONGEST = {"provider": 120, "region": 120, "sku_id": 300, "service": 200, "unit": 120}
_NEEDED = ("provider", "sku_id", "unit", "currency", "valid_from")


class BadPriceList(CostOpsError):
    """The file cannot be imported; the message names every wrong line, at most twenty."""


class _Wrong(Exception):
    """A cell that cannot be meant."""


def read(path: Path) -> list[Price]:
    """The prices of a file; raises BadPriceList."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadPriceList(f"{path}: more than {MOST_BYTES >> 20} MiB; split the list.")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadPriceList(f"{path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadPriceList(f"{path}: not UTF-8 (byte {error.start}); export it as UTF-8.") from error
    prices: list[Price] = []
    wrong: list[str] = []
    seen: dict[tuple[object, ...], int] = {}
    for line, cells in _rows(path, text):
        try:
            price = _price(cells)
            key = (price.provider, price.region, price.sku_id, price.unit, price.currency, price.valid_from)
            if first := seen.setdefault(key, line) - line:
                raise _Wrong(f"the same price as in line {line + first}; keep one")
            prices.append(price)
        except _Wrong as error:
            wrong.append(f"line {line}, {error}")
        if len(wrong) == MOST:
            break
    if wrong:
        raise BadPriceList(f"{path}: {'; '.join(wrong)}. Nothing was imported.")
    return prices


def _rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if sorted(header) != sorted(COLUMNS):
            raise BadPriceList(f"{path}, line 1: the columns must be {', '.join(COLUMNS)}.")
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                if len(cells) != len(header):
                    raise BadPriceList(f"{path}, line {line}: {len(cells)} values for {len(header)} columns.")
                yield line, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadPriceList(f"{path}, line {reader.line_num}: not CSV ({error}).") from error


def _price(cells: dict[str, str]) -> Price:
    for name in _NEEDED:
        if not cells[name]:
            raise _Wrong(f"column {name}: is empty")
    if not (cells["list_unit_price"] or cells["contracted_unit_price"]):
        raise _Wrong("columns list_unit_price, contracted_unit_price: one of them must be told")
    if not (len(cells["currency"]) == 3 and cells["currency"].isascii() and cells["currency"].isupper()):
        raise _Wrong(f"column currency: {cells['currency']!r} is not a code such as CNY")
    return Price(
        provider=_short(cells, "provider"),
        region=_short(cells, "region"),
        sku_id=_short(cells, "sku_id"),
        service=_short(cells, "service"),
        unit=_short(cells, "unit"),
        currency=cells["currency"],
        list_unit_price_text=_amount(cells, "list_unit_price"),
        contracted_unit_price_text=_amount(cells, "contracted_unit_price"),
        valid_from=_day(cells["valid_from"]),
        origin=Price.Origin.LIST,
    )


def _short(cells: dict[str, str], name: str) -> str:
    most = _LONGEST[name]
    if len(cells[name]) > most or "\0" in cells[name]:
        raise _Wrong(f"column {name}: longer than {most} characters")
    return cells[name]


def _amount(cells: dict[str, str], name: str) -> str:
    if not cells[name]:
        return ""
    try:
        amount, is_rounded = parse_amount(cells[name])
    except NotAnAmount:
        raise _Wrong(f"column {name}: {cells[name][:40]!r} is not an amount; write 0.0021") from None
    if amount < 0 or is_rounded:
        raise _Wrong(f"column {name}: a price is not negative and has at most twelve decimals")
    return f"{amount.normalize():f}"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _Wrong(f"column valid_from: {text[:40]!r} is not a day; write 2026-10-01") from None
