"""Reading a price list: CSV, one price a row, all of it or nothing."""

from pathlib import Path

from apps.finops import sheets
from apps.finops.currencies import CURRENCIES
from apps.finops.money import NotAnAmount, parse_amount, plain
from apps.finops.sheets import BadSheet, Wrong, WrongCell
from apps.prices.models import Price

COLUMNS = (
    "provider", "region", "sku_id", "service", "unit", "currency", "list_unit_price",
    "contracted_unit_price", "valid_from",
)  # fmt: skip
MOST_BYTES = 256 << 20
_LONGEST = {"provider": 120, "region": 120, "sku_id": 300, "service": 200, "unit": 120}
_NEEDED = ("provider", "sku_id", "unit")


def read(path: Path) -> list[Price]:
    """The prices of a file; raises BadSheet."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadSheet(f"{path}: more than {MOST_BYTES >> 20} MiB; split the list.")
        content = path.read_bytes()
    except OSError as error:
        raise BadSheet(f"{path}: {error.strerror}.") from error
    return read_content(content, str(path))


def read_content(content: bytes, name: str) -> list[Price]:
    """The prices of a file's content; raises BadSheet."""
    told = sheets.read(content, name=name, headers=[COLUMNS], row=_price, most_bytes=MOST_BYTES)
    seen: dict[tuple[object, ...], int] = {}
    twice = []
    for line, price in told:
        key = (price.provider, price.region, price.sku_id, price.unit, price.currency, price.valid_from)
        if (first := seen.setdefault(key, line)) != line:
            twice.append(Wrong(line, f"the same price as in line {first}; keep one"))
    sheets.refuse(name, twice)
    return [price for _, price in told]


def _price(line: int, cells: dict[str, str]) -> tuple[int, Price]:
    if not (cells["list_unit_price"] or cells["contracted_unit_price"]):
        raise WrongCell("list_unit_price", "is empty, and so is contracted_unit_price; tell one of them")
    if cells["currency"] not in CURRENCIES:
        raise WrongCell("currency", f"{cells['currency'][:40]!r} is not a code such as CNY")
    return line, Price(
        **{name: _words(cells, name) for name in _LONGEST},
        currency=cells["currency"],
        list_unit_price_text=_amount(cells, "list_unit_price"),
        contracted_unit_price_text=_amount(cells, "contracted_unit_price"),
        valid_from=sheets.day(cells, "valid_from"),
        origin=Price.Origin.LIST,
    )


def _words(cells: dict[str, str], name: str) -> str:
    """A region or a service may be left out."""
    if name not in _NEEDED and not cells[name]:
        return ""
    return sheets.words(cells, name, most=_LONGEST[name])


def _amount(cells: dict[str, str], name: str) -> str:
    if not cells[name]:
        return ""
    try:
        amount, is_rounded = parse_amount(cells[name])
    except NotAnAmount:
        raise WrongCell(name, f"{cells[name][:40]!r} is not an amount; write 0.0021") from None
    if amount < 0 or is_rounded:
        raise WrongCell(name, "a price is not negative and has at most twelve decimals")
    return plain(amount)
