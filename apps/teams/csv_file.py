"""Reading teams and their namespaces from CSV: one row per team and namespace."""

import csv
import io
from collections.abc import Iterator

from apps.teams.drafts import Draft, DraftRule, DraftTeam, Text

COLUMNS = ("team", "title", "department", "cost_center", "lead_name", "lead_email", "namespace", "cluster")
FACTS = {column: "name" if column == "team" else column for column in COLUMNS[:6]}


def read_csv(draft: Draft, text: str) -> None:
    """Fill the draft. A team may have several rows; its title, lead and so on stand in any of them.

    `namespace` holds patterns separated by spaces, `cluster` may stay empty (any cluster). Rows decide in their order.
    """
    rows = _rows(draft, text)
    header = next(rows, None)
    if header is None or not _is_known(draft, *header):
        return
    teams: dict[str, DraftTeam] = {}
    for line, cells in rows:
        if len(cells) != len(header[1]):
            draft.complain("bad-row", line, f"the row has {len(cells)} columns, the header {len(header[1])}")
            continue
        row = {column: Text(cell.strip(), line) for column, cell in zip(header[1], cells, strict=True)}
        _merge(draft, teams, row)
        if "namespace" in row and row["namespace"].value:
            draft.rules.append(_rule(row))
    draft.teams += teams.values()


def _rows(draft: Draft, text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, each with the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as broken:
        draft.complain("not-csv", line, f"this is not CSV: {broken}")


def _is_known(draft: Draft, line: int, header: list[str]) -> bool:
    header[:] = [column.strip() for column in header]
    for column in header:
        if column not in COLUMNS:
            draft.complain("unknown-column", line, f"column {column!r} is unknown; known are {', '.join(COLUMNS)}")
        elif header.count(column) > 1:
            draft.complain("twice", line, f"column {column!r} stands twice; keep one")
    if "team" not in header:
        draft.complain("no-column", line, "column 'team' is missing; it holds the key of the team, such as live-class")
    return not draft.problems


def _merge(draft: Draft, teams: dict[str, DraftTeam], row: dict[str, Text]) -> None:
    """Put the facts of a row to those of earlier rows of the same team; where both speak, they must agree."""
    team = teams.setdefault(row["team"].value, DraftTeam(row["team"].line, {}))
    for column, fact in FACTS.items():
        text = row.get(column)
        if text is None or not text.value:
            continue
        earlier = team.facts.setdefault(fact, text)
        if earlier.value != text.value:
            draft.complain(
                "disagree", text.line,
                f"{column} is {text.value!r} here and {earlier.value!r} on line {earlier.line}, for one team",
            )  # fmt: skip


def _rule(row: dict[str, Text]) -> DraftRule:
    namespace, cluster = row["namespace"], row.get("cluster", Text("", 0))
    line = namespace.line
    patterns = tuple(Text(pattern, line) for pattern in namespace.value.split())
    when: tuple[tuple[Text, tuple[Text, ...]], ...] = ((Text("namespace", line), patterns),)
    if cluster.value:
        when = ((Text("cluster", line), (cluster,)), *when)
    name = f"{namespace.value} on {cluster.value}" if cluster.value else namespace.value
    return DraftRule(line, Text(name, line), when, ((row["team"], Text("100", line)),))
