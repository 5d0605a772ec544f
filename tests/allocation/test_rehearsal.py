"""Drafts of rules: what is simulated is what is published, and no earlier day moves."""

import json
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.allocation import counting, rehearsal, tasks
from apps.finops.money import add_up
from apps.finops.tables import ALLOCATED, CHARGES
from apps.finops.windows import ONE_DAY, Window
from apps.teams import proposals
from apps.teams.approval import Actor
from apps.teams.models import Membership, RuleCount, RuleDraft, RuleSet, Team
from apps.teams.selectors import rule_book
from apps.warehouse import lake
from tests.allocation.worlds import (
    DAY,
    NOW,
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
from tests.once import made_once, put_in_home

pytestmark = pytest.mark.django_db

WINDOW = Window(DAY, DAY + 2 * ONE_DAY)
SECOND = DAY + ONE_DAY
IN_FORCE = """
rules:
  - {name: web, when: {namespace: web*}, team: web}
  - {name: logs, when: {service: Log}, team: data}
"""
MAIL = "valid_from: 2026-10-02\nadd: [{name: mail, when: {service: Mail}, team: ops}]"
BOTH = "valid_from: 2026-10-02\nadd: [{name: both, when: {service: Mail}, split: {ops: 50, data: 50}}]"
END = "valid_from: 2026-10-02\nend: [logs]"
FINANCE, WEI, OLA = Actor("carla", None), Actor("wei", frozenset({"web"})), Actor("ola", frozenset({"ops"}))


def make() -> None:
    """Two days: a node of 24 on the first, half of it claimed by `web-1`; 10 of Log and 7 of Mail on each day."""
    Team.objects.bulk_create(Team(name=name) for name in ("web", "data", "ops"))
    put(
        CHARGES,
        [charge("24", "i-n1")]
        + [charge("10", "l", start=start, ServiceName="Log") for start in (0, 24)]
        + [charge("7", "m", start=start, ServiceName="Mail") for start in (0, 24)],
    )
    put_usage(node_hours=node(), workload_hours=pod("web-1", "2", "8"))
    import_rules(IN_FORCE)
    result(days=2)


@pytest.fixture(scope="module")
def lake_of_world(django_db_setup, django_db_blocker, tmp_path_factory):
    with made_once(django_db_blocker, tmp_path_factory.mktemp("made") / "lake", make) as lake:
        yield lake


@pytest.fixture
def world(home, lake_of_world):
    """What `make` makes, as rows of `allocated`."""
    put_in_home(lake_of_world)
    return rows_allocated()


def rehearsed(text: str = MAIL, *, by: Actor = WEI, window: Window | None = None, **given: str) -> RuleDraft:
    draft = proposals.propose(text, by=by, now=NOW, **given)
    return rehearsal.rehearse(draft, by=by.name, now=NOW, window=window)


def told(draft: RuleDraft) -> dict[str, tuple[str, str, str]]:
    found = proposals.simulation_of(draft)
    return {
        move.team: tuple(f"{x.normalize():f}" for x in (move.before, move.after, move.as_if)) for move in found.moves
    }


def actions(draft: RuleDraft) -> list[tuple[str, str]]:
    return list(draft.trail.order_by("pk").values_list("action", "by"))


def test_nothing_can_be_tried_before_the_first_fill(home):
    with pytest.raises(rehearsal.NothingToTryOn, match="fill first"):
        rehearsal.last_days(28)
    assert counting.counted(now=NOW).rules == ()
    import_rules(IN_FORCE)
    assert [one.decided for one in counting.counted(now=NOW).rules] == [None, None]
    assert lake.files(ALLOCATED) == ()


def test_a_draft_tells_who_gains_as_dated_and_on_all_days(world):
    draft = rehearsed()
    assert (draft.state, draft.base) == ("simulated", 1)
    assert told(draft) == {
        "data": ("20", "20", "20"),
        "ops": ("0", "7", "14"),
        "unallocated": ("26", "19", "12"),  # the node's idle half, 12, and 7 of Mail a day
        "web": ("12", "12", "12"),
    }
    assert draft.trail.last().outcome.endswith("over rules 1; 14.00 CNY leave unallocated")


@pytest.mark.parametrize(
    ("day", "after", "as_if"),
    [
        pytest.param("2026-09-01", "14", "14", id="before the window"),
        pytest.param("2026-10-02", "7", "14", id="within"),
        pytest.param("2027-01-01", "0", "14", id="long after: what it would have done is still told"),
    ],
)
def test_the_day_from_which_a_draft_counts(world, day, after, as_if):
    assert told(rehearsed(MAIL.replace("2026-10-02", day)))["ops"] == ("0", after, as_if)


GRAB = "valid_from: 2026-10-02\nadd: [{{name: probe, when: {{{}}}, team: ops, priority: 1{}}}]"


@pytest.mark.parametrize(
    ("text", "in_force", "taken"),
    [
        pytest.param(MAIL, "", [], id="what nobody owns"),
        pytest.param(GRAB.format("service: Log", ""), "", ["data"], id="a charge"),
        pytest.param(GRAB.format("service: L*", ""), "", ["data"], id="a charge, by a pattern"),
        pytest.param(GRAB.format("service: '*'", ""), "", ["data"], id="every charge"),
        pytest.param(GRAB.format("namespace: '*'", ""), "", ["web"], id="a workload"),
        pytest.param(
            GRAB.format("service: Log", "").replace(", priority: 1", ""), "", [], id="nothing: it stands last"
        ),
        pytest.param(
            GRAB.format("service: Log", ", valid_from: 2030-01-01"), "", ["data"], id="a charge, after all these days"
        ),
        pytest.param(
            GRAB.format("service: Log", "").replace("10-02", "09-01"), "", ["data"], id="before all these days"
        ),
        pytest.param(
            GRAB.format("service: Mail", ""),
            "  - {name: later, when: {service: Mail}, team: data, valid_from: 2030-01-01}",
            ["data"],
            id="what will be another's",
        ),
        pytest.param(
            GRAB.format("service: Mail", ""),
            "  - {name: once, when: {service: Mail}, team: data, valid_to: 2026-10-02}",
            ["data"],
            id="what was another's: it is told as if",
        ),
        pytest.param(
            GRAB.format("service: Log", "") + "\nend: [mails]",
            "  - {name: mails, when: {service: Mail}, team: ops}\n  - {name: rest, when: {service: Mail}, team: data}",
            ["data", "ops"],
            id="a charge for another one",
        ),
        pytest.param(
            "valid_from: 2026-10-02\nchange: [{name: logs, when: {service: Log}, split: {data: 60, ops: 40}}]",
            "",
            ["data"],
            id="a part of a charge",
        ),
        pytest.param(END, "", ["data"], id="what nobody would own"),
    ],
)
def test_from_whom_a_draft_takes_something(world, text, in_force, taken):
    import_rules(IN_FORCE + in_force)
    assert proposals.simulation_of(rehearsed(text)).losers == set(taken)


def test_what_is_left_to_others_in_their_node_pools(world):
    put_usage(node_hours=node(node_pool="pool-a"), workload_hours=pod("web-1", "2", "8"))
    import_rules("rules:\n  - {name: pool, when: {node_pool: pool-a}, team: data}\n")
    take = "valid_from: 2026-10-01\nadd: [{name: mine, when: {%s, node_pool: pool-a}, team: ops, before: pool}]"
    assert proposals.simulation_of(rehearsed(take % "cluster: '*'")).losers == {"data"}
    assert proposals.simulation_of(rehearsed(take % "namespace: web*")).losers == set()


def test_a_draft_goes_all_the_way(world):
    draft = rehearsed(reason="mail is theirs")
    proposals.approve(draft.pk, by=OLA, now=NOW)
    done = proposals.publish(draft.pk, by=WEI, now=NOW)
    assert (done.state, done.ruleset.number, rule_book()[0]) == ("published", 2, 2)
    assert actions(draft) == [("drafted", "wei"), ("simulated", "wei"), ("approved", "ola"), ("published", "wei")]
    result(days=2)
    assert by(rows_allocated(), "team")["ops"] == Decimal(7)


# --- Simulated is published ------------------------------------------------------------------------------------------
NAMES, SERVICES = st.sampled_from(["web*", "web-1", "*"]), st.sampled_from(["Log", "Mail", "*", "none"])
SPLIT = st.sampled_from(["team: web", "team: ops", "split: {data: 33, ops: 67}"])
PLACE = st.sampled_from(["", ", before: web", ", after: web"])
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "add": st.builds("[{{name: n, when: {{service: '{}'}}, {}{}}}]".format, SERVICES, SPLIT, PLACE),
        "change": st.builds("[{{name: web, when: {{namespace: '{}'}}, {}}}]".format, NAMES, SPLIT),
        "end": st.just("[logs]"),
    },
).filter(bool)


