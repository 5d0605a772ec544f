"""Rules on trial: what they would do is what they do, and what each of them does is told."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.allocation import trial
from apps.allocation.counting import counted
from apps.finops.tables import ALLOCATED, CHARGES
from apps.finops.windows import ONE_DAY, Window
from apps.teams.documents import parse_teams
from apps.teams.selectors import rule_book
from apps.warehouse import lake
from tests.allocation.worlds import (
    DAY,
    NOW,
    TEAMS,
    by,
    charge,
    import_rules,
    node,
    pod,
    put,
    put_usage,
    result,
    rows_allocated,
)

pytestmark = pytest.mark.django_db

WINDOW = Window(DAY, DAY + 2 * ONE_DAY)
IN_FORCE = """
rules:
  - {name: web, when: {namespace: web*}, team: web}
  - {name: logs, when: {service: Log}, team: data}
"""
DRAFT = """
rules:
  - {name: web, when: {namespace: web*}, split: {web: 60, data: 40}}
  - {name: logs, when: {service: Log}, team: data, valid_from: 2026-10-02}
  - {name: late, when: {service: Queue}, team: ops, valid_from: 2026-10-02}
"""


@pytest.fixture
def world(home):
    """Two days of: a node of 24, half of it claimed by `web-1`, and 10 of Log and 7 of Queue that name no cluster."""
    charges = [
        charge("24", "i-n1"),
        charge("10", "l", ServiceName="Log"),
        charge("7", "q", ServiceName="Queue"),
        *(charge("10", "l", start=24, ServiceName="Log"), charge("7", "q", start=24, ServiceName="Queue")),
    ]
    put(CHARGES, charges)
    put_usage(node_hours=node(), workload_hours=pod("web-1", "2", "8"))
    import_rules(IN_FORCE)


def book(text: str):
    return parse_teams(TEAMS + text, file="teams.yaml")[1]


def moves(text: str) -> dict[str, tuple[Decimal, Decimal]]:
    return {move.team: (move.before, move.after) for move in trial.simulate(WINDOW, rule_book()[1], book(text))}


def test_a_draft_says_who_gains_and_who_loses(world):
    assert moves(DRAFT) == {
        "web": (Decimal(12), Decimal("7.2")),
        "data": (Decimal(20), Decimal("14.8")),  # 40 % of 12 more, the first day's logs less
        "ops": (Decimal(0), Decimal(7)),
        "unallocated": (Decimal(26), Decimal(29)),  # 12 idle + 14, then 12 idle + 10 logs + 7 of the first day
    }


def test_the_rules_in_force_move_nothing(world):
    assert moves(IN_FORCE) == {
        team: (Decimal(cost), Decimal(cost)) for team, cost in (("web", 12), ("data", 20), ("unallocated", 26))
    }


def test_a_simulation_writes_nothing(world):
    before = lake.version(ALLOCATED)
    moves(DRAFT)
    assert lake.version(ALLOCATED) == before
    assert rule_book()[0] == 1


NAMES = st.sampled_from(["web*", "web-1", "data*", "re:w.*", "*"])
SERVICES = st.sampled_from(["Log", "Queue", "re:L.g|Queue", "*", "none"])
TEAM = st.sampled_from(["team: web", "team: data", "split: {web: 33, ops: 67}"])
DATES = st.sampled_from(["", ", valid_from: 2026-10-02", ", valid_to: 2026-10-02"])
RULES = st.lists(
    st.one_of(
        st.builds("when: {{namespace: '{}'}}, {}{}".format, NAMES, TEAM, DATES),
        st.builds("when: {{service: '{}'}}, {}{}".format, SERVICES, TEAM, DATES),
        st.builds("any: {{service: '{}', region: x}}, unless: {{resource: l}}, {}{}".format, SERVICES, TEAM, DATES),
        st.builds("when: {{cluster: online}}, {}{}".format, TEAM, DATES),
        st.builds("when: {{namespace: '{}', node_pool: general}}, priority: 1, {}{}".format, NAMES, TEAM, DATES),
    ),
    max_size=5,
)  # fmt: skip


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=RULES)
def test_what_is_simulated_is_what_is_published(world, rules):
    text = "rules:\n" + "".join(f"  - {{name: r{number}, {rule}}}\n" for number, rule in enumerate(rules))
    told = {move.team: move.after for move in trial.simulate(WINDOW, rule_book()[1], book(text)) if move.after}
    used = {use.rule.name: sum(use.cost.values()) for use in trial.use(WINDOW, book(text)) if use.cost}
    import_rules(text)
    result(days=2)
    rows = rows_allocated()
    assert told == by(rows, "team")
    assert sum(told.values()) == Decimal(58)
    assert {name: cost for name, cost in by(rows, "rule").items() if name} == {k: v for k, v in used.items() if v}


def test_rules_are_told_by_what_they_do(world):
    text = """
