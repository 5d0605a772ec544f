"""GPU sharing of three small pods on three nodes, and a fourth of which nothing is known."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.cache import cache

from apps.finops.tables import ALLOCATED, CHARGES, COST_MART, NODE_HOURS, PASSED_ON, WORKLOAD_HOURS, WORKLOAD_PEAKS
from apps.marts.models import Publication
from apps.planning.drafts import Draft, Sentence, checked
from apps.planning.exporting import exported
from apps.planning.planners.gpu import PLANNER
from apps.planning.reading.gpu import card_of
from tests.insights.idle_world import write

pytestmark = pytest.mark.django_db
FIRST, DAYS = date(2026, 10, 1), 10
NOW = datetime(2026, 10, 12, 3, tzinfo=UTC)
PEAKS = {"a": "0.3", "b": "0.3", "c": "0.7", "d": None}


def publish(
    *, known: bool = True, instance: str = "ecs.gn7i-c8g1.2xlarge", hours_known: int = 240, gone_hours: int = 0,
    billed_before: int = 0,
) -> Publication:  # fmt: skip
    hours = [
        {"source": "h", "day": day, "file_id": str(day), "cluster": "gpu",
         "hour": datetime(day.year, day.month, day.day, hour, tzinfo=UTC)}
        for day in (FIRST + timedelta(days=number) for number in range(DAYS)) for hour in range(24)
    ]  # fmt: skip
    nodes, usage, peaks = [], [], []
    for at in hours:
        for name, peak in PEAKS.items():
            if name == "b" and len(nodes) // len(PEAKS) >= len(hours) - gone_hours:
                continue
            placed = at | {"namespace": "ml", "workload": name, "pod": f"{name}-0", "node": f"n-{name}"}
            nodes.append(at | {
                "node": f"n-{name}", "node_pool": "a10", "provider_id": f"cn-beijing.i-{name}",
                "instance_type": instance, "cpu_capacity_core_hours": Decimal(8),
                "memory_capacity_gib_hours": Decimal(30), "gpu_capacity_hours": Decimal(1),
            })  # fmt: skip
            usage.append(placed | {
                "workload_kind": "Deployment", "cpu_used_core_hours": Decimal(1), "cpu_request_core_hours": Decimal(4),
                "memory_used_gib_hours": Decimal(4), "memory_request_gib_hours": Decimal(16),
                "gpu_request_hours": Decimal(1), "gpu_used_hours": Decimal("0.1"),
            })  # fmt: skip
            is_seen = name != "a" or len(peaks) // 3 >= 240 - hours_known
            if known and peak is not None and is_seen:
                peaks.append(placed | {"gpu_peak_share": Decimal(peak), "gpu_memory_peak_gib": Decimal(5)})
    costs = [
        {"day": FIRST + timedelta(days=number), "pool": "node", "resource": f"i-{name}", "cluster": "gpu",
         "namespace": "ml", "workload": name, "kind": "direct", "team": "ml", "currency": "CNY", "source": "bill",
         "charge_category": "Usage", "effective_cost": Decimal(120)}
        for number in range(-billed_before, DAYS) for name in PEAKS
    ]  # fmt: skip
    for row in costs:
        row["month"] = row["billing_month"] = f"{row['day']:%Y-%m}"
    blank = dict.fromkeys(
        ("cpu_peak_cores", "memory_peak_gib", "gpu_peak_share", "gpu_memory_used_gib_hours", "gpu_memory_peak_gib")
    )
    tables = (
        (ALLOCATED, costs), (PASSED_ON, []), (CHARGES, []), (COST_MART, costs),
        (WORKLOAD_HOURS, usage), (NODE_HOURS, nodes), (WORKLOAD_PEAKS, [blank | row for row in peaks]),
    )  # fmt: skip
    versions = {table.name: write(table, rows) for table, rows in tables}
    cache.clear()
    end = FIRST + timedelta(days=DAYS)
    return Publication.objects.create(
        created_at=NOW, versions=versions, ruleset=0, status="final",
        first_day=FIRST - timedelta(days=billed_before), end_day=end,
    )  # fmt: skip


@pytest.fixture
def data(home: Path) -> bytes:
    (case,) = PLANNER.read(publish(), NOW)
    assert case.withheld is None
    return case.data


def made(data: bytes, **settings: float) -> Draft:
    return checked(PLANNER.make(data, PLANNER.defaults | settings))


def test_two_share_a_card_and_a_node_goes_back(data: bytes) -> None:
    """a and b take 0.3 each; c's 0.7 and one of them are more than the 0.9 that may be shared; d is not known."""
    draft = made(data)
    assert draft.is_verified
    assert draft.saving_per_month == Decimal(120 * 365) / 12
    assert draft.cost_per_month == 4 * draft.saving_per_month
    assert [row[2:4] for row in draft.tables["moves"]] in ([["n-a", "n-b"]], [["n-b", "n-a"]])
    assert {row[1]: row[-1] for row in draft.tables["workloads"]} == {
        "a": "shares its card", "b": "shares its card", "c": "has its card alone", "d": "memory not known"
    }  # fmt: skip
    assert [(action.team, action.saving_per_month) for action in draft.actions] == [("ml", draft.saving_per_month)]
    ((place, part, _),) = draft.actions[0].stakes
    assert (place[:3], part) == (("gpu", "ml", "ml"), draft.saving_per_month), "its one card is held by a or b"
    assert place[3] in ("a", "b")
    assert "schedulers such as FGD place each pod online" in " ".join(str(line) for line in draft.says)
    for shape in PLANNER.figures:
        assert PLANNER.draw(draft, shape.name)["data"]
    limits = [one for one in yaml.safe_load_all(exported(PLANNER, draft, "sharing.yaml").text) if one]
    assert [one["workload"] for one in limits] == ["ml/a", "ml/b"]
    assert limits[0]["gpushare"] == {"limits": {"aliyun.com/gpu-mem": 6}}
    assert limits[0]["requests"] == {"cpu": "1150m", "memory": "4711Mi"}