@pytest.mark.timeout(600)
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=CHANGES, day=st.sampled_from([DAY, SECOND, date(2026, 10, 3)]))
def test_what_is_simulated_is_published_and_no_day_before_moves(world, edits, day):
    import_rules(IN_FORCE)
    before = world
    text = f"valid_from: {day}\n" + "\n".join(f"{kind}: {rules}" for kind, rules in edits.items())
    draft = rehearsed(text, by=WEI)
    proposals.approve(draft.pk, by=FINANCE, now=NOW)
    proposals.publish(draft.pk, by=FINANCE, now=NOW)
    result(days=2)
    after = rows_allocated()
    found = proposals.simulation_of(proposals.find(draft.pk))
    assert {move.team: move.after for move in found.moves if move.after} == by(after, "team")
    assert add_up(move.as_if for move in found.moves) == Decimal(58)
    early = [[row | {"ruleset": 0} for row in rows if row["day"] < day] for rows in (before, after)]
    assert sorted(early[0], key=repr) == sorted(early[1], key=repr)


# --- Long simulations, and what rules do -----------------------------------------------------------------------------
def test_a_long_simulation_is_left_to_a_worker(world, monkeypatch):
    draft = proposals.propose(MAIL, by=WEI, now=NOW)
    assert rehearsal.rehearse_or_ask(draft, by="wei", now=NOW).state == "simulated"
    monkeypatch.setattr(rehearsal, "QUICK_ROWS", 10)
    later = rehearsal.rehearse_or_ask(proposals.propose(BOTH, by=WEI, now=NOW), by="wei", now=NOW)
    gone = rehearsal.rehearse_or_ask(proposals.propose(END, by=WEI, now=NOW), by="wei", now=NOW)
    assert [(one.state, one.asked) for one in (later, gone)] == [("drafted", NOW)] * 2
    import_rules("rules: []")
    monkeypatch.setattr(rehearsal, "QUICK_RULES", -1)
    assert counting.counted(now=NOW).window is None
    assert tasks.rehearse() == 1
    assert [(proposals.find(one.pk).state, proposals.find(one.pk).asked) for one in (later, gone)] == [
        ("simulated", None), ("drafted", None),
    ]  # fmt: skip
    assert gone.trail.last().action == "not simulated"
    assert counting.counted(now=NOW).window == WINDOW


