"""Exact division of whole columns of money, on any engine that multiplies whole numbers of 38 digits exactly.

An engine's own division of 128-bit integers takes microseconds, its division of decimals gives a double, and its
decimals of 38 digits turn slowly into anything else. So amounts are counted in units of 10^-12, as whole numbers, and
a guess in doubles is corrected by its exact remainder, first roughly, then by at most one unit. The corrections are
selects of their own (`engine` keeps them apart), each computed once: nested in one expression they would be computed
many times over.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

_MONEY, _WHOLE = "decimal(38, 12)", "decimal(38, 0)"

MACROS = """
CREATE OR REPLACE MACRO huge() AS 100000000000000000000::HUGEINT;
CREATE OR REPLACE MACRO guessed_share(units, part, whole) AS
    (least(units::HUGEINT, huge())::DOUBLE * (part::DOUBLE / whole::DOUBLE))::HUGEINT;
CREATE OR REPLACE MACRO remainder_of(units, part, whole, guess) AS
    (least(units::HUGEINT, huge()) * part - guess::HUGEINT * whole);
CREATE OR REPLACE MACRO nearer_share(units, part, whole, guess) AS
    (guess::HUGEINT + (remainder_of(units, part, whole, guess)::DOUBLE / whole::DOUBLE)::HUGEINT);
