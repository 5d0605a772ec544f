"""Everything that is no node: serverless pods, volumes and charges; who pays by the rules; what all carry together."""

from datetime import date
from decimal import Decimal

import pytest

from tests.allocation.conftest import Together
from tests.allocation.worlds import World, by, charge, charged, claim, labels, node, pod, totals

pytestmark = pytest.mark.django_db

RULES = """
rules:
  - {name: closed, when: {resource: dated}, team: web, valid_to: 2026-10-03}
  - {name: open, when: {resource: dated}, team: data, valid_from: 2026-10-03}
  - {name: first, when: {resource: order}, team: web}
  - {name: second, when: {resource: order}, team: data}
  - {name: glob, when: {resource: [a*z, "*.mid.*"]}, team: web}
  - {name: literal, when: {resource: "dot.[x]+(y)\\\\d"}, team: web}
  - {name: case, when: {tag.Team: up}, team: web}
  - {name: lower, when: {tag.team: low}, team: data}
  - {name: thirds, when: {resource: thirds}, split: {web: 33.33, data: 33.33, ops: 33.34}}
  - {name: both, when: {service: Log, tag.project: [a, b]}, team: ops}
  - {name: lacking, when: {region: "*"}, team: ops}
  - {name: expression, when: {resource: "re:e-[0-9]+|f-(x|y)"}, team: web}
  - {name: either, any: {resource: any-1, tag.any: "*"}, team: data}
  - {name: queue, when: {service: Queue}, any: {tag.a: "1", tag.b: "1"}, unless: {tag.c: "1", namespace: x}, team: ops}
  - {name: of a workload, when: {label.owner: "*"}, team: ops}
  - {name: label, when: {label.app.kubernetes.io/name: shop}, team: web}
  - {name: own label, when: {label.app: mine}, team: web}
  - {name: space label, when: {label.app: ours}, team: data}
  - {name: web, when: {namespace: web*}, team: web}
  - {name: pooled, when: {namespace: web, node_pool: gpu}, team: ops, priority: 1}
  - {name: noted, when: {annotation.example.com/owner: data}, team: data}
  - {name: data, when: {namespace: data*}, team: data}
  - {name: split space, when: {namespace: half}, split: {web: 25, data: 75}}
shared:
  - {name: platform, when: {namespace: [kube-*, monitoring]}}
"""
NOBODY = {"unallocated": "10"}


def tagged(text: str, resource: str = "", **given: str) -> list[dict]:
    return [charge("10", resource, Tags=text, **given)]


