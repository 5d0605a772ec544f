"""A paper as plain text, for who reads mail without HTML."""

import re
from collections.abc import Iterable, Iterator

from apps.reports.papers.paper import Block, Cell, Heading, Notice, Paper, Table, Total, Words


def as_text(paper: Paper, last: Iterable[str] = ()) -> str:
    """The paper, and `last` what ends it."""
    lines = [paper.company, paper.title, paper.period, ""]
    for block in paper.blocks:
        lines += _told(block)
    if paper.button:
        lines += ["", f"{paper.button.link_text}: {paper.button.link}"]
    lines += ["", "--", *paper.facts, *last]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _told(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield from ("", block.text)
    elif isinstance(block, Notice):
        yield from (block.text, "")
    elif isinstance(block, Total):
        yield from (f"{block.amount} {block.currency}", block.sentence)
        if block.link:
            yield f"{block.link_text}: {block.link}"
    elif isinstance(block, Words):
        if block.text:
            yield f"  {block.text}"
        if block.link:
            yield f"  {block.link_text}: {block.link}"
    elif isinstance(block, Table):
        yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    """What the rows are of stands in the columns, above them; then a line for each row."""
    if not table.links_are_told:
        yield f"  ({' · '.join(column.title for column in table.columns)})"
    for row in (*table.rows, *([table.total] if table.total else [])):
        yield _row(row)
        if table.links_are_told and row[0].link:
            yield f"    {row[0].link}"


def _row(row: tuple[Cell, ...]) -> str:
    first, *rest = row
    told = " · ".join(f"{cell.text} ({cell.note})" if cell.note else cell.text for cell in rest if cell.text)
    note = f" ({first.note})" if first.note else ""
    return f"  {'* ' if first.is_new else ''}{first.text}{note}: {told}"
