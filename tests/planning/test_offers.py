"""The price table: rows are added and never changed, by files and the command."""

from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.finops.sheets import BadSheet
from apps.planning.models import Offer
from apps.planning.offers import csv_file, table
from apps.teams.approval import Actor, NotYours

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
FINANCE, LEAD = Actor("finance", None), Actor("lilei", frozenset({"live-class"}))
GOOD = {"name": "one year", "kind": "reserved", "term_months": "12", "ratio": "0.6", "valid_from": "2026-10-01"}
SAMPLES = 10

pytestmark = pytest.mark.django_db


def sheet(*rows):
    lines = [",".join(csv_file.COLUMNS), *(",".join(row.get(name, "") for name in csv_file.COLUMNS) for row in rows)]
    return "\n".join(lines).encode()


def add(*rows, by=FINANCE):
    return table.add(sheet(*rows), name="offers.csv", by=by, now=NOW)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"kind": "gift"}, "column kind: 'gift' is none of reserved", id="an unknown kind"),
        pytest.param({"ratio": ""}, "column ratio: is empty, and so is price", id="no price at all"),
        pytest.param({"ratio": "0"}, "column ratio: is not above zero", id="for nothing"),
        pytest.param({"ratio": "-1"}, "column ratio: is not above zero", id="negative"),
        pytest.param({"ratio": "x"}, "column ratio: 'x' is not a number", id="no number"),
        pytest.param({"term_months": "0"}, "column term_months: '0' is not a number of months", id="no term"),
        pytest.param({"term_months": "1.5"}, "column term_months: '1.5' is not", id="part of a month"),
        pytest.param({"price": "3"}, "column currency: '' is not a code", id="a price of no currency"),
        pytest.param({"valid_from": "soon"}, "column valid_from: 'soon' is not a day", id="no day"),
        pytest.param({"on_sale": "maybe"}, "column on_sale: 'maybe' is neither", id="neither yes nor no"),
        pytest.param({"name": ""}, "column name: is empty", id="no name"),
        pytest.param({"kind": "memory"}, "column price: is empty; an offer of kind memory has one", id="memory"),
        pytest.param({"kind": "generation"}, "column work_ratio: is empty", id="a generation without its work"),
        pytest.param(
            {"kind": "spot", "availability": "2"}, "column availability: is a share of one", id="more than all"
        ),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_added(change, message):
    with pytest.raises(BadSheet) as wrong:
        add(GOOD, GOOD | change)
    assert f"offers.csv: line 3, {message}" in str(wrong.value)
    assert not Offer.objects.exists()


@pytest.mark.parametrize(
    ("later", "day", "ratios"),
    [
        pytest.param({"ratio": "0.5", "valid_from": "2026-11-01"}, date(2026, 11, 2), ["0.5"], id="the newest holds"),
        pytest.param({"ratio": "0.5", "valid_from": "2027-01-01"}, date(2026, 11, 2), ["0.6"], id="not valid yet"),
        pytest.param({"ratio": "0.5"}, date(2026, 11, 2), ["0.5"], id="of one day the last that was added"),
        pytest.param({"on_sale": "no"}, date(2026, 11, 2), [], id="taken away"),
        pytest.param({"region": "cn-*"}, date(2026, 11, 2), ["0.6", "0.6"], id="of another region: beside it"),
        pytest.param({"ratio": "0.5"}, date(2026, 9, 1), [], id="before its day"),
    ],
)
def test_of_an_offer_the_newest_valid_row_holds(later, day, ratios):
    before = table.version()
    add(GOOD)
    add(GOOD | later)
    assert [one.ratio_text for one in table.on_sale(day) if one.name == "one year"] == ratios
    assert Offer.objects.count() == 2
    assert table.version() != before


def test_the_same_rows_brought_again_change_nothing():
    """Nor do those of a file that was exported, which holds the sample too; else everything would be planned anew."""
    add(GOOD, GOOD | {"region": "cn-*"})
    before = table.version()

    assert add(GOOD | {"ratio": "0.60"}, GOOD | {"region": "cn-*"}) == 0
    assert table.add(csv_file.write(table.rows()).encode(), name="out.csv", by=FINANCE, now=NOW) == 0
    assert table.version() == before


def test_a_row_that_was_said_otherwise_since_is_said_again():
    assert (add(GOOD), add(GOOD | {"ratio": "0.5"}), add(GOOD)) == (1, 1, 1)
    assert add(GOOD | {"ratio": "0.5"}, GOOD) == 2
    assert [one.ratio_text for one in table.on_sale(date(2026, 11, 2)) if one.name == "one year"] == ["0.6"]


def test_the_same_needs_brought_again_change_nothing():
    head = "resource,name,gib,mib_per_second,latency_microseconds,tier\n"
    rows = ["r-1,sessions,8,1,100,\n", "r-2,ranks,4,1,100,\n"]
    brought = [
        table.add_needs((head + "".join(told)).encode(), name="needs.csv", by=FINANCE, now=NOW)
        for told in (rows, rows, [rows[0], rows[1].replace("4", "6")])
    ]

    assert brought == [2, 0, 1]
    assert table.needs()["r-2"].gib_text == "6"


def test_sample_values_say_so():
    assert len(table.sample()) == SAMPLES
    assert all(one.name.startswith("Sample: ") for one in table.sample())


def test_finance_alone_adds():
    with pytest.raises(NotYours):
        add(GOOD, by=LEAD)
    assert not Offer.objects.exists()


def test_needs_name_a_database_once():
    twice = b"resource,name,gib,mib_per_second,latency_microseconds,tier\nr-1,a,1,1,1,\nr-1,b,1,1,1,\n"
    with pytest.raises(BadSheet, match="line 3, the same resource as in line 2"):
        table.add_needs(twice, name="needs.csv", by=FINANCE, now=NOW)


def test_the_command_exports_what_it_imports(home, tmp_path):
    brought, out = tmp_path / "offers.csv", tmp_path / "out.csv"
    brought.write_bytes(sheet(GOOD))
    call_command("offers", "import", str(brought), stdout=StringIO())
    call_command("offers", "export", str(out))
    again = csv_file.read(out.read_bytes(), name="out.csv")
    assert [csv_file.cells(one) for one in again] == [csv_file.cells(one) for one in table.rows()]
    told = StringIO()
    call_command("offers", "list", "--on", "2026-11-02", "--format", "csv", stdout=told)
    assert "one year,reserved,*,*,12,0.6" in told.getvalue()
    with pytest.raises(CommandError, match="No such file"):
        call_command("offers", "import", str(tmp_path / "nothing.csv"))
