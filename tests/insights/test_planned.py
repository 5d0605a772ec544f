"""What is known ahead: it shifts forecasts from its day on, and is not counted twice once history tells it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.finops.tables import CHARGES
from apps.insights.forecasting import forecast
from apps.insights.history import HORIZON, History
from apps.insights.models import PlannedChange
from apps.insights.planned.ahead import known
from apps.insights.planned.effects import effects, with_them, without
from apps.insights.planned.entering import CannotPlan, Draft, identity, plan, planned, withdraw
from apps.insights.planned.known import Known
from apps.insights.standing import standing
from apps.learning.calendars import Calendar
from apps.marts.query import EVERYTHING, Scope
from apps.teams.approval import Actor, NotYours
from apps.teams.models import Team
from apps.teams.tree import Place, Tree
from apps.warehouse import lake
from tests.ingest.bills import bill, ingest, put, row, source
from tests.worlds import publish_costs

FIRST, END = date(2026, 9, 7), date(2026, 11, 2)  # eight weeks from a Monday
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
MIX = tuple(
    (team, service, cluster, Decimal(cost))
    for team, service, cluster, cost in (
        ("web", "compute", "gz", 60),
        ("web", "storage", "", 20),
        ("data", "compute", "gz", 20),
    )
)


@pytest.mark.parametrize(
    ("change", "level", "keys", "expected"),
    [
        pytest.param({"per_day": 50}, "total", [""], (50, 1), id="an amount is added to all cost"),
        pytest.param({"per_day": 50}, "team", ["web"], (40, 1), id="of nobody: by what teams cost, 80 of 100"),
        pytest.param({"per_day": 50, "team": "web"}, "team", ["web"], (50, 1), id="of a team: all of it"),
        pytest.param({"per_day": 50, "team": "web"}, "team", ["data"], (0, 1), id="of another team: nothing"),
        pytest.param({"per_day": 40, "team": "web"}, "service", ["storage"], (10, 1), id="by what the team pays for"),
        pytest.param({"per_day": 40, "service": "compute"}, "team", ["data"], (10, 1), id="by who pays for a service"),
        pytest.param({"per_day": 50, "team": "web"}, "team", ["web", "data"], (50, 1), id="a department of both"),
        pytest.param({"percent": 50}, "cluster", ["gz"], (0, 1.5), id="percent of everything"),
        pytest.param({"percent": -100, "team": "web"}, "team", ["web"], (0, 0), id="a team that ends"),
        pytest.param({"percent": 10, "service": "storage"}, "team", ["web"], (0, 1.025), id="a quarter of the team"),
        pytest.param({"percent": 10, "service": "storage"}, "team", ["data"], (0, 1), id="who does not use it"),
        pytest.param({"per_day": 9, "team": "new"}, "team", ["new"], (9, 1), id="a team that never cost anything"),
        pytest.param({"per_day": 9, "team": "new"}, "service", [""], (9, 1), id="stands at no service yet"),
        pytest.param({"kind": "commitment_start"}, "total", [""], (0, 1), id="told and not counted"),
    ],
)
def test_what_a_change_is_to_a_series(change, level, keys, expected):
    numbers = {name: Decimal(change[name]) for name in ("per_day", "percent") if name in change}
    one = Known(**{"kind": "amount", "first_day": END, "mix": MIX} | change | numbers)

    assert one.on(level, keys) == pytest.approx(expected)


def test_a_history_without_a_change_and_a_forecast_with_it():
    """Ten days of 150, the last four of them after 50 more and then a half more: (100 + 50) x 1.5."""
    more = Known("amount", date(2026, 1, 7), per_day=Decimal(50), mix=MIX)
    half = Known("percent", date(2026, 1, 7), percent=Decimal(50), mix=MIX)
    costs = np.array([100.0] * 6 + [225.0] * 4)[:, None]
    found = effects([more, half], [("total", ("",))])

    assert without(costs, found, start=date(2026, 1, 1))[:, 0].tolist() == [100] * 10
    said, widths, added = with_them(np.full((3, 1), 100.0), found, start=date(2026, 1, 11))
    assert said[:, 0].tolist() == [225] * 3
    assert widths[:, 0].tolist() == [1.5] * 3
    assert [one[0, 0] for one in added] == [50, 75]
    said, _, _ = with_them(np.full((3, 1), 100.0), found, start=date(2026, 1, 6))
    assert said[:, 0].tolist() == [100, 225, 225]


PLAIN = (("web", "", "", Decimal(80)), ("data", "", "", Decimal(20)))


def history(*known: Known, after: float = 0, since: date = END) -> History:
    """Two teams in a cost centre, the first of which costs `after` more `since` a day."""
    days = [FIRST + timedelta(days=number) for number in range((END - FIRST).days)]
    more = {day: Decimal(after) if day >= since else Decimal(0) for day in days}
    teams = {
        "web": {day: Decimal(80) + more[day] for day in days},
        "data": dict.fromkeys(days, Decimal(20)),
    }
    whole = {"": {day: Decimal(100) + more[day] for day in days}}
    tree = Tree(teams={team: (Place(cost_center="CC-1"),) for team in teams})
    stands = standing(tree, teams, since=date(2026, 10, 1), first=END, days=HORIZON)
    costs = {"total": whole, "team": teams, "service": whole, "cluster": whole} | dict(stands.past)
    return History("CNY", FIRST, END, 0, costs, stands, known)


def made(*known: Known, **past):
    return {(one.level, one.key): one for one in forecast(history(*known, **past), Calendar(()))}


def day_costs(one, *days: date) -> list[float]:
    return [float(one.days[(day - END).days][0]) for day in days]


def test_a_planned_change_shifts_every_level_from_its_day_on_and_is_told():
    change = Known("amount", date(2026, 11, 16), team="web", per_day=Decimal(50), note="a move", ref="1", mix=PLAIN)

    found = made(change)

    before, on = date(2026, 11, 15), date(2026, 11, 16)
    for series, expected in ((("team", "web"), [80, 130]), (("total", ""), [100, 150]),
                             (("cost_center", "CC-1"), [100, 150]), (("team", "data"), [20, 20])):  # fmt: skip
        assert day_costs(found[series], before, on) == pytest.approx(expected, abs=0.01), series
    landing = found["team", "web"].landings[0]
    assert float(landing["known"]) == 50 * 15
    assert float(landing["mean"]) == pytest.approx(80 * 30 + 50 * 15, abs=0.1)
    (event,) = found["team", "web"].events
    assert (event["first_day"], event["per_day"], event["note"]) == ("2026-11-16", "50.000000", "a move")
    assert found["team", "data"].events == []


def test_a_change_of_the_last_weeks_is_neither_lost_nor_counted_twice():
    """It came as planned on the last three days; without the plan three days alone would have to tell it."""
    came = date(2026, 10, 30)
    change = Known("amount", came, team="web", per_day=Decimal(50), mix=PLAIN)

    found = made(change, after=50, since=came)

    assert day_costs(found["team", "web"], END, END + timedelta(days=80)) == pytest.approx([130, 130], abs=0.01)
    assert found["team", "web"].mase is None, "without the change nothing ever changed"


def test_a_change_that_did_not_come_is_believed_less_every_day():
    due = date(2026, 10, 12)
    change = Known("amount", due, team="web", per_day=Decimal(50), mix=PLAIN)

    (said,) = day_costs(made(change)["team", "web"], END)

    assert said == pytest.approx(80, abs=5), "three weeks later history is believed"


@pytest.mark.django_db
def test_a_change_is_known_until_four_weeks_of_it_are_history(home):
    for number, day in enumerate((END - timedelta(days=28), END - timedelta(days=27), END, END + timedelta(days=92))):
        plan(Draft(day, str(number + 1), currency="CNY", note="x"), by=Actor("a", None), now=NOW)
    pinned = publish_costs([{"day": END - timedelta(days=1), "team": "web", "effective_cost": "1"}])

    assert [one.per_day for one in known(pinned, "CNY", end=END, days=92)] == [2, 3]
    assert known(pinned, "USD", end=END, days=92) == ()


LEAD, FINANCE = Actor("lilei", frozenset({"web"})), Actor("meimei", None)


@pytest.mark.parametrize(
    ("draft", "by", "told"),
    [
        pytest.param({}, LEAD, "your own teams (web)", id="a lead plans for all"),
        pytest.param({"team": "data"}, LEAD, "your own teams (web)", id="a lead plans for another team"),
        pytest.param({"team": "nobody"}, FINANCE, "no team 'nobody'", id="an unknown team"),
        pytest.param({"note": " "}, FINANCE, "say what is planned", id="no note"),
        pytest.param({"first_day": None}, FINANCE, "from which day", id="no day"),
        pytest.param({"percent": "5"}, FINANCE, "either amount", id="amount and percent"),
        pytest.param({"amount": ""}, FINANCE, "either amount", id="neither"),
        pytest.param({"amount": "1,5"}, FINANCE, "'1,5' is not a number", id="no number"),
        pytest.param({"amount": "0"}, FINANCE, "zero changes nothing", id="nothing"),
        pytest.param({"currency": "RMB"}, FINANCE, "'RMB' is not a currency", id="no currency"),
        pytest.param({"amount": "", "percent": "-101", "currency": ""}, FINANCE, "between -100", id="below nothing"),
        pytest.param({"amount": "", "percent": "5"}, FINANCE, "leave it out", id="percent of a currency"),
        pytest.param({"commitment": "ri-1"}, FINANCE, "nothing changes", id="a renewal with an amount"),
        pytest.param({"team": "web", "first_day": None, "amount": "", "currency": "", "commitment": "ri-of-data"}, LEAD,
                     "of all teams", id="a lead renews"),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_what_cannot_be_planned_is_refused(draft, by, told):
    Team.objects.bulk_create([Team(name="web"), Team(name="data")])

    with pytest.raises((CannotPlan, NotYours)) as refused:
        plan(Draft(**{"first_day": END, "amount": "5", "currency": "CNY", "note": "x"} | draft), by=by, now=NOW)

    assert told in str(refused.value)
    assert not PlannedChange.objects.exists()


@pytest.mark.django_db
def test_changes_are_added_and_withdrawn_and_never_lost():
    Team.objects.bulk_create([Team(name="web"), Team(name="data")])
    mine = plan(Draft(END, "1200.50", currency="CNY", team="web", note="more"), by=LEAD, now=NOW)
    theirs = plan(Draft(END, percent="-20", team="data", note="less"), by=FINANCE, now=NOW)
    assert (mine.amount, theirs.percent, mine.by) == (Decimal("1200.50"), Decimal(-20), "lilei")
    assert list(planned(Scope(frozenset({"web"})))) == [mine]
    before = identity()

    with pytest.raises(CannotPlan, match="no planned change"):
        withdraw(theirs.pk, by=LEAD, now=NOW)
    withdraw(mine.pk, by=LEAD, now=NOW)
    with pytest.raises(CannotPlan, match="withdrawn by lilei already"):
        withdraw(mine.pk, by=FINANCE, now=NOW)

    assert list(planned(EVERYTHING)) == [theirs]
    assert list(planned(EVERYTHING, is_all=True)) == [mine, theirs]
    assert identity() != before, "the step forecasts again"


@pytest.mark.django_db
def test_a_renewal_is_withdrawn_by_who_speaks_for_all():
    Team.objects.create(name="web")
    renewal = plan(Draft(team="web", commitment="ri-1", note="renewed"), by=FINANCE, now=NOW)
    with pytest.raises(CannotPlan, match="no planned change"):
        withdraw(renewal.pk, by=LEAD, now=NOW)
    assert withdraw(renewal.pk, by=FINANCE, now=NOW).withdrawn_by == "meimei"


RI = {"CommitmentDiscountId": "ri-1", "CommitmentDiscountName": "base", "CommitmentDiscountCategory": "Usage",
      "CommitmentDiscountType": "Reserved Instance", "ServiceName": "compute", "ProviderName": "Cloud"}  # fmt: skip


def charged(day: date, effective: str, contracted: str, **cells: str) -> dict[str, str]:
    period = {"ChargePeriodStart": f"{day}T00:00:00Z", "ChargePeriodEnd": f"{day + timedelta(days=1)}T00:00:00Z"}
    money = {"BilledCost": "0", "EffectiveCost": effective, "ContractedCost": contracted, "ListCost": contracted}
    return row("1", **(RI | {"CommitmentDiscountStatus": ""} | period | money | cells))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("expiry", "is_renewed", "expected"),
    [
        pytest.param(
            "2026-11-10", False, [("commitment_end", date(2026, 11, 10), "compute", Decimal("2.25"))], id="it ends"
        ),
        pytest.param("2026-11-10", True, [], id="somebody says it will be renewed"),
        pytest.param("2026-10-31", False, [], id="it was used on the day after its end: it went on"),
        pytest.param("2027-11-10", False, [], id="it ends when nobody asks yet"),
    ],
)
def test_a_commitment_that_ends_makes_dearer_what_it_covered(home, tmp_path, settings, expiry, is_renewed, expected):
    """On each of two days 6 are contracted for 3 of effective cost, and 0.75 more of it was not used: 6 - 3 - 0.75.
    Another begins on 20 November: it is told, and not counted."""
    settings.COSTOPS_TIME_ZONE = "UTC"
    bought = {"ChargeCategory": "Purchase", "BillingPeriodEnd": "2026-10-02T00:00:00Z"}
    rows = [charged(date(2026, 10, 1), "0", "0", ChargePeriodEnd=f"{expiry}T00:00:00Z", **bought)]
    for day in (date(2026, 10, 30), date(2026, 10, 31)):
        rows += [charged(day, "3", "6", CommitmentDiscountStatus="Used"),
                 charged(day, "0.75", "0", CommitmentDiscountStatus="Unused")]  # fmt: skip
    begins = {"ChargePeriodStart": "2026-11-20T00:00:00Z", "ChargePeriodEnd": "2027-11-20T00:00:00Z"}
    rows.append(charged(END, "0", "0", CommitmentDiscountId="ri-2", ChargeCategory="Purchase") | begins)
    put(tmp_path / "in", "october.csv", bill(*rows))
    assert ingest(source(tmp_path / "in")) == []
    if is_renewed:
        plan(Draft(commitment="ri-1", note="renewed for a year"), by=FINANCE, now=NOW)
    pinned = publish_costs([{"day": date(2026, 10, 31), "team": "web", "service": "compute", "effective_cost": "9"}])
    pinned.versions |= {CHARGES.name: lake.version(CHARGES)}

    found = known(pinned, "CNY", end=date(2026, 11, 1), days=92)

    begin = ("commitment_start", date(2026, 11, 20), "", None)
    assert [(one.kind, one.first_day, one.service, one.per_day) for one in found] == [*expected, begin]
    assert all(one.mix == (("web", "compute", "", Decimal(9)),) for one in found)
