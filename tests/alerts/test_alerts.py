"""Alerts: opened once, updated, raised, resolved by themselves, reopened when they return, and told once each time."""

import threading

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.alerts import people, selectors, services
from apps.alerts.models import Alert, AlertStep
from apps.alerts.people import NotOpen
from apps.alerts.selectors import NoSuchAlert, Wanted
from apps.channels.models import Channel, Entry, Message
from apps.finops.notices import SEVERITIES
from apps.teams.approval import NotYours, actor_of
from tests.alerts.worlds import NOW, RULE, a_fact, at, history, keys, one, so
from tests.channels.worlds import a_channel, deliver, hire


def acknowledge(who: User, hours: float = 1, note: str = "looking") -> None:
    people.acknowledge(one(), by=actor_of(who), note=note, now=at(hours))


@pytest.mark.django_db
class TestOneFact:
    @pytest.mark.parametrize(
        ("seen", "state", "told"),
        [
            pytest.param(["w"], "open", ["1 warning"], id="it is so"),
            pytest.param(["w", "w", "w"], "open", ["1 warning"], id="it is so still"),
            pytest.param(["w", ""], "resolved", ["1 warning", "1 over"], id="it is no longer so"),
            pytest.param(["w", "", ""], "resolved", ["1 warning", "1 over"], id="nor later"),
            pytest.param(["w", "", "w"], "open", ["1 warning", "1 over", "2 warning"], id="it returns"),
            pytest.param(["i", "w", "c"], "open", ["1 info", "1 warning", "1 critical"], id="ever graver"),
            pytest.param(["c", "w", "c"], "open", ["1 critical"], id="milder for a while"),
            pytest.param(["c", "", "i"], "open", ["1 critical", "1 over", "2 info"], id="it returns milder"),
            pytest.param([""], None, [], id="it never was so"),
        ],
    )
    def test_what_becomes_of_it_and_what_is_told(self, seen, state, told):
        a_channel()
        names = {name[0]: name for name in SEVERITIES}
        for hour, severity in enumerate(seen):
            so(*([a_fact(severity=names[severity])] if severity else []), hours=hour)
        assert list(Alert.objects.values_list("state", flat=True)) == ([state] if state else [])
        assert keys() == told

    def test_it_is_updated_without_telling_again(self):
        a_channel()
        so(a_fact())
        so(a_fact(title=a_fact().title.__class__("%(share)s of it", {"share": "95.0 %"})), hours=1)
        assert (one().title["values"], one().seen_at, one().opened_at) == ({"share": "95.0 %"}, at(1), NOW)
        assert keys() == ["1 warning"]

    def test_another_period_is_another_alert(self):
        a_channel()
        so(a_fact(period="2026-10"))
        so(a_fact(period="2026-11"), hours=1)
        assert dict(Alert.objects.values_list("period", "state")) == {"2026-10": "resolved", "2026-11": "open"}

    def test_what_was_seen_earlier_does_not_count_any_more(self):
        a_channel()
        so(a_fact(), hours=1)
        assert so(hours=2)
        assert not so(a_fact(), hours=1.5), "a slow worker comes with old news"
        assert (one().state, keys()) == ("resolved", ["1 warning", "1 over"])

    def test_the_end_says_so(self, mailbox):
        a_channel()
        so(a_fact())
        deliver()
        so(hours=1)
        deliver(at(1))
        assert mailbox.messages[1]["Subject"] == "CostOps: over: 91.0 % of the budget live is spent"
        assert "It is no longer so" in mailbox.messages[1].get_content()