rules:
  - {name: web, when: {namespace: web*}, team: web}
  - {name: also web, when: {namespace: "*"}, team: data}
  - {name: logs, when: {service: Log}, team: data}
  - {name: all charges, when: {service: "*"}, team: ops}
  - {name: no such, when: {service: Mail}, team: ops}
  - {name: past, when: {service: Log}, team: ops, valid_to: 2026-10-01}
"""
    found = trial.use(WINDOW, book(text))
    assert [(use.rule.name, use.decided, use.matched, use.hidden_by, use.verdict(WINDOW)) for use in found] == [
        ("web", 1, 1, "", ""),
        ("also web", 0, 1, "web", "hidden"),
        ("logs", 2, 2, "", ""),
        ("all charges", 3, 5, "logs", "partly hidden"),  # the node's idle pool and two of Queue
        ("no such", 0, 0, "", "matches nothing"),
        ("past", 0, 0, "", "not valid then"),
    ]
    assert [{k: int(v) for k, v in use.cost.items()} for use in found][:4] == [
        {"CNY": 12}, {}, {"CNY": 20}, {"CNY": 26},
    ]  # fmt: skip


def test_a_rule_of_a_pool_is_told_in_the_order_of_priority(world):
    text = """
rules:
  - {name: web, when: {namespace: web*}, team: web}
  - {name: pool, when: {namespace: "*", node_pool: general}, team: data, priority: 1}
  - {name: other pool, when: {namespace: "*", node_pool: gpu}, team: data, priority: 2}
"""
    found = trial.use(WINDOW, book(text))
    assert [(use.rule.name, use.decided, use.matched, use.hidden_by) for use in found] == [
        ("other pool", 0, 0, ""),
        ("pool", 1, 1, ""),
        ("web", 0, 1, "pool"),
    ]
    assert [use.cost for use in found] == [{}, {"CNY": Decimal(12)}, {}]


CLUSTERS = """
rules:
  - {name: logs, when: {service: Log}, team: data}
  - {name: queue, when: {service: Queue}, team: ops}
clusters:
  - {name: of a day, when: {service: Queue}, cluster: online, valid_to: 2026-10-02}
  - {name: by bytes, when: {service: [Queue, Log]}, cluster: online, by: traffic}
  - {name: again, when: {resource: l}, cluster: other}
  - {name: no such, when: {service: Mail}, cluster: online}
  - {name: to come, when: {service: Queue}, cluster: online, valid_from: 2026-10-03}
"""


def test_rules_of_clusters_are_told_by_what_they_do(world):
    """The first day's Queue of 7 goes by claims; the second day's, and both days' Log of 10, by what was sent."""
    found = trial.use(WINDOW, book(CLUSTERS))
    told = [(use.rule.name, use.decided, use.matched, use.hidden_by, use.verdict(WINDOW)) for use in found]
    assert told == [
        ("logs", 0, 0, "", "matches nothing"),
        ("queue", 0, 0, "", "matches nothing"),
        ("of a day", 1, 1, "", ""),
        ("by bytes", 3, 4, "of a day", "partly hidden"),
        ("again", 0, 2, "by bytes", "hidden"),
        ("no such", 0, 0, "", "matches nothing"),
        ("to come", 0, 0, "", "not valid then"),
    ]
    assert [use.cost for use in found] == [{}, {}, {"CNY": Decimal(7)}, {"CNY": Decimal(27)}, {}, {}, {}]
    assert [use.of_cluster.by if use.of_cluster else None for use in found[:4]] == [None, None, "claims", "traffic"]


