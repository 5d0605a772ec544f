"""Exact division of whole columns of money, on any engine that multiplies DECIMAL(38) exactly.

An engine's own division of 128-bit integers takes microseconds, its division of decimals gives a double. So a
guess in doubles is corrected by its exact remainder, first roughly, then by at most one unit. The three corrections
are three columns, each computed once: nested in one expression they would be computed many times over.
"""

from collections.abc import Callable, Iterable

import ibis
import ibis.expr.types as ir

_MONEY, _WHOLE = "decimal(38, 12)", "decimal(38, 0)"

MACROS = """
CREATE OR REPLACE MACRO unit() AS 0.000000000001::DECIMAL(12, 12);
CREATE OR REPLACE MACRO is_huge(amount) AS (amount >= 100000000);
CREATE OR REPLACE MACRO remainder_of(amount, part, whole, guess) AS (amount * part - guess * whole);
CREATE OR REPLACE MACRO guessed_share(amount, part, whole) AS
    CASE WHEN is_huge(amount) THEN 0 ELSE (amount::DOUBLE * (part::DOUBLE / whole::DOUBLE))::DECIMAL(38, 12) END;
CREATE OR REPLACE MACRO nearer_share(amount, part, whole, guess) AS
    CASE WHEN is_huge(amount) THEN 0 ELSE
    guess + (remainder_of(amount, part, whole, guess)::DOUBLE / whole::DOUBLE)::DECIMAL(38, 12) END;
CREATE OR REPLACE MACRO off_by(doubled, whole) AS
    CASE WHEN doubled >= whole THEN unit() WHEN doubled < -1 * whole THEN -1 * unit() ELSE 0::DECIMAL(12, 12) END;
CREATE OR REPLACE MACRO units_of(amount) AS
    (trunc(amount)::HUGEINT * 1000000000000::HUGEINT
     + ((amount - trunc(amount)) * 1000000000000::DECIMAL(13, 0))::HUGEINT);
CREATE OR REPLACE MACRO amount_of(units) AS
    ((units // 1000000000000::HUGEINT)::DECIMAL(38, 12)
     + ((units % 1000000000000::HUGEINT)::DECIMAL(13, 0) * unit())::DECIMAL(38, 12));
CREATE OR REPLACE MACRO plain_share(units, part, whole) AS
    amount_of((units // whole) * part + (2 * (units % whole) * part + whole) // (2 * whole));
CREATE OR REPLACE MACRO settled_share(amount, part, whole, guess) AS
    CASE WHEN is_huge(amount) THEN plain_share(units_of(amount), part::HUGEINT, whole::HUGEINT)
    ELSE guess + off_by(2 * remainder_of(amount, part, whole, guess), whole * unit()) END;
"""


@ibis.udf.scalar.builtin(signature=((_MONEY, _WHOLE, _WHOLE), _MONEY))
def guessed_share(amount, part, whole):  # type: ignore[no-untyped-def]  # types are in the signature
    """amount x part / whole in doubles."""


@ibis.udf.scalar.builtin(signature=((_MONEY, _WHOLE, _WHOLE, _MONEY), _MONEY))
def nearer_share(amount, part, whole, guess):  # type: ignore[no-untyped-def]  # types are in the signature
    """A guess corrected by its exact remainder: at most one unit off."""


@ibis.udf.scalar.builtin(signature=((_MONEY, _WHOLE, _WHOLE, _MONEY), _MONEY))
def settled_share(amount, part, whole, guess):  # type: ignore[no-untyped-def]  # types are in the signature
    """round(amount x part / whole), exactly, half up."""


def with_running_shares(
    rows: ir.Table, columns: Iterable[str], *, part: str, whole: str, keep: Callable[[ir.Table], ir.Table]
) -> ir.Table:
    """Replace each money column by round(column x part / whole), exactly, in units of 10^-12, half away from zero.

    `part` and `whole` name columns of whole numbers, DECIMAL(38,0), 0 <= part <= whole, 0 < whole < 10^18. `keep`
    computes a table once (`engine.Workspace.keep`). Amounts from 10^8 on are divided by plain integer division.
    """
    names = list(columns)
    rows = rows.mutate(**{f"{name}_sign": (rows[name] < 0).ifelse(-1, 1).cast("decimal(1, 0)") for name in names})
    rows = keep(rows.mutate(**{name: rows[name].abs().cast(_MONEY) for name in names}))
    guessed = {f"{name}_guess": guessed_share(rows[name], rows[part], rows[whole]) for name in names}
    rows = keep(rows.mutate(**guessed))
    nearer = {
        f"{name}_guess": nearer_share(rows[name], rows[part], rows[whole], rows[f"{name}_guess"]) for name in names
    }
    rows = keep(rows.mutate(**nearer))
    settled = {
        name: (rows[f"{name}_sign"] * settled_share(rows[name], rows[part], rows[whole], rows[f"{name}_guess"])).cast(
            _MONEY
        )
        for name in names
    }
    return rows.mutate(**settled).drop(*(f"{name}_guess" for name in names), *(f"{name}_sign" for name in names))
