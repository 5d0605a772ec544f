"""What is found idle in a small published company: who, why, for how much, and what people decided about it."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.finops.stakes import of_resource
from apps.finops.windows import Window
from apps.insights import runs
from apps.insights.idle import deciding, judging, listening, selectors, services
from apps.insights.idle.billed import UnusedCommitment
from apps.insights.idle.ledger import complete_window
from apps.insights.idle.listening import Listener
from apps.insights.idle.resources import _commitments
from apps.insights.models import IdleExclusion, IdleFinding, IdleRun
from apps.marts.models import Publication
from apps.marts.query import EVERYTHING, Scope
from apps.marts.selectors import publication
from apps.operations.kinds import KINDS
from apps.teams.approval import Actor, NotYours
from tests.insights import idle_world
from tests.insights.idle_world import END, FIRST, NOW
from tests.worlds import publish_costs

TODAY = NOW.date()
FINANCE, LIVE = Actor("han", None), Actor("lilei", frozenset({"live"}))


@pytest.fixture
def found(db, home):
    idle_world.find()


def rows(verdict: str = "all", scope: Scope = EVERYTHING, **asked: str) -> list[selectors.Listed]:
    return selectors.listed(selectors.newest_run(), scope, day=TODAY, verdict=verdict, **asked)


def known() -> dict[tuple[str, str, str], IdleFinding]:
    return {(row.kind, row.subject, row.team): row for row in IdleFinding.objects.filter(is_known=True)}


def a_month(cost: str) -> Decimal:
    """A day's cost as that of a month: 28 days of it × 365 / 12 / 28, to twelve decimals."""
    return (Decimal(cost) * 365 / 12).quantize(Decimal("1e-12"))


@pytest.mark.parametrize("ahead", [0, 20, 90], ids="{} days ahead".format)
def test_the_last_complete_days_are_counted_back_from_today_where_a_fee_is_dated_ahead(db, home, ahead):
    days = [date(2026, 8, 1) + timedelta(days=number) for number in range(93)]
    published = publish_costs({"day": day, "effective_cost": "1"} for day in [*days, days[-1] + timedelta(days=ahead)])

    assert complete_window(published, today=date(2026, 11, 2)) == Window(date(2026, 10, 5), date(2026, 11, 2))


def test_nor_are_days_counted_whose_bill_is_late_where_a_fee_is_dated_ahead(db, home):
    days = [date(2026, 8, 1) + timedelta(days=number) for number in range(81)]  # until 20 October
    costs = [{"day": day, "effective_cost": "1"} for day in [*days, date(2026, 12, 31)]]
    published = publish_costs(costs, created_at=datetime(2026, 11, 2, 3, tzinfo=UTC))

    assert complete_window(published, today=date(2026, 11, 2)) == Window(date(2026, 9, 23), date(2026, 10, 21))


def test_what_is_idle_is_found_and_costs_what_the_bill_says(found):
    amounts = {key: row.per_month for key, row in known().items() if key[0] not in ("gpu", "schedule")}

    assert amounts == {
        ("workload", "online/shop/old-report", "shop"): a_month("2.00"),
        ("namespace", "online/sandbox", "live"): a_month("0.40"),  # with its volume
        ("namespace", "online/sandbox", "search"): a_month("0.20"),
        ("node", "online/n2", "platform"): a_month("5.00"),
        ("disk", "d-orphan", "live"): a_month("0.70"),
        ("address", "eip-lone", "live"): a_month("0.48"),
        ("instance", "i-stopped", "search"): a_month("1.25"),
        ("commitment", "ri-2026", "platform"): a_month("2.50"),
    }


def test_what_works_and_what_is_too_new_is_not_found(found):
    subjects = {row.subject for row in IdleFinding.objects.exclude(kind__in=("gpu", "schedule"))}

    assert not subjects & {
        "online/shop/web",
        "online/shop/young",
        "online/n1",
        "eip-busy",
        "online/office",
        "i-n1",
        "i-n2",
    }


def test_a_namespace_of_which_all_is_idle_hides_its_workloads(found):
    assert not [row for row in IdleFinding.objects.all() if row.workload in ("toy", "try")]