def asked_of_a_worker(monkeypatch) -> RuleDraft:
    monkeypatch.setattr(rehearsal, "QUICK_ROWS", 10)
    return rehearsal.rehearse_or_ask(proposals.propose(MAIL, by=WEI, now=NOW), by="wei", now=NOW)


def test_a_draft_waits_for_a_database_that_is_away(world, monkeypatch):
    draft = asked_of_a_worker(monkeypatch)

    def away(*_given, **_more):
        raise OperationalError("database is locked")

    monkeypatch.setattr(rehearsal, "rehearse", away)
    with pytest.raises(OperationalError):
        rehearsal.rehearse_asked(now=NOW)
    assert proposals.find(draft.pk).asked is not None


def test_a_task_whose_time_is_up_ends_and_its_draft_is_followed(world, monkeypatch):
    draft = asked_of_a_worker(monkeypatch)
    monkeypatch.setattr(rehearsal, "rehearse", lambda *_, **__: (_ for _ in ()).throw(SoftTimeLimitExceeded))
    with pytest.raises(SoftTimeLimitExceeded):
        rehearsal.rehearse_asked(now=NOW)
    assert proposals.claim(now=NOW + timedelta(hours=2)).pk == draft.pk


def test_a_draft_that_fails_for_a_fault_of_ours_is_told_so_and_asks_no_more(world, monkeypatch):
    draft = asked_of_a_worker(monkeypatch)
    other = rehearsal.rehearse_or_ask(proposals.propose(BOTH, by=WEI, now=NOW), by="wei", now=NOW)
    simulate, broken = rehearsal.rehearse, draft.pk
    monkeypatch.setattr(
        rehearsal, "rehearse", lambda draft, **more: 1 / 0 if draft.pk == broken else simulate(draft, **more)
    )
    assert rehearsal.rehearse_asked(now=NOW) == 1
    draft, last = proposals.find(draft.pk), draft.trail.last()
    assert (draft.state, draft.asked, draft.claimed, last.action) == ("drafted", None, None, "not simulated")
    assert last.outcome == "It failed for a fault of CostOps (ZeroDivisionError); see the log of the worker."
    assert proposals.find(other.pk).state == "simulated"