def test_a_node_that_is_metered_for_less_long_than_billed_stands(home: Path) -> None:
    (case,) = PLANNER.read(publish(billed_before=18), NOW)
    assert made(case.data).saving_per_month == Decimal(120 * 365) / 12


def test_no_plan_could_save_more_and_the_page_says_so(data: bytes) -> None:
    """c and d need a card each, a and b share one: three of four nodes stay whatever is done."""
    draft = made(data)
    assert [str(line) for line in draft.binds[:2]] == [
        "At most 0.00 CNY more could be saved a month, whatever the packing.",
        "At most 0 more cards could be given back, whatever the packing.",
    ]
    assert draft.gap == pytest.approx(0, abs=1e-4)


def test_partitions_are_named_for_every_pod_that_shares(home: Path) -> None:
    """a and b take 0.3 of an A30 and hold 6 GiB: with a tenth kept free a half each, 2g.12gb from slices 0 and 2."""
    (case,) = PLANNER.read(publish(instance="ecs.gn7s-c8g1.2xlarge"), NOW)
    draft = made(case.data, mode=2)
    assert draft.is_verified
    assert [[row[2], *row[6:]] for row in draft.tables["cards"]] == [["ml/a", "2g.12gb", 0], ["ml/b", "2g.12gb", 2]]
    assert len({tuple(row[:2]) for row in draft.tables["cards"]}) == 1
    ((*_step, partition),) = draft.tables["moves"]
    assert partition == "2g.12gb"
    limits = [one for one in yaml.safe_load_all(exported(PLANNER, draft, "sharing.yaml").text) if one]
    assert limits[0]["mig"] == {"limits": {"nvidia.com/mig-2g.12gb": 1}}


def test_nothing_moves_to_a_node_that_has_left(home: Path) -> None:
    """b's node was there until three hours ago: a stays alone, as c and d fill their cards."""
    (case,) = PLANNER.read(publish(gone_hours=3), NOW)
    draft = made(case.data)
    assert [row[0] for row in draft.tables["workloads"]] == ["ml"] * 3
    assert (draft.saving_per_month, draft.tables["moves"]) == (0, [])


@pytest.mark.parametrize(
    ("given", "nodes"),
    [
        pytest.param({"mode": 0}, 0, id="whole cards are not shared"),
        pytest.param({"size": 0}, 0, id="16 GiB asked for and 16 more do not fit in 30"),
        pytest.param({"headroom": 0}, 1, id="c and one of the others would fill a card whole"),
        pytest.param({"headroom": 45}, 0, id="too much is kept free"),
        pytest.param({"mode": 2}, 0, id="an A10 has no partitions"),
    ],
)
def test_what_binds_binds(data: bytes, given: dict[str, float], nodes: int) -> None:
    draft = made(data, **given)
    assert draft.is_verified
    assert len(draft.tables["nodes"]) == nodes


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"instance": "ecs.gn7r-c16g1.4xlarge"}, id="nobody knows how much memory the card has"),
        pytest.param({"hours_known": 100}, id="a pod known for four days keeps its card"),
    ],
)
def test_what_is_not_known_is_not_shared(home: Path, given: dict[str, Any]) -> None:
    (case,) = PLANNER.read(publish(**given), NOW)
    draft = checked(PLANNER.make(case.data, PLANNER.defaults))
    assert (draft.is_verified, draft.saving_per_month) == (True, 0)


def test_without_any_use_of_gpus_there_is_no_plan(home: Path) -> None:
    (case,) = PLANNER.read(publish(known=False), NOW)
    assert str(case.withheld) == "gpu: the use of its GPUs is not metered, so nobody knows what can share a card."


@pytest.mark.parametrize(
    ("instance", "card"),
    [
        ("ecs.gn6i-c4g1.xlarge", ("T4", 16)),
        ("ecs.gn7s-c8g1.2xlarge", ("A30", 24)),
        ("g4dn.xlarge", ("T4", 16)),
        ("p4de.24xlarge", ("A100", 80)),
        ("a2-highgpu-1g", ("A100", 40)),
        ("Standard_NC24ads_A100_v4", ("A100", 80)),
        ("g6.xlarge", ("L4", 24)),
        ("ecs.gn7r-c16g1.4xlarge", ("ecs.gn7r-c16g1.4xlarge", 0)),
        ("odd", ("odd", 0)),
    ],
)
def test_cards_of_instance_types(instance: str, card: tuple[str, int]) -> None:
    assert card_of(instance) == card


def test_where_none_shares_no_zero_is_told_and_no_empty_figure_shown(data: bytes) -> None:
    from apps.dashboards.plans import figures_of
    from apps.planning.planners.gpu_making import ALONE, said_sharing

    assert said_sharing({}) == Sentence(ALONE)
    assert "0 pods" not in str(said_sharing({}))
    draft = made(data)
    assert [one.id for one in figures_of(PLANNER, draft, "")] == ["figure-cards", "figure-hours"]
    without = replace(draft, content=draft.content | {"lines": []})
    assert [one.id for one in figures_of(PLANNER, without, "")] == ["figure-cards"]
