"""The rules: what is so in budgets, anomalies, sources, usage, cost and runs, by which thresholds."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.alerts import limits
from apps.alerts.facts import Ask, Limits
from apps.alerts.limits import BadThreshold
from apps.alerts.models import Threshold
from apps.alerts.rules import BY_NAME, RULES, budgets, data
from apps.finops.notices import SEVERITIES
from apps.finops.windows import ONE_DAY
from apps.ingest.models import MeteredDay, Source
from apps.pipeline.failing import facts as failed_runs
from apps.pipeline.models import StepRun
from apps.teams.approval import Actor, NotYours
from tests.alerts.worlds import NOW, at, standing
from tests.channels.worlds import hire
from tests.worlds import publish_costs

pytestmark = pytest.mark.django_db
FINANCE = Actor("han", None)
LEAD = Actor("lilei", frozenset({"live"}))


def found(rule: str, hours: float = 0) -> list[tuple[str, str]]:
    return [(fact.subject, fact.severity) for fact in BY_NAME[rule].facts(limits.ask_of(BY_NAME[rule], at(hours)))]


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch) -> Any:
    def stand(**given: Any) -> None:
        monkeypatch.setattr(budgets, "standings", lambda now: [standing(**given)])

    return stand


@pytest.mark.parametrize(
    ("spent", "expected"),
    [
        pytest.param("799.99", [], id="below 80 %"),
        pytest.param("800", [("7", "info")], id="80 %"),
        pytest.param("900", [("7", "warning")], id="90 %"),
        pytest.param("999.999999999999", [("7", "warning")], id="a whisker below 100 %"),
        pytest.param("1000", [("7", "critical")], id="100 %"),
        pytest.param("1500", [("7", "critical")], id="far above: still one alert"),
    ],
)
def test_a_budget_speaks_at_80_90_and_100_percent(budget, spent, expected):
    budget(spent=Decimal(spent))
    assert found("budget_actual") == expected


@pytest.mark.parametrize(
    ("landing", "expected"),
    [
        pytest.param(None, [], id="not forecast: nothing is known"),
        pytest.param("999", [], id="within it"),
        pytest.param("1001", [("7", "warning")], id="above it"),
        pytest.param("1300", [("7", "critical")], id="far above"),
    ],
)
def test_a_budget_speaks_of_its_forecast(budget, landing, expected):
    budget(landing=None if landing is None else Decimal(landing))
    assert found("budget_forecast") == expected


def test_a_budget_says_when_it_will_be_exceeded(budget):
    budget(spent=Decimal(950), spent_until=date(2026, 11, 1), landing=Decimal(1100), lower=Decimal(1010),
           upper=Decimal(1200), exceeds_on=date(2026, 11, 23), probability=Decimal("0.8"))  # fmt: skip
    (fact,) = budgets.actual(Ask(NOW, Limits({"warning": Decimal(90)})))
    assert str(fact.title) == "95.0 % of the budget live 2026 is spent"
    assert [str(line) for line in fact.lines] == [
        "950.00 of 1,000.00 CNY for 2026 are spent until 2026-11-01",
        "The period is expected to land at 1,100.00 CNY",
        "In 80 of 100 cases it lands between 1,010.00 and 1,200.00 CNY",
        "It will exceed its budget on 2026-11-23 (80 %)",
    ]


@pytest.mark.parametrize(
    ("day", "line"),
    [
        (date(2026, 11, 1), "It exceeded its budget on 2026-11-01"),
        (date(2026, 11, 23), "It exceeds its budget on 2026-11-23 by what is charged ahead"),
    ],
)
def test_a_budget_says_whether_the_day_it_is_exceeded_on_has_come(budget, day, line):
    budget(spent=Decimal(1200), spent_until=date(2026, 11, 1), exceeds_on=day, state="exceeded")
    (fact,) = budgets.actual(Ask(NOW, Limits({"critical": Decimal(100)})))
    assert str(fact.lines[-1]) == line


@pytest.mark.parametrize(
    ("amount", "spent", "expected"),
    [
        pytest.param("0", "0", [], id="nothing is allowed, and nothing was spent"),
        pytest.param("0", "0.01", [("7", "critical")], id="nothing is allowed"),
        pytest.param("-5", "-5", [], id="overspent before, and given back since"),
        pytest.param("-5", "0", [("7", "critical")], id="overspent before"),
    ],
)
def test_a_budget_of_nothing_or_less_speaks_of_whatever_is_above_it(budget, amount, spent, expected):
    budget(amount=Decimal(amount), spent=Decimal(spent), landing=Decimal(spent))
    assert found("budget_actual") == found("budget_forecast") == expected


def test_a_budget_of_nothing_tells_amounts_and_no_share(budget):
    budget(amount=Decimal(-5), spent=Decimal(10), landing=Decimal(1200))
    (spent,), (lands,) = (
        list(tell(Ask(NOW, Limits({"info": Decimal(80)})))) for tell in (budgets.actual, budgets.forecast)
    )
    assert str(spent.title) == "The budget live 2026 allows -5.00 CNY, and 10.00 are spent"
    assert str(lands.title) == "The budget live 2026 allows -5.00 CNY, and is expected to end at 1,200.00"
    assert spent.severity == "info", "the gravest there is a limit of"


def test_a_rule_that_is_off_says_nothing_of_a_budget_of_nothing(budget):
    budget(amount=Decimal(0), spent=Decimal(10))
    assert list(budgets.actual(Ask(NOW, Limits({"critical": Decimal(100)}, is_on=False)))) == []


class TestThresholds:
    def test_finance_sets_them_for_all_and_a_team_for_itself(self, budget):
        hire()
        budget(spent=Decimal(700))
        limits.set_limits("budget_actual", {"warning": "70"}, by=FINANCE, now=NOW)
        assert found("budget_actual") == [("7", "warning")]
        limits.set_limits("budget_actual", {"info": "60.5"}, team="live", by=LEAD, now=NOW)
        assert found("budget_actual") == [("7", "info")]
        limits.reset("budget_actual", team="live", by=LEAD, now=NOW)
        assert found("budget_actual") == [("7", "warning")]
        limits.reset("budget_actual", by=FINANCE, now=NOW)
        assert found("budget_actual") == []
        assert Threshold.objects.count() == 4, "who set what stays to be seen"

    def test_a_rule_can_be_switched_off_for_one_team_or_for_all(self, budget):
        hire()
        budget(spent=Decimal(1000))
        limits.set_limits("budget_actual", {}, team="live", is_on=False, by=LEAD, now=NOW)
        assert found("budget_actual") == []

    @pytest.mark.parametrize(
        ("rule", "given", "team", "by", "refusal"),
        [
            pytest.param("budget_actual", {"info": "90"}, "", LEAD, NotYours, id="for all, by a team"),
            pytest.param("budget_actual", {"info": "90"}, "data", LEAD, NotYours, id="for another team"),
            pytest.param("coverage", {"warning": "90"}, "live", LEAD, NotYours, id="no rule by team"),
            pytest.param("coverage", {"warning": "90"}, "live", FINANCE, BadThreshold, id="nor for finance"),
            pytest.param("budget_actual", {"info": "90"}, "none", FINANCE, BadThreshold, id="no such team"),
            pytest.param("nothing", {"info": "90"}, "", FINANCE, BadThreshold, id="no such rule"),
            pytest.param("budget_actual", {"info": "many"}, "", FINANCE, BadThreshold, id="no number"),
            pytest.param("budget_actual", {"info": "NaN"}, "", FINANCE, BadThreshold, id="not a number"),
            pytest.param("budget_actual", {"info": "-1"}, "", FINANCE, BadThreshold, id="below zero"),
            pytest.param("budget_actual", {"info": "1e99"}, "", FINANCE, BadThreshold, id="too large"),
            pytest.param("budget_actual", {"info": "1e-13"}, "", FINANCE, BadThreshold, id="finer than is told"),
            pytest.param("budget_actual", {"info": "1e-30000000"}, "", FINANCE, BadThreshold, id="30 MB written out"),
            pytest.param("budget_actual", {}, "", FINANCE, BadThreshold, id="none"),
            pytest.param("budget_actual", {"info": "90", "warning": "80"}, "", FINANCE, BadThreshold, id="upside down"),
            pytest.param("coverage", {"warning": "80", "critical": "95"}, "", FINANCE, BadThreshold, id="falling"),
            pytest.param("failed_run", {"warning": "1"}, "", FINANCE, BadThreshold, id="nothing to count"),
        ],
    )
    def test_what_cannot_be_set_is_refused(self, rule, given, team, by, refusal):
        hire()
        with pytest.raises(refusal):
            limits.set_limits(rule, given, team=team, by=by, now=NOW)
        assert not Threshold.objects.exists()

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
    def test_the_defaults_stand_in_order(self, rule):
        in_order = [rule.limits[severity] for severity in SEVERITIES if severity in rule.limits]
        assert in_order == sorted(in_order, reverse=rule.falls)
        assert len(rule.name) <= 20


def a_source(**given: Any) -> Source:
    facts = {"name": "bill", "kind": "focus", "location": "/data", "created_at": NOW - timedelta(days=10)}
    return Source.objects.create(**(facts | given))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param(0, "critical", id="many days of a bill are awaited since the source was made"),
        pytest.param(-24 * 9, None, id="the first day is not due yet"),
    ],
)
def test_a_source_that_says_when_it_is_due_is_late_after_that(hours, expected):
    a_source(options={"late_after": "30"})
    assert [severity for _, severity in found("late_source", hours)] == ([expected] if expected else [])


def test_a_source_that_is_looked_at_no_more_is_never_late():
    a_source(options={"late_after": "30"}, is_active=False)
    assert found("late_source") == []


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        pytest.param(0, [], id="today was pulled"),
        pytest.param(1, [], id="today not yet"),
        pytest.param(2, [("online", "warning")], id="a whole day is missing"),
        pytest.param(4, [("online", "critical")], id="for days"),
    ],
)
def test_usage_that_is_pulled_is_late_by_the_day(days_ago, expected):
    source = a_source(name="online", kind="prometheus", location="http://prom", cluster="online")
    MeteredDay.objects.create(
        source=source, day=NOW.date() - days_ago * ONE_DAY, content_sha256="x", pulled_at=NOW,
        observed_samples=1, expected_samples=1,
    )  # fmt: skip
    assert found("late_source") == expected


@pytest.mark.parametrize(
    ("limits_", "expected"),
    [
        pytest.param({"warning": Decimal(95)}, [], id="99 % were observed"),
        pytest.param({"warning": Decimal("99.5")}, [("online", "warning")], id="fewer than wanted"),
    ],
)
def test_coverage_of_what_is_published(home, limits_, expected):
    from django.core.cache import cache

    from tests.dashboards import company

    cache.clear()
    company.publish()
    told = data.coverage(Ask(NOW, Limits(limits_, falls=True)))
    assert [(fact.subject, fact.severity) for fact in told] == expected


def publish_clusters(**clusters: list[tuple[int, int, int]]) -> None:
    """A week of cost to 7 November; of each cluster days of it with what was observed and expected."""
    week = [date(2026, 11, day) for day in range(1, 8)]
    days = [(name, date(2026, 11, day), *counts) for name, told in clusters.items() for day, *counts in told]
    publish_costs([{"day": day, "effective_cost": "1"} for day in week], coverage={}, clusters=days)


def test_a_small_cluster_that_is_blind_is_not_lost_in_the_whole(home):
    publish_clusters(large=[(day, 9990, 10000) for day in range(1, 8)], small=[(day, 79, 100) for day in range(1, 8)])

    (fact,) = BY_NAME["coverage"].facts(limits.ask_of(BY_NAME["coverage"], NOW))

    assert (fact.subject, fact.severity) == ("small", "critical")
    assert str(fact.title) == "79.0 % of the samples of cluster small in the last seven days were observed"


@pytest.mark.parametrize(
    ("last_days", "expected"),
    [
        pytest.param({"a": 7, "b": 7}, [], id="all are known"),
        pytest.param({"a": 7, "b": 6}, [], id="a day later is usual where files are brought"),
        pytest.param({"a": 7, "b": 5}, [("b", "warning")], id="two whole days are missing"),
        pytest.param({"a": 7, "b": 3, "c": 5}, [("b", "critical"), ("c", "warning")], id="each by itself"),
        pytest.param({"a": 3, "b": 3}, [], id="all stopped: their source is late, no cluster is silent"),
    ],
)
def test_a_cluster_that_is_no_longer_scraped_is_told(home, last_days, expected):
    publish_clusters(**{name: [(day, 10, 10) for day in range(1, last + 1)] for name, last in last_days.items()})
    assert found("silent_cluster") == expected


def test_a_cluster_of_which_nothing_is_observed_any_more_is_silent_too(home):
    publish_clusters(a=[(day, 10, 10) for day in range(1, 8)], b=[(1, 10, 10), *((day, 0, 10) for day in range(2, 8))])
    (fact,) = data.silent_clusters(Ask(NOW, Limits({"warning": Decimal(1)})))
    assert str(fact.title) == "Nothing has come from cluster b since 2026-11-01"
    assert [str(line) for line in fact.lines] == ["Other clusters are known up to 2026-11-07"]


@pytest.mark.parametrize(
    ("until", "told"),
    [
        pytest.param(date(2026, 11, 2), [], id="Saturday and Sunday, as in the weeks before"),
        pytest.param(date(2026, 11, 4), [("b", "warning")], id="Monday and Tuesday too"),
    ],
)
def test_a_cluster_that_is_off_at_weekends_is_not_called_silent_each_week(home, until, told):
    """Of `b`, whose last day is Friday 30 October, samples are expected on Saturday and Sunday too."""
    month = [date(2026, 9, 28) + timedelta(days=after) for after in range((until - date(2026, 9, 28)).days)]
    worked = [day for day in month if day.weekday() < 5 and day <= date(2026, 10, 30)]
    off = [("b", day, 0, 10) for day in month if day.weekday() >= 5]
    clusters = [*(("a", day, 10, 10) for day in month), *(("b", day, 10, 10) for day in worked), *off]
    publish_costs([{"day": day, "effective_cost": "1"} for day in month], coverage={}, clusters=clusters)

    assert found("silent_cluster") == told
    assert found("coverage") == []


def test_a_fee_dated_ahead_hides_neither_what_was_not_observed_nor_what_nobody_owns(home):
    """Half of October was observed and nobody owned its cost; a fee of `live` stands at the end of the year."""
    october = [date(2026, 10, day) for day in range(1, 32)]
    fee = {"day": date(2026, 12, 31), "effective_cost": "1000", "team": "live", "charge_category": "Purchase"}
    usage = [{"day": day, "effective_cost": "1"} for day in october]
    for rows in (usage, [*usage, fee]):
        publish_costs(rows, coverage=dict.fromkeys(october, (50, 100)))
        assert [severity for _, severity in found("coverage") + found("unallocated")] == ["critical", "critical"]


def test_nor_where_the_bill_is_late_beside_it(home):
    """The bill of September is the last that came; on 2 November all is told of it still."""
    september = [date(2026, 9, day) for day in range(1, 31)]
    fee = {"day": date(2026, 12, 31), "effective_cost": "1000", "team": "live", "charge_category": "Purchase"}
    usage = [{"day": day, "effective_cost": "1"} for day in september]
    for rows in (usage, [*usage, fee]):
        publish_costs(rows, coverage=dict.fromkeys(september, (50, 100)), created_at=NOW)
        assert [severity for _, severity in found("coverage") + found("unallocated")] == ["critical", "critical"]


def test_where_all_cost_is_dated_ahead_nothing_is_said_of_days_that_came(home):
    publish_costs([{"day": date(2026, 12, 31), "effective_cost": "1"}], coverage={})
    assert found("coverage") == found("unallocated") == []


def test_a_cluster_that_left_long_ago_is_gone(home):
    publish_costs([{"day": date(2026, 11, 1), "effective_cost": "1"}], clusters=[("old", date(2026, 10, 1), 9, 9)])
    assert found("silent_cluster") == []


def test_cost_that_belongs_to_nobody_is_told_by_currency(home):
    from django.core.cache import cache

    from tests.dashboards import company

    cache.clear()
    company.publish()
    (fact,) = data.unallocated(Ask(NOW, Limits({"warning": Decimal(0), "critical": Decimal(99)})))
    assert (fact.subject, fact.severity, fact.team) == ("CNY", "warning", "")
    assert "of the cost in CNY belongs to nobody" in str(fact.title)
    assert list(data.unallocated(Ask(NOW, Limits({"warning": Decimal(99)})))) == []


def a_run(state: str, key: str = "normalize bill", hours: float = -1, **given: Any) -> StepRun:
    step, _, source = key.partition(" ")
    facts = {"step": step, "source": source, "key": key, "asked_at": at(hours), "finished_at": at(hours)}
    return StepRun.objects.create(**(facts | {"state": state} | given))


DAYS = {"window_start": date(2026, 10, 1), "window_end": date(2026, 10, 8)}
LATER = {"window_start": date(2026, 10, 7), "window_end": date(2026, 10, 20)}
ELSEWHERE = {"window_start": date(2026, 10, 9), "window_end": date(2026, 10, 20)}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param([("done", {})], [], id="all is well"),
        pytest.param([("failed", {})], ["warning"], id="the newest failed"),
        pytest.param([("failed", {"failure": "quarantined"})], ["critical"], id="workers died on it"),
        pytest.param([("failed", {}), ("done", {})], [], id="it was made good"),
        pytest.param([("done", {}), ("failed", {})], ["warning"], id="it failed since"),
        pytest.param([("failed", {}), ("failed", {})], ["warning"], id="again and again: one fact"),
        pytest.param([("failed", {}), ("running", {"finished_at": None})], ["warning"], id="it is being tried again"),
        pytest.param([("failed", DAYS | {"key": "allocate a"}), ("done", LATER | {"key": "allocate b"})], [],
                     id="other days, some of the same among them"),
        pytest.param([("failed", DAYS | {"key": "allocate a"}), ("done", ELSEWHERE | {"key": "allocate b"})],
                     ["warning"], id="other days"),
        pytest.param([("failed", {"finished_at": NOW - timedelta(days=15)})], [], id="long ago"),
    ],
)  # fmt: skip
def test_a_run_that_failed_is_told_until_it_is_made_good(runs, expected):
    for state, given in runs:
        a_run(state, **({"source": ""} if "window_start" in given else {}) | {"step": "allocate"} | given
              if "window_start" in given else given)  # fmt: skip
    assert [fact.severity for fact in failed_runs(Ask(NOW, Limits({})))] == expected


def test_the_pipeline_tells_of_its_runs_when_it_starts():
    a_run("failed", message="line 7: no currency")
    (fact,) = BY_NAME["failed_run"].facts(limits.ask_of(BY_NAME["failed_run"], NOW))
    assert str(fact.title) == "The run normalize bill failed"
    assert str(fact.lines[1]) == "line 7: no currency"
