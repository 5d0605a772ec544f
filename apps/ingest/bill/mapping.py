"""How a provider's bill becomes FOCUS charges: inputs read strictly by name, and one expression a column.

A mapping is data. Its expressions are the engine's SQL over the names of the inputs; they never see a raw cell: every
input was read as text, exact decimal, instant or JSON object before. A cell that cannot be read refuses the file.
"""

from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Kind = Literal["text", "money", "time", "json"]


@dataclass(frozen=True)
class Input:
    """A column of the provider's file, under the first of its `names` that the file has.

    `required`: the file must have it, with a value in every row. `formats`: what a time may look like beside ISO 8601,
    as `strptime` patterns; `zone`: the time zone of a time that names none. `repair`: an expression over `{}`, the
    cell's text, that makes it what its kind expects. `key`: the column is nested (a map, a struct, or a JSON object),
    and the value under this key is read. `each`: the cell is a list of objects, and its amount the sum of theirs under
    this key, or that sum already; the repair makes it so, and the tally counts by itself. `pattern` (whole) and
    `allowed`: what a text must look like, and the only texts it may be; another refuses the file, because nobody knows
    what it means. A column the file lacks reads as missing in every row.
    """

    names: tuple[str, ...]
    kind: Kind = "text"
    required: bool = False
    formats: tuple[str, ...] = ()
    zone: str = "UTC"
    repair: str = ""
    key: str = ""
    each: str = ""
    pattern: str = ""
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What discovery says of the file, the same text in every row: what lies beside a bill may change its meaning."""

    what: Literal["path", "period", "release"]


@dataclass(frozen=True)
class Gather:
    """All columns whose name begins with a prefix, as one JSON object: the rest of the name → the value, if present.

    `prefixes` maps each prefix to what stands in its place in the key.
    """

    prefixes: Table[str, str]


@dataclass(frozen=True)
class Mapping:
    """The declarative mapping of one provider's bill.

    Parameters
    ----------
    name, version
        Together what `x_Mapping` of a mapped charge says. Raise the version when an expression changes its meaning; of
        a mapping that a user wrote it is a hash.
    inputs
        Name in the expressions → the column it is read from.
    columns
        FOCUS column (or one of ours) → SQL over the inputs' names. A column that is not named is missing (NULL).
    control
        Money input → money column of the charge. The independent tally adds up the inputs in the file; exactly that
        must stand in the column. Several inputs: in every row the first of them that has a value.
    added
        Money column of the charge → the inputs that are added up in it, told in the same way.
    currency
        The input that names the currency, by which the tally is kept; it must come through unchanged. Empty: the sums
        are compared without one.
    keeps
        Which columns that are no inputs are kept in `x_Other`: all of them, or those with these names, where `a/*`
        stands for every name that begins with `a/`.
    only
        An expression that is true for the rows that are charges, where some are mere statements; what is left out must
        add nothing to the control sums.
    days
        The input that names whole days, and behind it inputs that name hours instead, where the file has them.
    """

    name: str
    version: int | str
    inputs: Table[str, Input | Gather | Told]
    columns: Table[str, str]
    control: Table[str | tuple[str, ...], str]
    currency: str = ""
    keeps: Literal["all"] | tuple[str, ...] = ()
    only: str = ""
    days: tuple[str, ...] = ()
    added: Table[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def required(self) -> tuple[Input, ...]:
        return tuple(one for one in self.inputs.values() if isinstance(one, Input) and one.required)

    @property
    def names(self) -> set[str]:
        """All names under which it reads columns."""
        return {name for one in self.inputs.values() if isinstance(one, Input) for name in one.names}

    def bind(self, columns: tuple[str, ...]) -> "Bound":
        return Bound(self, columns)


@dataclass(frozen=True)
class Bound:
    """A mapping and the columns of one file, by position."""

    mapping: Mapping
    columns: tuple[str, ...]
    _places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", {name: at for at, name in reversed([*enumerate(self.columns)])})

    @cached_property
    def positions(self) -> dict[str, int]:
        """Input → position of its column; inputs the file lacks are left out."""
        found = {}
        for alias, one in self.mapping.inputs.items():
            if isinstance(one, Input) and (name := next((name for name in one.names if name in self._places), None)):
                found[alias] = self._places[name]
        return found

    @cached_property
    def gathered(self) -> dict[str, dict[str, int]]:
        """Gathering input → key of its object → position."""
        return {
            alias: {
                put + name.removeprefix(prefix): at
                for prefix, put in one.prefixes.items()
                for at, name in enumerate(self.columns)
                if name.startswith(prefix)
            }
            for alias, one in self.mapping.inputs.items()
            if isinstance(one, Gather)
        }

    @cached_property
    def unread(self) -> dict[str, int]:
        """The columns that are no inputs → position."""
        read = {*self.positions.values(), *(at for keys in self.gathered.values() for at in keys.values())}
        return {name: at for at, name in enumerate(self.columns) if at not in read}

    @property
    def kept(self) -> dict[str, int]:
        """Those of them that go into `x_Other`."""
        keeps = self.mapping.keeps
        if keeps == "all":
            return self.unread
        begins = tuple(one.removesuffix("*") for one in keeps if one.endswith("*"))
        return {name: at for name, at in self.unread.items() if name in keeps or name.startswith(begins)}

    def input(self, alias: str) -> Input | None:
        """The declaration of an input that the file has."""
        one = self.mapping.inputs[alias]
        return one if isinstance(one, Input) and alias in self.positions else None

    def name(self, alias: str) -> str:
        """What the file calls an input."""
        return self.columns[self.positions[alias]]

    @property
    def control(self) -> dict[str, tuple[int, ...]]:
        """Stored column → positions of the inputs, the first of which that has a value must add up to the same."""
        named = {
            column: (aliases,) if isinstance(aliases, str) else aliases
            for aliases, column in self.mapping.control.items()
        }
        places = {
            column: tuple(self.positions[alias] for alias in aliases if alias in self.positions)
            for column, aliases in named.items()
        }
        return {column: at for column, at in places.items() if at}

    @property
    def added(self) -> dict[str, dict[int, str]]:
        """Stored column → the positions of the inputs that add up to it, each with the key of what its list holds."""
        return {
            column: {self.positions[alias]: one.each for alias in aliases if (one := self.input(alias))}
            for column, aliases in self.mapping.added.items()
        }

    @property
    def controlled(self) -> set[str]:
        """The stored columns whose sums the tally knows."""
        return {*self.control, *self.added}

    @property
    def currency(self) -> int | None:
        return self.positions.get(self.mapping.currency)

    def missing(self) -> list[Input]:
        """Required inputs the file does not have."""
        return [one for one in self.mapping.required if not any(name in self._places for name in one.names)]
