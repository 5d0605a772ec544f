"""The functions that expressions lend by name (`exact`, `engine`), as Apache Spark has them.

Decimals of 38 digits are Spark's widest whole numbers. A quotient of them has 28 digits before the point (as Spark
reckons without losing digits), so it is taken of what is left without its remainder; one that is larger is an error,
never another number. In what DuckDB says with 128-bit integers every step is below 10^38 too.
"""

_HUGE = "100000000000000000000"
_LIMB = 1 << 62
_WHOLE, _INT, _MONEY, _LONG = "DECIMAL(38, 0)", "BIGINT", "DECIMAL(38, 12)", "DECIMAL(38, 20)"
_SHARE = f"units {_WHOLE}, part {_INT}, whole {_INT}"
_GUESSED = f"{_SHARE}, guess {_WHOLE}"
_PRODUCT = f"units {_WHOLE}, times {_INT}, per {_INT}"
_LEAST = f"least(units, CAST({_HUGE} AS {_WHOLE}))"

_FUNCTIONS = (
    ("times_over", f"units {_WHOLE}, per DECIMAL(20, 0)", _WHOLE, "(units - units % per) / per"),
    (
        "units_of", f"amount {_MONEY}", _WHOLE,
        f"floor(amount) * 1000000000000 + CAST((amount - floor(amount)) * 1000000000000 AS {_WHOLE})",
    ),
    ("amount_of", f"units {_WHOLE}", _MONEY, "units * CAST('0.000000000001' AS DECIMAL(12, 12))"),
    (
        "guessed_share", _SHARE, _WHOLE,
        f"CAST({_LEAST} AS DOUBLE) * (CAST(part AS DOUBLE) / CAST(whole AS DOUBLE))",
    ),
    ("remainder_of", _GUESSED, _WHOLE, f"{_LEAST} * part - guess * whole"),
    (
        "nearer_share", _GUESSED, _WHOLE,
        f"guess + CAST(CAST(remainder_of(units, part, whole, guess) AS DOUBLE) / CAST(whole AS DOUBLE) AS {_WHOLE})",
    ),
    (
        "plain_share", _SHARE, _WHOLE,
        "times_over(units, whole) * part "
        "+ times_over(2 * (units % whole) * part + whole, CAST(2 AS DECIMAL(1, 0)) * whole)",
    ),
    (
        "settled_share", f"{_GUESSED}, remainder {_WHOLE}", _WHOLE,
        f"CASE WHEN units > {_HUGE} THEN plain_share(units, part, whole) WHEN 2 * remainder >= whole THEN guess + 1 "
        "WHEN 2 * remainder < -1 * whole THEN guess - 1 ELSE guess END",
    ),
    ("whole_product", _PRODUCT, _WHOLE, "times_over(units, per) * times + times_over((units % per) * times, per)"),
    ("rest_of_product", _PRODUCT, _WHOLE, "((units % per) * times) % per"),
    (
        "even_product", f"whole {_WHOLE}, rest {_WHOLE}, per {_INT}", _WHOLE,
        "whole + CASE WHEN 2 * rest > per OR (2 * rest = per AND whole % 2 = 1) THEN 1 ELSE 0 END",
    ),
    ("cut", f"value {_LONG}", _WHOLE, "CASE WHEN value < 0 THEN ceil(value) ELSE floor(value) END"),
    (
        "counted_rest", f"value {_LONG}, rest DECIMAL(21, 0)", _WHOLE,
        "(cut(value * 10000000000) * 10000000000 "
        "+ cut((value * 10000000000 - cut(value * 10000000000)) * 10000000000)) / rest",
    ),
    (
        "in_binary", f"whole {_WHOLE}", "DOUBLE",
        "CASE WHEN whole < 0 THEN -CAST(-whole - 1 AS DOUBLE) - 1 ELSE CAST(whole AS DOUBLE) END",
    ),
    (
        "divided", f"value {_LONG}, factor DOUBLE, rest DECIMAL(21, 0)", "DOUBLE",
        "CASE WHEN CAST(abs(value) AS DOUBLE) * factor <= 9007199254740992 "
        "THEN CAST(cut(value) * CAST(factor AS DECIMAL(21, 0)) + counted_rest(value - cut(value), rest) AS DOUBLE) "
        "/ factor "
        "ELSE in_binary(cut(value)) + in_binary(counted_rest(value - cut(value), rest)) / factor END",
    ),
    (
        "exactly", "size DOUBLE", _WHOLE,  # whole and not negative; all its digits, not the shortest text that tells it
        f"CAST(CAST(size / {_LIMB}D AS BIGINT) AS {_WHOLE}) * {_LIMB} "
        f"+ CAST(size - CAST(CAST(size / {_LIMB}D AS BIGINT) AS DOUBLE) * {_LIMB}D AS BIGINT)",
    ),
    (
        "counted", "value DOUBLE, factor DOUBLE", _WHOLE,
        "CASE WHEN value < 0 THEN -1 * exactly(round(-1 * value * factor + 1e-9D)) "
        "ELSE exactly(round(value * factor + 1e-9D)) END",
    ),
    ("amount_in", f"units {_WHOLE}, unit {_LONG}", _LONG, "units * unit"),
    ("business_day", "instant TIMESTAMP, zone STRING", "DATE", "from_utc_timestamp(instant, zone)"),
    ("start_of_day", "day DATE, zone STRING", "TIMESTAMP", "to_utc_timestamp(CAST(day AS TIMESTAMP), zone)"),
    ("epoch_us", "instant TIMESTAMP", _INT, "unix_micros(instant)"),
    ("json_object", "name STRING, value STRING", "STRING", "to_json(map(name, value))"),
    (
        "json_text", "value STRING", "STRING",
        "CASE WHEN value IS NOT NULL THEN substring(to_json(array(value)), 2, length(to_json(array(value))) - 2) END",
    ),
    (
        "json_member", "document STRING, path STRING", "STRING",
        "try_element_at(from_json(nullif(document, ''), 'MAP<STRING, STRING>'), "
        "replace(replace(substring(path, 2), '~1', '/'), '~0', '~'))",
    ),
    ("json_keys", "document STRING", "ARRAY<STRING>", "json_object_keys(document)"),
)  # fmt: skip
"""Name, what it is given, what it returns, and how."""


def statements() -> list[str]:
    """What makes a session know the functions, each after those it is made of."""
    return [
        f"CREATE OR REPLACE TEMPORARY FUNCTION {name}({given}) RETURNS {kind} RETURN CAST({body} AS {kind})"
        for name, given, kind, body in _FUNCTIONS
    ]
