"""Expressions put into an engine's own language, each sort of expression but once.

On small tables Ibis takes longer for that than the engine for its answer, and fills, simulations and pages ask the same
of other tables, teams and days again and again: what was said before is said again, with their names in it.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
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
_COMPARING = (ops.Comparison, ops.InValues, ops.Between)
"""Whose texts and dates are told by number, as tables are: elsewhere Ibis may look at what a text says."""
_NODE, _TABLE, _VALUE = object(), object(), object()
_MARK = f"given_{uuid.uuid4().hex}_"
"""What stands for a table or a value, with its number: no name or text of an expression can contain it."""


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
    return worded(expression, quote='"', say=backend.compile, named=_named, text=text)


def worded(
    expression: ir.Table,
    *,
    quote: str,
    say: Callable[[ir.Expr], str],
    named: Callable[[ops.Relation], str],
    text: Callable[[str], str],
) -> str:
    """An expression in the language that `say` puts it into and whose names stand in `quote`; `named` is what one of
    its tables is called there, `text` how a text is spelled."""
    shape, tables, values = _shape(expression.op())
    query = _known.get((quote, shape))
    if query is None:
        stand_ins = {
            table: ops.UnboundTable(f"{_MARK}{number}", schema=table.schema) for number, table in enumerate(tables)
        } | {value: _stand_in(value, number) for number, value in enumerate(values)}
        query = str(say(expression.op().replace(stand_ins).to_expr()))
        if len(_known) >= REMEMBERED:
            _known.clear()
        _known[(quote, shape)] = query
    marks = re.compile(rf"{quote}{_MARK}(\d+){quote}|'{_MARK}(\d+)'")

    def put_in(mark: re.Match[str]) -> str:
        return named(tables[int(mark[1])]) if mark[1] else text(str(values[int(mark[2])].value))

    return marks.sub(put_in, query)


def _stand_in(value: ops.Literal, number: int) -> ops.Value:
    """A text that stands for another; for a date, cast to one."""
    mark = ops.Literal(f"{_MARK}{number}", dtype=dt.string)
    return mark if value.dtype.is_string() else ops.Cast(mark, to=value.dtype)


def _named(table: ops.Relation) -> str:
    if isinstance(table, ops.SQLQueryResult):
        return f"({table.query})"
    place = (table.namespace.catalog, table.namespace.database) if isinstance(table, ops.DatabaseTable) else ()
    return ".".join(quoted(part) for part in (*place, table.name) if part)


def text(value: str) -> str:
    """A text as queries have it."""
    return "'{}'".format(value.replace("'", "''"))


def quoted(name: str) -> str:
    """A name as queries have it."""
    return '"{}"'.format(name.replace('"', '""'))


def _shape(root: ops.Node) -> tuple[tuple[Any, ...], list[ops.Relation], list[ops.Literal]]:
    """The nodes of an expression as plain values, children first and told by their places, with the tables it reads and
    the values that something is compared with.

    Of a table only its number and schema are told, of such a value its number and type: expressions of one shape differ
    in the names of tables and in those values alone.
    """
    nodes = [*_children_first(root)]
    places = {id(node): place for place, node in enumerate(nodes)}
    fixed = {
        child for node in nodes if not isinstance(node, (*_COMPARING, *_GIVEN))
        for child in node.__children__ if isinstance(child, ops.Literal)
    }  # fmt: skip
    told: list[tuple[Any, ...]] = []
    tables: dict[ops.Relation, int] = {}
    values: dict[ops.Literal, int] = {}
    for node in nodes:
        if isinstance(node, _GIVEN):
            told.append((_TABLE, tables.setdefault(node, len(tables)), str(node.schema)))
        elif isinstance(node, ops.Literal) and _varies(node) and node not in fixed:
            told.append((_VALUE, values.setdefault(node, len(values)), str(node.dtype)))
        else:
            told.append((type(node), *(_plain(argument, places) for argument in node.__args__)))
    return tuple(told), [*tables], [*values]


def _children_first(root: ops.Node) -> Iterator[ops.Node]:
    """The nodes of an expression, each once; what a table is made of is not looked into."""
    seen: set[int] = set()
    open_nodes = [root]
    while open_nodes:
        node = open_nodes[-1]
        ahead = [] if isinstance(node, _GIVEN) else [child for child in node.__children__ if id(child) not in seen]
        if ahead:
            open_nodes += ahead
            continue
        open_nodes.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node


def _varies(value: ops.Literal) -> bool:
    return value.value is not None and (value.dtype.is_string() or value.dtype.is_date())


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
