"""Where the team of a row of cost stands on the day of the row, and the filters of a question."""

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from apps.finops.tables import DIMENSIONS
from apps.finops.tags import key_of
from apps.marts.query import BadQuestion, CostQuery
from apps.marts.tagging import tag_value
from apps.teams.organising import NoSuchOrganisation, tree
from apps.teams.tree import LEVELS, Spot

_KEPT = "placed_kept"
_KEY = {"placed_team": pa.string(), "placed_since": pa.date32(), "placed_until": pa.date32()}


def placed(rows: ir.Table, query: CostQuery) -> ir.Table:
    """The rows that pass the filters of a question, with the levels it groups by.

    `rows` have `day`, `team`, the dimensions filtered by, and `kept_tags` where tags are. A level of a row is that of
    its team on its day: the outermost unit of the kind, or the nearest cost centre; empty where the team has none. A
    filter keeps, and an exclusion drops, what has the value anywhere on the way up. Each row stays one row, so sums
    stay sums.
    """
    for name, values in query.filters:
        if name in DIMENSIONS:
            rows = rows.filter(rows[name].isin(values))
        elif key_of(name):
            rows = rows.filter(tag_value(rows, name).isin(values))
    for name, values in query.excludes:
        if name in DIMENSIONS:
            rows = rows.filter(rows[name].notin(values))
        elif key_of(name):
            rows = rows.filter(tag_value(rows, name).notin(values))
    return _by_tree(rows, query) if query.levels else rows


def _by_tree(rows: ir.Table, query: CostQuery) -> ir.Table:
    groups = [level for level in LEVELS if level in query.group_by]
    spots = ibis.memtable(_spots(query, groups))
    on = [rows.team == spots.placed_team, rows.day >= spots.placed_since, rows.day < spots.placed_until]
    both = rows.left_join(spots, on)
    if any(name in LEVELS for name, _ in (*query.filters, *query.excludes)):
        both = both.filter(both[_KEPT].fill_null(passes(query, None)))
    return both.select(*rows.columns, **{level: both[level].fill_null("") for level in groups})


def _spots(query: CostQuery, groups: list[str]) -> pa.Table:
    """One row per team and span of days in the window of a question: what is above it, and whether it passes."""
    try:
        asked = tree(query.organisation_as_of)
    except NoSuchOrganisation as missing:
        raise BadQuestion(str(missing)) from missing
    found = [
        (team, spot.since, spot.until, *(spot.value(level) for level in groups), passes(query, spot))
        for team in asked.teams
        for spot in asked.spots(team)
        if spot.since < query.end and query.start < spot.until
    ]
    schema = pa.schema([*_KEY.items(), *((level, pa.string()) for level in groups), (_KEPT, pa.bool_())])
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in found], schema)


def passes(query: CostQuery, spot: Spot | None) -> bool:
    """Whether what stands there passes the filters by levels; an empty value means: without such a level."""

    def has(name: str, values: tuple[str, ...]) -> bool:
        return not set(values).isdisjoint((spot.above(name) if spot else ()) or ("",))

    return all(has(*one) for one in query.filters if one[0] in LEVELS) and not any(
        has(*one) for one in query.excludes if one[0] in LEVELS
    )
