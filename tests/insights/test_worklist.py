"""Unallocated cost: what it is of, whose it may be, and what becomes of it."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.allocation.services import allocate
from apps.finops.money import add_up
from apps.finops.tables import ALLOCATED, CHARGES
from apps.finops.windows import ONE_DAY, Window
from apps.insights import evidence, settling
from apps.insights.naming import Teams
from apps.insights.worklist import NotOnTheList, WorkItem, find, worklist
from apps.marts.services import publish
from apps.teams.approval import Actor, NotYours
from apps.teams.dating import BadChange
from apps.teams.models import Membership, RuleDraft, Team
from apps.teams.selectors import rule_book
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
from tests.allocation.worlds import DAY, NOW, Row, charge, import_rules, labels, node, pod, put, put_usage

pytestmark = pytest.mark.django_db

RULES = """
rules:
  - {name: web, when: {cluster: online, namespace: [web, shop-*]}, team: web}
  - {name: other web, when: {cluster: spare, namespace: "billing*"}, team: web}
  - {name: data, when: {namespace: "data*"}, team: data}
  - {name: logs, when: {service: Log}, team: data}
  - {name: group, when: {resource: "*/vm-1"}, team: data}
"""
FINANCE, LEAD = Actor("carla", None), Actor("wei", frozenset({"web"}))
AZURE = "/subscriptions/1/resourcegroups/lakehouse/providers/x/"


def filled() -> None:
    """Allocate both days and publish."""
    cache.clear()
    allocate(Window(DAY, DAY + 2 * ONE_DAY))
    publish(None, now=NOW)


def world(charges: list[Row], **usage: list[Row]) -> None:
    """Three teams, the rules, and what happened, filled."""
    told = {"web": ("Storefront", "4711"), "data": ("数据平台", "4712"), "ops": ("", "")}
    Team.objects.bulk_create(
        Team(name=name, title=title, cost_center=center, lead_name="Li Lei" if name == "ops" else "")
        for name, (title, center) in told.items()
    )
    Membership.objects.create(user=User.objects.create_user("wangfang"), team=Team.objects.get(name="data"))
    put(CHARGES, charges)
    put_usage(**usage)
    import_rules(RULES)
    filled()


CPU = "0.5"
"""An eighth of the node's cores, a twelfth of its price: 4 of 48 units of a node that costs 48."""


def hours(namespace: str, node_name: str = "n1", **given: str) -> list[Row]:
    return pod(namespace, CPU, node=node_name, **given)


@pytest.fixture
def company(home):
    """Two nodes of 48 a day: every namespace claims 4 of the one it runs on, the rest is idle and nobody's."""
    on_first = ("web", "shop-a", "shops", "mail", "billing-eu", "odd")
    world(
        [
            charge("48", "i-n1"), charge("48", "i-n2"),
            charge("9", "l", ServiceName="Log", SubAccountId="7", Tags='{"app":"lake"}'),
            charge("5", "q1", ServiceName="Queue", SubAccountId="7"),
            charge("6", "q2", ServiceName="Queue", SubAccountId="8", Tags='{"Owner":"wangfang@example.com"}'),
            charge("3", f"{AZURE}vm-1", ServiceName="VM", SubAccountId="11"),
            charge("2", f"{AZURE}vm-2", ServiceName="VM", SubAccountId="9"),
            charge("1", "oss:storefront-images", ServiceName="Storage", SubAccountId="8"),
            charge("7", "q9", start=24, ServiceName="Unknown", SubAccountId="10", BillingCurrency="USD"),
        ],
        node_hours=node("n1") + node("n2", node_pool="batch"),
        workload_hours=[row for name in on_first for row in hours(name)]
        + [row for name in ("data", "data-2", "etl") for row in hours(name, "n2")],
        label_hours=labels("mail", '{"cost-center":"4711"}')
        + labels("odd", '{"app.kubernetes.io/managed-by":"argo-7"}')
        + labels("data", '{"app_kubernetes_io_managed_by":"argo-7","app.kubernetes.io/managed-by":"argo-7"}'),
    )  # fmt: skip


