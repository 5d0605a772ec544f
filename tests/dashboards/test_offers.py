"""The page of the price table: finance adds rows by a form or a file."""

from django.core.files.uploadedfile import SimpleUploadedFile

from apps.planning.models import Offer
from apps.planning.offers import csv_file

GOOD = {"name": "one year", "kind": "reserved", "term_months": "12", "ratio": "0.6", "valid_from": "2026-10-01"}


def sheet(row):
    return "\n".join([",".join(csv_file.COLUMNS), ",".join(row.get(name, "") for name in csv_file.COLUMNS)]).encode()


def test_finance_adds_a_row_on_the_page(published, client_of):
    finance = client_of("finance")
    wrong = finance.post("/offers/", GOOD | {"ratio": "cheap"})
    assert wrong.status_code == 400
    assert 'value="cheap"' in wrong.content.decode()  # nothing somebody wrote is lost
    assert finance.post("/offers/", GOOD).status_code == 200
    assert "nothing was added" in finance.post("/offers/", GOOD).content.decode()
    brought = SimpleUploadedFile("offers.csv", sheet(GOOD | {"name": "from a file"}))
    assert finance.post("/offers/", {"what": "offers", "file": brought}).status_code == 200
    assert sorted(Offer.objects.values_list("name", flat=True)) == ["from a file", "one year"]
    assert "from a file" in finance.get("/offers/file/").content.decode()
    assert client_of("lilei").post("/offers/", GOOD).status_code == 403
