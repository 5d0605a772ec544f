"""A bill in, charges out: every value exact, every doubtful one refused or told."""

import csv
import gzip
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.finops import focus
from apps.ingest import lines
from apps.ingest.bill import pieces
from apps.warehouse import lake
from tests.ingest.bills import bill, charges, costs, errors, ingest, put, row, source, total

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def read_one(tmp_path, content, name="bill.csv", **options):
    put(tmp_path / "in", name, content)
    return ingest(source(tmp_path / "in", **options))


@pytest.mark.parametrize(
    ("text", "amount", "rounded"),
    [
        pytest.param("1.50", "1.5", None, id="a plain amount"),
        pytest.param("-0.30", "-0.3", None, id="a refund"),
        pytest.param("0", "0", None, id="zero"),
        pytest.param("+7", "7", None, id="a plus sign"),
        pytest.param(".5", "0.5", None, id="no digit before the point"),
        pytest.param("5.", "5", None, id="no digit after the point"),
        pytest.param("1e-7", "0.0000001", None, id="an exponent"),
        pytest.param("1E2", "100", None, id="a positive exponent"),
        pytest.param(" 2.5 ", "2.5", None, id="spaces around"),
        pytest.param("0.123456789012", "0.123456789012", None, id="twelve decimals"),
        pytest.param("2.000000000000000", "2", None, id="more than twelve decimals, but zeros"),
        pytest.param("0.1234567890125", "0.123456789012", "BilledCost", id="thirteen decimals: half to even, down"),
        pytest.param("0.1234567890135", "0.123456789014", "BilledCost", id="thirteen decimals: half to even, up"),
        pytest.param("1e-13", "0", "BilledCost", id="smaller than a unit"),
        pytest.param("1234567.89", "1234567.89", None, id="seven digits before the point"),
        pytest.param(
            "12345678901234567890123456.123456789012",
            "12345678901234567890123456.123456789012",
            None,
            id="a huge amount",
        ),
        pytest.param(
            "-99999999999999999999999999.999999999999", "-99999999999999999999999999.999999999999", None, id="least"
        ),
    ],
)
def test_amounts_are_exact(tmp_path, text, amount, rounded):
    assert errors(read_one(tmp_path, bill(row() | {"BilledCost": text}))) == []
    (charge,) = charges()
    assert charge["BilledCost"] == Decimal(amount)
    assert charge["x_Rounded"] == rounded


@pytest.mark.parametrize(
    "text",
    ["1_000", "1,234.50", "1.234,5", "(2.50)", "−2.50", "NaN", "inf", "-", "N/A", "0x1", "٣", "１２", "1 234", "$5",
     "1e999", "1\t", "\u00a01", "1\x00", "1.5.2", "1e", "100000000000000000000000000", "--1", "true"],
)  # fmt: skip
def test_what_is_not_an_amount_is_refused_by_line_and_column(tmp_path, text):
    (problem,) = errors(read_one(tmp_path, bill(row(), row() | {"BilledCost": text})))
    assert "bill.csv, line 3, column BilledCost" in problem
    assert costs() == []


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        pytest.param("2026-10-01T13:00:00Z", datetime(2026, 10, 1, 13, tzinfo=UTC), id="as FOCUS writes it"),
        pytest.param("2026-10-01 13:00:00", datetime(2026, 10, 1, 13, tzinfo=UTC), id="without Z: UTC"),
        pytest.param("2026-10-01T13:00Z", datetime(2026, 10, 1, 13, tzinfo=UTC), id="without seconds"),
        pytest.param(
            "2026-10-01T13:00:00.250Z", datetime(2026, 10, 1, 13, 0, 0, 250000, tzinfo=UTC), id="milliseconds"
        ),
        pytest.param("2026-10-01T13:00:00+08:00", datetime(2026, 10, 1, 5, tzinfo=UTC), id="an offset is subtracted"),
        pytest.param("2026-10-01 13:00:00 UTC", datetime(2026, 10, 1, 13, tzinfo=UTC), id="UTC said in letters"),
        pytest.param("2026-10-01", datetime(2026, 10, 1, tzinfo=UTC), id="a day: its first instant"),
    ],
)
def test_instants_are_utc(tmp_path, text, instant):
    assert errors(read_one(tmp_path, bill(row() | {"ChargePeriodStart": text}))) == []
    assert charges()[0]["ChargePeriodStart"] == instant


@pytest.mark.parametrize(
    "text",
    ["03/04/2026", "1760000000", "2026-02-30T00:00:00Z", "2026-10-01T24:30:00Z", "20261001", "Oct 1 2026", "2026-1-1"],
)
def test_what_may_be_another_date_is_refused(tmp_path, text):
    (problem,) = errors(read_one(tmp_path, bill(row() | {"ChargePeriodStart": text})))
    assert "bill.csv, line 2, column ChargePeriodStart" in problem


