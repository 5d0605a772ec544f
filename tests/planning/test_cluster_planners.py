"""Elastic pools, right-sizing and co-location of a small shop, against what can be added up on paper."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from apps.finops.stakes import Stake, in_cluster
from apps.marts.models import Publication
from apps.planning import outcomes, services
from apps.planning.arrays import unpack
from apps.planning.drafts import Draft, checked
from apps.planning.exporting import exported
from apps.planning.metering import Metering
from apps.planning.models import Outcome
from apps.planning.planners import colocation, pools, purchase_reading, rightsizing, upgrades
from apps.planning.selectors import NoPlan
from apps.teams.approval import Actor, NotYours
from tests.once import made_once, put_in_home
from tests.planning import worlds

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def lake_of_world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    with made_once(django_db_blocker, tmp_path_factory.mktemp("shop") / "lake", worlds.publish) as lake:
        yield lake


@pytest.fixture
def shop(lake_of_world: Path, home: Path) -> Publication:
    put_in_home(lake_of_world)
    return Publication.objects.get()


def sized(shop: Publication, **settings: float) -> Draft:
    case = {case.subject: case for case in rightsizing.PLANNER.read(shop, worlds.NOW)}["online"]
    return checked(rightsizing.PLANNER.make(case.data, rightsizing.PLANNER.defaults | settings))


def test_a_node_leaves_for_good_and_the_rush_node_every_day(shop: Publication) -> None:
    """Nine pods and agents claim 18.6 of 7.6 cores a node: three nodes. At 0.8 and a little each they claim less than
    15.2: two. In the rush four of four nodes become two: the one that comes does not come, and the third has left."""
    draft = sized(shop)
    assert draft.is_verified
    assert [str(line) for line in draft.says[1:]] == [
        "With them standing nodes leave for good: 1 of 3.",
        "With them nodes that come and go are there for 60.8 hours a month less.",
    ]
    assert abs(draft.cost_per_month - Decimal(76 * 365) / 12) < Decimal("0.000001")
    standing, elastic = Decimal(24 * 365) / 12, Decimal(4 * 365) / 12
    assert abs(draft.saving_per_month - standing - elastic) < Decimal("0.000001")
    assert [(action.team, action.saving_per_month) for action in draft.actions] == [("shop", draft.saving_per_month)]


def test_a_saving_is_told_by_where_it_is_spent_now(shop: Publication) -> None:
    """What is lowered is of workloads; nodes that stand no more are of the cluster."""
    (lower,), (keep,) = sized(shop).actions, pooled(shop).actions

    assert {stake.place for stake in lower.stakes} == {
        in_cluster("online", "shop", "shop", "web"), in_cluster("online", "shop", "shop", "rush"),
    }  # fmt: skip
    assert keep.stakes == (Stake(in_cluster("online"), keep.saving_per_month),)


FEW_DAYS = pytest.mark.parametrize(
    ("days", "job", "silent"),
    [
        *((days, False, 0) for days in (14, 20, 27, 28)),
        pytest.param(14, True, 0, id="another cluster metered for longer"),
        pytest.param(28, True, 5, id="silent for five days, another cluster is not"),
    ],
)


@FEW_DAYS
def test_money_is_of_the_days_that_are_metered(home: Path, days: int, job: bool, silent: int) -> None:
    """Bills are four weeks old, the shop is metered for less: a node that is always there stands, and a core-hour of
    the rush costs what it always costs. A month is the same as in the whole world."""
    pinned = worlds.publish(days=days, job=job, silent=silent)
    draft, fewer = sized(pinned), pooled(pinned)
    a_day = Decimal(365) / 12
    assert draft.is_verified
    assert fewer.is_verified
    assert abs(draft.cost_per_month - 76 * a_day) < Decimal("0.000001")
    assert abs(draft.saving_per_month - 28 * a_day) < Decimal("0.000001")
    assert abs(fewer.cost_per_month - 72 * a_day) < Decimal("0.000001")
    assert abs(fewer.saving_per_month - Decimal("2.7") * a_day) < Decimal("0.01")
    stack, _arrays = unpack({case.subject: case for case in upgrades.PLANNER.read(pinned, worlds.NOW)}["online"].data)
    assert (stack["nodes"], Decimal(stack["core_hour"])) == (3, Decimal("0.125"))
    metering = Metering.of(pinned, worlds.NOW)
    assert metering is not None
    claims = purchase_reading._claims(metering)
    assert {one for one, (_jobs, fill) in claims.items() if fill is not None} == {"i-e1", *(["i-b1"] if job else [])}


def test_a_day_of_25_hours_is_priced_like_others(home: Path, settings: Any) -> None:
    """Fourteen whole days of Berlin are priced, the last of them an hour longer."""
    settings.COSTOPS_TIME_ZONE = "Europe/Berlin"
    draft = sized(worlds.publish(days=15))
    assert abs(draft.saving_per_month - Decimal(28 * 365) / 12) < Decimal("0.000001")


def test_every_workload_is_told_of_with_its_risk_and_its_history(shop: Publication) -> None:
    rows = {row[1]: row for row in sized(shop).tables["workloads"]}
    assert rows.keys() == {"web", "rush", "agent"}
    namespace, _name, team, verdict, cpu_now, cpu, gib_now, gib, saving, *_rest, history, kind = rows["web"]
    assert (namespace, team, verdict, cpu_now, gib_now, kind) == ("shop", "shop", "lowered", 2, 4, "Deployment")
    assert 0.8 <= cpu <= 1.2
    assert 1.1 <= gib <= 1.6
    assert Decimal(saving) > Decimal(rows["rush"][8]) > 0
    assert history == 29


@pytest.mark.parametrize(("left", "is_sized"), [(6, True), (8, False)])
def test_a_workload_that_is_gone_is_not_right_sized(home: Path, left: int, is_sized: bool) -> None:
    """As much ran beside the shop as itself; what is gone frees nothing when its requests are lowered."""
    draft = sized(worlds.publish(left=left))

    told = {row[1] for row in draft.tables["workloads"]}
    assert ("old" in told) == is_sized
    assert ("name: old" in exported(rightsizing.PLANNER, draft, "patches.yaml").text) == is_sized


def test_patches_are_what_the_table_says(shop: Publication) -> None:
    draft = sized(shop)
    text = exported(rightsizing.PLANNER, draft, "patches.yaml").text
    told = {one["metadata"]["name"]: one for one in yaml.safe_load_all(text) if one}
    requests = told["web"]["spec"]["template"]["spec"]["resources"]["requests"]
    cpu = next(row[5] for row in draft.tables["workloads"] if row[1] == "web")
    assert (told["web"]["kind"], requests["cpu"]) == ("Deployment", f"{round(cpu * 1000)}m")
    assert requests["memory"].endswith("Mi")


def test_a_margin_costs_and_figures_are_drawn(shop: Publication) -> None:
    assert sized(shop, margin=100).saving_per_month < sized(shop).saving_per_month
    draft = sized(shop)
    for shape in rightsizing.PLANNER.figures:
        assert rightsizing.PLANNER.draw(draft, shape.name)["data"]


def test_ten_days_are_too_few(home: Path) -> None:
    pinned = worlds.publish(days=10)
    (sizes,), (pool,), (upgrade,) = (
        planner.PLANNER.read(pinned, worlds.NOW) for planner in (rightsizing, pools, upgrades)
    )
    assert str(sizes.withheld) == "online: 10 days of use are metered; right-sizing needs 14."
    assert str(pool.withheld) == "online: 1 whole weeks are metered without gaps; a plan needs 2."
    assert str(upgrade.withheld) == "online: 10 days are both metered and billed; upgrades need 14."


def test_without_peaks_the_plan_says_so(home: Path) -> None:
    draft = sized(worlds.publish(peaks=False))
    assert "only means of hours are metered" in " ".join(str(line) for line in draft.unknowns)


def pooled(shop: Publication, **settings: float) -> Draft:
    (case,) = pools.PLANNER.read(shop, worlds.NOW)  # jobs of the other cluster end by themselves
    assert case.withheld is None, str(case.withheld)
    return checked(pools.PLANNER.make(case.data, pools.PLANNER.defaults | settings))


def test_fewer_nodes_stand_where_bursts_are_cheap(shop: Publication) -> None:
    """A node gives 8 × 0.95 − 0.2 = 7.4 cores for 24 a day; a core-hour of the rush costs 4 ÷ 16 = 0.25. Three nodes
    and the rest of the rush (26 − 22.2 cores, two hours) cost 73.9 a day. Two, with 3.2 cores of burst for 22 hours and
    11.2 for two, cost 71.2: 2.7 a day less, 2.7 × 365 ÷ 12 a month."""
    draft = pooled(shop)
    assert draft.is_verified
    assert str(draft.says[0]) == "Keep 2 nodes standing in online instead of 3; nodes that come and go take the rest."
    assert abs(draft.saving_per_month - Decimal("2.7") * 365 / 12) < Decimal("0.01")
    assert draft.tables["replay"][0][:2] == ["this plan", 2]
    assert all(row[5] == 0 for row in draft.tables["week"])
    for shape in pools.PLANNER.figures:
        assert pools.PLANNER.draw(draft, shape.name)["data"]


def test_dearer_bursts_keep_the_nodes(shop: Publication) -> None:
    draft = pooled(shop, burst_price=200)
    assert draft.saving_per_month == 0
    assert str(draft.says[0]).startswith("Keep the 3 nodes that stand in online")
    assert draft.actions == ()


def shared(home: Path, days: int = len(worlds.DAYS), **settings: float) -> Draft:
    cases = list(colocation.PLANNER.read(worlds.publish(days=days, job=True), worlds.NOW))
    assert [(case.subject, case.withheld) for case in cases] == [("online", None)]
    return checked(colocation.PLANNER.make(cases[0].data, colocation.PLANNER.defaults | settings))


@pytest.mark.parametrize("days", [21, 27, 29])
def test_the_nightly_job_runs_on_nodes_that_stand_anyway(home: Path, days: int) -> None:
    """Online work uses 5.1 of 24 cores, 15.6 may be used: six cores of the job fit in at once, and its node of 6 a day
    does not come any more; so too where the online cluster came later, whose nodes stand."""
    draft = shared(home, days)
    assert draft.is_verified
    assert abs(draft.saving_per_month - Decimal(6 * 365) / 12) < Decimal("0.000001")
    assert draft.cost_per_month == draft.saving_per_month
    assert str(draft.says[2]) == (
        "Of the batch work of the last 14 days 100.0 % would have fitted in; the rest runs where it runs now, for 0.00 "
        "CNY a month."
    )
    assert [(action.team, str(action.title)) for action in draft.actions] == [
        ("data", "Run batch work of offline on spare cores of online")
    ]
    (move,) = draft.actions
    assert move.scope == {"cluster": "offline"}, "the cost that falls is that of the nodes batch work leaves"
    assert move.stakes == (Stake(in_cluster("offline"), draft.saving_per_month),)
    for shape in colocation.PLANNER.figures:
        assert colocation.PLANNER.draw(draft, shape.name)["data"]
    quotas = [row[2] for row in draft.tables["week"]]
    assert len(quotas) == 168
    assert max(quotas) <= 15.6 - 5.1
    told = [one for one in yaml.safe_load_all(exported(colocation.PLANNER, draft, "configmap.yaml").text) if one]
    assert json.loads(told[0]["data"]["colocation-config"])["cpuReclaimThresholdPercent"] == 65
    assert len(json.loads(told[1]["data"]["quotas.json"])) == 168


def test_what_users_bear_says_how_full_nodes_may_be(home: Path) -> None:
    """On nodes filled to a half requests take twice as long as on empty ones."""
    draft = shared(home, slowdown=2)
    assert draft.is_verified
    assert str(draft.says[-1]) == (
        "Requests may take 2 times as long as on empty nodes: that lets them be filled to 50.0 %."
    )
    assert max(row[2] for row in draft.tables["week"]) <= 12 - 5.1


def test_part_of_a_job_frees_no_node(home: Path) -> None:
    """30 % of 24 cores leave at most 2.1 beside 5.1: what remains of the job's six still needs its node."""
    draft = shared(home, theta=30, wait=0)
    assert draft.is_verified
    assert (draft.saving_per_month, draft.actions) == (0, ())


