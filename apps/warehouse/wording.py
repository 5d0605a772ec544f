"""Expressions put into an engine's own language, each sort of expression but once.

On small tables Ibis takes longer for that than the engine for its answer, and fills, simulations and pages ask the same
of other tables again and again: what was said before is said again, with their names in it.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.schema as sch
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

REMEMBERED = 1_000
"""So many sorts of expressions, some fifteen kilobytes each."""

_known: dict[tuple[Any, ...], str] = {}
_GIVEN = (ops.DatabaseTable, ops.InMemoryTable, ops.SQLQueryResult)
_NODE, _TABLE = object(), object()
_MARK = f"table_{uuid.uuid4().hex}_"
"""What stands for a table, with its number: no name or text of an expression can contain it."""


class FileQuery(str):
    """A query of the rows of Parquet files, in DuckDB's language, that still knows the files: another engine is told
    of those. `folder` is where the names of partitions begin."""

    folder: str
    paths: tuple[str, ...]

    @classmethod
    def of(cls, query: str, *, folder: str = "", paths: Iterable[str] = ()) -> "FileQuery":
        told = cls(query)
        told.folder, told.paths = folder, tuple(paths)
        return told


def query_of(backend: Backend, expression: ir.Table) -> str:
    """An expression as a query of DuckDB."""
    return worded(expression, quote='"', say=backend.compile, named=_named)


def worded(
    expression: ir.Table, *, quote: str, say: Callable[[ir.Expr], str], named: Callable[[ops.Relation], str]
) -> str:
    """An expression in the language that `say` puts it into and whose names stand in `quote`; `named` is what one of
    its tables is called there."""
    shape, tables = _shape(expression.op())
    query = _known.get((quote, shape))
    if query is None:
        stand_ins = {
            table: ops.UnboundTable(f"{_MARK}{number}", schema=table.schema) for number, table in enumerate(tables)
        }
        query = str(say(expression.op().replace(stand_ins).to_expr()))
        if len(_known) >= REMEMBERED:
            _known.clear()
        _known[(quote, shape)] = query
    marks = re.compile(rf"{quote}{_MARK}(\d+){quote}")
    return marks.sub(lambda mark: named(tables[int(mark[1])]), query)


def _named(table: ops.Relation) -> str:
    if isinstance(table, ops.SQLQueryResult):
        return f"({table.query})"
    place = (table.namespace.catalog, table.namespace.database) if isinstance(table, ops.DatabaseTable) else ()
    return ".".join(quoted(part) for part in (*place, table.name) if part)


def quoted(name: str) -> str:
    """A name as queries have it."""
    return '"{}"'.format(name.replace('"', '""'))


def _shape(root: ops.Node) -> tuple[tuple[Any, ...], list[ops.Relation]]:
    """The nodes of an expression as plain values, children first and told by their places, and the tables it reads.

    Of a table only its number and schema are told: expressions of one shape differ in the names of tables alone.
    """
    places: dict[int, int] = {}
    told: list[tuple[Any, ...]] = []
    tables: dict[ops.Relation, int] = {}
    open_nodes = [root]
    while open_nodes:
        node = open_nodes[-1]
        is_given = isinstance(node, _GIVEN)
        ahead = [] if is_given else [child for child in node.__children__ if id(child) not in places]
        if ahead:
            open_nodes += ahead
            continue
        open_nodes.pop()
        if id(node) in places:
            continue
        places[id(node)] = len(places)
        if is_given:
            told.append((_TABLE, tables.setdefault(node, len(tables)), str(node.schema)))
        else:
            told.append((type(node), *(_plain(argument, places) for argument in node.__args__)))
    return tuple(told), [*tables]


def _plain(argument: Any, places: Mapping[int, int]) -> Any:
    if isinstance(argument, ops.Node):
        return _NODE, places[id(argument)]
    if isinstance(argument, tuple):
        return tuple(_plain(part, places) for part in argument)
    if isinstance(argument, sch.Schema | dt.DataType):
        return str(argument)  # Ibis compares its types by a record that threads must not share
    if isinstance(argument, Mapping):
        return tuple((name, _plain(part, places)) for name, part in argument.items())
    return argument
