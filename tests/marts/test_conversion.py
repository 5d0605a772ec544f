"""A reporting currency: every row by the rate of its day, exactly; without one, currencies stay apart."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from apps.finops.money import add_up, converted
from apps.finops.tables import DIMENSIONS
from apps.marts.query import GROUPS, MAX_GROUPS, BadQuestion, CostQuery, Scope
from apps.marts.selectors import answer
from apps.rates.selectors import MissingRate
from apps.rates.services import declare_base, import_rates
from apps.warehouse.engine import rows_of
from apps.warehouse.exact import with_conversion
from tests.worlds import publish_costs

NOW = datetime(2026, 11, 5, tzinfo=UTC)
START, END = date(2026, 10, 1), date(2026, 10, 4)
RATES = "date,from,to,rate\n2026-10-01,USD,CNY,7.1\n2026-10-02,USD,CNY,7.2\n2026-10-03,USD,CNY,7.3\n"
WORLD = [
    {"day": date(2026, 10, 1), "team": "web", "namespace": "shop", "effective_cost": "10", "currency": "USD"},
    {
        "day": date(2026, 10, 1),
        "team": "web",
        "namespace": "cart",
        "effective_cost": "0.000000000001",
        "currency": "USD",
    },
    {"day": date(2026, 10, 2), "team": "web", "namespace": "shop", "effective_cost": "-2.5", "currency": "USD"},
    {"day": date(2026, 10, 2), "team": "data", "namespace": "etl", "effective_cost": "100"},
    {"day": date(2026, 10, 3), "team": "data", "namespace": "etl", "effective_cost": "1", "currency": "USD"},
]
WORLD_IN_CNY = {"web": "53.000000000007", "data": "107.3"}
"""web: 10 x 7.1 + 0.000000000001 x 7.1 - 2.5 x 7.2 = 71 + 0.000000000007 (of 7.1) - 18; data: 100 + 1 x 7.3."""

amounts = st.decimals(-(10**12), 10**12, places=12)


@pytest.fixture
def world(db, home):
    publish_costs(WORLD)


@pytest.fixture
def rates(world):
    return bring(RATES)


def bring(text):
    return import_rates(text.encode(), name="rates.csv", by="han", now=NOW).version


def ask(*groups, currency="CNY", **asked):
    return answer(CostQuery(START, END, group_by=groups, currency=currency, **asked))


def said(*words):
    out, err = io.StringIO(), io.StringIO()
    call_command("ask", "--start", "2026-10-01", "--end", "2026-10-04", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_every_row_is_converted_by_the_rate_of_its_day(rates):
    found = ask("team")
    assert found.columns == ("team", "currency", "effective_cost")
    assert {row[0]: row[2] for row in found.rows} == {team: Decimal(cost) for team, cost in WORLD_IN_CNY.items()}
    assert {row[1] for row in found.rows} == {"CNY"}
    assert found.totals == {"CNY": Decimal("160.300000000007")}


def test_an_answer_tells_its_rates(rates):
    found = ask("team")
    assert [(rate.day.day, rate.source, rate.target, rate.rate) for rate in found.rates] == [
        (1, "USD", "CNY", Decimal("7.1")), (2, "USD", "CNY", Decimal("7.2")), (3, "USD", "CNY", Decimal("7.3")),
    ]  # fmt: skip
    assert found.query.rates_as_of == rates
    assert "rates.csv line 2" in found.rates[0].origin
    assert ask("team").rates == found.rates, "from the cache too"


@pytest.mark.parametrize("groups", [(), ("day",), ("team", "namespace"), ("month", "kind"), ("week",)])
def test_converted_answers_add_up_however_they_are_grouped(rates, groups):
    assert add_up(row[-1] for row in ask(*groups).rows) == Decimal("160.300000000007")


def test_only_the_rates_that_are_needed_are_asked_for(world):
    bring("date,from,to,rate\n2026-10-03,USD,CNY,7.3\n")
    assert ask(filters=(("team", ("data",)),)).totals == {"CNY": Decimal("107.3")}
    assert answer(CostQuery(START, END, currency="CNY", scope=Scope(frozenset({"data"})))).totals["CNY"] == Decimal(
        "107.3"
    )


def test_a_missing_rate_is_an_error_that_names_day_and_pair(world):
    bring("date,from,to,rate\n2026-10-01,USD,CNY,7.1\n")
    with pytest.raises(MissingRate, match="no rate from USD to CNY on 2026-10-02"):
        ask("team")


def test_a_currency_by_itself_needs_no_rate_and_is_not_changed(world):
    only = (("currency", ("CNY",)),)
    assert ask("team", filters=only).rows == answer(CostQuery(START, END, group_by=("team",), filters=only)).rows
    assert ask("team", filters=only).rates == ()


def test_an_earlier_version_of_the_rates_stays_askable(rates):
    later = bring(RATES.replace("7.3", "8.3"))
    assert ask(rates_as_of=rates).totals == {"CNY": Decimal("160.300000000007")}
    assert ask().totals == ask(rates_as_of=later).totals == {"CNY": Decimal("161.300000000007")}


def test_to_another_currency_over_the_base(rates):
    with pytest.raises(MissingRate, match="from CNY to USD on 2026-10-02"):
        ask(currency="USD")
    declare_base("CNY", start=START, by="han", now=NOW)
    assert ask(currency="USD").totals == {"USD": Decimal("22.388888888890")}  # 8.5 + 1e-12 + 13.888888888889


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param({"currency": "RMB"}, "currency: 'RMB' is not a currency code", id="no code"),
        pytest.param({"groups": ("currency",)}, "cannot be grouped by currency", id="grouped by what was converted"),
        pytest.param({"rates_as_of": 10**6}, "there is no version 1000000 of the rates", id="a version to come"),
    ],
)
def test_what_cannot_be_asked(rates, asked, message):
    with pytest.raises(BadQuestion, match=message):
        ask(*asked.pop("groups", ()), **asked)


def test_an_amount_that_does_not_fit_is_told(db, home):
    publish_costs([{"day": START, "effective_cost": "9" * 26, "currency": "USD"}])
    bring("date,from,to,rate\n2026-10-01,USD,CNY,99999.999999999\n")
    with pytest.raises(BadQuestion, match="an amount in CNY has more than 26 digits"):
        ask("team")


def test_the_terminal_tells_amounts_and_rates(rates):
    out, err = said("--group-by", "team", "--currency", "CNY", "--format", "csv")
    assert out == "team,currency,effective_cost\ndata,CNY,107.300000000000\nweb,CNY,53.000000000007\n"
    assert "Converted to CNY with 3 rates" in err
    assert "2026-10-02 USD→CNY 7.2: USD→CNY 7.2, rates.csv line 3" in err
    table, _ = said("--currency", "CNY")
    assert "Total 160.30 CNY" in table
    assert "rates.csv line 4" in table
    with pytest.raises(CommandError, match="no rate from USD to EUR on 2026-10-01"):
        said("--currency", "EUR")


@pytest.mark.usefixtures("rates")
@given(
    groups=st.lists(st.sampled_from(GROUPS), unique=True, max_size=MAX_GROUPS),
    name=st.sampled_from(sorted(DIMENSIONS)),
    values=st.lists(st.sampled_from(["web", "data", "shop", "USD", "CNY", ""]), unique=True),
)
def test_without_a_currency_every_answer_keeps_them_apart(groups, name, values):
    found = answer(CostQuery(START, END, group_by=tuple(groups), filters=((name, tuple(values)),) if values else ()))
    held = {
        currency: add_up(
            Decimal(row["effective_cost"])
            for row in WORLD
            if row.get("currency", "CNY") == currency and (not values or {**DEFAULTS, **row}[name] in values)
        )
        for currency in ("CNY", "USD")
    }
    place = found.columns.index("currency")
    assert {row[place] for row in found.rows} <= {"CNY", "USD"}
    assert {currency: found.totals.get(currency, 0) for currency in held} == held


DEFAULTS = dict.fromkeys(DIMENSIONS, "") | {
    "source": "bill", "currency": "CNY", "charge_category": "Usage", "kind": "direct", "billing_month": "2026-10",
}  # fmt: skip


@pytest.mark.usefixtures("home")
@given(rows=st.lists(st.tuples(amounts, st.decimals("0.000000001", 99999, places=9)), min_size=1, max_size=20))
def test_the_engine_rounds_as_the_plain_reference(rows):
    table = pa.table(
        {
            "place": pa.array(range(len(rows)), pa.int64()),
            "cost": pa.array([amount for amount, _ in rows], pa.decimal128(38, 12)),
            "times": pa.array([int(rate * 10**9) for _, rate in rows], pa.int64()),
            "per": pa.array([10**9] * len(rows), pa.int64()),
        }
    )
    done = with_conversion(ibis.memtable(table), "cost", times="times", per="per")
    assert [cost for _, cost in rows_of(done.select("place", "cost").order_by("place"))] == [
        converted(amount, rate) for amount, rate in rows
    ]


@pytest.mark.parametrize(
    ("amount", "rate", "expected"),
    [
        pytest.param("0.000000000001", "0.5", "0", id="half a unit goes to the even one below"),
        pytest.param("0.000000000003", "0.5", "0.000000000002", id="one and a half to the even one above"),
        pytest.param("-0.000000000005", "0.5", "-0.000000000002", id="a refund as a charge"),
        pytest.param("0.000000000001", "0.500000001", "0.000000000001", id="more than half goes up"),
        pytest.param("99999999999999.999999999999", "7.123456789", "712345678899999.999999999992876543", id="large"),
    ],
)
def test_a_conversion_is_rounded_once_half_even(amount, rate, expected):
    assert converted(Decimal(amount), Decimal(rate)) == Decimal(expected).quantize(Decimal("1e-12"))