def test_unknown_is_not_idle(found):
    """Nothing but its cost is known of the database: it is asked about and promises nothing."""
    (row,) = IdleFinding.objects.filter(is_known=False)

    assert (row.kind, row.subject, row.verdict) == ("database", "rm-orders", "review")
    assert (row.activity, row.slots) == ({}, [])
    asked = next(one for one in selectors.findings(day=TODAY) if one.at_stake == "rm-orders")
    assert asked.saving_per_month == 0
    assert "No signal tells" in str(asked.evidence[0])


def test_evidence_is_the_last_active_hour_the_longest_silence_and_the_signals(found):
    told = [str(line) for line in selectors.sentences(known()["workload", "online/shop/old-report", "shop"])]

    assert told == [
        "Last active 2026-09-11 02:00, 40 days ago",
        "Longest silence: 40 of 40 known days",
        "CPU once at 30 %, hardly ever above 2 %",
    ]


@pytest.mark.parametrize(
    ("key", "evidence", "lost"),
    [
        pytest.param(
            ("namespace", "online/sandbox", "live"), "Never active in the 40 days that are known",
            "Workloads: 2, claims on volumes: 1, and their configuration", id="a namespace with a claim",
        ),
        pytest.param(
            ("disk", "d-orphan", "live"), "No cluster mounts it; of 2 disks of this service clusters mount 1",
            "The data on it; a snapshot keeps it", id="a disk nobody mounts",
        ),
        pytest.param(
            ("address", "eip-lone", "live"),
            "The bill charges no traffic for it, as it does for others of this service",
            "The address: another one would be given later", id="an address without traffic",
        ),
        pytest.param(
            ("instance", "i-stopped", "search"), "The bill calls it: Instance, stopped",
            "The server with the data of its disks", id="a stopped server that still costs",
        ),
        pytest.param(
            ("commitment", "ri-2026", "platform"), "Paid for and not used on 28 of 28 days",
            "Nothing: it is paid until it ends, used or not", id="a commitment nobody uses",
        ),
    ],
)  # fmt: skip
def test_each_kind_says_why_and_what_would_be_lost(found, key, evidence, lost):
    row = known()[key]

    assert str(selectors.sentences(row)[0]) == evidence
    assert str(selectors.lost(row)) == lost


@pytest.mark.parametrize(
    ("held", "every", "is_found"),
    [
        pytest.param(28, 1, True, id="to the last day"),
        pytest.param(27, 1, True, id="to the day before: it may come late"),
        pytest.param(20, 1, False, id="it ended a week ago: nobody can save what it was paid for"),
        pytest.param(28, 3, True, id="charged every third day"),
        pytest.param(15, 3, False, id="every third, until two weeks ago"),
    ],
)  # fmt: skip
def test_an_unused_commitment_is_told_as_long_as_it_is_held(held, every, is_found):
    window = Window(date(2026, 9, 1), date(2026, 9, 29))
    unused = {window.start + timedelta(days=number): Decimal(3) for number in range(0, held, every)}
    one = UnusedCommitment("ri-1", "RI", "Reserved", "CNY", "ri-1", unused, dict.fromkeys(unused, Decimal(0)))

    assert bool(list(_commitments([one], window))) == is_found


def test_a_gpu_nobody_uses_costs_the_gpus_part_of_its_workload(found):
    """One core and one GPU are claimed; by the default ratio a GPU weighs as much as the rules say."""
    from apps.teams.selectors import rule_book

    ratio = rule_book()[1].price_ratio
    row = known()["gpu", "gpu/model/infer", "ai"]

    share = Decimal(ratio.gpu) / (Decimal(ratio.gpu) + Decimal(ratio.cpu_core))
    assert row.verdict == "review"
    assert abs(row.cost - 28 * 22 * share) < Decimal("1e-10")


def test_what_is_used_in_office_hours_only_gets_a_schedule_with_its_money(found):
    """Nine hours on five days are work; the other 123 of 168 hours claim as much each, so that is their part."""
    row = known()["schedule", "online/office/desk", "office"]

    assert row.windows == [[0, 18, 15], [1, 18, 15], [2, 18, 15], [3, 18, 15], [4, 18, 63]]
    assert row.cost == 28 * Decimal("4.00") * Decimal("0.732143")
    assert str(selectors.sentences(row)[0]) == "Switched off 123 of 168 hours a week"
    assert next(one for one in selectors.findings(day=TODAY) if one.kind == "schedule").team == "office"
    assert len(IdleFinding.objects.filter(kind="schedule")) == 1


