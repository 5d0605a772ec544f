"""Text for spreadsheets: what is a name here is no formula there."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

FORMULA_STARTS = tuple("=+-@\t\r\n\x00＝＋－＠")  # half and full width


def cell(value: Any) -> str:
    """One value as CSV shows it. Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if isinstance(value, str):
        is_formula = value.lstrip(" ").startswith(FORMULA_STARTS)  # some spreadsheets trim before they look
        return f"'{value}" if is_formula else value
    return str(_PLAIN.get(type(value), str)(value))


_PLAIN: Mapping[type, Any] = {
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    Decimal: lambda value: f"{value:f}",
    datetime: lambda value: value.isoformat(),
    dict: lambda value: json.dumps(value, ensure_ascii=False, default=str),
    list: lambda value: json.dumps(value, ensure_ascii=False, default=str),
}
