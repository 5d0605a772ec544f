"""The rules of FOCUS 1.2 that a file alone can answer, and each of them as an expression that is true of a row that
breaks it.

`rules.json` is the rule model 1.2.0.1 of focus-validator 2.2.1 (MIT, see LICENSE beside it) with its composites
resolved: every rule carries the conditions and criteria of those it stands under. A rule `patched` differs from the
model, and says why; one without a `requirement` asks for what no file tells. The expressions are the validator's, save
that a list of allowed values is asked of every row and not of the file as a whole.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Node = Mapping[str, Any]
_TIMES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "DATE")
_NUMERIC = r"^[+-]?([0-9]*[.])?[0-9]+([eE][+-]?[0-9]+)?$"
_INSTANT = r"^[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z"
_SIZES = "b|Kb|Mb|Gb|Tb|Pb|Eb|B|KB|MB|GB|TB|PB|EB|Kib|Mib|Gib|Tib|Pib|Eib|KiB|MiB|GiB|TiB|PiB|EiB"
_SPANS = "Years|Months|Days|Hours|Minutes|Seconds"
_SPAN = "Year|Month|Day|Hour|Minute|Second"
_WORDS = r"[A-Za-z][A-Za-z0-9]*(?:\s+[A-Za-z][A-Za-z0-9]*)*"
_UNIT = "|".join(
    (
        f"(^({_SIZES}|{_SPAN}|{_SPANS}|{_WORDS})$)",
        f"(^({_SIZES}|{_WORDS})-({_SPANS})$)",
        f"(^({_SIZES}|{_WORDS}|{_SPANS})/({_SPAN})$)",
        f"(^[0-9]+ ({_SIZES}|{_SPAN}|{_SPANS}|{_WORDS})$)",
        f"(^({_SIZES}|{_WORDS}|{_SPANS})/[0-9]+ ({_SPANS})$)",
    )
)


@dataclass(frozen=True)
class Rule:
    """One rule: `criteria` are the features of a provider without which it does not apply."""

    id: str
    column: str
    keyword: str
    text: str
    criteria: tuple[str, ...]
    requirement: Node | None
    condition: Node | None
    patched: str

    @property
    def check(self) -> str:
        return str(self.requirement["check"]) if self.requirement else ""

    def columns(self) -> list[str]:
        """The columns the rule looks at."""
        found: dict[str, None] = {}
        for node in (self.requirement, self.condition):
            found |= dict.fromkeys(_columns(node) if node else ())
        return list(found)


def _columns(node: Node) -> list[str]:
    own = [node[key] for key in ("column", "a", "b", "result") if key in node]
    return own + [name for item in node.get("items", ()) for name in _columns(item)]


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule of the model about a column, in the model's order."""
    return tuple(
        Rule(
            id=rule["id"],
            column=rule["column"],
            keyword=rule["keyword"],
            text=rule["text"],
            criteria=tuple(rule.get("criteria", ())),
            requirement=rule.get("requirement"),
            condition=rule.get("condition"),
            patched=rule.get("patched", ""),
        )
        for rule in _model()["rules"]
    )


@cache
def criteria() -> dict[str, str]:
    """What a provider may or may not have → what that means."""
    return dict(_model()["criteria"])


@cache
def _model() -> Any:
    return json.loads((Path(__file__).parent / "rules.json").read_text())


@dataclass(frozen=True)
class Sheet:
    """The columns of a file and their types; of a text file every type is VARCHAR."""

    types: Mapping[str, str]
    is_text: bool

    def broken(self, rule: Rule) -> str:
        """An expression that is true of a row that breaks the rule."""
        assert rule.requirement is not None  # noqa: S101  # callers choose rules that can be asked
        violation = self._violation(rule.requirement)
        return f"({violation}) AND ({self.holds(rule.condition)})" if rule.condition else violation

    def _violation(self, node: Node) -> str:
        if node["check"] == "OR":
            any_of = " OR ".join(f"({self.holds(item)})" for item in node["items"])
            known = " AND ".join(f"{_name(name)} IS NOT NULL" for name in dict.fromkeys(_columns(node)))
            return f"{known} AND NOT ({any_of})"
        return _BROKEN[node["check"]](self, node)

    def holds(self, node: Node) -> str:
        """An expression that is true of a row for which a condition holds."""
        if node["check"] in ("AND", "OR"):
            return f" {node['check']} ".join(f"({self.holds(item)})" for item in node["items"])
        return _HOLDS[node["check"]](self, node)

    def number(self, column: str) -> str:
        return f"try_cast({_name(column)} AS DOUBLE)"

    def equals(self, column: str, value: Any) -> str:
        if isinstance(value, str):
            return f"{_name(column)} = '{value.replace(chr(39), chr(39) * 2)}'"
        return f"{self.number(column)} = {value}"

    def kind(self, column: str) -> str:
        return self.types[column].split("(")[0]


