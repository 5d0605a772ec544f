"""What becomes of what plans recommended when a later publication asks for it no more, or nobody can know."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from apps.finops.findings import Sentence
from apps.finops.stakes import Stake, in_cluster
from apps.operations import deciding
from apps.operations import services as operations
from apps.operations.deciding import Step
from apps.operations.kinds import KINDS
from apps.operations.models import Recommendation
from apps.planning import services as planning
from apps.planning.drafts import Action, Case, Check, Draft, Planner
from apps.planning.models import Plan
from apps.planning.planners import pools
from apps.planning.selectors import Shown, totals
from apps.teams.approval import Actor
from tests.worlds import publish_costs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
ASKED = Action(
    "online", "shop", Sentence("Give back a node"), (), "CNY", Decimal(20), date(2026, 10, 30),
)  # fmt: skip
DRAFT = Draft(
    currency="CNY", cost_per_month=Decimal(200), saving_per_month=Decimal(20), says=(), actions=(ASKED,),
    checks=(Check(Sentence("the cost re-adds"), True),),
)  # fmt: skip
ONLINE, OTHER = Case("online", b"1"), Case("other", b"2")


def fill(read: tuple[Case, ...], draft: Draft) -> None:
    """A publication, planned by a planner that reads these cases and makes this of each, and what it recommends."""
    publish_costs([{"day": date(2026, 10, 1), "effective_cost": "200", "team": "shop"}])
    made: dict[str, Any] = {
        "read": lambda *_: read,
        "make": lambda *_: draft,
        "version": sha256(repr(draft).encode()).hexdigest()[:20],
    }
    planner: Planner = replace(pools.PLANNER, **made)
    planning.plan(now=NOW, planners=[planner])
    operations.recommend(now=NOW, kinds=[kind for kind in KINDS if kind.name == planner.name])


@pytest.mark.parametrize(
    ("read", "draft", "accepted", "in_progress"),
    [
        pytest.param((ONLINE,), DRAFT, "accepted", "in_progress", id="asked for still"),
        pytest.param((ONLINE,), replace(DRAFT, actions=()), "closed", "done", id="asked for no more"),
        pytest.param(
            (replace(ONLINE, withheld=Sentence("3 days are known")), OTHER),
            replace(DRAFT, actions=()), "closed", "in_progress", id="its plan is withheld, that of another is made",
        ),
        pytest.param((OTHER,), replace(DRAFT, actions=()), "closed", "in_progress", id="its cluster is not there"),
        pytest.param((), DRAFT, "closed", "in_progress", id="nothing can be planned"),
        pytest.param(
            (ONLINE,), replace(DRAFT, checks=(Check(Sentence("the cost re-adds"), False),)), "closed", "in_progress",
            id="its plan is not verified",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_begun", [False, True])
def test_what_is_in_progress_is_done_when_a_plan_that_was_made_asks_for_it_no_more(
    is_begun: bool, read: tuple[Case, ...], draft: Draft, accepted: str, in_progress: str
) -> None:
    fill((ONLINE,), DRAFT)
    for action in ("accept", "start") if is_begun else ("accept",):
        deciding.take([Recommendation.objects.get()], Step(action), by=Actor("han", None), now=NOW)
    fill(read, draft)
    assert Recommendation.objects.get(subject="online").state == (in_progress if is_begun else accepted)


def test_what_two_plans_would_save_of_the_same_is_added_once() -> None:
    """Of 30 that nodes would cost less 20 are those of a workload; 5 of a plan are nobody's to do."""
    workload, nodes = (
        replace(ASKED, saving_per_month=saving, stakes=(Stake(place, saving),))
        for saving, place in ((Decimal(20), in_cluster("a", "web", "shop", "api")), (Decimal(30), in_cluster("a")))
    )
    drafts = (
        replace(DRAFT, saving_per_month=saving, actions=(action,))
        for saving, action in ((Decimal(20), workload), (Decimal(35), nodes))
    )
    shown = [Shown(Plan(), pools.PLANNER, draft, None, date(2026, 11, 2)) for draft in drafts]

    assert totals(shown) == {"CNY": Decimal(35)}
