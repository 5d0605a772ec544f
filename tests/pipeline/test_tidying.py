"""What is old is forgotten each night: messages, alerts that are over, and who looked at what; what goes on stays."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.signals import post_init

from apps.alerts.models import Alert, AlertStep
from apps.alerts.services import apply
from apps.audit.models import ReadEntry
from apps.channels.models import Message
from apps.operations.models import Recommendation
from apps.pipeline import tidying
from tests.alerts.worlds import a_fact
from tests.channels.worlds import a_channel, a_notice, send
from tests.operations.worlds import a_finding, recommend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]
NOW = datetime(2027, 12, 1, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=401), NOW - timedelta(days=399)


def tidied(*, dry_run=False):
    done = tidying.tidy(NOW, dry_run=dry_run)
    return {name: number for name in ("messages", "alerts", "reads") if (number := getattr(done, name))}


def alerts(*subjects):
    return {one.subject: one for one in Alert.objects.filter(subject__in=subjects)}


def test_alerts_that_are_over_go_with_their_steps_and_others_stay():
    apply("anomaly", [a_fact(name) for name in ("old", "young", "open")], OLD - timedelta(days=1))
    apply("anomaly", [a_fact(name) for name in ("young", "open")], OLD)
    apply("anomaly", [a_fact("open")], YOUNG)
    steps = AlertStep.objects.count()
    assert tidied(dry_run=True) == {"alerts": 1}
    assert AlertStep.objects.count() == steps
    assert tidied() == {"alerts": 1}
    assert alerts("old", "young", "open").keys() == {"young", "open"}
    assert AlertStep.objects.count() == steps - 2
    assert tidied() == {}


def test_messages_go_but_for_those_that_wait_and_those_of_what_goes_on():
    apply("anomaly", [a_fact("open")], OLD)
    (going_on,) = Alert.objects.all()
    recommend(a_finding("asked"), a_finding("closed"))
    asked, closed = Recommendation.objects.order_by("subject").values_list("pk", flat=True)
    Recommendation.objects.filter(pk=closed).update(state="closed")
    channel = a_channel()
    for key, state, created, thread in (
        ("sent", "sent", OLD, ""),
        ("given up", "failed", OLD, "of another"),
        ("dropped", "dropped", OLD, ""),
        ("waits", "waiting", OLD, ""),
        ("is being sent", "sending", OLD, ""),
        ("began it", "sent", OLD, going_on.thread),
        ("opened its ticket", "sent", OLD, f"recommendation {asked}"),
        ("its ticket is closed", "sent", OLD, f"recommendation {closed}"),
        ("opened what ends now", "sent", OLD, "alert 77 1"),
        ("ends it", "waiting", OLD, "alert 77 1"),
        ("opened what ended lately", "sent", OLD, "alert 78 1"),
        ("ended it", "sent", YOUNG, "alert 78 1"),
        ("young", "sent", YOUNG, ""),
    ):
        send(a_notice(key, thread=thread), to=channel)
        (message,) = Message.objects.filter(entries__key=key)
        Message.objects.filter(pk=message.pk).update(state=state, created_at=created)
        message.entries.update(created_at=created)
    kept = {"waits", "is being sent", "began it", "young", "opened its ticket", "opened what ends now", "ends it",
            "opened what ended lately", "ended it"}  # fmt: skip
    assert tidied() == {"messages": 4}
    assert set(Message.objects.values_list("entries__key", flat=True)) == kept


@pytest.mark.parametrize(("days", "kept"), [(0, 0), (30, 1), (400, 2)])
def test_the_read_log_is_kept_as_long_as_is_said(settings, days, kept):
    settings.COSTOPS_READ_LOG = days
    for at in (OLD, NOW - timedelta(days=31), NOW - timedelta(days=29)):
        facts = {"actor": "finance", "way": "page", "action": "overview", "accounts": [], "is_export": False}
        ReadEntry.objects.create(at=at, **facts)
    tidied()
    assert ReadEntry.objects.count() == kept


def test_nothing_goes_where_all_is_to_be_kept(settings):
    settings.COSTOPS_KEEP_DAYS = 0
    apply("anomaly", [a_fact("old")], OLD)
    apply("anomaly", [], OLD)
    send(a_notice("old"), to=a_channel())
    Message.objects.update(state="sent", created_at=OLD)
    assert tidied() == {}


def test_alerts_of_long_ago_are_not_read_to_tell_what_is_so_now():
    names = [f"old {number}" for number in range(30)]
    apply("anomaly", [a_fact(name) for name in names], OLD)
    apply("anomaly", [], YOUNG)
    read: list[str] = []

    def count(instance: Alert, **_given):
        read.append(instance.subject)

    post_init.connect(count, sender=Alert)
    try:
        apply("anomaly", [a_fact("new"), a_fact("old 3")], NOW)
    finally:
        post_init.disconnect(count, sender=Alert)
    assert sorted(read) == ["new", "old 3"]
    assert alerts("old 3")["old 3"].opening == 2
