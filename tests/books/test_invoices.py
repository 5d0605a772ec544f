"""Invoices tie to their charges, down to zero; what does not match is told, and bad files change nothing."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from apps.books.invoice_rows import rows_on
from apps.books.invoices import Sums, import_invoices, sums, tie_out
from apps.books.models import Invoice, TrailEntry
from apps.finops.sheets import BadSheet
from apps.finops.tables import CHARGES
from apps.marts.models import Publication
from apps.teams.models import Membership, Team
from tests.allocation.worlds import Row, charge, put
from tests.books.worlds import NOW

pytestmark = pytest.mark.usefixtures("home", "db")
HEADER = b"invoice_id,account,currency,total,tax,date\n"
BY_SERVICE = HEADER[:-1] + b",service\n"


def on(invoice: str | None, cost: str, service: str = "Compute", **given: Any) -> Row:
    return charge(cost, InvoiceId=invoice, ServiceName=service, **given)


CHARGED = [
    on("A-1", "60.10"), on("A-1", "39.90", "Storage"),
    on("A-2", "33.333333333333"), on("A-2", "66.670000000001", "Storage"),
    on("A-3", "50"), on("A-3", "3", "Tax", ChargeCategory="Tax"),
    on("A-4", "20"),
    on("A-5", "7.25"),
    on(None, "1.5"),
    on("A-1", "9", BillingCurrency="USD"),
]  # fmt: skip
UPLOADED = HEADER + (
    b"A-1,100,CNY,106.00,6.00,2026-11-01\n"  # the bill carries no tax: 100 is expected
    b"A-2,100,CNY,100.00,,2026-11-01\n"  # 100.003333333334 is charged: rounding
    b"A-3,100,cny,53,3,2026-11-01\n"  # the bill carries the tax
    b"A-4,100,CNY,25,0,2026-11-01\n"
    b"A-6,100,CNY,4,0,2026-11-01\n"
)
EXPECTED = {
    ("A-1", "CNY"): ("matched", "0"),
    ("A-2", "CNY"): ("rounded", "0.003333333334"),
    ("A-3", "CNY"): ("matched", "0"),
    ("A-4", "CNY"): ("different", "-5"),
    ("A-5", "CNY"): ("not uploaded", "7.25"),
    ("A-6", "CNY"): ("no charges", "-4"),
    ("", "CNY"): ("no invoice id", "1.5"),
    ("A-1", "USD"): ("not uploaded", "9"),
}


def publish() -> Publication:
    return Publication.objects.create(
        created_at=NOW, versions={CHARGES.name: put(CHARGES, CHARGED)}, ruleset=1, status="final"
    )


def bring(content: bytes) -> tuple[int, int]:
    return import_invoices(content, name="invoices.csv", by="hanmeimei", now=NOW)


def test_every_invoice_is_tied_to_its_charges() -> None:
    assert bring(UPLOADED) == (5, 0)
    tied = tie_out(publish())
    assert {(one.invoice_id, one.currency): (one.status, one.difference) for one in tied} == {
        key: (status, Decimal(difference)) for key, (status, difference) in EXPECTED.items()
    }
    assert [one.is_matched for one in tied] == [False] * 5 + [True] * 3
    first = next(one for one in tied if (one.invoice_id, one.currency) == ("A-1", "CNY"))
    assert [(line.service, line.charges, line.billed) for line in first.services] == [
        ("Compute", 1, Decimal("60.10")), ("Storage", 1, Decimal("39.90")),
    ]  # fmt: skip
    assert sums(tied) == [
        # 100 + 100.003333333334 + 53; 20 + 7.25 + 1.5; 7.25 + 1.5; 5 + 4
        Sums(
            "CNY",
            Decimal("253.003333333334"),
            Decimal("28.75"),
            over=Decimal("8.75"),
            under=Decimal(9),
            rounding=Decimal("0.003333333334"),
            open=4,
            awaited=1,
        ),
        Sums("USD", Decimal(0), Decimal(9), over=Decimal(9), under=Decimal(0), rounding=Decimal(0), open=1, awaited=1),
    ]
    assert [one.apart for one in sums(tied)] == [Decimal("17.75"), 9]
    assert [one.difference for one in sums(tied)] == [Decimal("17.753333333334"), 9]


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_an_id_that_was_mistyped_does_not_tie_out() -> None:
    """1,000 are charged of an invoice that nobody uploaded, and 1,000 are invoiced that nobody charged."""
    bring(HEADER + b"INV-B,100,CNY,1000,0,2026-11-01\n")
    versions = {CHARGES.name: put(CHARGES, [on("INV-A", "1000")])}
    (one,) = sums(tie_out(Publication.objects.create(created_at=NOW, versions=versions, ruleset=1, status="final")))
    assert (one.open, one.over, one.under, one.apart) == (2, 1000, 1000, 2000)
    page = words_of(staff_client().get("/invoices/").content.decode())
    assert "Differences in all · CNY 2,000.00 2 invoices do not match." in page
    assert "Charged more than invoiced: 1,000.00 Charged less than invoiced: 1,000.00" in page


def test_roundings_up_and_down_do_not_tie_out_to_the_last_decimal() -> None:
    bring(HEADER + b"D-1,100,CNY,1.00,0,2026-11-01\nD-2,100,CNY,1.00,0,2026-11-01\n")
    versions = {CHARGES.name: put(CHARGES, [on("D-1", "1.004"), on("D-2", "0.996")])}
    Publication.objects.create(created_at=NOW, versions=versions, ruleset=1, status="final")
    page = words_of(staff_client().get("/invoices/").content.decode())
    assert "Differences in all · CNY 0.008000 Tied out, but for rounding of 0.008 CNY." in page
    assert "more than invoiced" not in page


def test_an_invoice_told_by_service_is_tied_service_by_service() -> None:
    told = BY_SERVICE + (
        b"A-1,100,CNY,63.706,3.606,2026-11-01,Compute\n"  # without tax 60.10, as charged
        b"A-1,100,CNY,40.794,2.394,2026-11-01,Storage\n"  # 38.40; 39.90 are charged
        b"A-1,100,CNY,1.50,0,2026-11-01,Support\n"  # nothing is charged
    )
    assert bring(told) == (1, 0)
    assert bring(told) == (0, 0)
    one = next(tied for tied in tie_out(publish()) if (tied.invoice_id, tied.currency) == ("A-1", "CNY"))
    assert [(line.service, line.charges, line.billed, line.expected, line.difference, line.status)
            for line in one.services] == [
        ("Compute", 1, Decimal("60.10"), Decimal("60.10"), Decimal(0), "matched"),
        ("Storage", 1, Decimal("39.90"), Decimal("38.40"), Decimal("1.50"), "different"),
        ("Support", 0, Decimal(0), Decimal("1.50"), Decimal("-1.50"), "different"),
    ]  # fmt: skip
    # 63.706 + 40.794 + 1.50 less 6 of tax: in all it matches, though two services do not
    assert (one.total, one.tax, one.status) == (Decimal("106.00"), Decimal("6.000"), "matched")
    page = staff_client().get("/invoices/A-1/100/CNY/?service=Storage").content.decode()
    assert all(words in page for words in ("1.50", "different", "Compute", "Support"))


def staff_client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def test_an_invoice_goes_down_to_its_charges_in_four_costs() -> None:
    costs = {"EffectiveCost": "3", "ContractedCost": "4", "ListCost": "5"}
    rows = [on("B-1", "2", ResourceId="i-1", x_Row=7, **costs), on("B-1", "1", "Storage"), on("B-2", "1")]
    pinned = Publication.objects.create(
        created_at=NOW, versions={CHARGES.name: put(CHARGES, rows)}, ruleset=1, status="final"
    )
    one = next(tied for tied in tie_out(pinned) if tied.invoice_id == "B-1")
    assert (one.billed, one.effective, one.contracted, one.listed) == (3, 4, 5, 6)
    found, count = rows_on(pinned, "B-1", "100", "CNY", service=None, limit=1)
    assert count == 2
    assert [(row.service, row.resource, row.billed, row.effective, row.contracted, row.listed) for row in found] == [
        ("Compute", "i-1", 2, 3, 4, 5)
    ]
    assert [row.billed for row in rows_on(pinned, "B-1", "100", "CNY", service="Storage", limit=9)[0]] == [1]
    client = staff_client()
    page = client.get("/invoices/B-1/100/CNY/").content.decode()
    assert all(words in page for words in ("i-1", "Storage", "invoice not uploaded"))
    assert client.get("/invoices/B-9/100/CNY/").status_code == 404


def test_what_ties_out_is_told_in_calm() -> None:
    bring(HEADER + b"C-1,100,CNY,1.23,0,2026-11-01\n")
    rows = [on("C-1", "1.2311")]
    Publication.objects.create(created_at=NOW, versions={CHARGES.name: put(CHARGES, rows)}, ruleset=1, status="final")
    client = staff_client()
    page = client.get("/invoices/").content.decode()
    assert "Tied out, but for rounding of 0.0011 CNY." in page
    assert "verdict--wrong" not in page
    bring(HEADER + b"C-1,100,CNY,1.2311,0,2026-11-01\n")
    assert "Tied out, to the last decimal." in client.get("/invoices/").content.decode()
    bring(HEADER + b"C-1,100,CNY,1.5,0,2026-11-01\n")
    page = client.get("/invoices/").content.decode()
    assert "1 invoice does not match." in page
    assert "verdict--wrong" in page


def test_an_invoice_brought_again_is_replaced_and_the_trail_says_so_but_of_nothing_new() -> None:
    bring(UPLOADED)
    assert bring(UPLOADED) == (0, 0)
    assert bring(HEADER + b"A-4,100,CNY,20.00,0,2026-11-02\n") == (0, 1)
    assert Invoice.objects.get(invoice_id="A-4").total == 20
    assert [one.outcome for one in TrailEntry.objects.order_by("pk")] == [
        "5 new, 0 changed", "0 new, 1 changed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "line 1: the columns must be invoice_id,account,.* they are", id="an empty file"),
        pytest.param(HEADER, "no line below the header", id="only a header"),
        pytest.param(b"invoice_id,total\nA,1\n", "they are invoice_id,total", id="missing columns"),
        pytest.param(HEADER + b"A,1,CNY,1;5,0,2026-10-01\n", "line 2, column total: '1;5' is not", id="no amount"),
        pytest.param(HEADER + b"A,1,CNY,,0,2026-10-01\n", "line 2, column total: '' is not a number", id="no total"),
        pytest.param(HEADER + b"A,1,CNY,1,x,2026-10-01\n", "line 2, column tax: 'x'", id="no tax amount"),
        pytest.param(HEADER + b"A,1,CNY,0.1234567890123,0,2026-10-01\n", "more than twelve decimals", id="too fine"),
        pytest.param(HEADER + b"A,1,CNY,1,0,01.10.2026\n", "column date: '01.10.2026' is not a day", id="no date"),
        pytest.param(HEADER + b",1,CNY,1,0,2026-10-01\n", "line 2, column invoice_id: is empty", id="no invoice id"),
        pytest.param(HEADER + b"A,1,CNY,1,0\n", "line 2: 5 values for 6 columns", id="a cell is missing"),
        pytest.param(HEADER + b"A,1,CNY,1,0,2026-10-01\n" * 2, "line 3.* A of account 1 stands on line 2", id="twice"),
        pytest.param(HEADER + b"\xff\xfe", "not UTF-8 \\(byte 43\\)", id="not UTF-8"),
        pytest.param(HEADER + b'"A,1', "not CSV", id="an open quote"),
        pytest.param(
            BY_SERVICE + b"A,1,CNY,1,0,2026-10-01,x\nA,1,CNY,1,0,2026-10-01,x\n",
            "stands on line 2",
            id="a service twice",
        ),
        pytest.param(
            BY_SERVICE + b"A,1,CNY,1,0,2026-10-01,x\nA,1,CNY,1,0,2026-10-02,y\n",
            "line 3, column date",
            id="one invoice of two days",
        ),
        pytest.param(
            BY_SERVICE + b"A,1,CNY,1,0,2026-10-01," + b"x" * 201 + b"\n", "longer than 200", id="long service"
        ),
    ],
)
def test_a_bad_file_is_refused_whole(content: bytes, message: str) -> None:
    bring(HEADER + b"A-0,100,CNY,1,0,2026-11-01\n")
    with pytest.raises(BadSheet, match=message):
        bring(content)
    assert [one.invoice_id for one in Invoice.objects.all()] == ["A-0"]


def test_terminal_page_and_api_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish()
    file = tmp_path / "invoices.csv"
    file.write_bytes(UPLOADED)
    call_command("invoices", "import", str(file))
    assert "5 invoices are new, 0 replaced." in capsys.readouterr().out
    with pytest.raises(CommandError, match="5 of 8 do not match"):
        call_command("invoices", "tie-out", "--format", "csv")
    printed = capsys.readouterr().out
    assert "A-4,100,CNY,different,25.000000000000,0.000000000000,1,20.000000000000," in printed

    staff, lead = Client(), Client()
    staff.force_login(User.objects.create_superuser("staff"))
    member = User.objects.create_user("lilei")
    Membership.objects.create(user=member, team=Team.objects.create(name="web"))
    lead.force_login(member)
    assert lead.get("/api/v1/invoices/").status_code == 403
    rows = staff.get("/api/v1/invoices/").json()["rows"]
    assert {(row["invoice_id"], row["currency"]): (row["status"], Decimal(row["difference"])) for row in rows} == {
        key: (status, Decimal(difference)) for key, (status, difference) in EXPECTED.items()
    }
    html = staff.get("/invoices/").content.decode()
    for words in ("matched, but for rounding", "invoice not uploaded", "charges without invoice id", "17.753333333334"):
        assert words in html
    assert "仅舍入差" in staff.get("/invoices/", headers={"accept-language": "zh-hans"}).content.decode()


def test_invoices_are_brought_on_the_page_by_those_who_may() -> None:
    publish()
    finance = User.objects.create_user("finance", is_staff=True)
    client = Client()
    client.force_login(finance)

    def upload(content: bytes) -> Any:
        return client.post("/invoices/", {"file": SimpleUploadedFile("invoices.csv", content)})

    assert upload(UPLOADED).status_code == 403
    finance.user_permissions.add(Permission.objects.get(codename="add_invoice"))
    client.force_login(User.objects.get(pk=finance.pk))  # a user remembers what it may
    assert upload(UPLOADED).headers["Location"] == "/invoices/"
    refused = upload(b"invoice_id\n")
    assert (refused.status_code, "line 1: the columns must be" in refused.content.decode()) == (400, True)
    assert client.post("/invoices/").status_code == 400
    assert Invoice.objects.count() == 5