def test_what_saves_something_is_recommended_and_a_question_is_not(found):
    kinds = {
        kind.name: kind.findings(Publication.objects.get(), NOW) for kind in KINDS if kind.name in ("idle", "schedule")
    }

    told = [one for found in kinds.values() for one in found]
    assert all(one.kind == name and one.saving_per_month > 0 for name, found in kinds.items() for one in found)
    assert {one.at_stake for one in told} >= {"eip-lone"}
    assert "rm-orders" not in {one.at_stake for one in told}
    assert len(told) == sum(one.saving_per_month > 0 for one in selectors.findings(day=TODAY))


def test_findings_never_promise_more_than_is_paid(found):
    promised: dict[str, Decimal] = {}
    for row in IdleFinding.objects.filter(is_known=True):
        promised[row.currency] = promised.get(row.currency, Decimal(0)) + row.cost
    paid: dict[str, Decimal] = {}
    for *_, currency, amount in idle_world.ALLOCATED_ROWS:
        paid[currency] = paid.get(currency, Decimal(0)) + 28 * Decimal(amount)

    assert all(promised[currency] <= paid[currency] for currency in promised)
    stakes = {one.at_stake: Decimal(0) for one in selectors.findings(day=TODAY)}
    for one in selectors.findings(day=TODAY):
        stakes[one.at_stake] += one.saving_per_month
    assert stakes["i-n2"] == a_month("5.00")


def test_what_is_idle_is_at_stake_where_it_is_spent(found):
    told = {one.at_stake: one for one in selectors.findings(day=TODAY)}

    assert all(sum(stake.saving_per_month for stake in one.stakes) == one.saving_per_month for one in told.values())
    assert [stake.place for stake in told["i-n2"].stakes] == [of_resource("i-n2", told["i-n2"].team, "online")]
    assert [stake.place[0] for stake in told["eip-lone"].stakes] == ["address:"]


def test_days_are_heard_one_by_one_as_all_together(found, monkeypatch):
    listener = Listener(publication(), today=TODAY)
    ways = (listener.workloads, listener.running, listener.nodes, listener.volumes, listener.balancers)
    together = [heard for way in ways if (heard := way()) is not None]
    monkeypatch.setattr(listening, "MOST_ROWS", 1)

    one_by_one = [heard for way in ways if (heard := way()) is not None]

    assert len(listener._spans()) > 30
    assert [heard.keys for heard in one_by_one] == [heard.keys for heard in together]
    for one, other in zip(one_by_one, together, strict=True):
        assert one.activity.signals.keys() == other.activity.signals.keys()
        for name, matrix in one.activity.signals.items():
            np.testing.assert_allclose(matrix, other.activity.signals[name], rtol=1e-12)


def test_the_same_data_are_not_looked_at_again(found):
    before = IdleRun.objects.get()
    idle_world.Publication.objects.create(
        created_at=NOW, versions=idle_world.Publication.objects.get().versions, ruleset=0, status="final",
        first_day=FIRST, end_day=END,
    )  # fmt: skip

    services.find(now=NOW + timedelta(hours=1))

    after = IdleRun.objects.get()
    assert (after.pk, after.publication) == (before.pk, before.publication + 1)


def test_a_member_sees_the_own_teams_part_only(found):
    seen = rows(scope=Scope(frozenset({"live"})))

    assert {row.finding.team for row in seen} == {"live"}
    assert {row.finding.subject for row in seen} == {"online/sandbox", "d-orphan", "eip-lone"}


@pytest.mark.parametrize(
    ("asked", "subjects"),
    [
        pytest.param({"kind": "address"}, {"eip-lone"}, id="by kind"),
        pytest.param({"team": "search", "text": "SAND"}, {"online/sandbox"}, id="by team and part of a name"),
        pytest.param({"verdict": "unknown"}, {"rm-orders"}, id="what no signal tells anything of"),
        pytest.param({"text": "nothing such"}, set(), id="nothing"),
    ],
)
def test_the_list_is_narrowed(found, asked, subjects):
    assert {row.finding.subject for row in rows(**({"verdict": "open"} | asked))} == subjects