CHARGES = [
    pytest.param([charge("10", "dated")], {"web": "10"}, id="valid_from is included, valid_to is not: before"),
    pytest.param([charge("10", "dated")], {"web": "10"}, id="valid_from is included, valid_to is not: the last day"),
    pytest.param([charge("10", "dated")], {"data": "10"}, id="valid_from is included, valid_to is not: the first day"),
    pytest.param([charge("10", "order")], {"web": "10"}, id="the first rule that matches decides"),
    pytest.param([charge("10", "abcz")], {"web": "10"}, id="a star stands for any characters"),
    pytest.param([charge("10", "az")], {"web": "10"}, id="a star stands for none"),
    pytest.param([charge("10", "a\nz")], {"web": "10"}, id="a star stands for a line break"),
    pytest.param([charge("10", "xabcz")], NOBODY, id="a pattern is compared from the beginning"),
    pytest.param([charge("10", "abczx")], NOBODY, id="a pattern is compared to the end"),
    pytest.param([charge("10", "1.mid.2")], {"web": "10"}, id="stars on both sides"),
    pytest.param([charge("10", "1xmid.2")], NOBODY, id="a dot is a dot"),
    pytest.param([charge("10", r"dot.[x]+(y)\d")], {"web": "10"}, id="no other character is special"),
    pytest.param(tagged('{"Team":"up"}'), {"web": "10"}, id="a tag"),
    pytest.param(tagged('{"team":"low"}'), {"data": "10"}, id="a tag that differs only in case"),
    pytest.param(tagged('{"team":"up","Team":"low"}'), NOBODY, id="two tags that differ only in case"),
    pytest.param(tagged('{"TEAM":"up"}'), NOBODY, id="a third case"),
    pytest.param(tagged('{"project":"b"}', ServiceName="Log"), {"ops": "10"}, id="all conditions, any of the values"),
    pytest.param(tagged('{"project":"c"}', ServiceName="Log"), NOBODY, id="one condition fails"),
    pytest.param([charge("10", "e-12")], {"web": "10"}, id="a regular expression"),
    pytest.param([charge("10", "f-y")], {"web": "10"}, id="the other side of a regular expression"),
    pytest.param([charge("10", "xe-12")], NOBODY, id="a regular expression is compared from the beginning"),
    pytest.param([charge("10", "e-12x")], NOBODY, id="a regular expression is compared to the end"),
    pytest.param([charge("10", "any-1")], {"data": "10"}, id="any: the first condition"),
    pytest.param(tagged('{"any":"x"}'), {"data": "10"}, id="any: the second condition"),
    pytest.param(tagged('{"a":"1"}', ServiceName="Queue"), {"ops": "10"}, id="when and any, unless says nothing"),
    pytest.param(tagged('{"a":"2"}', ServiceName="Queue"), NOBODY, id="when without any"),
    pytest.param(tagged('{"b":"1","c":"1"}', ServiceName="Queue"), NOBODY, id="unless by a tag"),
    pytest.param([charge("10")], NOBODY, id="nothing to go by"),
    pytest.param([charge("10", RegionId="")], NOBODY, id="a star does not match what is empty"),
    pytest.param([charge("10", RegionId="cn")], {"ops": "10"}, id="a star matches what is there"),
    pytest.param(
        [charge("10", "thirds")], {"data": "3.333", "ops": "3.334", "web": "3.333"}, id="hundredths of a percent"
    ),
    pytest.param(
        [charge("0.000000000001", "thirds")], {"ops": "0.000000000001"}, id="a unit is split by giving it to one"
    ),
    pytest.param([charge("-10", "order")], {"web": "-10"}, id="a refund follows its charge"),
]  # fmt: skip


@pytest.fixture(scope="module")
def of_charges(together: Together) -> list[list[dict]]:
    return together([World(case.values[0]) for case in CHARGES], RULES)


@pytest.mark.parametrize(
    ("number", "charges", "expected"),
    [pytest.param(at, *case.values, id=case.id) for at, case in enumerate(CHARGES)],
)
def test_a_charge_is_owned(of_charges: list, number: int, charges: list, expected: dict[str, str]) -> None:
    rows = of_charges[number]
    assert by(rows, "team") == {team: Decimal(cost) for team, cost in expected.items()}
    assert {row["kind"] for row in rows if row["team"] == "unallocated"} <= {"unallocated"}
    assert totals(rows) == charged(charges)


def pods(*namespaces: str, **given: str) -> list[dict]:
    return [row for name in namespaces for row in pod(name, "1", "4", **given)]