def _name(column: str) -> str:
    return f'"{column}"'


def _matches(column: str, pattern: str) -> str:
    quoted = pattern.replace("'", "''")
    return f"regexp_matches(trim({_name(column)}::VARCHAR), '{quoted}')"


def _unless(column: str, holds: str) -> str:
    return f"{_name(column)} IS NOT NULL AND NOT ({holds})"


def _value_holds(sheet: Sheet, node: Node) -> str:
    column, value = node["column"], node["value"]
    return f"{_name(column)} IS NULL" if value is None else sheet.equals(column, value)


def _not_value_holds(sheet: Sheet, node: Node) -> str:
    column, value = node["column"], node["value"]
    present = f"{_name(column)} IS NOT NULL"
    return present if value is None else f"{present} AND NOT ({sheet.equals(column, value)})"


def _value_broken(sheet: Sheet, node: Node) -> str:
    column, value = node["column"], node["value"]
    return f"{_name(column)} IS NOT NULL" if value is None else _unless(column, sheet.equals(column, value))


def _not_value_broken(sheet: Sheet, node: Node) -> str:
    return _value_holds(sheet, node)


def _string_broken(sheet: Sheet, node: Node) -> str:
    column = node["column"]
    return "false" if sheet.kind(column) == "VARCHAR" else f"{_name(column)} IS NOT NULL"


def _decimal_broken(sheet: Sheet, node: Node) -> str:
    """DECIMAL of any width is decimal; text files know no types, so theirs is what the text says."""
    column = node["column"]
    if sheet.kind(column) in ("DECIMAL", "DOUBLE", "FLOAT"):
        return "false"
    return _unless(column, _matches(column, _NUMERIC)) if sheet.is_text else f"{_name(column)} IS NOT NULL"


def _time_broken(sheet: Sheet, node: Node) -> str:
    column = node["column"]
    return "false" if sheet.kind(column) in _TIMES else _unless(column, _matches(column, f"{_INSTANT}$"))


def _time_format_broken(sheet: Sheet, node: Node) -> str:
    column = node["column"]
    if sheet.kind(column) in _TIMES:
        return "false"
    return _unless(
        column, f"{_matches(column, f'{_INSTANT}?$')} AND try_cast({_name(column)} AS TIMESTAMP) IS NOT NULL"
    )


def _negative(sheet: Sheet, node: Node) -> str:
    return f"{_name(node['column'])} IS NOT NULL AND {sheet.number(node['column'])} < {node['value']}"


def _product_broken(sheet: Sheet, node: Node) -> str:
    a, b, result = (sheet.number(node[key]) for key in ("a", "b", "result"))
    return f"abs({a} * {b} - {result}) > 1e-9 * greatest(abs({result}), 1)"


def _one_of(column: str, codes: list[str]) -> str:
    listed = ", ".join(f"'{code}'" for code in codes)
    return _unless(column, f"trim({_name(column)}::VARCHAR) IN ({listed})")


_HOLDS: dict[str, Callable[[Sheet, Node], str]] = {
    "CheckValue": _value_holds,
    "CheckNotValue": _not_value_holds,
    "CheckNotSameValue": lambda _sheet, node: f"{_name(node['a'])} <> {_name(node['b'])}",
    "CheckSameValue": lambda _sheet, node: f"{_name(node['a'])} = {_name(node['b'])}",
}
_BROKEN: dict[str, Callable[[Sheet, Node], str]] = {
    "CheckValue": _value_broken,
    "CheckNotValue": _not_value_broken,
    "CheckSameValue": lambda _sheet, node: f"{_name(node['a'])} <> {_name(node['b'])}",
    "CheckGreaterOrEqualThanValue": _negative,
    "CheckDecimalValue": _decimal_broken,
    "ColumnByColumnEqualsColumnValue": _product_broken,
    "TypeString": _string_broken,
    "TypeDecimal": _decimal_broken,
    "TypeDateTime": _time_broken,
    "FormatDateTime": _time_format_broken,
    "FormatString": lambda _sheet, node: _unless(
        node["column"], f"regexp_full_match({_name(node['column'])}::VARCHAR, '[\\x00-\\x7F]*')"
    ),
    "FormatNumeric": lambda _sheet, node: _unless(node["column"], _matches(node["column"], _NUMERIC)),
    "FormatUnit": lambda _sheet, node: _unless(node["column"], _matches(node["column"], _UNIT)),
    "FormatKeyValue": lambda _sheet, node: _unless(node["column"], f"json_valid({_name(node['column'])}::VARCHAR)"),
    "FormatCurrency": lambda _sheet, node: _unless(node["column"], _matches(node["column"], "^[A-Z]{3}$")),
    "CheckNationalCurrency": lambda _sheet, node: _one_of(node["column"], _model()["currencies"]),
}
