"""What Kubernetes runs beside pods on nodes: volumes, load balancers, traffic, control planes, what nodes keep."""

from decimal import Decimal
from typing import Any

import pytest

from tests.allocation.conftest import Together
from tests.allocation.worlds import (
    DATA,
    HALF,
    IDLE,
    NODE,
    ON_NODE,
    QUARTER,
    SHARED_DATA,
    SHARED_WEB,
    WEB,
    Row,
    World,
    allocated,
    by,
    charge,
    charged,
    claim,
    labels,
    node,
    overhead,
    pod,
    result,
    root_disk,
    sent,
    service,
    totals,
)

pytestmark = pytest.mark.django_db

RULES = """
rules:
  - {name: web, when: {namespace: web*}, team: web}
  - {name: data, when: {namespace: data*}, team: data}
  - {name: disks, when: {tag.team: ops}, team: ops}
  - {name: label, when: {label.owner: ops}, team: ops}
  - {name: idle, when: {node_pool: halves}, split: {web: 50, data: 50}}
shared:
  - {name: platform, when: {namespace: [kube-system]}}
clusters:
  - {name: fee, when: {service: Container Service}, cluster: online}
  - {name: lost, when: {service: Forgotten}, cluster: nowhere}
  - {name: nat, when: {service: NAT}, cluster: online, by: internet}
  - {name: zones, when: {service: Zones}, cluster: online, by: cross_zone}
  - {name: regions, when: {service: Regions, tag.net: "*"}, cluster: online, by: cross_region}
  - {name: traffic of nodes, when: {service: Traffic, resource: "i-*"}, cluster: online, by: traffic}
"""
Expected = dict[tuple[str, ...], str]
MORNING, EVENING = range(12), range(12, 24)
DISK = [charge("24", "d-1")]

VOLUMES = [
    pytest.param(
        DISK, {"volume_hours": claim("web", "10", hours=MORNING)},
        {("web", "direct", "web", "web"): "24"}, id="one pod on half of a volume's day",
    ),
    pytest.param(
        DISK, {"volume_hours": claim("web", "10", hours=MORNING) + claim("web", "10", hours=EVENING, workload="")},
        {("web", "direct", "web", "web"): "12", ("web", "direct", "web", "disk"): "12"},
        id="one pod on half of a volume's day, the claim stayed: its owner pays the rest",
    ),
    pytest.param(
        DISK,
        {"volume_hours": claim("web", "10", hours=MORNING) + claim("web", "10", hours=EVENING, workload="web-v2")},
        {("web", "direct", "web", "web"): "12", ("web", "direct", "web", "web-v2"): "12"}, id="a redeploy half-way",
    ),
    pytest.param(
        DISK,
        {
            "volume_hours": claim("web", "10", hours=MORNING)
            + claim("web", "4", hours=[12]) + claim("web", "6", hours=[12], workload="web-v2")
            + claim("web", "10", hours=range(13, 24), workload="web-v2"),
        },
        {("web", "direct", "web", "web"): "12.4", ("web", "direct", "web", "web-v2"): "11.6"},
        id="a redeploy within an hour",
    ),
    pytest.param(
        DISK,
        {"volume_hours": [row for hour in range(24) for row in claim("data", "10", hours=[hour], workload="tick")]},
        {("data", "direct", "data", "tick"): "24"}, id="24 hourly CronJob pods",
    ),
    pytest.param(
        DISK,
        {
            "volume_hours": claim("web", "5", workload="a") + claim("web", "2.5", workload="b")
            + claim("web", "2.5", workload="c"),
        },
        {
            ("web", "direct", "web", "a"): "12", ("web", "direct", "web", "b"): "6", ("web", "direct", "web", "c"): "6",
        },
        id="a volume mounted by several pods",
    ),
    pytest.param(
        DISK, {"volume_hours": claim("web", "10") + claim("data", "10", hours=MORNING)},
        {("web", "direct", "web", "web"): "16", ("data", "direct", "data", "data"): "8"},
        id="a volume mounted by several namespaces, by GiB-hours mounted",
    ),
    pytest.param(
        DISK, {"volume_hours": claim("web", "10", workload="")}, {("web", "direct", "web", "disk"): "24"},
        id="a volume mounted nowhere is its claim's owner's",
    ),
    pytest.param(
        DISK, {"volume_hours": claim("", "10", workload="", claim="")},
        {("unallocated", "unallocated", "", ""): "24"}, id="a volume without any claim is nobody's, not lost",
    ),
    pytest.param(
        [charge("24", "d-1", Tags='{"team":"ops"}')], {}, {("ops", "direct", "", ""): "24"},
        id="a disk no cluster knows goes by its tags",
    ),
    pytest.param(
        [charge("1", "d-1", start=hour, hours=1) for hour in range(24)],
        {"volume_hours": claim("web", "10", hours=[3]) + claim("kube-system", "30", hours=[7])},
        {("web", "direct", "web", "web"): "6", ("unallocated", "unallocated", "kube-system", ""): "18"},
        id="an hour billed and not mounted follows the hours that were",
    ),
    pytest.param(
        [charge("48", "i-n1"), charge("24", "d-1")],
        {
            "node_hours": node(), "workload_hours": pod("web", "4", "16"),
            "volume_hours": claim("web", "10", hours=MORNING), "label_hours": labels("web", '{"owner":"ops"}'),
        },
        {("web", "direct", "web", "web"): "72"}, id="beside a node",
    ),
]  # fmt: skip