ALL_DAY = [charge("48", "i-n1")]
ECI = pod("web", "1", "2", node="virtual", resource_id="eci-1")
PLATFORM = pods("web", "data", "kube-system", "monitoring")
CLUSTERS = [
    pytest.param([charge("7", "eci-1")], {"workload_hours": ECI}, {("web", "direct"): "7"}, id="a serverless pod"),
    pytest.param(
        [charge("8", "d-1")], {"volume_hours": claim("web", "30") + claim("data", "10")},
        {("web", "direct"): "6", ("data", "direct"): "2"}, id="a volume of two claims, by size",
    ),
    pytest.param(
        [charge("8", "d-1")], {"volume_hours": claim("web", "30", workload="")}, {("web", "direct"): "8"},
        id="a claim that no workload mounts",
    ),
    pytest.param(
        [charge("8", "d-1")], {"volume_hours": claim("web", "0") + claim("data", "0")},
        {("web", "direct"): "4", ("data", "direct"): "4"}, id="claims without size share evenly",
    ),
    pytest.param(
        [charge("48", "i-n1")], {"node_hours": node(), "workload_hours": pods("x", "web")},
        {("web", "direct"): "12", ("unallocated", "unallocated"): "12", ("unallocated", "idle"): "24"},
        id="a namespace nobody owns",
    ),
    pytest.param(
        [*ALL_DAY, charge("48", "i-n2")],
        {
            "node_hours": node() + node("n2", node_pool="gpu"),
            "workload_hours": pods("web") + pods("web", node="n2", pod="web-2"),
        },
        {("web", "direct"): "12", ("ops", "direct"): "12", ("unallocated", "idle"): "72"},
        id="a workload by the pool that it runs in",
    ),
    pytest.param(
        ALL_DAY,
        {
            "node_hours": node(), "workload_hours": pods("x"),
            "label_hours": labels("x", '{"annotation:example.com/owner":"data"}'),
        },
        {("data", "direct"): "12", ("unallocated", "idle"): "36"}, id="an annotation of the namespace",
    ),
    pytest.param(
        ALL_DAY,
        {"node_hours": node(), "workload_hours": pods("x"), "label_hours": labels("x", '{"app":"ours"}')},
        {("data", "direct"): "12", ("unallocated", "idle"): "36"}, id="a label of the namespace",
    ),
    pytest.param(
        ALL_DAY,
        {
            "node_hours": node(), "workload_hours": pods("x"),
            "label_hours": labels("x", '{"app":"ours"}') + labels("x", '{"app":"mine"}', workload="x", hour=3),
        },
        {("web", "direct"): "12", ("unallocated", "idle"): "36"}, id="a workload's label before its namespace's",
    ),
    pytest.param(
        ALL_DAY,
        {
            "node_hours": node(), "workload_hours": pods("x"),
            "label_hours": labels("x", '{"app":"mine"}', hour=2) + labels("x", '{"app":"ours"}', hour=9),
        },
        {("data", "direct"): "12", ("unallocated", "idle"): "36"}, id="the last labels of the day",
    ),
    pytest.param(
        ALL_DAY,
        {
            "node_hours": node(), "workload_hours": pods("x"),
            "label_hours": labels("x", '{"app":"mine"}') + labels("x", '{"app":"ours"}', source="again"),
        },
        {("data", "direct"): "12", ("unallocated", "idle"): "36"}, id="two sources disagree: always the same one",
    ),
    pytest.param(
        ALL_DAY,
        {
            "node_hours": node(), "workload_hours": pods("x"),
            "label_hours": labels("x", '{"app_kubernetes_io_name":"shop"}'),
        },
        {("web", "direct"): "12", ("unallocated", "idle"): "36"}, id="a label under the name monitoring gives it",
    ),
    pytest.param(
        ALL_DAY, {"node_hours": node(), "workload_hours": pods("half")},
        {("web", "direct"): "3", ("data", "direct"): "9", ("unallocated", "idle"): "36"}, id="a namespace of two teams",
    ),
    pytest.param(
        ALL_DAY, {"node_hours": node(), "workload_hours": PLATFORM},
        {("web", "direct"): "12", ("data", "direct"): "12", ("web", "shared"): "12", ("data", "shared"): "12"},
        id="the platform is carried in proportion",
    ),
    pytest.param(
        ALL_DAY, {"node_hours": node(), "workload_hours": pods("web", "x", "y", "kube-system")},
        {
            ("web", "direct"): "12", ("unallocated", "unallocated"): "24", ("web", "shared"): "4",
            ("unallocated", "shared"): "8",
        },
        id="unowned namespaces carry their part",
    ),
    pytest.param(
        ALL_DAY, {"node_hours": node(), "workload_hours": pods("kube-system")},
        {("unallocated", "unallocated"): "12", ("unallocated", "idle"): "36"}, id="nobody to share with",
    ),
    pytest.param(
        [*ALL_DAY, charge("16", "d-1")],
        {"node_hours": node(), "workload_hours": pods("web", "data"), "volume_hours": claim("monitoring", "5")},
        {
            ("web", "direct"): "12", ("data", "direct"): "12", ("unallocated", "idle"): "24", ("web", "shared"): "8",
            ("data", "shared"): "8",
        },
        id="the platform's volumes too",
    ),
    pytest.param(
        [*ALL_DAY, charge("16", "eci-1")],
        {
            "node_hours": node(),
            "workload_hours": pods("data", "kube-system") + pod("web", resource_id="eci-1", node="v", cluster="two"),
        },
        {("data", "direct"): "12", ("data", "shared"): "12", ("web", "direct"): "16", ("unallocated", "idle"): "24"},
        id="another cluster carries nothing of it",
    ),
    pytest.param(
        [charge("-48", "i-n1")], {"node_hours": node(), "workload_hours": pods("web", "kube-system")},
        {("web", "direct"): "-12", ("unallocated", "unallocated"): "-12", ("unallocated", "idle"): "-24"},
        id="who costs less than nothing carries nothing of the platform",
    ),
    pytest.param(
        [charge("48", "i-n1"), charge("96", "i-n1", BillingCurrency="USD")],
        {"node_hours": node(), "workload_hours": pods("web", "kube-system")},
        {("web", "direct"): "36", ("web", "shared"): "36", ("unallocated", "idle"): "72"},
        id="two currencies are shared each by itself",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def of_clusters(together: Together) -> list[list[dict]]:
    return together([World(*case.values[:2]) for case in CLUSTERS], RULES)


@pytest.mark.parametrize(
    ("number", "charges", "expected"),
    [pytest.param(at, case.values[0], case.values[2], id=case.id) for at, case in enumerate(CLUSTERS)],
)
def test_what_a_cluster_claims_is_owned(
    of_clusters: list, number: int, charges: list, expected: dict[tuple[str, str], str]
) -> None:
    rows = of_clusters[number]
    assert by(rows, "team", "kind") == {key: Decimal(cost) for key, cost in expected.items()}
    assert totals(rows) == charged(charges)
    assert {row["namespace"] for row in rows if row["kind"] == "shared"} <= {"kube-system", "monitoring"}


AZURE = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM-1"
MATCHES = [
    pytest.param("cn-beijing.i-2zeabc", "i-2zeabc", True, id="Alibaba Cloud, with region"),
    pytest.param("i-2zeabc", "i-2zeabc", True, id="Alibaba Cloud, bare"),
    pytest.param("aws:///eu-west-1a/i-0ab", "i-0ab", True, id="AWS, bare in the bill"),
    pytest.param("aws:///eu-west-1a/i-0ab", "arn:aws:ec2:eu-west-1:1:instance/i-0ab", True, id="AWS, an ARN"),
    pytest.param("aws:///cn-north-1a/i-0ab", "arn:aws-cn:ec2:cn-north-1:1:instance/i-0ab", True, id="AWS in China"),
    pytest.param(f"azure://{AZURE}", AZURE.lower(), True, id="Azure, lower case in the bill"),
    pytest.param(f"azure://{AZURE.lower()}", AZURE, True, id="Azure, lower case in the cluster"),
    pytest.param("gce://p/europe-west1-b/vm", "projects/p/zones/europe-west1-b/instances/vm", True, id="Google Cloud"),
    pytest.param(
        "gce://p/z/vm", "//compute.googleapis.com/projects/p/zones/z/instances/vm", True, id="Google Cloud, full name"
    ),
    pytest.param("cn-beijing.i-2zeabc", "i-2zeab", False, id="a beginning is not the whole"),
    pytest.param("i-2zeab", "i-2zeabc", False, id="nor the other way round"),
    pytest.param("cn-beijing.i-2zeabc", "I-2ZEABC", False, id="case matters outside Azure"),
    pytest.param("aws:///eu-west-1a/i-0ab", "eu-west-1a/i-0ab", False, id="half an id is none"),
    pytest.param("gce://p/z/vm", "vm", False, id="a name is no id"),
    pytest.param("", "", False, id="nothing does not equal nothing"),
]  # fmt: skip


@pytest.fixture(scope="module")
def of_matches(together: Together) -> list[list[dict]]:
    worlds = [
        World([charge("1", case.values[1])], {"node_hours": node(provider_id=case.values[0])}) for case in MATCHES
    ]
    return together(worlds, RULES)


@pytest.mark.parametrize(
    ("number", "is_match"), [pytest.param(at, case.values[2], id=case.id) for at, case in enumerate(MATCHES)]
)
def test_a_bill_finds_its_node_by_the_whole_id(of_matches: list, number: int, is_match: bool) -> None:
    assert {row["pool"] for row in of_matches[number]} == {"node" if is_match else "charge"}


def test_a_serverless_pod_of_azure_is_found_whatever_the_case(together: Together) -> None:
    usage = {"workload_hours": pod("web", resource_id=AZURE, node="virtual")}
    (rows,) = together([World([charge("1", AZURE.lower())], usage)], RULES)
    assert by(rows, "team", "pool") == {("web", "serverless"): 1}
    assert {row["day"] for row in rows} == {date(2026, 10, 1)}
