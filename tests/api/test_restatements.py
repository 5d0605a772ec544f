"""What new issues of bills changed, as JSON and CSV, narrowed and exact."""

import csv
import io

import pytest
from django.test import Client

from apps.ingest.models import Restatement, Source
from tests.api.company import NOW

ADDRESS = "/api/v1/restatements/"


def change(day: str, service: str, before: str, after: str) -> dict[str, object]:
    return {
        "day": day, "service": service, "currency": "CNY", "rows_before": 1, "rows_after": 2, "billed_before": before,
        "billed_after": after, "effective_before": before, "effective_after": after,
    }  # fmt: skip


@pytest.fixture
def finance(callers: dict[str, Client]) -> Client:
    source = Source.objects.get(name="bill")
    changed = [change("2026-10-03", "RDS", "10.000000000001", "12.5"), change("2026-10-04", "=ECS", "3", "0")]
    facts = {"source": source, "at": NOW, "rows_before": 2, "rows_after": 4}
    Restatement.objects.create(billing_month="2026-10", version=2, changes=changed, **facts)
    Restatement.objects.create(
        billing_month="2026-09", version=3, changes=[change("2026-09-30", "RDS", "1", "2")], **facts
    )
    return callers["finance"]


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        pytest.param({}, [("2026-09-30", "1"), ("2026-10-03", "2.499999999999"), ("2026-10-04", "-3")], id="all of it"),
        pytest.param(
            {"billing_month": "2026-10", "service": "RDS"}, [("2026-10-03", "2.499999999999")], id="a service"
        ),
        pytest.param({"start": "2026-10-01", "end": "2026-10-04"}, [("2026-10-03", "2.499999999999")], id="days"),
        pytest.param({"source": "nothing"}, [], id="another source"),
    ],
)
def test_the_ledger_is_narrowed_and_exact(finance: Client, asked: dict[str, str], rows: list[tuple[str, str]]) -> None:
    told = finance.get(ADDRESS, asked).json()
    assert [(row["day"], row["effective_difference"]) for row in told["rows"]] == rows
    assert told["page"]["rows_total"] == len(rows)


def test_a_limit_cuts_and_says_so(finance: Client) -> None:
    told = finance.get(ADDRESS, {"limit": "1"}).json()
    assert (len(told["rows"]), told["page"]["rows_total"]) == (1, 3)


def test_csv_holds_all_rows_and_no_formula(finance: Client) -> None:
    rows = list(csv.DictReader(io.StringIO(finance.get(ADDRESS, {"format": "csv"}).content.decode())))
    assert [row["service"] for row in rows] == ["RDS", "RDS", "'=ECS"]


@pytest.mark.parametrize("asked", [{"start": "tomorrow"}, {"billing_month": "2026-13"}, {"page": "2"}])
def test_what_cannot_be_asked_is_refused(finance: Client, asked: dict[str, str]) -> None:
    assert finance.get(ADDRESS, asked).status_code == 400