def test_what_rules_of_clusters_gave_is_what_clusters_cost(world):
    """Nobody sent anything: all of it is `__cluster__`'s, the day without claims is nobody's."""
    used = [use for use in trial.use(WINDOW, book(CLUSTERS)) if use.of_cluster]
    import_rules(CLUSTERS)
    result(days=2)
    rows = [row for row in rows_allocated() if row["namespace"] == "__cluster__"]
    assert sum(cost for use in used for cost in use.cost.values()) == sum(by(rows, "team").values()) == Decimal(34)


# --- At the terminal ------------------------------------------------------------------------------------------------
def told(*words: str) -> str:
    out = StringIO()
    call_command("rules", *words, stdout=out)
    return out.getvalue()


def test_a_draft_is_simulated_at_the_terminal(world, tmp_path):
    path = tmp_path / "draft.yaml"
    path.write_text(TEAMS + DRAFT)
    days = ("--start", "2026-10-01", "--end", "2026-10-03")
    rows = json.loads(told("simulate", str(path), *days, "--format", "json"))
    assert {row["team"]: Decimal(row["change"]) for row in rows} == {
        "web": Decimal("-4.8"), "data": Decimal("-5.2"), "ops": Decimal(7), "unallocated": Decimal(3),
    }  # fmt: skip
    assert "10.00 CNY change hands; 3.00 CNY join unallocated" in told("simulate", str(path), *days)


def test_rules_are_listed_at_the_terminal(world):
    rows = json.loads(told("list", "--start", "2026-10-01", "--end", "2026-10-03", "--format", "json"))
    assert [(row["rule"], str(row["priority"]), row["teams"], Decimal(row["cost"])) for row in rows] == [
        ("web", "0", "web", 12),
        ("logs", "0", "data", 20),
    ]
    assert "2 rules, 0 of them decided nothing" in told("list", "--start", "2026-10-01", "--end", "2026-10-03")


def test_without_days_the_terminal_tells_of_those_that_the_page_tells_of(world, tmp_path):
    """However long ago the last bill came."""
    result(days=2)
    assert counted(now=NOW).window == WINDOW
    days = ("--start", "2026-10-01", "--end", "2026-10-03")
    assert told("list") == told("list", *days)
    path = tmp_path / "draft.yaml"
    path.write_text(TEAMS + DRAFT)
    assert told("simulate", str(path)) == told("simulate", str(path), *days)


def test_rules_are_listed_before_any_day_is_allocated(world):
    assert told("list").splitlines()[-1].startswith("2 rules, ")


def test_rules_of_clusters_are_listed_at_the_terminal(world):
    import_rules(CLUSTERS)
    days = ("--start", "2026-10-01", "--end", "2026-10-03")
    rows = json.loads(told("list", *days, "--format", "json"))[2:5]
    assert [(row["rule"], row["teams"], row["cluster"], row["by"], row["verdict"]) for row in rows] == [
        ("of a day", "", "online", "claims", ""),
        ("by bytes", "", "online", "traffic", "partly hidden"),
        ("again", "", "other", "claims", "hidden"),
    ]
    assert [row["cost"] and Decimal(row["cost"]) for row in rows] == [7, 27, None]
    assert "7 rules, 5 of them decided nothing" in told("list", *days)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("list", "--start", "2026-10-02", "--end", "2026-10-02"), "is not before", id="no days"),
        pytest.param(("simulate", "nowhere.yaml"), "cannot be read", id="no file"),
    ],
)
def test_what_cannot_be_asked_is_refused(words, message):
    with pytest.raises(CommandError, match=message):
        told(*words)
