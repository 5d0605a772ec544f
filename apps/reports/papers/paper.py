"""A report before it has a form: a title, blocks from top to bottom, and what its numbers rest on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Cell:
    """One cell: `text` as it is read, `value` as a workbook holds it, `note` in small below, `is_new` marks it."""

    text: str
    value: Decimal | int | date | None = None
    link: str = ""
    note: str = ""
    is_new: bool = False


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    title: str
    is_number: bool = False


@dataclass(frozen=True)
class Block:
    """A part of a paper; `kind` names the class for templates."""

    @property
    def kind(self) -> str:
        return type(self).__name__.lower()


@dataclass(frozen=True)
class Words(Block):
    """A sentence, with a link where there is more to read."""

    text: str
    link: str = ""
    link_text: str = ""


@dataclass(frozen=True)
class Notice(Block):
    """A sentence that must not be overlooked."""

    text: str


@dataclass(frozen=True)
class Heading(Block):
    """A heading of what follows."""

    text: str


@dataclass(frozen=True)
class Total(Block):
    """An amount in large, where it comes from, and the sentence that tells it."""

    amount: str
    currency: str
    sentence: str
    link: str = ""
    link_text: str = ""


@dataclass(frozen=True)
class Figure(Block):
    """A picture by its name in the letter, and the sentence that works without it."""

    name: str
    sentence: str


@dataclass(frozen=True)
class Table(Block):
    """Rows under columns. `name` is its sheet in a workbook; `total` is a last row that adds up those above."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    links_are_told: bool = False
    """Whether the text writes the links of the rows out."""


@dataclass(frozen=True)
class Paper:
    """A report. `sheets` are tables for the workbook alone, `pictures` PNGs by the names of its figures; one that
    `is_one_page` is drawn so small that it fits on one."""

    company: str
    title: str
    period: str
    subject: str
    blocks: tuple[Block, ...]
    facts: tuple[str, ...]
    footing: str
    pictures: dict[str, bytes]
    button: Words | None = None
    is_one_page: bool = False
    sheets: tuple[Table, ...] = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table a workbook holds."""
        return (*(block for block in self.blocks if isinstance(block, Table)), *self.sheets)

    @property
    def words(self) -> Iterator[str]:
        """Everything a page shows: the letters a font must have."""
        yield from (self.company, self.title, self.period, self.footing, *self.facts)
        for block in self.blocks:
            if isinstance(block, Table):
                yield from (column.title for column in block.columns)
                for row in (*block.rows, block.total):
                    yield from (part for cell in row for part in (cell.text, cell.note))
            elif isinstance(block, Total):
                yield from (block.amount, block.currency, block.sentence)
            elif isinstance(block, Words | Notice | Heading):
                yield block.text