def test_a_draft_that_kills_its_workers_is_set_aside_after_three(world, monkeypatch):
    draft = asked_of_a_worker(monkeypatch)
    hours = [NOW + timedelta(hours=2 * number) for number in range(5)]
    claimed = [proposals.claim(now=hour) for hour in hours]
    assert [one and one.pk for one in claimed] == [draft.pk] * 3 + [None] * 2
    assert (proposals.find(draft.pk).asked, draft.trail.last().action) == (None, "not simulated")
    assert draft.trail.last().outcome.startswith("3 workers died while simulating it.")
    proposals.ask(draft, now=hours[4])
    assert proposals.claim(now=hours[4]).pk == draft.pk
    assert proposals.claim(now=hours[4] + timedelta(hours=2)).pk == draft.pk, "asked anew, it is counted anew"


def test_rules_are_counted_once(world):
    found = counting.counted(now=NOW)
    assert found.window == WINDOW
    assert [
        (one.rule.name, {k: int(v) for k, v in one.cost.items()}, one.decided, one.verdict) for one in found.rules
    ] == [
        ("web", {"CNY": 12}, 1, ""),
        ("logs", {"CNY": 20}, 2, ""),
    ]
    put(CHARGES, [])
    assert counting.counted(now=NOW).rules == found.rules
    assert counting.count_due(now=NOW) is False
    assert counting.count_due(now=NOW + 2 * ONE_DAY) is True
    assert counting.counted(now=NOW).rules[1].decided == 0


def test_two_workers_do_nothing_twice(world):
    draft = proposals.ask(proposals.propose(MAIL, by=WEI, now=NOW), now=NOW)
    assert (proposals.claim(now=NOW), proposals.claim(now=NOW + proposals.LEASE)) == (draft, None)
    assert proposals.claim(now=NOW + 2 * proposals.LEASE) == draft  # the worker died
    window = rehearsal.last_days(28)
    RuleCount.objects.create(ruleset_id=RuleSet.objects.get().pk, start=window.start, end=window.end, claimed_at=NOW)
    assert counting.count_due(now=NOW + proposals.LEASE) is False
    assert counting.count_due(now=NOW + 2 * proposals.LEASE) is True


# --- At the terminal ------------------------------------------------------------------------------------------------
def said(*words: str) -> str:
    out = StringIO()
    call_command("rules", *words, stdout=out)
    return out.getvalue()


def test_a_draft_at_the_terminal(world, tmp_path):
    for name, team in (("wei", "web"), ("ola", "ops")):
        Membership.objects.create(user=User.objects.create_user(name), team=Team.objects.get(name=team))
    path = tmp_path / "mail.yaml"
    path.write_text(MAIL)
    kept = said("draft", str(path), "--as", "wei", "--reason", "theirs")
    number = str(RuleDraft.objects.get().pk)
    assert f"Kept as draft {number}." in kept
    assert "14.00 CNY leave unallocated" in kept
    rows = json.loads(said("simulate", number, "--start", "2026-10-02", "--end", "2026-10-03", "--format", "json"))
    assert {row["team"]: Decimal(row["change"]) for row in rows} == {"data": 0, "ops": 7, "unallocated": -7}
    for words, message in (
        (("approve", number, "--as", "wei"), "a draft of their own"),
        (("approve", number, "--as", "nobody"), "no user 'nobody'"),
        (("reject", number), "Say why"),
        (("publish", "0"), "no draft 0"),
        (("draft", "nowhere.yaml"), "No such file"),
    ):
        with pytest.raises(CommandError, match=message):
            said(*words)
    assert said("approve", number, "--as", "ola") == f"Draft {number} is approved.\n"
    assert said("publish", number, "--as", "wei").startswith("Rules 2 are in force")
    assert json.loads(said("drafts", "--format", "json")) == []
    (row,) = json.loads(said("drafts", "--all", "--format", "json"))
    assert (row["state"], row["drafted_by"], row["reason"]) == ("published", "wei", "theirs")
    assert "name: mail" in said("show", number)