def test_the_list_is_all_that_is_unallocated_the_largest_first(company):
    here = worklist()
    found = [(one.currency, one.subject.kind, one.subject.title, f"{one.cost.normalize():f}") for one in here.items]
    assert found == [
        ("CNY", "node_pool", "batch · online", "36"),
        ("CNY", "node_pool", "general · online", "24"),
        ("CNY", "tag", "Owner=wangfang@example.com", "6"),
        ("CNY", "service", "Queue · 7", "5"),
        ("CNY", "namespace", "billing-eu · online", "4"),
        ("CNY", "namespace", "etl · online", "4"),
        ("CNY", "namespace", "mail · online", "4"),
        ("CNY", "namespace", "odd · online", "4"),
        ("CNY", "namespace", "shops · online", "4"),
        ("CNY", "service", "VM · 9", "2"),
        ("CNY", "resource", "oss:storefront-images", "1"),
        ("USD", "service", "Unknown · 10", "7"),
    ]  # fmt: skip
    rows = lake.scan(ALLOCATED)
    nobody = rows_of(rows.filter(rows.team == "unallocated").select("effective_cost"))
    assert add_up(here.totals.values()) == add_up(cost for (cost,) in nobody) == Decimal(101)


PROPOSED = {
    "mail · online": ("web", "high", "Label cost-center=4711 on 4.00 of 4.00 CNY equals the cost center of web"),
    "odd · online": (
        "data",
        "high",
        "Label app.kubernetes.io/managed-by=argo-7: elsewhere 4.00 of 4.00 CNY that carry it belong to data",
    ),
    "billing-eu · online": (
        "web", "medium", "Rule other web gives namespaces called billing* to web, but did not match here",
    ),
    "shops · online": ("web", "low", "On the same nodes 8.00 of 8.00 CNY belong to web"),  # shop-* is another name
    "etl · online": ("data", "low", "On the same nodes 8.00 of 8.00 CNY belong to data"),
    "batch · online": ("data", "low", "On the same nodes 8.00 of 8.00 CNY belong to data"),
    "general · online": ("web", "low", "On the same nodes 8.00 of 8.00 CNY belong to web"),
    "Owner=wangfang@example.com": (
        "data", "high", "Tag Owner=wangfang@example.com on 6.00 of 6.00 CNY names the member of data",
    ),
    "oss:storefront-images": ("web", "medium", "The name storefront-images contains the title of web"),
    "Queue · 7": ("data", "low", "In account 7 9.00 of 9.00 CNY belong to data"),
    "VM · 9": ("data", "low", "In resource group lakehouse 3.00 of 3.00 CNY belong to data"),
    "Unknown · 10": ("", "none", ""),
}  # fmt: skip


