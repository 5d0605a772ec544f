"""The quality of bills: what was found, what is held back and who decides, and what a new issue changed."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.dashboards import company

HELD = {"severity": "warning", "code": "held", "subject": "b.csv", "message": "2026-10: 5 charges instead of 10."}
ODD = {"severity": "warning", "code": "currency_unknown", "subject": "<b>b.csv</b>, row 3", "message": "3 charges."}


@pytest.fixture
def bill(people):
    from apps.ingest.models import LandedFile, Restatement, Source

    source = Source.objects.create(name="aliyun", kind="focus", location="/x", created_at=company.MOMENT)
    facts = {"source": source, "revision": 1, "size": 1, "modified_ns": 1, "delivery": 1, "landed_at": company.MOMENT}
    LandedFile.objects.create(path="a.csv", sha256="1", state="current", problems=[ODD], **facts)
    LandedFile.objects.create(path="b.csv", sha256="2", state="held", problems=[HELD], **facts)
    change = {
        "day": "2026-10-03", "service": "<i>RDS</i>", "currency": "CNY", "rows_before": 1, "rows_after": 1,
        "billed_before": "10", "billed_after": "12.5", "effective_before": "10.000000000001", "effective_after": "12.5",
    }  # fmt: skip
    Restatement.objects.create(
        source=source,
        billing_month="2026-10",
        version=2,
        at=company.MOMENT,
        rows_before=1,
        rows_after=1,
        changes=[change],
    )
    return source


def test_what_was_found_is_told_with_its_meaning_and_the_way_out(bill, client_of):
    body = client_of("finance").get("/quality/").content.decode()
    assert "The currency is none of ISO 4217." in body
    assert "RMB for CNY" in body
    assert "&lt;b&gt;b.csv&lt;/b&gt;, row 3" in body
    assert "<b>b.csv" not in body
    assert "<i>RDS" not in body


def test_a_restatement_shows_every_decimal_of_the_difference(bill, client_of):
    body = client_of("finance").get("/quality/").content.decode()
    assert 'title="2.499999999999"' in body
    assert "+2.50 CNY" in body


def test_in_chinese(bill, client_of):
    body = client_of("finance").get("/quality/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "币种不在 ISO 4217 之列。" in body
    assert "账单质量" in body


def shown(body: str) -> list[str]:
    return re.findall(r'name="shown" value="(\d+)"', body)


@pytest.mark.parametrize(("decision", "state"), [("accept", "landed"), ("reject", "refused")])
def test_staff_decides_about_what_was_held_back(bill, client_of, decision, state):
    body = client_of("staff").get("/quality/").content.decode()
    assert "Accept: it counts" in body
    given = {"decision": decision, "shown": shown(body)}
    assert client_of("staff").post("/quality/aliyun/", given).status_code == 302
    assert bill.files.get(path="b.csv").state == state
    assert bill.files.get(path="a.csv").state == "current"


def test_what_is_asked_is_answered_of_the_files_that_were_shown(bill, client_of):
    asked = bill.files.get(path="b.csv")
    bill.files.filter(pk=asked.pk).update(answers={"adds:1": ""})
    body = client_of("staff").get("/quality/").content.decode()
    assert "Accept: it replaces what is named" in body
    assert "Accept: it counts" not in body
    asked.pk, asked.path, asked.revision = None, "later.csv", 1
    asked.save(force_insert=True)
    client_of("staff").post("/quality/aliyun/", {"decision": "replace", "shown": shown(body)})
    answered = bill.files.get(path="b.csv")
    assert (answered.state, answered.answers) == ("landed", {"adds:1": "replaces"})
    assert bill.files.get(path="later.csv").state == "held"


@pytest.mark.parametrize(
    ("who", "path", "decision", "status"),
    [
        pytest.param("finance", "/quality/aliyun/", "accept", 403, id="finance looks, staff decides"),
        pytest.param("lilei", "/quality/aliyun/", "accept", 403, id="a lead"),
        pytest.param("staff", "/quality/nothing/", "accept", 404, id="no such source"),
        pytest.param("staff", "/quality/aliyun/", "perhaps", 404, id="no such decision"),
    ],
)
def test_nobody_else_decides(bill, client_of, who, path, decision, status):
    assert client_of(who).post(path, {"decision": decision}).status_code == status
    assert bill.files.get(path="b.csv").state == "held"


@pytest.mark.parametrize(
    ("asked", "is_there"),
    [
        pytest.param("", True, id="everything"),
        pytest.param("?source=aliyun&billing_month=2026-10&service=%3Ci%3ERDS%3C/i%3E", True, id="what it is"),
        pytest.param("?billing_month=2026-09", False, id="another month"),
        pytest.param("?source=%01", False, id="no such source"),
    ],
)
def test_the_ledger_is_narrowed(bill, client_of, asked, is_there):
    response = client_of("finance").get(f"/restatements/{asked}")
    assert response.status_code == 200
    body = response.content.decode()
    assert ('title="2.499999999999"' in body) is is_there
    assert ("Nothing was restated" in body) is not is_there
    assert "<i>RDS" not in body


@pytest.mark.parametrize(
    ("language", "usual", "late", "share"),
    [
        pytest.param(
            "en", "Usually 97 % complete after 12 hours.", "Nothing of 21 Oct 2026 has come, 252 hours after its end; "
            "it is usually there after 8 hours.", "100.00 % complete by now", id="in English",
        ),
        pytest.param(
            "zh-hans", "通常在 12 小时后到达 97 %。",
            "2026年10月21日 的数据尚未到达，已过 252 小时；通常 8 小时后到达。", "100.00 %", id="in Chinese",
        ),
    ],
)  # fmt: skip
def test_how_bills_arrive_is_told_once_it_is_learned(bill, client_of, monkeypatch, language, usual, late, share):
    """Thirty days each came whole eight hours after their end; the 21st of October has not come."""
    from apps.ingest.models import Arrival

    bill.created_at = company.MOMENT - timedelta(days=60)
    bill.save()
    for number in range(30):
        day = date(2026, 9, 21) + timedelta(days=number)
        seen = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=24 + 8)
        Arrival.objects.create(source=bill, day=day, currency="CNY", seen_at=seen, effective_cost="5")
    monkeypatch.setattr("apps.dashboards.source_views.timezone.now", lambda: datetime(2026, 11, 1, 12, tzinfo=UTC))
    body = client_of("finance").get("/quality/", headers={"accept-language": language}).content.decode()
    assert usual in body
    assert late in body
    assert share in body
