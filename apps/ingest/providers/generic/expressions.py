"""What a column may be made of in a mapping that a user wrote: a small closed set, never the engine's own language.

Every expression knows its kind and whether it has a value in every row, so that a mapping is judged whole before a
single row is read. Names are checked and texts quoted: nothing a user writes reaches the engine as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from apps.finops.money import SCALE, NotAnAmount
from apps.ingest.bill.mapping import Input, Kind
from apps.ingest.bill.origins import quoted
from apps.ingest.text import values

_MONEY = "DECIMAL(38,12)"
MOST_TERMS = 20


class Wrong(Exception):
    """An expression that cannot be meant; the message says why."""


@dataclass(frozen=True)
class Made:
    """An expression of the engine. `is_total`: it has a value in every row. `name`: the input, when it is just one."""

    sql: str
    kind: Kind
    is_total: bool
    name: str = ""


@dataclass
class Maker:
    """Makes the expressions of one mapping. `chosen` collects which texts an input may hold, by input."""

    inputs: Mapping[str, Input | None]
    chosen: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def make(self, said: Any, kind: Kind) -> Made:
        """An expression of the kind its column needs."""
        made = self._make(said, kind)
        if made.kind != kind:
            raise Wrong(f"{_shown(said)} is {made.kind}, and {kind} is needed")
        return made

    def _make(self, said: Any, kind: Kind) -> Made:
        if isinstance(said, str):
            return self._input(said)
        if not isinstance(said, dict):
            raise Wrong(f"{_shown(said)} is neither the name of an input nor an expression")
        verbs: dict[str, Callable[[dict[str, Any], Kind], Made]] = {
            "input": self._named,
            "constant": _constant,
            "sum": self._sum,
            "difference": self._difference,
            "product": self._product,
            "coalesce": self._coalesce,
            "choose": self._choose,
            "month_start": self._month,
            "month_end": self._month,
            "later": self._later,
        }
        verb = next((name for name in verbs if name in said), None)
        if verb is None:
            raise Wrong(f"{_shown(said)} is no expression; there are {', '.join(verbs)}")
        return verbs[verb](said, kind)

    def _input(self, name: str) -> Made:
        if name not in self.inputs:
            known = ", ".join(self.inputs) or "none"
            raise Wrong(f"there is no input {name!r}; inputs are {known}. A fixed value is written {{constant: …}}")
        one = self.inputs[name]
        return Made(f'"{name}"', one.kind if one else "json", bool(one and one.required), name)

    def _named(self, said: dict[str, Any], _kind: Kind) -> Made:
        _only(said, "input")
        if not isinstance(said["input"], str):
            raise Wrong("input: write the name of an input")
        return self._input(said["input"])

    def _terms(self, said: dict[str, Any], verb: str, kind: Kind) -> list[Made]:
        terms = said[verb]
        if not isinstance(terms, list) or not 1 < len(terms) <= MOST_TERMS:
            raise Wrong(f"{verb}: write a list of two to {MOST_TERMS} terms")
        return [self.make(term, kind) for term in terms]

    def _sum(self, said: dict[str, Any], _kind: Kind) -> Made:
        """A missing term counts as nothing; all missing is missing. Each is written once, or sums in sums would double;
        the engine's own `list_sum` lets more than 38 digits pass."""
        _only(said, "sum")
        terms = self._terms(said, "sum", "money")
        given = ", ".join(term.sql for term in terms)
        sql = f"list_reduce([{given}], lambda x, y: coalesce(x + y, x, y))::{_MONEY}"
        return Made(sql, "money", any(term.is_total for term in terms))

    def _difference(self, said: dict[str, Any], _kind: Kind) -> Made:
        """What is missing is not subtracted; a difference from nothing is missing."""
        _only(said, "difference")
        first, *others = self._terms(said, "difference", "money")
        taken = " - ".join(f"coalesce({term.sql}, 0::{_MONEY})" for term in others)
        return Made(f"({first.sql} - {taken})::{_MONEY}", "money", first.is_total)

    def _product(self, said: dict[str, Any], _kind: Kind) -> Made:
        """Rounded once, half away from zero, to so many decimals."""
        _only(said, "product", "decimals")
        terms = self._terms(said, "product", "money")
        if len(terms) != 2:  # the engine has 38 digits: two factors of twelve decimals fill 24 of them
            raise Wrong("product: write two factors")
        decimals = said.get("decimals", str(SCALE))
        if not (isinstance(decimals, str) and decimals.isascii() and decimals.isdigit() and int(decimals) <= SCALE):
            raise Wrong(f"decimals: write a whole number from 0 to {SCALE}")
        sql = f"({terms[0].sql} * {terms[1].sql})::DECIMAL(38,{int(decimals)})::{_MONEY}"
        return Made(sql, "money", all(term.is_total for term in terms))

    def _coalesce(self, said: dict[str, Any], kind: Kind) -> Made:
        """The first that is not missing."""
        _only(said, "coalesce")
        terms = self._terms(said, "coalesce", kind)
        return Made(f"coalesce({', '.join(term.sql for term in terms)})", kind, any(term.is_total for term in terms))

    def _choose(self, said: dict[str, Any], kind: Kind) -> Made:
        """By the text of an input. Without `otherwise`, a text that is not in the table refuses the file."""
        _only(said, "choose", "when", "otherwise")
        by = self.make(said["choose"], "text")
        table = said.get("when")
        if not by.name or not isinstance(table, dict) or not table:
            raise Wrong("choose: write the name of a text input, and `when:` a table of its texts")
        branches = {text: self._branch(one, kind) for text, one in table.items()}
        otherwise = self._branch(said["otherwise"], kind) if "otherwise" in said else None
        cases = " ".join(f"WHEN '{quoted(text)}' THEN {made.sql}" for text, made in branches.items())
        made = [*branches.values(), *([otherwise] if otherwise else [])]
        is_total = all(one.is_total for one in made) and (otherwise is not None or by.is_total)
        if otherwise is None:
            before = self.chosen.get(by.name, tuple(branches))
            self.chosen[by.name] = tuple(text for text in before if text in branches)
        return Made(f"CASE {by.sql} {cases} ELSE {otherwise.sql if otherwise else 'NULL'} END", kind, is_total)

    def _branch(self, said: Any, kind: Kind) -> Made:
        """In a table a plain text is a fixed value, an input is written {input: …}."""
        return _constant({"constant": said}, kind) if isinstance(said, str) else self.make(said, kind)

    def _month(self, said: dict[str, Any], _kind: Kind) -> Made:
        """Where the month of an instant begins or ends, in a time zone: that of the input unless another is named."""
        verb = "month_start" if "month_start" in said else "month_end"
        _only(said, verb, "zone")
        moment = self.make(said[verb], "time")
        one = self.inputs.get(moment.name)
        zone = known_zone(said.get("zone", one.zone if one else "UTC"))
        more = " + INTERVAL 1 MONTH" if verb == "month_end" else ""
        local = f"date_trunc('month', timezone('{zone}', timezone('UTC', {moment.sql})))::TIMESTAMP{more}"
        return Made(f"timezone('UTC', timezone('{zone}', {local}))", "time", moment.is_total)

    def _later(self, said: dict[str, Any], _kind: Kind) -> Made:
        """So many days, hours or minutes after an instant."""
        _only(said, "later", "days", "hours", "minutes")
        moment = self.make(said["later"], "time")
        spans = [
            f"INTERVAL {_count(said[unit], unit)} {word}"
            for unit, word in (("days", "DAY"), ("hours", "HOUR"), ("minutes", "MINUTE"))
            if unit in said
        ]
        if not spans:
            raise Wrong("later: say by how many days, hours or minutes")
        return Made(f"({moment.sql} + {' + '.join(spans)})", "time", moment.is_total)


