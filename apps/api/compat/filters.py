"""The filter language of OpenCost (its second version), read into a tree.

    filter      = element (('+' element)* | ('|' element)*)      `+` is and, `|` is or; no mixing without parentheses
    element     = comparison | '(' filter ')'
    comparison  = field ('[' key ']')? operator '"value"' (',' '"value"')*

A comparison with several values holds when one of them does; a negated one when none does.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

MAX_DEPTH = 20
MAX_COMPARISONS = 200
UNALLOCATED = "__unallocated__"

Kind = Literal["is", "contains", "starts", "ends"]
_OPERATORS: dict[str, Kind] = {":": "is", "~:": "contains", "<~:": "starts", "~>:": "ends"}
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"[^"]*")|(?P<key>\[[^\]]*\])|(?P<operator>!?(?:<~|~>|~)?:)"""
    r"""|(?P<word>[\w-]+)|(?P<sign>[,+|()]))"""
)


@dataclass(frozen=True)
class Comparison:
    """A field compared with texts: holds when one of `values` fits, or, negated, when none does.

    `key` names the label of a field of labels; without one the field is the names of the labels.
    """

    field: str
    key: str
    kind: Kind
    values: tuple[str, ...]
    is_negated: bool = False


@dataclass(frozen=True)
class Group:
    """Parts of which all, or at least one, must hold."""

    needs_all: bool
    parts: tuple["Filter", ...]


Filter = Comparison | Group


@dataclass(frozen=True)
class Token:
    """A word of the language and where it stands, counted from one."""

    kind: str
    text: str
    place: int


def parse_filter(text: str, *, fields: Collection[str], keyed: Collection[str] = ()) -> Filter | None:
    """The tree of a filter, None when it is empty; ValueError says what is wrong and where.

    `fields` are plain, `keyed` may have a key in brackets.
    """
    reader = _Reader(list(_tokens(text)), fields, keyed)
    if reader.peek() is None:
        return None
    found = reader.filter(0)
    if reader.peek() is not None:
        raise reader.unexpected("+ or | and another comparison; to mix them, use parentheses")
    if sum(1 for _ in comparisons(found)) > MAX_COMPARISONS:
        raise ValueError(f"has more than {MAX_COMPARISONS} comparisons; give one several values")
    return found


def comparisons(tree: Filter | None) -> Iterator[Comparison]:
    """Every comparison of a tree, from left to right."""
    if isinstance(tree, Group):
        for part in tree.parts:
            yield from comparisons(part)
    elif isinstance(tree, Comparison):
        yield tree


def both(*trees: Filter | None) -> Filter | None:
    """The filter under which all of several hold."""
    parts = tuple(tree for tree in trees if tree is not None)
    return Group(True, parts) if len(parts) > 1 else next(iter(parts), None)


def _tokens(text: str) -> Iterator[Token]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            rest = text[place:].lstrip()
            if not rest:
                return
            at = len(text) - len(rest) + 1
            unclosed = {'"': "a string without its closing quote", "[": "a key without its closing bracket"}
            raise ValueError(f"cannot be read at {at}: {unclosed.get(rest[0], f'{rest[0]!r} has no meaning there')}")
        kind = str(match.lastgroup)
        yield Token(kind, match[kind], match.start(kind) + 1)
        place = match.end()


class _Reader:
    """A walk over the tokens of a filter; each method reads one rule of the grammar."""

    def __init__(self, tokens: list[Token], fields: Collection[str], keyed: Collection[str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.fields = fields
        self.keyed = keyed

    def peek(self) -> Token | None:
        """The next token, None at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def unexpected(self, wanted: str) -> ValueError:
        token = self.peek()
        where = "ends" if token is None else f"has {token.text[:40]!r} at {token.place}"
        return ValueError(f"{where} where it needs {wanted}")

    def take(self, kind: str, *texts: str) -> str | None:
        """The text of the next token if it is of this kind (and one of these texts), which is then read."""
        token = self.peek()
        if token is None or token.kind != kind or (texts and token.text not in texts):
            return None
        self.at += 1
        return token.text

    def filter(self, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            raise ValueError(f"has parentheses more than {MAX_DEPTH} deep")
        parts = [self.element(depth)]
        sign = self.take("sign", "+", "|")
        while sign is not None:
            parts.append(self.element(depth))
            if self.take("sign", sign) is None:
                break
        return parts[0] if len(parts) == 1 else Group(sign == "+", tuple(parts))

    def element(self, depth: int) -> Filter:
        if self.take("sign", "(") is None:
            return self.comparison()
        found = self.filter(depth + 1)
        if self.take("sign", ")") is None:
            raise self.unexpected("a closing parenthesis, for + and | are not mixed without parentheses")
        return found

    def comparison(self) -> Comparison:
        known = (*self.fields, *(f"{name}[key]" for name in self.keyed))
        token = self.peek()
        if token is None or token.text not in (*self.fields, *self.keyed):
            raise self.unexpected(f"a field: {', '.join(known)}")
        self.at += 1
        key = (self.take("key") or "[]")[1:-1].strip() if token.text in self.keyed else ""
        operator = self.take("operator")
        if operator is None:
            raise self.unexpected("an operator: : !: ~: !~: <~: !<~: ~>: !~>:")
        kind = _OPERATORS[operator.removeprefix("!")]
        return Comparison(token.text, key, kind, self.values(), operator.startswith("!"))

    def values(self) -> tuple[str, ...]:
        found = []
        while True:
            value = self.take("string")
            if value is None:
                raise self.unexpected("a value in double quotes")
            found.append("" if value[1:-1] == UNALLOCATED else value[1:-1])
            if self.take("sign", ",") is None:
                return tuple(found)
