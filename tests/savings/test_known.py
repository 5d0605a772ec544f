"""Savings are measured of bills that have come: what they do not tell yet is not known, it is not nothing."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from apps.finops.tables import COVERAGE_HOURS
from apps.finops.windows import Window
from apps.savings import services
from apps.savings.heard import silent_by_cluster
from apps.savings.models import Initiative
from apps.savings.series import read_series
from tests.insights.idle_world import write
from tests.savings.ledgers import END, FIRST, START, costs, publish, stated
from tests.worlds import publish_costs

pytestmark = pytest.mark.django_db
OSS = ("live", "OSS")
State = Initiative.State
DECIDED = START + timedelta(days=28)


@pytest.fixture(autouse=True)
def _home(home):
    """Every test has a lake of its own."""


@pytest.fixture
def one():
    """Stated while every bill had come."""
    publish()
    return stated()


def cell(row):
    return row["team"], row["service"]


def billed_alone(rows):
    """The storage of `live` comes on a bill of its own."""
    return [row | {"source": "storage" if cell(row) == OSS else "bill"} for row in rows]


def look(one, rows, day):
    """Publish what bills tell on the morning of a day, and measure it; where the initiative stands then."""
    publish_costs(rows)
    services.verify(now=datetime.combine(day, time(11), tzinfo=ZoneInfo("Asia/Shanghai")))
    one.refresh_from_db()
    newest = one.measurements.order_by("-pk").first()
    return one.state, newest and newest.end


def late(days, source="storage"):
    """Nothing changed, and a bill has not come for the last days."""
    rows = billed_alone(costs())
    return [row for row in rows if row["source"] != source or row["day"] < END - timedelta(days=days)]


def in_parts():
    """Nothing changed; of the last two days only a tenth came yet."""
    part = {DECIDED - timedelta(days=number) for number in (1, 2)}
    return [
        row | {"effective_cost": Decimal(row["effective_cost"]) / (10 if row["day"] in part else 1)}
        for row in costs(until=DECIDED)
    ]


def without_a_part():
    """Nothing changed; on the last three days the bill goes on for others alone."""
    rows = costs(until=DECIDED)
    return [row for row in rows if row["team"] != "live" or row["day"] < DECIDED - timedelta(days=3)]


def with_a_fee(until, day):
    """Nothing changed; a fee of the bill is dated on a day after those that came."""
    fee = {"day": day, "team": "live", "service": "OSS", "effective_cost": "5", "charge_category": "Purchase"}
    return [*costs(until=until), fee]


@pytest.mark.parametrize(
    ("rows", "day", "until"),
    [
        pytest.param(lambda: late(8), END, 21, id="its bill is eight days late"),
        pytest.param(lambda: late(8, "bill"), END, 21, id="the bill of the team's other cost is: it may have moved"),
        pytest.param(in_parts, DECIDED, 21, id="its last days came in part"),
        pytest.param(without_a_part, DECIDED, 21, id="its part of the bill is late"),
        pytest.param(
            lambda: with_a_fee(START + timedelta(days=10), DECIDED - timedelta(days=1)),
            START + timedelta(days=10), 7, id="a fee is dated ahead: those days are not over",
        ),
        pytest.param(
            lambda: with_a_fee(START + timedelta(days=19), DECIDED - timedelta(days=1)),
            END, 14, id="a fee was dated ahead, and then the bill is late",
        ),
    ],
)  # fmt: skip
def test_nothing_is_concluded_before_the_bills_of_its_window_have_come(one, rows, day, until):
    assert look(one, rows(), day) == (State.STATED, START + timedelta(days=until))


def test_once_they_have_come_it_is_concluded(one):
    changed = billed_alone(costs({OSS: 0.75}))
    look(one, [row for row in changed if cell(row) != OSS or row["day"] < END - timedelta(days=8)], END)

    assert look(one, changed, END) == (State.VERIFIED, DECIDED)


def test_days_that_the_bill_of_a_control_does_not_reach_are_unknown(one):
    rows = [row | {"source": row["team"]} for row in costs({OSS: 0.75})]
    came = [row for row in rows if row["team"] != "data" or row["day"] < DECIDED - timedelta(days=3)]
    pinned = publish_costs(came)

    series = read_series(one, pinned, DECIDED, today=END)

    missing = {name: int(np.isnan(values).sum()) for name, values in series.controls.items()}
    assert set(missing.values()) == {0, 3}
    assert missing == {name: 3 if "team data" in name else 0 for name in missing}
    assert look(one, came, END) == (State.VERIFIED, DECIDED)


def test_a_bill_that_has_ended_is_waited_for_two_months_and_costs_nothing_from_then_on(one):
    """The storage was given up with its provider: that is what was to be saved."""

    def until(days):
        rows = billed_alone(costs(until=START + timedelta(days=days)))
        return [row for row in rows if cell(row) != OSS or row["day"] < START]

    assert look(one, until(40), START + timedelta(days=40)) == (State.STATED, None)
    assert look(one, until(62), START + timedelta(days=62)) == (State.VERIFIED, START + timedelta(days=58))


@pytest.mark.parametrize(
    ("ahead", "late"),
    [
        pytest.param(30, 0, id="a fee of this month"),
        pytest.param(90, 0, id="a fee of next quarter"),
        pytest.param(300, 0, id="a fee of next year"),
        pytest.param(90, 8, id="a fee, and a bill that is late"),
    ],
)
def test_what_is_stated_of_a_start_to_come_is_expected_from_days_that_are_over(ahead, late):
    """A fee dated ahead publishes days to come: nothing is known of them."""
    day = START - timedelta(days=14)
    rows = costs(until=day)
    now = datetime.combine(day + timedelta(days=late), time(11), tzinfo=ZoneInfo("Asia/Shanghai"))
    publish_costs(rows)
    expected = stated(now=now)
    fee = {"day": START + timedelta(days=ahead), "team": "data", "service": "RI", "effective_cost": "5"}
    publish_costs([*rows, fee])

    one = stated(now=now, name="With a fee")

    assert (one.controls, one.detectable_text) == (expected.controls, expected.detectable_text)
    assert 0 < float(one.detectable_text) < 5


def test_what_is_stated_is_not_expected_from_days_whose_bills_have_not_come():
    rows = billed_alone(costs(until=START))
    came = [row for row in rows if cell(row) != OSS or row["day"] < START - timedelta(days=14)]
    now = datetime.combine(START, time(11), tzinfo=ZoneInfo("Asia/Shanghai"))
    publish_costs([row for row in rows if row["day"] < START - timedelta(days=14)])
    expected = stated(now=now)
    publish_costs(came)

    one = stated(now=now, name="With a bill that is late")

    assert one.controls == expected.controls
    assert one.detectable_text == expected.detectable_text


@pytest.mark.parametrize("days", [7, 14, 18])
def test_controls_are_chosen_by_the_days_of_theirs_that_are_known(days):
    """The bill of another team has not come for the last days: its cost is not known there, it is not nothing."""
    now = datetime.combine(START, time(11), tzinfo=ZoneInfo("Asia/Shanghai"))
    rows = [row | {"source": row["team"]} for row in costs(until=START)]
    publish_costs(rows)
    expected = stated(now=now)
    publish_costs([row for row in rows if row["team"] != "data" or row["day"] < START - timedelta(days=days)])

    one = stated(now=now, name="While a bill is late")

    assert {"service": ["ECS"], "team": ["data"]} in expected.controls
    assert sorted(map(str, one.controls)) == sorted(map(str, expected.controls))


# --- What is told by use ---------------------------------------------------------------------------------------------
def in_a_cluster(silent=lambda _day: False):
    """Nothing changed; what `live` stores is told by its use, and falls to others where nobody heard it."""
    return [
        row | {"cluster": "batch", "team": "search" if silent(row["day"]) else "live"} if cell(row) == OSS else row
        for row in costs()
    ]


def heard_on(silent, last=END):
    """Samples of the cluster, of its days but for the silent ones."""
    first = START - timedelta(days=98)
    days = [first + timedelta(days=number) for number in range((last - first).days)]
    return [("batch", day, 99, 100) for day in days if not silent(day)]


def measured(one, rows, heard, day=END):
    publish_costs(rows, clusters=heard)
    services.verify(now=datetime.combine(day, time(11), tzinfo=ZoneInfo("Asia/Shanghai")))
    one.refresh_from_db()
    return one.state


@pytest.fixture
def one_in_a_cluster():
    publish_costs(in_a_cluster(), clusters=heard_on(lambda _day: False))
    return stated()


def test_controls_are_chosen_by_the_days_on_which_their_use_was_metered():
    """What another team stores is told by its use, and fell to others where nobody heard it."""

    def silent(day):
        return START - timedelta(days=50) <= day < START - timedelta(days=40)

    def rows(silent):
        return [
            row | {"cluster": "batch", "team": "search" if silent(row["day"]) else "data"}
            if cell(row) == ("data", "OSS") else row
            for row in costs()
        ]  # fmt: skip

    publish_costs(rows(lambda _day: False), clusters=heard_on(lambda _day: False))
    expected = stated()
    publish_costs(rows(silent), clusters=heard_on(silent))

    one = stated(name="After an outage")

    assert {"service": ["OSS"], "team": ["data"]} in expected.controls
    assert {"service": ["OSS"], "team": ["data"]} in one.controls


@pytest.mark.parametrize("days", [3, 10, 25])
def test_days_on_which_its_use_was_not_metered_save_nothing(one_in_a_cluster, days):
    def silent(day):
        return START + timedelta(days=2) <= day < START + timedelta(days=2 + days)

    assert measured(one_in_a_cluster, in_a_cluster(silent), heard_on(silent)) != State.VERIFIED


def test_nothing_is_concluded_while_its_use_is_not_metered(one_in_a_cluster):
    def silent(day):
        return day >= START + timedelta(days=2)

    assert measured(one_in_a_cluster, in_a_cluster(silent), heard_on(silent)) == State.STATED


def test_what_really_fell_is_verified_beside_days_that_nobody_heard(one_in_a_cluster):
    def silent(day):
        return START + timedelta(days=2) <= day < START + timedelta(days=5)

    def fell(row):
        of_us = row.get("cluster") == "batch" and row["team"] == "live" and row["day"] >= START
        return row | {"effective_cost": f"{Decimal(row['effective_cost']) / 2:.6f}"} if of_us else row

    rows = [fell(row) for row in in_a_cluster(silent)]
    assert measured(one_in_a_cluster, rows, heard_on(silent)) == State.VERIFIED


def test_a_cluster_that_was_given_up_costs_nothing_once_it_is_silent_for_two_months(one_in_a_cluster):
    def gone(day):
        return day >= START

    def looked_at(after):
        until = START + timedelta(days=after)
        rows = [row for row in costs(until=until) if cell(row) != OSS]
        before = [row for row in in_a_cluster() if cell(row) == OSS and row["day"] < START]
        return measured(one_in_a_cluster, rows + before, heard_on(gone), until)

    assert looked_at(40) == State.STATED
    assert looked_at(95) == State.VERIFIED
    verdict = one_in_a_cluster.measurements.order_by("-pk")[0]
    assert verdict.grade == "C"
    assert [said["values"] for said in verdict.content["says"] if "given up" in said["text"]] == [{"clusters": "batch"}]


def test_a_cluster_that_is_billed_on_long_after_it_was_heard_last_is_measured(one_in_a_cluster):
    """It was given up for two months before all days of which bills are looked at."""
    until = START + timedelta(days=95)

    assert measured(one_in_a_cluster, [
        row | {"cluster": "batch"} if cell(row) == OSS else row for row in costs({OSS: 0.5}, until=until)
    ], heard_on(lambda day: day >= START), until) == State.VERIFIED  # fmt: skip


# --- Switched off by the clock, together with what watches it ---------------------------------------------------------
ZONE = ZoneInfo("Asia/Shanghai")


def heard_but(off, rows):
    """A publication of these costs; of `batch` nothing is heard in the hours (local) in which it is `off`."""
    days = [FIRST + timedelta(days=number) for number in range((END - FIRST).days)]
    told = {day: [datetime.combine(day, time(hour), ZONE) for hour in range(24)] for day in days}
    loud = {day: [at for at in hours if not off(at)] for day, hours in told.items()}
    pinned = publish_costs(rows, clusters=[("batch", day, 4 * len(hours), 96) for day, hours in loud.items()])
    blank = {"source": "s", "file_id": "f", "cluster": "batch", "expected_samples": 4}
    pinned.versions |= {COVERAGE_HOURS.name: write(COVERAGE_HOURS, [
        blank | {"day": day, "hour": at.astimezone(UTC), "observed_samples": 0 if off(at) else 4}
        for day, hours in told.items() for at in hours
    ])}  # fmt: skip
    pinned.save()
    return pinned


def at_night(at, since=START):
    return at.date() >= since and not 8 <= at.hour < 18


@pytest.mark.parametrize(
    ("off", "silent"),
    [
        pytest.param(at_night, lambda _day: False, id="each night for a month"),
        pytest.param(
            lambda at: at_night(at, END - timedelta(days=14)), lambda day: day >= END - timedelta(days=14),
            id="for two weeks: it may be an outage",
        ),
        pytest.param(
            lambda at: at_night(at) or (at.date() >= START and at.weekday() >= 5),
            lambda day: day >= START and day.weekday() >= 5, id="whole days are not known, though they are usual",
        ),
        pytest.param(
            lambda at: at_night(at) or (at.date() == END - timedelta(days=3) and at.hour < 14),
            lambda day: day == END - timedelta(days=3), id="and an outage on a day",
        ),
    ],
)  # fmt: skip
def test_hours_in_which_a_cluster_is_off_by_the_clock_are_not_missing(off, silent):
    pinned = heard_but(off, in_a_cluster())
    window = Window(FIRST, END)

    assert silent_by_cluster(["batch"], window, pinned)["batch"] == {day for day in window.days() if silent(day)}


def test_what_it_saves_to_be_off_at_night_is_verified(one_in_a_cluster):
    heard_but(at_night, [
        row | {"cluster": "batch"} if cell(row) == OSS else row for row in costs({OSS: 0.5})
    ])  # fmt: skip

    services.verify(now=datetime.combine(END, time(11), ZONE))

    one_in_a_cluster.refresh_from_db()
    assert one_in_a_cluster.state == State.VERIFIED
