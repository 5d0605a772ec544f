"""What leads are told of plans that are about other teams too, or about these alone."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.finops.findings import Sentence
from apps.planning.drafts import Action, Check, Draft
from apps.planning.models import Plan
from apps.planning.packing import packed
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
