"""Many budgets as a table: read from CSV or a workbook, all or nothing, and written so that it can be read again."""

from collections.abc import Iterable, Iterator

from apps.budgets.drafts import Draft, draft_of
from apps.budgets.models import Budget
from apps.budgets.selectors import end_of, newest_version
from apps.finops import sheets, workbooks

COLUMNS = (
    "name", "dimension", "value", "grain", "amount", "currency", "metric", "valid_from", "valid_to", "profile",
    "weights", "rollover", "owner_team", "owner", "why",
)  # fmt: skip
NEEDED = ("name", "dimension", "value", "grain", "amount", "currency", "valid_from")
"""A file may leave the others out."""
DAYS = ("valid_from", "valid_to")
MOST_BYTES = 8 << 20


def read(content: bytes, name: str) -> list[tuple[int, Draft]]:
    """The budgets of a file with their lines; two of one name are refused."""
    rows = workbooks.read(content, name=name, headers=(COLUMNS, NEEDED), row=_row, most_bytes=MOST_BYTES, what="budget")
    lines: dict[str, int] = {}
    wrong = []
    for line, draft in rows:
        if draft.name in lines:
            wrong.append(sheets.Wrong(line, f"column name: {draft.name[:40]!r} stands on line {lines[draft.name]} too"))
        lines.setdefault(draft.name, line)
    sheets.refuse(name, wrong)
    return rows


def _row(line: int, cells: dict[str, str]) -> tuple[int, Draft]:
    told = {name: text for name, text in cells.items() if text and name in COLUMNS and name not in DAYS}
    texts = {"name": "", "amount": "", "currency": ""} | told
    begins, ends = (sheets.day(cells, name) if cells.get(name) else None for name in DAYS)
    return line, Draft(**texts, valid_from=begins, valid_to=ends)


def rows(budgets: Iterable[Budget]) -> Iterator[dict[str, object]]:
    """Budgets as such rows: what holds of each by its newest decision."""
    for budget in budgets:
        version = newest_version(budget)
        draft = draft_of(budget, version, end_of(budget))
        told = {name: getattr(draft, name) for name in COLUMNS}
        yield told | {"amount": version.amount, "why": version.why}
