"""What leads are told of plans that are about other teams too, or about these alone."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from apps.finops.findings import Sentence
from apps.marts.models import Publication
from apps.marts.query import EVERYTHING
from apps.planning import selectors
from apps.planning.drafts import Action, Check, Draft
from apps.planning.models import Fault, Plan
from apps.planning.packing import packed, unpacked
from apps.planning.registry import PLANNERS
from apps.teams.models import Membership, Team

pytestmark = pytest.mark.usefixtures("home")


def act(team: str, saving: str) -> Action:
    return Action(team, team, Sentence("Give back"), (), "CNY", Decimal(saving), date(2026, 10, 30))


@pytest.fixture(autouse=True)
def planned(db: None) -> None:
    """A plan that saves 20 of 200, 15 of it by web and 5 by data."""
    draft = Draft(
        currency="CNY", cost_per_month=Decimal(200), saving_per_month=Decimal(20), says=(),
        checks=(Check(Sentence("the cost re-adds"), True),), actions=(act("web", "15"), act("data", "5")),
    )  # fmt: skip
    Plan.objects.create(
        planner="rightsizing", subject="", publication=1, version="1", inputs="x", data=b"", draft=packed(draft),
        made_at=datetime(2026, 11, 1, tzinfo=UTC),
    )  # fmt: skip


def reader(team: str) -> Client:
    """The lead of a team; without one somebody who sees all."""
    user = User.objects.create_user(f"lead of {team}", is_superuser=not team)
    if team:
        Membership.objects.create(user=user, team=Team.objects.create(name=team))
    found = Client()
    found.force_login(user)
    return found


def test_of_a_part_of_a_plan_no_share_is_told() -> None:
    whole, lead = reader(""), reader("web")
    assert "10.0 % of 200.00 at effective prices" in whole.get("/plans/rightsizing/").content.decode()
    assert whole.get("/api/v1/plans/rightsizing/").json()["cost_per_month"] == "200.000000000000"
    page = lead.get("/plans/rightsizing/").content.decode()
    assert "by what your teams would do" in page
    assert "at effective prices" not in page
    told = lead.get("/api/v1/plans/rightsizing/").json()
    assert (told["cost_per_month"], told["saving_per_month"]) == (None, "15.000000000000")


def test_where_all_planners_stand_is_asked_at_once(django_assert_num_queries) -> None:
    with django_assert_num_queries(4):  # which publication each planned last, its plans, what failed, and its day
        standing = {one.planner.name: one for one in selectors.standing(EVERYTHING)}
    assert list(standing) == [planner.name for planner in PLANNERS]
    assert [one.plan.publication for one in standing["rightsizing"].plans] == [1]
    assert not standing["gpu"].is_planned


def test_of_each_planner_what_it_planned_last_counts() -> None:
    """A planner that failed at the newest publication stands by its earlier one."""
    row = Plan.objects.get()
    for planner, publication in (("gpu", 1), ("gpu", 2), ("pools", 2)):
        Plan.objects.create(
            planner=planner,
            publication=publication,
            version="1",
            inputs="x",
            data=b"",
            draft=row.draft,
            made_at=row.made_at,
        )
    Fault.objects.create(planner="rightsizing", publication=2, at=row.made_at)
    found = {
        one.planner.name: [shown.plan.publication for shown in one.plans] for one in selectors.standing(EVERYTHING)
    }
    assert (found["rightsizing"], found["gpu"], found["pools"], found["purchase"]) == ([1], [2], [2], [])
    assert [one.planner.name for one in selectors.standing(EVERYTHING) if one.fault] == ["rightsizing"]
    assert [row.publication for row in selectors.newest("gpu")] == [2]


@pytest.mark.parametrize(
    ("address", "said", "unsaid"),
    [
        ("/plans/", "nothing of your teams", "passes its checks"),
        ("/plans/rightsizing/", "Nothing of your teams", "Nothing was planned yet"),
    ],
)
def test_plans_of_other_teams_alone_are_not_called_unmade(address: str, said: str, unsaid: str) -> None:
    lead = reader("ops")
    body = lead.get(address).content.decode()
    assert said in body
    assert unsaid not in body
    Plan.objects.all().delete()
    assert said not in lead.get(address).content.decode()


@pytest.mark.parametrize(
    ("last", "told"),
    [
        pytest.param(date(2026, 10, 25), "", id="a week before the day of the publication"),
        pytest.param(date(2026, 10, 24), "bills until 2026-10-24, which ended 8 days before", id="a day longer"),
        pytest.param(date(2026, 8, 1), "bills until 2026-08-01, which ended 92 days before", id="months ago"),
    ],
)
@pytest.mark.parametrize("team", ["", "web"])
def test_a_plan_of_bills_that_ended_long_ago_says_so_before_all_else(
    capsys: pytest.CaptureFixture[str], last: date, told: str, team: str
) -> None:
    pinned = Publication.objects.create(
        created_at=datetime(2026, 11, 2, 3, tzinfo=UTC), versions={}, ruleset=1, status="final"
    )
    draft = packed(replace(unpacked(Plan.objects.get().draft), billed_until=last))
    Plan.objects.update(draft=draft, publication=pinned.number)
    client = reader(team)

    page, overview = (client.get(where).content.decode() for where in ("/plans/rightsizing/", "/plans/"))
    listed = client.get("/api/v1/plans/").json()["rows"][0]
    whole = client.get("/api/v1/plans/rightsizing/").json()
    call_command("plans", "show", "rightsizing")
    call_command("plans", "list", "--format", "csv")
    shown = capsys.readouterr().out

    headline = page.partition("Checked a second time")[0]
    for text in (headline, overview, shown, shown.partition("outdated")[2]):
        assert ("which ended" in text) == bool(told)
        assert told in text
    assert [one["billed_until"] for one in (listed, whole)] == [f"{last}"] * 2
    assert [bool(one["outdated"]) for one in (listed, whole)] == [bool(told)] * 2
    assert all(told in one["outdated"] for one in (listed, whole))
