"""Plans as files: `plan.json`, a CSV of each table, and what a planner writes besides."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from apps.finops.errors import CostOpsError
from apps.finops.spreadsheets import cell
from apps.planning.drafts import Draft, Planner, Rows
from apps.planning.packing import packed


class NoSuchFile(CostOpsError):
    """The planner writes no file of this name."""


@dataclass(frozen=True)
class Exported:
    """A file: its name, its type, its text."""

    file_name: str
    content_type: str
    text: str


def file_names(planner: Planner) -> tuple[str, ...]:
    """The files a plan can be had as."""
    tables = (f"{shape.name}.csv" for shape in planner.tables)
    return ("plan.json", *tables, *(export.file_name for export in planner.exports))


def exported(planner: Planner, draft: Draft, file_name: str) -> Exported:
    """A plan as one of its files."""
    if file_name == "plan.json":
        text = json.dumps(packed(draft), ensure_ascii=False, indent=2, sort_keys=True)
        return Exported(file_name, "application/json", text + "\n")
    for shape in planner.tables:
        if file_name == f"{shape.name}.csv":
            rows = draft.tables.get(shape.name, ())
            return Exported(file_name, "text/csv", _csv([column.name for column in shape.columns], rows))
    for export in planner.exports:
        if file_name == export.file_name:
            return Exported(file_name, export.content_type, export.write(draft))
    raise NoSuchFile(f"There is no file {file_name[:60]!r}; there are {', '.join(file_names(planner))}.")


def _csv(columns: Sequence[str], rows: Rows) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()