@pytest.mark.django_db
class TestPeople:
    def test_who_acknowledges_is_kept_and_nobody_further_is_told(self):
        staff = hire()
        so(a_fact())
        acknowledge(staff["lilei"], note=" exam season ")
        assert people.escalate(now=at(999)) == 0
        assert history() == ["machine: open warning", "lilei: acknowledge warning"]
        assert (one().acknowledged_by, AlertStep.objects.latest("pk").note) == ("lilei", "exam season")

    def test_what_becomes_graver_is_open_again(self):
        staff = hire()
        so(a_fact())
        acknowledge(staff["lilei"])
        so(a_fact(severity="critical"), hours=2)
        assert (one().state, one().acknowledged_by) == ("open", "")

    @pytest.mark.parametrize(
        ("who", "team", "may"),
        [
            pytest.param("lilei", "live", True, id="the lead"),
            pytest.param("mei", "live", False, id="another team"),
            pytest.param("han", "live", True, id="finance"),
            pytest.param("lilei", "", False, id="what is the company's"),
            pytest.param("han", "", True, id="what is the company's, by finance"),
        ],
    )
    def test_who_may_acknowledge_and_who_may_know(self, who, team, may):
        user = hire()[who]
        so(a_fact(team=team))
        if may:
            acknowledge(user)
            assert [found.pk for found in selectors.alerts(user, Wanted())] == [one().pk]
            return
        with pytest.raises(NotYours):
            acknowledge(user)
        with pytest.raises(NoSuchAlert):
            selectors.find(one().pk, user)
        assert selectors.alerts(user, Wanted(state="any")) == []

    def test_twice_is_refused_and_so_is_what_is_over(self):
        staff = hire()
        so(a_fact())
        acknowledge(staff["lilei"])
        with pytest.raises(NotOpen):
            acknowledge(staff["han"])
        so(hours=2)
        with pytest.raises(NotOpen):
            acknowledge(staff["han"])

    def test_unacknowledged_it_goes_to_the_lead_then_to_finance_each_once(self):
        staff = hire()
        lead, han = a_channel(user=staff["lilei"]), a_channel(user=staff["han"])
        team = a_channel("email", team="live")
        so(a_fact())
        assert (keys(team), keys(lead), keys(han)) == (["1 warning"], ["1 warning"], [])
        for hours in (23, 24, 25, 47, 48, 49, 500):
            people.escalate(now=at(hours))
        assert keys(team) == ["1 warning"]
        assert keys(lead) == ["1 warning", "1 warning escalated 1"]
        assert keys(han) == ["1 warning escalated 2"]
        assert history()[1:] == ["machine: escalate warning"] * 2

    @pytest.mark.parametrize(
        ("severity", "settings_", "hours", "expected"),
        [
            pytest.param("critical", [], 3.9, 0, id="critical: not before four hours"),
            pytest.param("critical", [], 4, 1, id="critical: after four"),
            pytest.param("warning", [], 4, 0, id="a warning waits a day"),
            pytest.param("info", [], 9999, 0, id="information is told to nobody further"),
            pytest.param("warning", ["warning=2"], 2, 1, id="as the installation says"),
            pytest.param("critical", ["critical=0"], 9999, 0, id="never"),
        ],
    )
    def test_how_long_it_waits(self, settings, severity, settings_, hours, expected):
        hire()
        settings.COSTOPS_ESCALATION_HOURS = settings_
        so(a_fact(severity=severity))
        assert people.escalate(now=at(hours)) == expected

    @pytest.mark.parametrize("text", ["warning", "grave=3", "warning=soon", "warning=-1"])
    def test_hours_that_cannot_be_read_are_refused(self, settings, text):
        settings.COSTOPS_ESCALATION_HOURS = [text]
        with pytest.raises(people.BadHours, match="such as critical=4"):
            people.hours_to_wait()

    def test_whoever_never_had_a_channel_is_given_mail(self, mailbox):
        hire()
        so(a_fact(), a_fact("8", team=""))
        assert sorted((one.user or one.team).pk for one in Channel.objects.all())
        deliver(at(1))
        assert sorted(to for (to,) in mailbox.recipients) == ["han@example.com", "lilei@example.com"]

    def test_whoever_took_their_channels_away_is_given_none_again(self):
        hire()
        so(a_fact())
        Channel.objects.update(is_on=False, is_removed=True)
        so(a_fact("8"), hours=1)
        assert Channel.objects.count() == 1
        assert keys() == ["1 warning"]


@pytest.mark.django_db(transaction=True)
def test_racing_workers_tell_once():
    hire()
    a_channel(), a_channel()
    together = threading.Barrier(4)
    wrong: list[Exception] = []

    def work() -> None:
        try:
            together.wait()
            for hour in range(3):
                so(*([a_fact()] if hour != 1 else []), hours=hour)
                people.escalate(now=at(hour + 30))
        except Exception as error:  # noqa: BLE001  # told below, by the test
            wrong.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []
    assert Alert.objects.count() == 1
    for channel in Channel.objects.all():
        told = keys(channel)
        assert len(told) == len(set(told))
    assert not Message.objects.filter(entries__isnull=True).exists()
    opened = AlertStep.objects.filter(action__in=("open", "reopen")).count()
    assert opened == one().opening