OVERHEAD = ("unallocated", "idle", "", "__overhead__")
ON_BOTH = {WEB: "24", DATA: "12", IDLE: "12"}

AWS_BALANCERS = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer"
AZURE = "/subscriptions/1/resourceGroups/g/providers"
OTHERS = [
    pytest.param(
        [NODE], ON_NODE | {"overhead_hours": overhead()}, {WEB: "24", DATA: "12", IDLE: "6", OVERHEAD: "6"},
        id="what a node keeps to itself is no idle capacity",
    ),
    pytest.param(
        [NODE], {"node_hours": node(), "workload_hours": pod("web", "4", "13"), "overhead_hours": overhead()},
        {WEB: "45", OVERHEAD: "3"}, id="what was claimed of it was claimed",
    ),
    pytest.param(
        [charge("1" if hour < 12 else "3", "i-n1", start=hour, hours=1) for hour in range(24)],
        {"node_hours": node(), "workload_hours": HALF, "overhead_hours": overhead("4", "16", hours=EVENING)},
        {WEB: "24", OVERHEAD: "24"}, id="overhead at the price of its hours, at most what is left of the day",
    ),
    pytest.param(
        [NODE], ON_NODE | {"overhead_hours": overhead() + overhead(name="n2")},
        {WEB: "24", DATA: "12", IDLE: "6", OVERHEAD: "6"}, id="overhead of a node that has no bill",
    ),
    pytest.param(
        [NODE],
        {"node_hours": node(node_pool="halves"), "overhead_hours": overhead(), "workload_hours": pod("web", "4", "10")},
        {
            WEB: "42", ("web", "idle", "", "__overhead__"): "3", ("data", "idle", "", "__overhead__"): "3",
        },
        id="overhead belongs to the owner of the node",
    ),
    pytest.param(
        [charge("10", "lb-1")], {"service_hours": service("web")}, {("web", "direct", "web", "front"): "10"},
        id="a load balancer is its Service's namespace's",
    ),
    pytest.param(
        [charge("12", "lb-1")],
        {"service_hours": service("web") + service("data", hours=MORNING) + service("data", "admin", hours=MORNING)},
        {("web", "direct", "web", "front"): "6", ("data", "direct", "data", "front"): "3",
         ("data", "direct", "data", "admin"): "3"},
        id="several Services behind one, evenly by hours",
    ),
    pytest.param(
        [charge("12", "lb-1")], {"service_hours": service("x", hours=[5], attached="0.25")},
        {("unallocated", "unallocated", "x", "front"): "12"}, id="a load balancer for a quarter of an hour",
    ),
    pytest.param(
        [charge("12", f"{AWS_BALANCERS}/net/k8s-shop-web/50dc6c495c0c9188")],
        {"service_hours": service("web", load_balancer="k8s-shop-web-50dc6c495c0c9188.elb.eu-west-1.amazonaws.com")},
        {("web", "direct", "web", "front"): "12"}, id="a load balancer of AWS, by its host name",
    ),
    pytest.param(
        [charge("12", f"{AWS_BALANCERS}/a1b2c3")],
        {"service_hours": service("web", load_balancer="internal-a1b2c3-1234567890.eu-west-1.elb.amazonaws.com")},
        {("web", "direct", "web", "front"): "12"}, id="a classic load balancer of AWS",
    ),
    pytest.param(
        [NODE, charge("9", "online")], ON_NODE, ON_BOTH | {SHARED_WEB: "6", SHARED_DATA: "3"},
        id="a control plane billed under its cluster's name, by what was claimed there",
    ),
    pytest.param(
        [NODE, charge("9", "arn:aws:eks:eu-west-1:123456789012:cluster/online")], ON_NODE,
        ON_BOTH | {SHARED_WEB: "6", SHARED_DATA: "3"}, id="a control plane of AWS",
    ),
    pytest.param(
        [NODE, charge("9", f"{AZURE}/Microsoft.ContainerService/managedClusters/Online")],
        ON_NODE, ON_BOTH | {SHARED_WEB: "6", SHARED_DATA: "3"}, id="a control plane of Azure",
    ),
    pytest.param(
        [NODE, charge("9", "//container.googleapis.com/projects/p/locations/europe-west1/clusters/online")],
        ON_NODE, ON_BOTH | {SHARED_WEB: "6", SHARED_DATA: "3"}, id="a control plane of Google",
    ),
    pytest.param(
        [NODE, charge("9", "c-1a2b", ServiceName="Container Service")], ON_NODE,
        ON_BOTH | {SHARED_WEB: "6", SHARED_DATA: "3"}, id="a control plane by a rule",
    ),
    pytest.param(
        [NODE, charge("9", "c-1a2b", ServiceName="Container Service")],
        {"node_hours": node(), "workload_hours": HALF + pod("kube-system", "1", "4")},
        {WEB: "24", IDLE: "12", ("web", "shared", "kube-system", ""): "12", SHARED_WEB: "9"},
        id="the platform carries no control plane",
    ),
    pytest.param(
        [charge("9", "c-9", ServiceName="Forgotten")], ON_NODE,
        {("unallocated", "unallocated", "__cluster__", ""): "9"},
        id="a control plane of a cluster on which nothing ran",
    ),
    pytest.param(
        [NODE, charge("12", "nat-1", ServiceName="NAT")],
        ON_NODE | {
            "network_hours": sent("web", "100", internet_gib="1") + sent("data", "1", internet_gib="3"),
        },
        {WEB: "27", DATA: "21", IDLE: "12"}, id="a NAT gateway by what left the cloud",
    ),
    pytest.param(
        [charge("12", "z", ServiceName="Zones"), charge("8", "r", ServiceName="Regions", Tags='{"net":"x"}')],
        {
            "network_hours": sent("web", "9", cross_zone_gib="1", cross_region_gib="1", hours=[0, 1])
            + sent("data", "9", cross_zone_gib="1", hours=[1]) + sent("x", "9", cross_region_gib="1", hours=[3, 5]),
        },
        {WEB: "12", DATA: "4", ("unallocated", "unallocated", "x", "x"): "4"}, id="traffic between zones and regions",
    ),
    pytest.param(
        [NODE, charge("4", "i-n1", ServiceName="Traffic", start=3, hours=1)],
        ON_NODE | {"network_hours": sent("web", "1") + sent("data", "3")},
        {WEB: "25", DATA: "15", IDLE: "12"}, id="traffic billed on a node does not price its hours",
    ),
    pytest.param(
        [NODE, charge("4", "i-n1", ServiceName="Traffic"), charge("6", "i-gone", ServiceName="Traffic")],
        ON_NODE | {"network_hours": sent("web", "1") + sent("data", "1", node="n2")},
        {WEB: "31", DATA: "15", IDLE: "12"}, id="by what was sent from the node; without node, from the cluster",
    ),
    pytest.param(
        [NODE, charge("9", "nat-1", ServiceName="NAT")], ON_NODE | {"network_hours": sent("web", "5")},
        ON_BOTH | {SHARED_WEB: "6", SHARED_DATA: "3"}, id="traffic nobody measured is carried by all on the cluster",
    ),
    pytest.param(
        [charge("7", "eci-1"), charge("5", "eci-2", ServiceName="Spot")],
        {
            "workload_hours": pod("web", "1", node="virtual", resource_id="eci-1")
            + pod("data", "9", node="virtual", resource_id="eci-2", hours=[4]),
        },
        {WEB: "7", DATA: "5"}, id="serverless pods cost what their own bill rows say",
    ),
    pytest.param(
        [charge("96", "i-n1"), charge("24", "i-spot")],
        {
            "node_hours": node() + node("spot"),
            "workload_hours": pod("web", "4", "16") + pod("data", "4", "16", node="spot"),
        },
        {WEB: "96", DATA: "24"}, id="spot nodes cost what their own bill rows say",
    ),
    pytest.param(
        [NODE, charge("24", "i-n1", ServiceName="Disk")], ON_NODE, {WEB: "36", DATA: "18", IDLE: "18"},
        id="a root disk billed under its node is the node's: ephemeral volumes have no pool of their own",
    ),
    pytest.param(
        [NODE, charge("24", "arn:aws:ec2:eu-west-1:123456789012:volume/vol-1", ServiceName="Disk")],
        ON_NODE | {"disk_hours": root_disk("vol-1")}, {WEB: "36", DATA: "18", IDLE: "18"},
        id="a root disk billed under its own name, told as the node's",
    ),
    pytest.param(
        [charge("24", "vol-1", ServiceName="Disk")], ON_NODE | {"disk_hours": root_disk("vol-1")},
        {WEB: "12", DATA: "6", IDLE: "6"}, id="a root disk of a node that has no other bill",
    ),
    pytest.param(
        [NODE, charge("24", "vol-1")],
        ON_NODE | {"disk_hours": root_disk("vol-1"), "volume_hours": claim("data", "10", volume="vol-1")},
        ON_BOTH | {DATA: "36"}, id="a disk that a claim is bound to is a volume",
    ),
    pytest.param(
        [NODE, charge("24", "vol-1", Tags='{"team":"ops"}')], ON_NODE | {"disk_hours": root_disk("vol-1", node="gone")},
        ON_BOTH | {("ops", "direct", "", ""): "24"}, id="a disk of a node nobody knows",
    ),
    pytest.param(
        [
            charge("48", "//compute.googleapis.com/projects/p/zones/z/instances/n1"),
            charge("24", "//compute.googleapis.com/projects/p/zones/z/disks/n1", ServiceName="Disk"),
        ],
        {"node_hours": node(provider_id="gce://p/z/n1"), "workload_hours": HALF + QUARTER},
        {WEB: "36", DATA: "18", IDLE: "18"}, id="a boot disk of Google is named like its instance",
    ),
    pytest.param(
        [charge("480", "i-n1")],
        {
            "node_hours": node(hours=[0, 1], gpu="1", cpu="10", memory="80"),
            "workload_hours": pod("web", gpu="0.25", hours=[0, 1]) + pod("data", gpu="0.142857", hours=[0, 1]),
        },
        {WEB: "80", DATA: "45.71424", IDLE: "354.28576"}, id="a quarter of a card, and a slice of a seventh",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def found(together: Together) -> dict[str, list[Row]]:
    cases = [*VOLUMES, *OTHERS]
    rows = together([World(*case.values[:2]) for case in cases], RULES)
    return dict(zip((str(case.id) for case in cases), rows, strict=True))


@pytest.mark.parametrize(
    ("name", "charges", "expected"),
    [pytest.param(case.id, case.values[0], case.values[2], id=case.id) for case in [*VOLUMES, *OTHERS]],
)
def test_cost_is_divided(found: dict[str, list[Row]], name: str, charges: list[Row], expected: Any) -> None:
    rows = found[name]
    assert by(rows, "team", "kind", "namespace", "workload") == {key: Decimal(part) for key, part in expected.items()}
    assert totals(rows) == charged(charges)


@pytest.mark.usefixtures("home", "db")
def test_a_cluster_that_nobody_knows_is_told() -> None:
    allocated([charge("9", "c-9", ServiceName="Forgotten"), NODE], RULES, **ON_NODE)
    told = {problem.code: problem for problem in result().problems}
    assert told.keys() == {"unknown_cluster"}
    assert told["unknown_cluster"].subject == "lost"
    assert "'nowhere', of which no node was measured" in told["unknown_cluster"].message
    assert told["unknown_cluster"].message.endswith("Known are: online.")


@pytest.mark.parametrize(
    ("name", "pools"),
    [
        pytest.param("a load balancer is its Service's namespace's", {"load_balancer"}, id="load balancer"),
        pytest.param("a NAT gateway by what left the cloud", {"node", "network"}, id="network"),
        pytest.param("a control plane by a rule", {"node", "shared"}, id="control plane"),
        pytest.param("a volume mounted nowhere is its claim's owner's", {"volume"}, id="volume"),
    ],
)
def test_a_part_names_its_pool(found: dict[str, list[Row]], name: str, pools: set[str]) -> None:
    assert {row["pool"] for row in found[name]} == pools
