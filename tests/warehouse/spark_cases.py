"""What Apache Spark and DuckDB are asked alike: small tables, and expressions of them."""

import random
from datetime import UTC, datetime
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest

from apps.allocation.matching import billed_resource, kubernetes_resource
from apps.warehouse import engine, exact

HOSTILE = [
    "a{b}",
    "{0}",
    "O'Neil",
    "back\\slash \\1 $1",
    '"quoted" `name`',
    "漢字 é \U0001f600",
    "",
    "%20 %",
    "line\nbreak",
]


def doubles() -> list[float]:
    rng = random.Random(1)
    return [*(rng.uniform(-1, 1) * 10 ** rng.randint(-12, 15) for _ in range(300)), 0.0, 0.1, 0.5, -2.5, 1e15]


def amounts() -> list[Decimal]:
    rng = random.Random(2)
    digits = [10 ** rng.randint(1, 28) for _ in doubles()]
    return [Decimal(rng.randint(-most, most)).scaleb(-12) for most in digits]


MOMENTS = [datetime(2026, month, day, 0, 30, tzinfo=UTC) for month in (3, 10, 11) for day in (1, 8, 25, 29)]
NUMBERS = pa.table({"x": doubles(), "amount": pa.array(amounts(), pa.decimal128(38, 12))})
TEXTS = pa.table({"text": HOSTILE})
TIMES = pa.table({"at": pa.array(MOMENTS, pa.timestamp("us", "UTC"))})
IDS = pa.table(
    {
        "id": [
            "aws:///eu-west-1a/i-0ab",
            "gce://p/z/n",
            "cn-beijing.i-2ze",
            "cn-beijing.i-2ze\n",
            "azure:///Sub/A",
            "arn:aws:ec2:eu:1:instance/i-0ab",
            "//compute.googleapis.com/projects/x",
            "/subscriptions/A",
            "",
        ]
    }
)
LABELS = pa.table({"labels": ["{}", '{"team":"web"}', '{"a/b~c*":"x","n":1.50,"none":null}', '{"o":{"k":"é"}}', ""]})
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Auckland")

CASES = [
    pytest.param(NUMBERS, lambda t: t.select(t.x, out=t.x.cast("decimal(38, 19)")), id="a double as a weight"),
    pytest.param(NUMBERS, lambda t: t.select(t.x, out=(t.x / 1e12).cast("decimal(18, 13)")), id="as a price"),
    pytest.param(NUMBERS, lambda t: t.select(t.x, out=t.x.cast("decimal(38, 0)")), id="as a whole number"),
    pytest.param(NUMBERS, lambda t: t.select(t.amount, out=t.amount.cast("float64")), id="money as a double"),
    pytest.param(
        NUMBERS,
        lambda t: t.select(t.amount, out=t.amount.cast("decimal(38, 19)").cast("float64")),
        id="a weight as a double",
    ),
    pytest.param(
        NUMBERS,
        lambda t: t.select(t.amount, units=exact.units_of(t.amount), back=exact.amount_of(exact.units_of(t.amount))),
        id="money in units and back",
    ),
    pytest.param(
        NUMBERS, lambda t: t.select(t.amount, out=t.amount.cast("decimal(18, 2)")), id="rounded half away from zero"
    ),
    pytest.param(
        IDS,
        lambda t: t.select(
            t.id, node=kubernetes_resource(t.id), bill=billed_resource(t.id), ends=t.id.re_search("(?s)^(?:.*e)$")
        ),
        id="regular expressions",
    ),
    pytest.param(
        TEXTS,
        lambda t: t.select(
            t.text,
            same=ibis.literal(HOSTILE[3]) + t.text,
            is_in=t.text.isin(HOSTILE[:4]),
            head=t.text.substr(0, 2),
            md5=t.text.hexdigest("md5"),
        ),
        id="hostile text",
    ),
    pytest.param(
        TEXTS,
        lambda t: t.select(t.text, one=engine.json_object("team", t.text), told=engine.json_text(t.text)),
        id="text as JSON",
    ),
    pytest.param(
        LABELS,
        lambda t: t.select(
            t.labels,
            **{
                f"m{n}": engine.json_member(t.labels, key)
                for n, key in enumerate(("team", "a/b~c*", "n", "none", "o", "*"))
            },
        ),
        id="members of JSON",
    ),
    pytest.param(
        TIMES,
        lambda t: t.select(
            t.at,
            clock=engine.microseconds(t.at),
            **{f"day{n}": engine.business_day(t.at, zone) for n, zone in enumerate(ZONES)},
        ),
        id="days of a zone",
    ),
    pytest.param(
        TIMES,
        lambda t: t.select(
            t.at,
            month=t.at.date().strftime("%Y-%m"),
            week=t.at.date().truncate("W").cast("timestamp").cast("date"),
            **{f"start{n}": engine.start_of_day(t.at.date(), zone) for n, zone in enumerate(ZONES)},
        ),
        id="starts of days, months and weeks",
    ),
    pytest.param(
        TEXTS,
        lambda t: (
            t.mutate(place=ibis.row_number().over(order_by=ibis.desc("text")), group=t.text.length() > 5)
            .group_by("group")
            .aggregate(last=lambda g: g.text.last(order_by=[g.group, g.place]), n=lambda g: g.count())
        ),
        id="the last of an order",
    ),
]
