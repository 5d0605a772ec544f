"""The outbox: who is told what, once, when, and together with what."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.channels.models import Channel, Entry, Message
from apps.channels.quiet import free_from
from apps.channels.services import wants
from tests.channels.worlds import NOW, a_channel, a_notice, deliver, send, told

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("channel", "notice", "expected"),
    [
        pytest.param({}, {}, True, id="all of it by default"),
        pytest.param({"least": "critical"}, {}, False, id="a warning is too mild"),
        pytest.param({"least": "warning"}, {}, True, id="grave enough"),
        pytest.param({"kinds": ["anomaly"]}, {}, False, id="another kind"),
        pytest.param({"kinds": ["anomaly", "budget"]}, {}, True, id="one of the kinds"),
        pytest.param({"is_on": False}, {}, False, id="switched off"),
        pytest.param({}, {"is_over": True}, False, id="the end of what it was not told of"),
    ],
)
def test_a_channel_is_told_what_it_wants(channel, notice, expected):
    assert wants(a_channel(**channel), a_notice(**notice)) is expected


def test_an_end_is_told_where_its_beginning_was():
    told_of, other = a_channel(), a_channel()
    send(a_notice(), to=told_of)
    over = a_notice("alert 1 1 over", is_over=True)

    assert (send(over, to=told_of), send(over, to=other)) == (1, 0)


def test_the_same_notice_is_told_once():
    channel = a_channel()
    assert [send(a_notice(), to=channel, at=NOW + timedelta(days=day)) for day in range(3)] == [1, 0, 0]
    assert Message.objects.count() == 1, "a repetition leaves no empty message behind"


def test_the_outbox_shares_the_fate_of_its_fact():
    channel = a_channel()
    with transaction.atomic():
        assert send(a_notice(), to=channel) == 1
        transaction.set_rollback(True)
    assert (Entry.objects.count(), Message.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("minutes", "sent", "messages"),
    [
        pytest.param(10, [(0, "warning"), (4, "warning"), (9, "info")], [3], id="within ten minutes: one"),
        pytest.param(10, [(0, "warning"), (10, "warning")], [1, 1], id="the ten minutes are over"),
        pytest.param(10, [(0, "warning"), (1, "critical"), (2, "warning")], [2, 1], id="critical goes alone, at once"),
        pytest.param(0, [(0, "warning"), (0, "warning")], [1, 1], id="no grouping"),
    ],
)
def test_what_comes_together_is_one_message(minutes, sent, messages):
    channel = a_channel(group_minutes=minutes)
    for number, (minute, severity) in enumerate(sent):
        send(a_notice(f"n {number}", severity=severity), to=channel, at=NOW + timedelta(minutes=minute))
    assert [one.entries.count() for one in Message.objects.order_by("pk")] == messages


def test_a_clock_that_was_ahead_keeps_no_notice_waiting(mailbox):
    channel = a_channel(group_minutes=10)
    send(a_notice("ahead"), to=channel, at=NOW + timedelta(days=30))
    for hour in range(3):
        at = NOW + timedelta(hours=hour)
        send(a_notice(f"right {hour}"), to=channel, at=at)
        assert deliver(at, minutes=10) == {"sent": 1 if hour else 2}
    assert Message.objects.filter(created_at__gt=NOW + timedelta(hours=3)).count() == 0


def test_what_a_clock_ahead_wrote_waits_for_the_end_of_quiet_hours_and_longer_after_each_attempt(mailbox, settings):
    channel = a_channel(quiet_from=time(0), quiet_until=time(6), time_zone="UTC")
    send(a_notice(), to=channel, at=NOW + timedelta(days=30))
    assert (deliver(), deliver(minutes=1)) == ({"waiting": 1}, {})
    settings.EMAIL_PORT = 1
    assert (deliver(hours=3), deliver(hours=3, seconds=1)) == ({"waiting": 1}, {})


def test_an_attempt_of_a_clock_that_was_ahead_is_not_waited_for(mailbox, settings):
    settings.EMAIL_PORT, port = 1, settings.EMAIL_PORT
    send(a_notice(), to=a_channel())
    assert deliver(days=30) == {"waiting": 1}
    settings.EMAIL_PORT = port
    assert deliver(minutes=1) == {"sent": 1}


def test_a_message_that_was_tried_takes_no_more(mailbox, settings):
    settings.EMAIL_PORT = 1
    channel = a_channel(group_minutes=10)
    send(a_notice("first"), to=channel)
    assert deliver(minutes=10) == {"waiting": 1}
    send(a_notice("second"), to=channel, at=NOW + timedelta(minutes=10, seconds=1))
    assert [one.entries.count() for one in Message.objects.order_by("pk")] == [1, 1]


@pytest.mark.parametrize(
    ("quiet", "zone", "moment", "expected"),
    [
        pytest.param((22, 7), "UTC", "2026-11-02T21:59", "2026-11-02T21:59", id="before"),
        pytest.param((22, 7), "UTC", "2026-11-02T22:00", "2026-11-03T07:00", id="from their first minute on"),
        pytest.param((22, 7), "UTC", "2026-11-03T06:59", "2026-11-03T07:00", id="after midnight"),
        pytest.param((22, 7), "UTC", "2026-11-03T07:00", "2026-11-03T07:00", id="until their last"),
        pytest.param((12, 14), "UTC", "2026-11-02T13:00", "2026-11-02T14:00", id="a siesta"),
        pytest.param((22, 7), "Asia/Shanghai", "2026-11-02T15:00", "2026-11-02T23:00", id="23:00 in Shanghai"),
        pytest.param((22, 7), "Asia/Shanghai", "2026-11-02T23:30", "2026-11-02T23:30", id="07:30 in Shanghai"),
        pytest.param((1, 4), "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T03:00", id="the hour that comes twice"),
        pytest.param((8, 8), "UTC", "2026-11-02T08:00", "2026-11-02T08:00", id="the same hour: never"),
        pytest.param(None, "UTC", "2026-11-02T03:00", "2026-11-02T03:00", id="none"),
    ],
)
def test_quiet_hours_hold_until_they_end(quiet, zone, moment, expected):
    begin, end = (time(quiet[0]), time(quiet[1])) if quiet else (None, None)
    channel = Channel(quiet_from=begin, quiet_until=end, time_zone=zone)
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert free_from(channel, at) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_what_is_held_comes_as_one_message_when_quiet_hours_end_and_critical_passes(mailbox):
    channel = a_channel(quiet_from=time(2), quiet_until=time(8))
    send(a_notice("a"), a_notice("b"), a_notice("c", severity="critical"), to=channel)

    assert deliver() == {"sent": 1}
    assert "critical" in mailbox.messages[0]["Subject"]
    assert deliver(hours=4, minutes=59) == {}
    assert deliver(hours=5) == {"sent": 1}
    assert mailbox.messages[1].get_content().count("The budget live 2026 is spent") == 2


def test_the_end_of_something_critical_can_wait(mailbox):
    channel = a_channel(quiet_from=time(2), quiet_until=time(8))
    send(a_notice(severity="critical"), a_notice("over", severity="critical", is_over=True), to=channel)
    assert (deliver(), deliver(hours=5)) == ({"sent": 1}, {"sent": 1})


def test_what_is_tried_again_within_quiet_hours_waits_for_their_end(mailbox, settings):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    channel = a_channel(quiet_from=time(3, 1), quiet_until=time(8))
    send(a_notice(), to=channel)
    assert deliver() == {"waiting": 1}
    settings.EMAIL_PORT = port
    assert (deliver(minutes=5), mailbox.messages) == ({"waiting": 1}, [])
    assert deliver(hours=5) == {"sent": 1}


class TestAnyOrder(TestCase):
    @given(
        st.lists(
            st.tuples(st.integers(0, 4), st.integers(0, 90), st.sampled_from(["info", "warning", "critical"])),
            max_size=25,
        )
    )
    def test_whatever_is_sent_however_often_every_key_is_told_once_in_one_message(self, sent):
        channel = a_channel(group_minutes=15)
        for key, minute, severity in sent:
            send(a_notice(f"n {key}", severity=severity), to=channel, at=NOW + timedelta(minutes=minute))
        assert sorted(told(channel)) == sorted({f"n {key}" for key, _, _ in sent})
        assert not Message.objects.filter(entries__isnull=True).exists()
