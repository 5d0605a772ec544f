"""The registry of kinds: a provider is a package and one line of it, and nothing else of the product names it."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.ingest import kinds
from apps.ingest.bill.mapping import Input, Mapping
from apps.ingest.landing import Found
from apps.ingest.models import Source
from apps.ingest.providers.base import Provider
from tests.dashboards.test_translations import written
from tests.ingest.bills import bill, charges, errors, ingest, put

APPS = Path(__file__).resolve().parents[2] / "apps"

HOSTER = Provider(
    "hoster",
    "Bill of a hoster",
    (
        Mapping(
            name="hoster",
            version=1,
            inputs={
                "day": Input(("Day",), "time", required=True),
                "what": Input(("Server",), required=True),
                "amount": Input(("Amount",), "money", required=True),
            },
            columns={
                "BilledCost": "amount", "EffectiveCost": "amount", "BillingCurrency": "'EUR'",
                "BillingAccountId": "'c-1'", "BillingPeriodStart": "date_trunc('month', day)",
                "BillingPeriodEnd": "date_trunc('month', day) + INTERVAL 1 MONTH", "ChargePeriodStart": "day",
                "ChargePeriodEnd": "day + INTERVAL 1 DAY", "ChargeCategory": "'Usage'", "ServiceName": "'Server'",
                "ResourceId": "what", "x_SourceCost": "amount",
            },
            control={"amount": "x_SourceCost"},
            keeps="all",
        ),
    ),
)  # fmt: skip


@pytest.mark.django_db
@pytest.mark.usefixtures("home")
def test_a_provider_is_one_line_of_the_registry(tmp_path, monkeypatch, client, admin_user):
    monkeypatch.setitem(kinds.BILLS, HOSTER.kind, HOSTER)  # what a line of PROVIDERS does
    (tmp_path / "in").mkdir()
    call_command("source", "add", "rack", "--kind", "hoster", "--location", str(tmp_path / "in"))
    one = Source.objects.get()
    one.full_clean()
    put(tmp_path / "in", "a.csv", bill({"Day": "2026-10-01", "Server": "web-1", "Amount": "19.90", "Rack": "7"}))
    assert errors(ingest(one)) == []
    (charge,) = charges()
    assert (charge["BilledCost"], charge["ResourceId"], charge["x_Other"]) == (
        Decimal("19.9"), "web-1", '{"Rack":"7"}',
    )  # fmt: skip
    put(tmp_path / "in", "b.csv", bill({"Day": "2026-10-02", "Server": "web-1", "Amount": "19,90"}))
    (problem,) = errors(ingest(one))
    assert "b.csv, line 2, column Amount" in problem
    client.force_login(admin_user)
    for page in ("/sources/", "/quality/"):
        assert "Bill of a hoster" in client.get(page).content.decode()
    assert "hoster" in dict(kinds.choices())


def test_nothing_else_names_a_provider():
    mine = {kind for kind in kinds.BILLS if kind not in ("focus", "csv")}
    named = re.compile(rf"[\"']({'|'.join(mine)})[\"']")
    elsewhere = [path for path in APPS.rglob("*.py") if "providers" not in path.parts and path.name != "kinds.py"]
    assert len(elsewhere) > 100
    assert [str(path) for path in elsewhere if named.search(path.read_text())] == []


@pytest.mark.parametrize("kind", sorted(kinds.BILLS))
def test_no_look_compares_every_file_with_every_other(kind, monkeypatch):
    names = ("20261001-20261101/a/{}.csv.gz", "PriceFactorBillDetail_{}.csv", "Spending_{}.csv", "L2_202610_{}.csv")
    found = [Found(name.format(number), Path("/in"), 1, 1) for number in range(50) for name in names]
    compared = []
    monkeypatch.setattr(Found, "__eq__", lambda one, other: compared.append(other) or one is other)
    kinds.BILLS[kind].discover(found, lambda _: b"")
    assert len(compared) <= len(found)


def test_every_kind_has_its_title_in_both_languages():
    names = {"Prometheus"}
    assert [title for title in kinds.titles().values() if title not in names and title not in written()] == []
