"""The pages of anomalies: the list, one with its figure, and the form that answers it."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.alerts.facts import Ask, Limits
from apps.alerts.rules.anomalies import facts
from apps.dashboards import anomalies
from apps.insights.anomalies import findings, services
from apps.insights.anomalies.cells import USAGE
from apps.insights.models import Anomaly, AnomalyFeedback
from apps.marts.selectors import publication
from apps.teams.models import Team
from tests.worlds import publish_costs


@pytest.fixture
def found(people):
    """`live-class` pays three times as much for compute from the 41st day on."""
    publish_costs(
        {
            "day": date(2026, 9, 1) + timedelta(days=number), "team": team, "service": service,
            "effective_cost": str(cost * (3 if number >= 40 and (team, service) == ("live-class", "Compute") else 1)),
        }
        for number in range(44)
        for team, service, cost in (("live-class", "Compute", 100), ("live-class", "Disk", 70), ("search", "Disk", 90))
    )  # fmt: skip
    services.find(now=datetime(2026, 12, 1, tzinfo=UTC))
    return Anomaly.objects.get()


def test_before_the_first_look_the_page_says_when_there_is_one(published, client_of):
    assert "Nothing was looked through yet" in client_of("staff").get("/anomalies/").content.decode()


def test_after_too_few_days_the_page_says_so(people, client_of):
    publish_costs({"day": date(2026, 10, day), "team": "search", "effective_cost": "100"} for day in range(1, 8))
    services.find(now=datetime(2026, 12, 1, tzinfo=UTC))
    told = client_of("staff").get("/anomalies/").content.decode()
    assert "Too few days to tell what is usual" in told
    assert "Nothing departs from its usual" not in told


def test_the_pages_show_answer_and_draw_an_anomaly(found, client_of):
    staff, lead, address = client_of("staff"), client_of("lilei"), f"/anomalies/{found.slug}/"
    for client in (staff, lead):
        listed = client.get("/anomalies/").content.decode()
        assert address in listed
        assert "step up" in listed
        assert re.search(r"\+(79|80)\d\.\d\d CNY", listed), "four days at 200 more"
    assert "a fixed rule looks after" in staff.get("/anomalies/").content.decode()
    assert address not in staff.get("/anomalies/?state=over").content.decode()
    assert staff.get("/anomalies/?state=nothing").status_code == 400

    told = lead.get(address).content.decode()
    assert re.search(r"1,200\.00 CNY from 11 Oct 2026 to 14 Oct 2026 where (39|40|41)\d\.\d\d were expected", told)
    traces = lead.get(f"/figures/anomalies/{found.slug}/").json()["data"]
    assert [len(trace["x"]) for trace in traces] == [4, 4, 4, 44, 1]
    assert traces[3]["y"][-1] == 300
    assert traces[2]["y"][-1] == pytest.approx(100, rel=0.05)

    refused = lead.post(address, {"verdict": "planned", "reason": "", "until": ""})
    assert (refused.status_code, AnomalyFeedback.objects.count()) == (409, 0)
    assert "say why" in refused.content.decode()
    assert lead.post(address, {"verdict": "planned", "reason": "x", "until": "soon"}).status_code == 409
    answered = lead.post(address, {"verdict": "planned", "reason": "a load test", "until": "2026-12-31"})
    assert (answered.status_code, answered.headers["Location"]) == (302, address)
    assert "a load test" in staff.get(address).content.decode()
    assert address in staff.get("/anomalies/?state=reviewed").content.decode()
    assert address not in staff.get("/anomalies/?state=open").content.decode()


def test_the_pages_speak_chinese(found, client_of):
    chinese = {"headers": {"accept-language": "zh-hans"}}
    staff = client_of("staff")

    assert "偏离常态之处" in staff.get("/anomalies/", **chinese).content.decode()
    assert "阶跃上升" in staff.get(f"/anomalies/{found.slug}/", **chinese).content.decode()


def test_usage_is_told_in_units_of_the_readers_language(found, client_of):
    assert {unit for _table, _column, unit in USAGE.values()} == set(anomalies.UNITS)
    Anomaly.objects.update(measure="cpu", unit="core-hours")
    for address in ("/anomalies/", f"/anomalies/{found.slug}/"):
        told = client_of("staff").get(address, headers={"accept-language": "zh-hans"}).content.decode()
        assert "核时" in told
        assert "core-hours" not in told.replace("(core-hours)", "")


def test_alerts_and_recommendations_call_a_team_by_its_title(found, people):
    Team.objects.filter(name="live-class").update(title="Live classes")
    (finding,) = findings.findings(publication(), datetime(2026, 12, 1, tzinfo=UTC))
    assert finding.title.values["place"] == "Live classes · Compute"
    ask = Ask(datetime(2026, 12, 1, tzinfo=UTC), Limits({"warning": Decimal(1)}))
    (fact,) = facts(ask)
    assert fact.title.values["place"] == "Live classes · Compute"


def test_of_another_team_there_is_none(found, client_of):
    Anomaly.objects.update(owner="search")

    assert client_of("lilei").get(f"/anomalies/{found.slug}/").status_code == 404
    assert found.slug not in client_of("lilei").get("/anomalies/").content.decode()
