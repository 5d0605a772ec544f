"""Expressions in Apache Spark's SQL, with what DuckDB and Spark do differently said so that both answer the same."""

import re
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.backends.sql.dialects import PySpark
from sqlglot import exp

_MOST_DECIMALS = 20
_LONG = f"decimal(38, {_MOST_DECIMALS})"


def say(expression: ir.Expr) -> str:
    """An expression as Spark's SQL; braces are doubled, for single ones name tables."""
    return _literally(str(ibis.pyspark.compile(expression.op().replace(_as_duckdb_means).to_expr())))


def text(value: str) -> str:
    """A text as Spark's SQL has it."""
    return _literally(exp.Literal.string(value).sql(PySpark))


def _literally(query: str) -> str:
    return query.replace("{", "{{").replace("}", "}}")


def _as_duckdb_means(node: ops.Node, given: dict[str, Any] | None) -> ops.Node:
    made = node.__recreate__(given) if given else node
    if isinstance(made, ops.RegexReplace | ops.RegexSearch) and isinstance(made.pattern, ops.Literal):
        return _in_java(made)
    if isinstance(made, ops.Cast) and isinstance(made.arg.dtype, dt.Floating) and isinstance(made.to, dt.Decimal):
        return _decimal_of(made)
    if isinstance(made, ops.Cast) and isinstance(made.arg.dtype, dt.Decimal) and isinstance(made.to, dt.Floating):
        return _double_of(made)
    if isinstance(made, ops.Last) and made.order_by and all(key.ascending for key in made.order_by):
        return _largest(made)
    return made


def _largest(node: ops.Last) -> ops.Node:
    """The last in an order is the one of the largest keys: Spark's own `last` knows no order."""
    value = node.arg.to_expr()
    keys = ibis.struct({f"key_{place}": key.arg.to_expr() for place, key in enumerate(node.order_by)})
    known = value.notnull() if node.where is None else value.notnull() & node.where.to_expr()
    return value.argmax(keys, where=known).op()


def _in_java(node: ops.RegexReplace | ops.RegexSearch) -> ops.Node:
    """Java's `$` also stands before a last line break, and what is put in names groups by `$1`."""
    changed = {"pattern": _text(re.sub(r"(?<!\\)\$$", r"\\z", node.pattern.value))}
    if isinstance(node, ops.RegexReplace):
        words = node.replacement.value.replace("$", r"\$")
        changed["replacement"] = _text(re.sub(r"\\(\d)", r"$\1", words))
    return node.copy(**changed)


def _text(value: str) -> ops.Node:
    return ibis.literal(value).op()


def _decimal_of(node: ops.Cast) -> ops.Node:
    """Spark reads the shortest decimal that tells a double from its neighbours; DuckDB counts units of it."""
    scale = node.to.scale or 0
    units = _counted(node.arg.to_expr(), 10.0**scale)
    if scale:
        units = _amount(units, ibis.literal(f"0.{'1':0>{scale}}").cast(_LONG))
    return units.cast(node.to).op()


def _double_of(node: ops.Cast) -> ops.Node:
    """Spark rounds once; DuckDB adds the whole part to the divided rest, of amounts of more than fifteen digits."""
    scale = node.arg.dtype.scale or 0
    if not 0 < scale <= _MOST_DECIMALS:
        return node
    rest = ibis.literal("1" + "0" * (_MOST_DECIMALS - scale)).cast(dt.Decimal(21, 0))
    return _divided(node.arg.to_expr(), 10.0**scale, rest).cast(node.to).op()


@ibis.udf.scalar.builtin(name="counted", signature=(("float64", "float64"), "decimal(38, 0)"))
def _counted(value, factor):  # type: ignore[no-untyped-def]  # types are in the signature
    """A double in units, the nearest whole number of them."""


@ibis.udf.scalar.builtin(name="amount_in", signature=(("decimal(38, 0)", _LONG), _LONG))
def _amount(units, unit):  # type: ignore[no-untyped-def]  # types are in the signature
    """So many units, each a power of ten."""


@ibis.udf.scalar.builtin(name="divided", signature=((_LONG, "float64", "decimal(21, 0)"), "float64"))
def _divided(value, factor, rest):  # type: ignore[no-untyped-def]  # types are in the signature
    """A decimal with as many digits after its point as `factor` has zeros; `rest` has those that 20 leave."""