@pytest.mark.parametrize("column", ["ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart"])
@pytest.mark.parametrize(
    "text", ["9999-12-31T23:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31", "2200-01-01T00:00Z", "0026-10-01 13:00:00"]
)
def test_a_year_that_no_bill_is_of_is_refused(tmp_path, column, text):
    (problem,) = errors(read_one(tmp_path, bill(row() | {column: text})))
    assert f"bill.csv, line 2, column {column}" in problem


@pytest.mark.parametrize("text", ["", "NULL", "null"])
def test_missing_values(tmp_path, text):
    assert errors(read_one(tmp_path, bill(row() | {"ResourceId": text, "Tags": text}))) == []
    assert (charges()[0]["ResourceId"], charges()[0]["Tags"]) == (None, None)


@pytest.mark.parametrize("column", focus.REQUIRED)
def test_a_missing_required_value_is_refused(tmp_path, column):
    problems = errors(read_one(tmp_path, bill(row(), row() | {column: "NULL"})))
    assert any(f"bill.csv, line 3, column {column}" in problem for problem in problems)
    assert costs() == []


@pytest.mark.parametrize("column", focus.REQUIRED)
def test_a_missing_required_column_is_named(tmp_path, column):
    cells = {name: value for name, value in row().items() if name != column}
    (problem,) = errors(read_one(tmp_path, bill(cells)))
    assert problem.startswith("error bill.csv, line 1")
    assert column in problem


def test_the_order_of_columns_is_free(tmp_path):
    assert errors(read_one(tmp_path, bill(row("2.50"), columns=sorted(row(), reverse=True)))) == []
    assert costs() == ["2.5"]


def test_other_columns_are_kept_and_those_without_prefix_are_told(tmp_path):
    told = read_one(tmp_path, bill(row() | {"x_Project": "直播", "Id": "7", "x_Empty": ""}))
    assert [problem for problem in told if "Id" in problem and problem.startswith("note")]
    assert json.loads(charges()[0]["x_Other"]) == {"x_Project": "直播", "Id": "7"}


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        pytest.param("UTC", date(2026, 10, 31), id="UTC"),
        pytest.param("Asia/Shanghai", date(2026, 11, 1), id="Shanghai"),
    ],
)
def test_a_charge_counts_on_its_business_day(tmp_path, settings, zone, day):
    settings.COSTOPS_TIME_ZONE = zone
    read_one(tmp_path, bill(row() | {"ChargePeriodStart": "2026-10-31T16:00:00Z"}))
    assert charges()[0]["x_ChargeDay"] == day


@pytest.mark.parametrize(
    ("first", "day", "hours"),
    [
        pytest.param(datetime(2026, 11, 1, 3, tzinfo=UTC), date(2026, 11, 1), 25, id="clocks go back"),
        pytest.param(datetime(2026, 3, 8, 4, tzinfo=UTC), date(2026, 3, 8), 23, id="clocks go forward"),
    ],
)
def test_a_day_has_the_hours_that_its_clock_has(tmp_path, settings, first, day, hours):
    settings.COSTOPS_TIME_ZONE = "America/New_York"
    starts = (first + timedelta(hours=at) for at in range(hours + 2))
    read_one(tmp_path, bill(*(row() | {"ChargePeriodStart": f"{start:%Y-%m-%dT%H:%M:%SZ}"} for start in starts)))
    days = [charge["x_ChargeDay"] for charge in charges()]
    counts = {one: days.count(one) for one in days}
    assert counts == {day - timedelta(days=1): 1, day: hours, day + timedelta(days=1): 1}


def test_a_chinese_month_begins_on_the_evening_before(tmp_path):
    read_one(tmp_path, bill(row() | {"BillingPeriodStart": "2026-09-30T16:00:00Z"}))
    assert charges()[0]["x_BillingMonth"] == "2026-10"


def test_several_months_in_one_file(tmp_path):
    assert errors(read_one(tmp_path, bill(row("1"), row("2", "2026-11-03"), row("4", "2026-10-09")))) == []
    assert {(charge["x_BillingMonth"], charge["BilledCost"], charge["x_Row"]) for charge in charges()} == {
        ("2026-10", Decimal(1), 1), ("2026-11", Decimal(2), 2), ("2026-10", Decimal(4), 3),
    }  # fmt: skip


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_csv", ".csv"), content)
    return out.getvalue()


def parquet(*rows, **types) -> bytes:
    table = pa.table({name: pa.array([one[name] for one in rows], types.get(name, pa.string())) for name in rows[0]})
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