def test_without_batch_work_or_days_there_is_no_plan(home: Path) -> None:
    (case,) = colocation.PLANNER.read(worlds.publish(), worlds.NOW)
    assert str(case.withheld).startswith("online: no batch work was seen")
    (thin,) = colocation.PLANNER.read(worlds.publish(days=20, job=True), worlds.NOW)
    assert str(thin.withheld) == "online: 20 whole days of use are metered; co-location needs 21."


def upgraded(shop: Publication, **settings: float) -> Draft:
    (case,) = upgrades.PLANNER.read(shop, worlds.NOW)
    return checked(upgrades.PLANNER.make(case.data, upgrades.PLANNER.defaults | settings))


def test_a_faster_stack_lets_nodes_leave(shop: Publication) -> None:
    """4.5 cores of work on cores filled to 95 %: five. With three times the work per core two, and no node of eight
    leaves by three cores; nothing is stored on these nodes."""
    draft = upgraded(shop, gain=300)
    assert draft.is_verified
    assert [row[1:4] for row in draft.tables["stacks"]] == [[5, 0, 5], [2, 0, 2]]
    assert (draft.saving_per_month, draft.actions) == (0, ())
    assert upgrades.PLANNER.draw(draft, "bridge")["data"]


def test_what_is_measured_beside_a_plan_is_told_against_the_first(shop: Publication) -> None:
    services.plan(now=worlds.NOW, planners=[upgrades.PLANNER])
    finance, lead = Actor("fin", None), Actor("lead", frozenset({"shop"}))
    told = {"name": "data_update_lead_time", "value": "24", "day": "2026-10-01"}
    outcomes.measure("upgrades", "online", told, by=finance, now=worlds.NOW)
    made = outcomes.measure("upgrades", "online", told | {"value": "6.00000049", "day": ""}, by=finance, now=worlds.NOW)
    assert f"{made.value}" == f"{Outcome.objects.get(pk=made.pk).value}" == "6.000000", "the answer tells what is kept"
    (one,) = outcomes.measured("upgrades", "online")
    assert (one.first.value, one.last.value, one.change, one.count) == (24, 6, -75, 2)
    for wrong in ({"value": "much"}, {"value": "-1"}, {"value": "NaN"}, {"day": "soon"}, {"day": "2027-01-01"},
                  {"name": "mood"}):  # fmt: skip
        with pytest.raises(outcomes.BadOutcome):
            outcomes.measure("upgrades", "online", told | wrong, by=finance, now=worlds.NOW)
    with pytest.raises(NotYours):
        outcomes.measure("upgrades", "online", told, by=lead, now=worlds.NOW)
    with pytest.raises(NoPlan):
        outcomes.measure("upgrades", "moon", told, by=finance, now=worlds.NOW)
    assert Outcome.objects.count() == 2