def test_what_is_excluded_is_not_promised_until_its_day_and_can_be_undone(found):
    (row,) = rows(kind="address")
    until = TODAY + timedelta(days=7)
    (made,) = deciding.decide([row.finding], "exclude", reason="for the move", until=until, by=LIVE, now=NOW)

    assert [one.finding.subject for one in rows("exclude")] == ["eip-lone"]
    assert "eip-lone" not in {one.at_stake for one in selectors.findings(day=TODAY)}
    assert "eip-lone" in {one.at_stake for one in selectors.findings(day=until)}
    deciding.undo(made.pk, by=LIVE, now=NOW)
    assert "eip-lone" in {one.at_stake for one in selectors.findings(day=TODAY)}
    assert [one.decision for one in IdleExclusion.objects.order_by("pk")] == ["exclude", "undo"]
    with pytest.raises(deciding.NoSuchExclusion, match="undone already"):
        deciding.undo(made.pk, by=LIVE, now=NOW)


def test_a_pattern_excludes_what_it_names_for_everybody(found):
    deciding.exclude("online/sand*", kind="namespace", reason="a workshop", until=None, by=FINANCE, now=NOW)

    assert {row.finding.team for row in rows("exclude")} == {"live", "search"}


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        pytest.param({"by": LIVE}, NotYours, "name one of yours", id="a pattern for all is not for a member"),
        pytest.param({"by": LIVE, "team": "search"}, NotYours, "members", id="nor one for another team"),
        pytest.param({"reason": " "}, deciding.CannotDecide, "say why", id="without a reason"),
        pytest.param({"until": TODAY}, deciding.CannotDecide, "past", id="until a day that is over"),
        pytest.param({"kind": "teapot"}, deciding.CannotDecide, "not one of", id="of no kind"),
        pytest.param({"team": "nowhere"}, deciding.CannotDecide, "no team 'nowhere'", id="of a team there is not"),
        pytest.param({"pattern": ""}, deciding.CannotDecide, "name a subject", id="of nothing"),
        pytest.param({"decision": "burn"}, deciding.CannotDecide, "exclude, keep", id="no decision"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_kept(found, asked, error, says):
    given = {"pattern": "online/*", "reason": "because", "until": None, "by": FINANCE, "now": NOW} | asked
    with pytest.raises(error, match=says):
        deciding.exclude(given.pop("pattern"), **given)
    assert not IdleExclusion.objects.exists()


def test_before_the_first_search_it_is_said_how_to_make_one(db):
    assert selectors.findings(day=date(2026, 1, 1)) == ()
    with pytest.raises(selectors.NothingFound, match="fill --step idle"):
        selectors.newest_run()


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("idle", *words, stdout=out)
    return out.getvalue()


def test_the_terminal_lists_shows_excludes_and_undoes(found):
    (row,) = csv.DictReader(io.StringIO(said("list", "--kind", "node", "--format", "csv")))
    assert (row["subject"], row["verdict"], Decimal(row["per_month"])) == ("online/n2", "safe", a_month("5.00"))
    assert "152.08" in said("list", "--kind", "node")
    assert "cores held ready" in said("show", "online/n2")
    assert "online/n*" in said("exclude", "online/n*", "--reason", "spare", "--keep")
    assert "online/n2" not in said("list")
    number = str(IdleExclusion.objects.get().pk)
    said("undo", number)
    assert "online/n2" in said("list")
    with pytest.raises(CommandError, match="Nothing idle is called teapot"):
        said("show", "teapot")


def test_some_are_judged_after_others_as_all_together(found, monkeypatch):
    def told() -> list[tuple]:
        names = ("identity", "kind", "verdict", "probability", "last_active", "since", "signals", "activity", "slots",
                 "evidence", "cost_text", "team", "at_stake")  # fmt: skip
        return sorted(map(repr, IdleFinding.objects.values_list(*names)))

    together = told()
    assert len(together) > 10
    IdleRun.objects.all().delete()
    monkeypatch.setattr(judging, "MOST_CELLS", 1)
    monkeypatch.setattr(runs, "AT_ONCE", 3)

    services.find(now=NOW)

    assert told() == together
