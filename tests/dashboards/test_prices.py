"""Prices and commitments on a page: every digit, what ends soon, and price lists that staff brings."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.prices.csv_file import COLUMNS
from apps.prices.models import Price

PRICE = {
    "provider": "Cloud",
    "region": "cn-beijing",
    "unit": "Hours",
    "currency": "CNY",
    "valid_from": date(2026, 10, 1),
}
LIST = ",".join(COLUMNS) + "\nCloud,cn-beijing,g9,ECS,Hours,CNY,0.00000613,,2026-01-01\n"


@pytest.fixture
def prices(published):
    for sku, text, origin in (("g7", "2.333333333333", "list"), ("<b>g8</b>", "1.9", "learned")):
        Price.objects.create(sku_id=sku, list_unit_price_text=text, origin=origin, service="ECS", **PRICE)


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        pytest.param("", (True, True), id="all of them"),
        pytest.param("?text=G7", (True, False), id="by a part of the SKU"),
        pytest.param("?provider=Cloud&text=beijing", (True, True), id="by provider and region"),
        pytest.param("?provider=AWS", (False, False), id="of another provider"),
        pytest.param("?text=%20", (True, True), id="nothing that can be meant"),
    ],
)
def test_prices_are_narrowed_and_keep_their_digits(prices, client_of, asked, there):
    body = client_of("finance").get(f"/prices/{asked}").content.decode()
    assert ("2.333333333333" in body, "&lt;b&gt;g8&lt;/b&gt;" in body) == there
    assert "<b>g8" not in body


@pytest.mark.parametrize(
    ("content", "status", "said", "kept"),
    [
        pytest.param(LIST, 200, "1 prices were taken.", 1, id="a list"),
        pytest.param(
            LIST.replace("0.00000613", "cheap"), 400, "prices.csv: line 2, column list_unit_price", 0, id="no price"
        ),
        pytest.param("", 400, "prices.csv, line 1: the columns must be", 0, id="an empty file"),
        pytest.param(None, 400, "Choose a file.", 0, id="no file"),
    ],
)
def test_staff_brings_a_list_whole_or_not(published, client_of, content, status, said, kept):
    files = {} if content is None else {"file": SimpleUploadedFile("prices.csv", content.encode())}
    response = client_of("staff").post("/prices/", files)
    assert response.status_code == status
    assert said in response.content.decode()
    assert Price.objects.count() == kept


def test_nobody_else_brings_one(published, client_of):
    assert (
        client_of("finance").post("/prices/", {"file": SimpleUploadedFile("p.csv", LIST.encode())}).status_code == 403
    )
    assert "Bring a price list" not in client_of("finance").get("/prices/").content.decode()
    assert not Price.objects.exists()


def test_a_commitment_shows_what_was_not_used_and_that_it_ends(home, people, client_of):
    from tests.ingest.bills import NOW, bill, ingest, put, source
    from tests.prices.test_prices import RI, hours

    used = {"BilledCost": "0", "EffectiveCost": "0.75", "CommitmentDiscountStatus": "Used"}
    unused = {"BilledCost": "0", "EffectiveCost": "0.25", "CommitmentDiscountStatus": "Unused"}
    paid = {"EffectiveCost": "0", "ChargeCategory": "Purchase", "ChargePeriodEnd": f"{NOW.year}-12-20T00:00:00Z"}
    rows = [hours("1", "1", **(RI | cells)) for cells in (used, unused, paid)]
    put(home / "in", "october.csv", bill(*rows))
    assert ingest(source(home / "in")) == []
    body = client_of("finance").get("/prices/").content.decode()
    assert "ri-1" in body
    assert "75.0 %" in body
    assert "low" in body
    assert "soon" in body