def test_who_is_proposed_and_why(company):
    found = {
        item.subject.title: (item.team, item.confidence, item.best.sentence if item.best else "")
        for item in worklist().items
    }
    assert found == PROPOSED


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("live-class", ("live-class", "name", True), id="a name"),
        pytest.param("Live_Class", ("live-class", "name", True), id="without case and signs"),
        pytest.param("prod-live-class-eu", ("live-class", "name", False), id="a name within"),
        pytest.param("live", ("live", "name", True), id="a shorter name"),
        pytest.param("olive-oil", None, id="part of a word"),
        pytest.param("ai", ("ai", "name", True), id="two letters that are all"),
        pytest.param("ai-batch", None, id="two letters within"),
        pytest.param("直播课堂-生产", ("live-class", "title", False), id="Chinese, within"),
        pytest.param("CC 42", ("live", "cost center", True), id="a cost center"),
        pytest.param("shared", None, id="two teams are called so"),
        pytest.param("live-ai-live-class", ("live-class", "name", False), id="the longest"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_which_team_a_text_means(text, meant):
    teams = Teams.of(
        [
            ("live-class", "name", "live-class"), ("live-class", "title", "直播课堂"), ("live", "name", "live"),
            ("live", "cost center", "CC-42"), ("ai", "name", "ai"), ("ai", "title", "Shared"),
            ("live", "title", "shared"),
        ],
        [],
    )  # fmt: skip
    assert teams.meant(text) == meant


def test_money_that_disagrees_lowers_confidence_and_half_is_the_least():
    def item(agreeing: str) -> evidence.Evidence:
        return evidence.weigh(evidence.LABEL, "web", evidence.NODES, Decimal(agreeing), Decimal(10), "CNY")

    cases = {"10": "high", "8": "high", "7.99": "low", "5": "low", "4.99": "none"}
    assert {text: evidence.confidence(evidence.proposed((item(text),))) for text in cases} == cases


# --- One click -------------------------------------------------------------------------------------------------------
def item_of(title: str) -> WorkItem:
    (item,) = [item for item in worklist().items if item.subject.title == title]
    return item


def test_one_click_gives_cost_to_its_owner_and_it_leaves_the_list(company):
    item = item_of("mail · online")
    draft = settling.accept(item, by=FINANCE, now=NOW)
    assert (draft.state, draft.drafted_by, draft.approvals) == ("published", "worklist", {"web": "carla"})
    rule = rule_book()[1].rules[-1]
    assert (rule.name, rule.split, rule.valid_from) == ("mail · online to web", (("web", 100),), date(2026, 10, 1))
    assert {condition.field: condition.patterns for condition in rule.when} == {
        "cluster": ("online",), "namespace": ("mail",),
    }  # fmt: skip
    assert item_of("mail · online").draft == draft  # until the next fill
    before = worklist().totals["CNY"]
    filled()
    assert before - worklist().totals["CNY"] == item.cost
    with pytest.raises(NotOnTheList, match="has an owner by now"):
        find(item.subject.id)
    assert [(one.action, one.by) for one in draft.trail.order_by("pk")] == [
        ("drafted", "worklist"), ("accepted", "carla"), ("simulated", "carla"), ("approved", "carla"),
        ("published", "carla"),
    ]  # fmt: skip


def test_another_team_or_day_than_proposed_is_for_others_to_approve(company):
    draft = settling.accept(item_of("mail · online"), by=FINANCE, now=NOW, team="ops", valid_from=DAY + ONE_DAY)
    assert (draft.state, draft.drafted_by, draft.valid_from) == ("simulated", "carla", DAY + ONE_DAY)
    with pytest.raises(settling.CannotSettle, match=f"Draft {draft.pk} settles mail · online already"):
        settling.accept(item_of("mail · online"), by=FINANCE, now=NOW)
    assert rule_book()[0] == 1


def test_whoever_may_not_approve_leaves_a_draft(company):
    draft = settling.accept(item_of("etl · online"), by=LEAD, now=NOW)
    assert (draft.state, draft.drafted_by) == ("simulated", "worklist")


@pytest.mark.parametrize(
    ("title", "given", "error", "message"),
    [
        pytest.param("Unknown · 10", {}, settling.CannotSettle, "name one", id="nobody is proposed"),
        pytest.param("mail · online", {"team": "sales"}, BadChange, "'sales'", id="no such team"),
    ],
)
def test_what_cannot_be_accepted(company, title, given, error, message):
    with pytest.raises(error, match=message):
        settling.accept(item_of(title), by=FINANCE, now=NOW, **given)
    assert RuleDraft.objects.count() == 0


def test_what_is_set_aside_is_remembered_and_still_counted(company):
    item, before = item_of("odd · online"), worklist().totals
    for actor, reason, error in ((FINANCE, " ", settling.CannotSettle), (LEAD, "mine", NotYours)):
        with pytest.raises(error):
            settling.dismiss(item, by=actor, now=NOW, reason=reason)
    settling.dismiss(item, by=FINANCE, now=NOW, reason="gone next week")
    here = worklist()
    assert [(one.subject.title, one.dismissed.reason) for one in here.dismissed] == [("odd · online", "gone next week")]
    assert here.totals == before
    settling.restore(here.dismissed[0], by=FINANCE, now=NOW)
    assert worklist().dismissed == ()
    with pytest.raises(settling.CannotSettle, match="was not set aside"):
        settling.restore(item_of("odd · online"), by=FINANCE, now=NOW)


# --- At the terminal ------------------------------------------------------------------------------------------------
def said(*words: str) -> str:
    out = StringIO()
    call_command("worklist", *words, stdout=out)
    return out.getvalue()


def test_the_worklist_at_the_terminal(company):
    rows = {row["subject"]: row for row in json.loads(said("list", "--format", "json"))}
    mail, odd = rows["mail · online"], rows["odd · online"]
    assert (mail["cost"], mail["team"], mail["agrees"], mail["confidence"]) == ("4.000000000000", "web", "100%", "high")
    assert "94.00 CNY are unallocated in 2026-10-01..2026-10-03" in said("list")
    assert "equals the cost center of web" in said("show", mail["id"])
    assert "is set aside" in said("dismiss", odd["id"], "--reason", "gone")
    assert [row["reason"] for row in json.loads(said("list", "--dismissed", "--format", "json"))] == ["gone"]
    assert "on the list again" in said("restore", odd["id"])
    assert "is published: the next fill" in said("accept", mail["id"])
    for words, message in (
        (("accept", "none"), "has no none"),
        (("dismiss", odd["id"]), "Say why"),
        (("accept", odd["id"], "--as", "wangfang", "--team", "nobody"), "'nobody'"),
        (("list", "--start", "2026-10-01"), "both --start and --end"),
    ):
        with pytest.raises(CommandError, match=message):
            said(*words)
