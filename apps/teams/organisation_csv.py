"""The organisation as a sheet: one row per unit or team and place."""

import csv
import io
from collections.abc import Iterable

from apps.finops import sheets
from apps.teams.documents import refuse
from apps.teams.drafts import Draft, DraftPlace, DraftTeam, DraftUnit, Text
from apps.teams.tree import Place, Tree
from apps.teams.tree_drafts import check_tree

_FACTS = ("kind", "title", "lead_name", "lead_email")
_PLACE = ("parent", "cost_center", "valid_from", "valid_to")
COLUMNS = ("name", *_FACTS, *_PLACE)
TEAM = "team"
Cells = tuple[int, dict[str, str]]


def read_organisation(content: bytes, *, name: str, teams: Iterable[str]) -> Tree:
    """The tree of a sheet whose rows of kind `team` name known teams; or TeamsFileRefused with every wrong line.

    Rows of one name and kind are its places, in the order of their dates.
    """
    draft = Draft(name)
    entries: dict[tuple[str, str], list[Cells]] = {}
    for line, cells in sheets.read(content, name=name, headers=[COLUMNS], row=lambda line, cells: (line, cells)):
        entries.setdefault((cells["name"], TEAM if cells["kind"] == TEAM else ""), []).append((line, cells))
    known = set(teams)
    for (named, kind), rows in entries.items():
        facts = _facts(draft, rows)
        places = tuple(DraftPlace(line, *(_cell(line, cells, column) for column in _PLACE)) for line, cells in rows)
        if not kind:
            draft.units.append(DraftUnit(rows[0][0], facts, places))
        elif named in known:
            draft.teams.append(DraftTeam(rows[0][0], {"name": facts["name"]}, places))
        else:
            draft.complain("unknown-team", rows[0][0], f"team {named!r} is not known; import it with the rules first")
    tree = check_tree(draft)
    refuse(draft)
    return tree


def _facts(draft: Draft, rows: list[Cells]) -> dict[str, Text]:
    """What the rows of one say of it; where two speak, they must agree."""
    facts: dict[str, Text] = {}
    for line, cells in rows:
        for column in ("name", *_FACTS):
            text = _cell(line, cells, column)
            earlier = facts.setdefault(column, text) if text else None
            if text and earlier and earlier.value != text.value:
                draft.complain(
                    "disagree", line,
                    f"{column} is {text.value!r} here and {earlier.value!r} on line {earlier.line}, for one unit",
                )  # fmt: skip
    return facts


def _cell(line: int, cells: dict[str, str], column: str) -> Text | None:
    return Text(cells[column], line) if cells[column] else None


def write_organisation(tree: Tree) -> str:
    """The sheet that `read_organisation` reads back to an equal tree; departments in words are listed in it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for unit in tree.units:
        facts = (unit.name, unit.kind, unit.title, unit.lead_name, unit.lead_email)
        writer.writerows((*facts, *_row(place)) for place in unit.places)
    for team, places in sorted(tree.teams.items()):
        writer.writerows((team, TEAM, "", "", "", *_row(place)) for place in places)
    return out.getvalue()


def _row(place: Place) -> tuple[str, ...]:
    return place.parent, place.cost_center, str(place.valid_from or ""), str(place.valid_to or "")