CREATE OR REPLACE MACRO plain_share(units, part, whole) AS
    ((units // whole) * part + (2 * (units % whole) * part + whole) // (2 * whole));
CREATE OR REPLACE MACRO settled_share(units, part, whole, guess, remainder) AS
    CASE WHEN units > huge() THEN plain_share(units::HUGEINT, part::HUGEINT, whole::HUGEINT)
    WHEN 2 * remainder >= whole THEN guess::HUGEINT + 1
    WHEN 2 * remainder < -1 * whole THEN guess::HUGEINT - 1
    ELSE guess::HUGEINT END;
CREATE OR REPLACE MACRO units_of(amount) AS
    (trunc(amount)::HUGEINT * 1000000000000::HUGEINT
     + ((amount - trunc(amount)) * 1000000000000::DECIMAL(13, 0))::HUGEINT);
CREATE OR REPLACE MACRO whole_product(units, times, per) AS
    ((units::HUGEINT // per) * times + ((units::HUGEINT % per) * times) // per);
CREATE OR REPLACE MACRO rest_of_product(units, times, per) AS
    (((units::HUGEINT % per) * times) % per);
CREATE OR REPLACE MACRO even_product(whole, rest, per) AS
    (whole::HUGEINT + CASE WHEN 2 * rest::HUGEINT > per OR (2 * rest::HUGEINT = per AND whole::HUGEINT % 2 = 1)
                      THEN 1 ELSE 0 END);
CREATE OR REPLACE MACRO amount_of(units) AS
    (units::DECIMAL(38, 0) * 0.000000000001::DECIMAL(12, 12))::DECIMAL(38, 12);
"""


@ibis.udf.scalar.builtin(signature=((_MONEY,), _WHOLE))
def units_of(amount):  # type: ignore[no-untyped-def]  # types are in the signature
    """An amount in units of 10^-12."""


@ibis.udf.scalar.builtin(signature=((_WHOLE,), _MONEY))
def amount_of(units):  # type: ignore[no-untyped-def]  # types are in the signature
    """The amount of so many units of 10^-12."""


@ibis.udf.scalar.builtin(signature=((_WHOLE, "int64", "int64"), _WHOLE))
def guessed_share(units, part, whole):  # type: ignore[no-untyped-def]  # types are in the signature
    """units x part / whole in doubles."""


@ibis.udf.scalar.builtin(signature=((_WHOLE, "int64", "int64", _WHOLE), _WHOLE))
def nearer_share(units, part, whole, guess):  # type: ignore[no-untyped-def]  # types are in the signature
    """A guess corrected by its exact remainder: at most one unit off."""


@ibis.udf.scalar.builtin(signature=((_WHOLE, "int64", "int64", _WHOLE), _WHOLE))
def remainder_of(units, part, whole, guess):  # type: ignore[no-untyped-def]  # types are in the signature
    """units x part - guess x whole, exactly."""


@ibis.udf.scalar.builtin(signature=((_WHOLE, "int64", "int64", _WHOLE, _WHOLE), _WHOLE))
def settled_share(units, part, whole, guess, remainder):  # type: ignore[no-untyped-def]  # types are in the signature
    """round(units x part / whole), exactly, half up."""


@ibis.udf.scalar.builtin(signature=((_WHOLE, "int64", "int64"), _WHOLE))
def whole_product(units, times, per):  # type: ignore[no-untyped-def]  # types are in the signature
    """The whole part of units x times / per, exactly."""


@ibis.udf.scalar.builtin(signature=((_WHOLE, "int64", "int64"), _WHOLE))
def rest_of_product(units, times, per):  # type: ignore[no-untyped-def]  # types are in the signature
    """What the whole part leaves over, in parts of `per`."""


@ibis.udf.scalar.builtin(signature=((_WHOLE, _WHOLE, "int64"), _WHOLE))
def even_product(whole, rest, per):  # type: ignore[no-untyped-def]  # types are in the signature
    """The whole part rounded by its rest, half-even."""


def with_conversion(rows: ir.Table, amount: str, *, times: str, per: str) -> ir.Table:
    """Replace amounts by round(amount x times / per), exactly, half-even, row by row.

    `times` and `per` are INT64 columns, 0 < times < 10^15, 0 < per <= 10^18: no step is larger than 128 bits hold
    unless the result is.
    """
    rows = rows.mutate(converted_size=units_of(rows[amount]).abs())
    rows = rows.mutate(
        converted_whole=whole_product(rows.converted_size, rows[times], rows[per]),
        converted_rest=rest_of_product(rows.converted_size, rows[times], rows[per]),
    )
    rows = rows.mutate(converted_units=even_product(rows.converted_whole, rows.converted_rest, rows[per]))
    signed = (rows[amount] < 0).ifelse(-rows.converted_units, rows.converted_units)
    rows = rows.mutate(**{amount: amount_of(signed)})
    return rows.drop("converted_size", "converted_whole", "converted_rest", "converted_units")


def with_shares(rows: ir.Table, shares: Mapping[str, tuple[str, str]], *, whole: str) -> ir.Table:
    """Add columns round(units x part / whole), exactly, half away from zero.

    `shares` tells for each new column those of units (`units_of`) and of part. Parts and `whole` are INT64,
    0 <= part <= whole, 0 < whole < 10^18. Beyond 10^20 units the division is the engine's own.
    """
    sizes = {f"{units}_size": rows[units].abs() for units, _ in shares.values()}
    rows = rows.mutate(**sizes)
    for correct in (_guessed, _nearer, _remaining, _settled):
        rows = rows.mutate(
            correct(rows, name, rows[f"{units}_size"], rows[part], rows[whole])
            for name, (units, part) in shares.items()
        )
    signed = {name: (rows[units] < 0).ifelse(-rows[name], rows[name]) for name, (units, _) in shares.items()}
    return rows.mutate(**signed).drop(*sizes, *(f"{name}_remainder" for name in shares))


def _guessed(_rows: ir.Table, name: str, *given: ir.Value) -> ir.Value:
    return guessed_share(*given).name(name)


def _nearer(rows: ir.Table, name: str, *given: ir.Value) -> ir.Value:
    return nearer_share(*given, rows[name]).name(name)


def _remaining(rows: ir.Table, name: str, *given: ir.Value) -> ir.Value:
    return remainder_of(*given, rows[name]).name(f"{name}_remainder")


def _settled(rows: ir.Table, name: str, *given: ir.Value) -> ir.Value:
    return settled_share(*given, rows[name], rows[f"{name}_remainder"]).name(name)