class TestAnyOrder(TestCase):
    """A plain reference: what was so at each moment, in the order of the moments that were applied."""

    @given(
        st.lists(
            st.tuples(st.integers(0, 8), st.dictionaries(st.sampled_from("ab"), st.sampled_from(SEVERITIES))),
            max_size=14,
        )
    )
    def test_one_message_per_channel_and_fact_whatever_is_repeated_or_late(self, looks):
        channel = a_channel()
        expected: set[str] = set()
        state: dict[str, tuple[int, str | None]] = {}
        newest = -1
        for hour, facts in looks:
            is_news = so(*(a_fact(name, severity=severity) for name, severity in facts.items()), hours=hour / 10)
            assert is_news is (hour >= newest)
            if not is_news:
                continue
            newest = hour
            for name in "ab":
                opening, was = state.get(name, (0, None))
                now = facts.get(name)
                if now is None:
                    if was is not None:
                        expected.add(f"{name} {opening} over")
                        state[name] = (opening, None)
                    continue
                opening += was is None
                gravest = max((now, was or now), key=SEVERITIES.index)
                expected.add(f"{name} {opening} {gravest}")
                state[name] = (opening, gravest)
        names = {str(alert.pk): alert.subject for alert in Alert.objects.all()}
        told = [key.removeprefix("alert ").split(" ", 1) for key in
                Entry.objects.filter(channel=channel).values_list("key", flat=True)]  # fmt: skip
        assert sorted(f"{names[pk]} {rest}" for pk, rest in told) == sorted(expected)

    @given(st.lists(st.sampled_from(["look", "gone", "graver", "acknowledge", "escalate"]), max_size=12))
    def test_the_states_go_by_the_table(self, actions):
        staff = hire()
        allowed = {
            None: {"open"}, "open": {"open", "acknowledged", "resolved"},
            "acknowledged": {"open", "acknowledged", "resolved"}, "resolved": {"resolved", "open"},
        }  # fmt: skip
        before = None
        for hour, action in enumerate(actions, start=1):
            if action == "acknowledge":
                if before == "open":
                    acknowledge(staff["lilei"], hours=hour)
            elif action == "escalate":
                people.escalate(now=at(hour * 100))
            else:
                facts = {"look": [a_fact()], "gone": [], "graver": [a_fact(severity="critical")]}[action]
                so(*facts, hours=hour)
            after = Alert.objects.values_list("state", flat=True).first()
            assert after in allowed[before] or after == before
            before = after
        openings = AlertStep.objects.filter(action__in=("open", "reopen")).count()
        ends = AlertStep.objects.filter(action="resolve").count()
        assert openings - ends in (0, 1)


@pytest.mark.django_db
def test_a_rule_that_cannot_look_leaves_what_was_so(monkeypatch):
    from apps.alerts.rules import BY_NAME

    hire()
    so(a_fact(), rule="anomaly")
    result = services.check(now=at(1), rules=[BY_NAME["anomaly"]])  # nothing is published
    assert [problem.code for problem in result.problems] == ["not_looked"]
    assert one().state == "open"


@pytest.mark.django_db
def test_a_fault_of_one_rule_silences_no_other():
    from dataclasses import replace

    from apps.alerts.rules import BY_NAME

    hire()
    broken = replace(BY_NAME["coverage"], facts=lambda _ask: 1 / 0)
    well = replace(BY_NAME["late_source"], facts=lambda _ask: [a_fact()])
    result = services.check(now=NOW, rules=[broken, well])
    assert [(problem.code, problem.subject) for problem in result.problems] == [("crashed", "coverage")]
    assert (result.failed, one().state) == (True, "open")


@pytest.mark.django_db
def test_a_task_whose_time_is_up_ends_and_blames_no_rule():
    from dataclasses import replace

    from apps.alerts.rules import BY_NAME

    slow = replace(BY_NAME["coverage"], facts=lambda _ask: (_ for _ in ()).throw(SoftTimeLimitExceeded))
    with pytest.raises(SoftTimeLimitExceeded):
        services.check(now=NOW, rules=[slow])


@pytest.mark.django_db
def test_a_rule_is_looked_at_when_its_time_has_come():
    first = services.check_due(now=NOW)
    assert {problem.subject for problem in first.problems} == {
        "anomaly", "coverage", "silent_cluster", "unallocated",
    }  # fmt: skip
    so(a_fact("gone", team=""), rule="failed_run", hours=0.01)
    services.check_due(now=at(0.05))
    assert one("gone").state == "open", "not before five minutes"
    services.check_due(now=at(0.2))
    assert one("gone").state == "resolved"
    assert RULE == "budget_actual"


@pytest.mark.django_db
def test_a_clock_that_jumped_a_day_ahead_and_back_mutes_no_rule():
    services.check_due(now=at(24))
    so(a_fact("gone", team=""), rule="failed_run", hours=24)
    services.check_due(now=at(0.1))
    assert one("gone").state == "resolved"
    assert not so(a_fact("gone", team=""), rule="failed_run", hours=-0.4), "a slow worker comes with old news"