def _constant(said: dict[str, Any], kind: Kind) -> Made:
    _only(said, "constant")
    text = said["constant"]
    if not isinstance(text, str) or not text:
        raise Wrong("constant: write a text, a number or a time")
    readers: dict[Kind, Callable[[str], str]] = {
        "text": lambda text: f"'{quoted(text)}'",
        "money": lambda text: f"{values.exact_amount(text):f}::{_MONEY}",
        "time": lambda text: f"TIMESTAMP '{values.naive_instant(text).isoformat(sep=' ')}'",
        "json": _json,
    }
    try:
        return Made(readers[kind](text), kind, is_total=True)
    except (NotAnAmount, values.NotAnInstant, ValueError):
        raise Wrong(f"constant: {text!r} is not {_WORDS[kind]}") from None


_WORDS: dict[Kind, str] = {
    "text": "a text",
    "money": "an exact amount, like -1234.50",
    "time": "a time, like 2026-10-01T13:00:00Z",
    "json": "a JSON object",
}


def _json(text: str) -> str:
    if not values.is_json_object(text):
        raise ValueError(text)
    return f"'{quoted(text)}'"


def _only(said: dict[str, Any], *known: str) -> None:
    if unknown := sorted(set(said) - set(known)):
        raise Wrong(f"{unknown[0]!r} does not belong to {known[0]}")


def _count(said: Any, unit: str) -> int:
    if not (isinstance(said, str) and said.isascii() and said.isdigit() and len(said) < 5):
        raise Wrong(f"{unit}: write a whole number")
    return int(said)


@cache
def _zones() -> frozenset[str]:
    """Looked for once: the names of hundreds of files."""
    return frozenset(available_timezones())


def known_zone(said: Any) -> str:
    """The name of a time zone, when there is such a one."""
    if not isinstance(said, str) or said not in _zones():
        raise Wrong(f"zone: {_shown(said)} is no time zone; write one like Asia/Shanghai")
    return said


def _shown(said: Any) -> str:
    text = str(said)
    return text if len(text) <= 60 else f"{text[:60]}…"