TWO = (row("1.25"), row("2.50"))
DECIMAL_ROWS = [one | {"BilledCost": Decimal(one["BilledCost"])} for one in TWO]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.csv", bill(*TWO), id="CSV"),
        pytest.param("a.csv", b"\xef\xbb\xbf" + bill(*TWO), id="with a byte order mark"),
        pytest.param("a.csv", bill(*TWO, newline="\r\n"), id="CRLF"),
        pytest.param("a.csv", bill(TWO[0]) + bill(TWO[1], newline="\r\n").split(b"\r\n", 1)[1], id="LF and CRLF mixed"),
        pytest.param("a.csv", bill(*TWO) + b"\n\n", id="blank lines at the end"),
        pytest.param("a.csv.gz", gzip.compress(bill(*TWO)), id="gzip"),
        pytest.param("export", gzip.compress(bill(*TWO)), id="gzip without a suffix"),
        pytest.param("a.csv", gzip.compress(bill(*TWO)), id="gzip that calls itself CSV"),
        pytest.param("a.csv.gz", bill(*TWO), id="CSV that calls itself gzip"),
        pytest.param(
            "a.csv.gz",
            gzip.compress(bill(TWO[0])) + gzip.compress(bill(TWO[1]).split(b"\n", 1)[1]),
            id="two gzip members",
        ),
        pytest.param("a.zip", zipped(a_csv=bill(*TWO)), id="zip"),
        pytest.param("a.zip", zipped(a_csv=bill(TWO[0]), b_csv=bill(TWO[1])), id="zip of two files"),
        pytest.param("a.parquet", parquet(*TWO), id="Parquet of text"),
        pytest.param("a.parquet", parquet(*DECIMAL_ROWS, BilledCost=pa.decimal128(38, 18)), id="Parquet of decimals"),
        pytest.param(
            "a.parquet",
            parquet(
                *(one | {"ChargePeriodStart": datetime(2026, 10, 1, tzinfo=UTC)} for one in TWO),
                ChargePeriodStart=pa.timestamp("ns", "UTC"),
            ),
            id="Parquet of nanoseconds",
        ),
        pytest.param("sub/folder/a.csv", bill(*TWO), id="in a subfolder"),
    ],
)
def test_every_packing_gives_the_same_charges(tmp_path, name, content):
    assert errors(read_one(tmp_path, content, name)) == []
    assert costs() == ["1.25", "2.5"]
    assert [charge["x_Row"] for charge in charges()] == [1, 2]
    assert {charge["x_Rounded"] for charge in charges()} == {None}


def test_floats_in_parquet_are_read_by_their_shortest_text_with_a_warning(tmp_path):
    told = read_one(tmp_path, parquet(row() | {"BilledCost": 0.1}, BilledCost=pa.float64()), "a.parquet")
    assert [problem for problem in told if problem.startswith("warning") and "BilledCost" in problem]
    assert costs() == ["0.1"]


def test_line_breaks_inside_quotes_are_part_of_the_value(tmp_path):
    content = bill(row() | {"ResourceId": "one\ntwo"}, row() | {"BilledCost": "x"})
    (problem,) = errors(read_one(tmp_path, content))
    assert "line 4, column BilledCost" in problem


def test_a_bill_without_charges_is_taken_with_a_warning(tmp_path):
    (told,) = read_one(tmp_path, bill(columns=list(row())))
    assert told.startswith("warning")


@pytest.mark.parametrize("size", [pytest.param(1 << 30, id="in one piece"), pytest.param(300, id="in many pieces")])
def test_a_charge_leads_back_to_its_line(tmp_path, monkeypatch, size):
    monkeypatch.setattr(pieces, "SIZE", size)
    rows = [row(str(at), ResourceId="two\nlines" if at == 3 else "i-1") for at in range(1, 8)]
    read_one(tmp_path, bill(*rows))
    stored, *more = lake.files(lake_charges())
    assert bool(more) == (size == 300)
    found = lake.scan(lake_charges()).to_pyarrow().to_pylist()
    assert sorted((charge["x_Row"], charge["BilledCost"]) for charge in found) == [(at, at) for at in range(1, 8)]
    places = lines.places(stored.partition["x_FileId"], [1, 3, 4])
    assert {row: str(place) for row, place in places.items()} == {
        1: "bill.csv, line 2", 3: "bill.csv, line 4", 4: "bill.csv, line 6",
    }  # fmt: skip


def lake_charges():
    from apps.finops.tables import CHARGES

    return CHARGES


amounts = st.builds(
    lambda digits, scale, sign: sign + (digits[:-scale] or "0") + ("." + digits[-scale:] if scale else ""),
    st.text("0123456789", min_size=1, max_size=22),
    st.integers(0, 12),
    st.sampled_from(["", "-"]),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(amounts, min_size=1, max_size=10))
def test_the_lake_adds_up_to_the_text(tmp_path, texts):
    before = total() if lake.files(lake_charges()) else Decimal(0)
    name = f"p{abs(hash(tuple(texts)))}"
    content = bill(*(row(text) for text in texts))
    put(tmp_path / name, "a.csv", content)
    assert errors(ingest(source(tmp_path / name, name=f"{name}-{len(lake.files(lake_charges()))}"))) == []
    expected = sum(units(cells["BilledCost"]) for cells in csv.DictReader(io.StringIO(content.decode())))
    assert units(f"{total():f}") - units(f"{before:f}") == expected


def units(text: str) -> int:
    """An amount of at most twelve decimals as whole units of 10^-12, by string surgery alone."""
    sign = -1 if text.startswith("-") else 1
    whole, _, decimals = text.lstrip("-").partition(".")
    return sign * int(whole + decimals.ljust(12, "0"))
