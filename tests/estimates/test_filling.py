"""From usage to an estimate, from a bill to its accuracy: through the pipeline, the terminal and the API."""

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from apps.ingest.models import Source
from apps.pipeline.services import fill
from apps.reports.outlook import Waiting
from apps.reports.selectors import weekly_report
from apps.reports.weeks import Week
from apps.teams.models import Membership, Team
from tests.pipeline.conftest import a_school  # noqa: F401  # the fixture
from tests.pipeline.world import NOW, OCTOBER, School
from tests.worlds import FOUND

pytestmark = pytest.mark.django_db
LATER = OCTOBER + timedelta(days=3)


def steps(**given: Any) -> list[str]:
    cache.clear()
    return [run.key for run in fill(now=NOW, **given).runs if run.step not in ("land", "normalize", "meter")]


def said(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def mailed() -> Waiting | None:
    """What the weekly mail to the lead of `live` says of days without a bill."""
    return weekly_report(Team.objects.get(name="live"), Week.parse("2026-W40"), now=NOW).outlook.waiting


def test_a_fill_estimates_publishes_and_compares(a_school: School) -> None:  # noqa: F811
    a_school.write_usage(LATER, 2)
    days = "2026-10-04..2026-10-06"
    assert steps() == [
        "allocate 2026-10-01..2026-10-06",
        f"estimate {days}",
        "publish 2026-10-01..2026-10-06",
        *FOUND,
    ]
    assert steps() == []
    assert steps(steps=["estimate"]) == [f"estimate {days}"]  # asked for again, it changes nothing that is published
    assert len(a_school.publications()) == 1
    before = a_school.costs()
    # the two nodes of Oct 2, the last whole day, cost 1.20 each for as many hours; storage 0.10, divided 60 : 40
    told = said("estimates", "show", "--start", "2026-10-04", "--end", "2026-10-06", "--group-by", "day,service")
    assert "Estimated 5.00 CNY, in no other answer" in told
    assert "own price" in told
    assert "mean of the last days" in told  # no Sunday was ever billed
    staff, lead = Client(), Client()
    staff.force_login(User.objects.create_superuser("staff"))
    lilei = User.objects.create_user("lilei")
    Membership.objects.create(user=lilei, team=Team.objects.get(name="live"))
    lead.force_login(lilei)
    body = staff.get("/api/v1/estimates/", {"group_by": "service,day"}).json()
    assert (body["status"], body["query"]["end"]) == ("estimated", "2026-10-06")
    assert [(row["service"], row["day"], row["effective_cost"]) for row in body["rows"]] == [
        ("Compute", "2026-10-04", "2.400000000000"), ("Compute", "2026-10-05", "2.400000000000"),
        ("Storage", "2026-10-04", "0.100000000000"), ("Storage", "2026-10-05", "0.100000000000"),
    ]  # fmt: skip
    assert body["prices"] == [
        {"priced_by": "mean of the last days", "currency": "CNY", "first": "2026-10-02", "last": "2026-10-02",
         "cost": "0.200000000000"},
        {"priced_by": "own price", "currency": "CNY", "first": "2026-10-02", "last": "2026-10-02",
         "cost": "4.800000000000"},
    ]  # fmt: skip
    # live: 27/48 of 1.20 and 60 % of 0.10 a day
    assert (lead.get("/api/v1/estimates/").json()["totals"], mailed()) == (
        {"CNY": "1.470000000000"}, Waiting(LATER, LATER + timedelta(days=1), (("CNY", Decimal("1.47")),)),
    )  # fmt: skip
    assert staff.get("/api/v1/costs/").json()["totals"] == {"CNY": "7.500000000000"}
    assert staff.get("/api/v1/estimates/accuracy/").json()["rows"] == []
    assert "No estimated day has been billed yet." in said("estimates", "accuracy")

    a_school.write_bill("2026-10b.csv", LATER, 2, node_price="1.50")
    assert steps() == [f"allocate {days}", f"estimate {days}", f"publish {days}", *FOUND]
    assert steps() == []
    assert {key: cost for key, cost in a_school.costs().items() if key[0] < "2026-10-04"} == before
    assert staff.get("/api/v1/estimates/").json()["rows"] == []
    rows = list(csv.DictReader(io.StringIO(said("estimates", "accuracy", "--by", "day", "--format", "csv"))))
    # 2.50 was estimated, 3.10 billed: every cell too low, 0.60 of 3.10
    assert [
        (row["day"], row["estimated"], row["actual"], row["error_percent"], row["bias_percent"]) for row in rows
    ] == [(day, "2.500000000000", "3.100000000000", "19.4", "-19.4") for day in ("2026-10-04", "2026-10-05")]
    found = staff.get("/api/v1/estimates/accuracy/", {"group_by": "team"}).json()
    assert [row["team"] for row in found["rows"]] == ["data", "live", "unallocated"]
    assert sum(Decimal(row["actual"]) for row in found["rows"]) == Decimal(found["totals"][0]["actual"])
    mine = lead.get("/api/v1/estimates/accuracy/").json()
    assert {row["team"] for row in mine["rows"]} == {"live"}
    assert json.loads(said("estimates", "accuracy", "--team", "live", "--format", "json"))[0]["team"] == "live"
    assert lead.get("/api/v1/estimates/accuracy/", {"team": "data"}).json()["rows"] == []
    with pytest.raises(CommandError, match="day, team or both"):
        call_command("estimates", "accuracy", "--by", "service")


def test_pages_stay_on_their_publication_whatever_waits_meanwhile(a_school: School) -> None:  # noqa: F811
    a_school.write_usage(LATER, 1)
    steps()
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff"))
    asked = {"group_by": "service"}
    whole = staff.get("/api/v1/estimates/", asked).json()
    page = staff.get("/api/v1/estimates/", asked | {"limit": 1}).json()
    a_school.write_usage(LATER + timedelta(days=1), 1)
    steps()
    later = staff.get("/api/v1/estimates/", asked).json()
    assert later["query"]["end"] > whole["query"]["end"]
    rest = staff.get("/api/v1/estimates/", asked | {"limit": 1, "cursor": page["page"]["next_cursor"]}).json()
    assert [row["effective_cost"] for row in page["rows"] + rest["rows"]] == ["2.400000000000", "0.100000000000"]
    assert rest["query"] == whole["query"]


def test_a_source_that_is_retired_is_estimated_no_more(a_school: School) -> None:  # noqa: F811
    a_school.write_usage(LATER, 1)
    assert "estimate 2026-10-04..2026-10-05" in steps()
    Source.objects.filter(name="bill").update(is_active=False)
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff"))
    assert staff.get("/api/v1/estimates/").json()["rows"] == []
