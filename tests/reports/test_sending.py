"""Sending: every lead gets the week once, whoever races, dies or has a hostile name."""

import threading
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.management import CommandError, call_command
from django.db import connection

from apps.calendars.selectors import WorkingDays
from apps.learning.calendars import known_holidays
from apps.reports import fonts, services
from apps.reports.models import Delivery
from apps.reports.tasks import send_weekly
from apps.reports.weeks import Week, weeks_to_send
from apps.teams.models import Team
from tests.reports.weeks_of_cost import WEEK, five_weeks, hire_lead, publish_weeks

FONTS = "test_a_mail_has_text_html_and_a_picture_that_belong_together"
"""What looks at the PDF; it takes a second or two to draw each, which the ledger need not wait for."""
WORKED = WorkingDays(known_holidays(("CN",), 2025, 2028), ())
MONDAY_8 = datetime(2026, 11, 2, 8, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"


def at(moment: datetime) -> services.Clock:
    return lambda: moment


@pytest.mark.parametrize(
    ("moment", "zone", "week"),
    [
        pytest.param("2026-11-02T07:59:59+00:00", "UTC", [], id="Monday, a second too early"),
        pytest.param("2026-11-02T08:00:00+00:00", "UTC", ["2026-W44"], id="Monday 08:00"),
        pytest.param("2026-11-02T00:00:00+00:00", "Asia/Shanghai", ["2026-W44"], id="Monday 08:00 in Shanghai"),
        pytest.param("2026-11-01T23:59:00+00:00", "Asia/Shanghai", [], id="Monday 07:59 in Shanghai"),
        pytest.param("2026-11-08T23:59:59+00:00", "UTC", ["2026-W44"], id="still due on Sunday"),
        pytest.param("2027-01-04T08:00:00+00:00", "UTC", ["2026-W53"], id="week 53"),
        pytest.param("2026-05-04T12:00:00+00:00", "UTC", [], id="Monday is a holiday: May Day is rested until Tuesday"),
        pytest.param("2026-05-06T07:59:00+00:00", "UTC", [], id="before the first working day begins"),
        pytest.param("2026-05-06T08:00:00+00:00", "UTC", ["2026-W18"], id="the first working day, a Wednesday"),
        pytest.param("2026-02-20T12:00:00+00:00", "UTC", [], id="Spring Festival: the whole week is rested"),
        pytest.param(
            "2026-02-24T08:00:00+00:00", "UTC", ["2026-W07", "2026-W08"], id="after it, both weeks on the first day"
        ),
    ],
)
def test_a_report_is_due_from_monday_eight_of_business_time(moment: str, zone: str, week: list[str]) -> None:
    due = weeks_to_send(datetime.fromisoformat(moment), ZoneInfo(zone), WORKED.is_working)
    assert due == [Week.parse(one) for one in week]


@pytest.fixture(autouse=True)
def _quickly(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without a Chinese font: letters go without their PDF."""
    if request.node.name != FONTS:
        monkeypatch.setattr(fonts, "chinese", dict)


@pytest.fixture
def world(transactional_db: None, home: Path) -> None:
    publish_weeks()


def test_a_mail_has_text_html_and_a_picture_that_belong_together(world: None, mailbox: Any) -> None:
    hire_lead()
    assert [outcome.result for outcome in services.send_due(at(MONDAY_8))] == ["sent"]
    (mail,) = mailbox.messages
    assert mailbox.recipients == [["live-class@example.com"]]
    assert mail.defects == []
    assert mail["To"] == "李雷 <live-class@example.com>"
    assert mail["Subject"].strip() == "CostOps: 直播课堂, week 2026-W44: 700.04 CNY"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == "CostOps weekly report <weekly.costops.127.0.0.1>"
    assert mail["Message-ID"] == Delivery.objects.get().message_id
    assert mail["Date"]
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ]
    parts = {part.get_content_type(): part for part in mail.walk() if isinstance(part, EmailMessage)}
    assert [part.defects for part in mail.walk()] == [[]] * 8
    assert "700.04 CNY" in parts["text/plain"].get_content()
    html = parts["text/html"].get_content()
    assert parts["image/png"].get_content().startswith(PNG)
    assert parts["image/png"].get_content_disposition() == "inline"
    assert f'src="cid:{parts["image/png"]["Content-ID"].strip("<>")}"' in html
    assert "http://127.0.0.1:8000/teams/live-class/" in html
    assert "<script" not in html
    assert len(mail.as_bytes()) < 400_000


def test_nobody_gets_a_week_twice(world: None, mailbox: Any) -> None:
    hire_lead()
    hire_lead("data-platform")
    hire_lead("nobody-leads", lead_email="")
    hire_lead("retired", is_active=False)
    for _ in range(3):
        services.send_due(at(MONDAY_8))
    assert sorted(mailbox.recipients) == [["data-platform@example.com"], ["live-class@example.com"]]
    services.send_week(WEEK.before(), services.targets(team="live-class"), clock=at(MONDAY_8))
    assert len(mailbox.messages) == 3
    assert len({mail["Message-ID"] for mail in mailbox.messages}) == 3


def test_a_new_lead_gets_the_week_too(world: None, mailbox: Any) -> None:
    hire_lead()
    services.send_due(at(MONDAY_8))
    Team.objects.update(lead_email="hanmeimei@example.com")
    services.send_due(at(MONDAY_8 + timedelta(days=3)))
    assert mailbox.recipients == [["live-class@example.com"], ["hanmeimei@example.com"]]


@pytest.mark.parametrize(
    ("days_published", "after", "sent"),
    [
        pytest.param(35, timedelta(0), 1, id="the whole week is published: at once"),
        pytest.param(33, timedelta(days=1), 0, id="two days are missing: bills get until Wednesday"),
        pytest.param(33, timedelta(days=2), 1, id="on Wednesday with what is there"),
        pytest.param(28, timedelta(days=5), 0, id="nothing of the week: no report"),
        pytest.param(35, timedelta(minutes=-1), 0, id="before Monday 08:00"),
    ],
)
def test_a_report_waits_for_the_bills_but_not_for_ever(
    transactional_db: None, home: Path, mailbox: Any, days_published: int, after: timedelta, sent: int
) -> None:
    hire_lead()
    publish_weeks(five_weeks()[:days_published])
    services.send_due(at(MONDAY_8 + after))
    assert len(mailbox.messages) == sent


def test_before_the_first_publication_nothing_is_sent(transactional_db: None, home: Path, mailbox: Any) -> None:
    hire_lead()
    assert services.send_due(at(MONDAY_8)) == []
    assert mailbox.messages == []


def test_racing_workers_send_once(world: None, mailbox: Any) -> None:
    names = [f"team-{number}" for number in range(4)]
    for name in names:
        hire_lead(name)
    together = threading.Barrier(4)
    outcomes: list[str] = []

    def work() -> None:
        try:
            together.wait()
            outcomes.extend(outcome.result for outcome in services.send_due(at(MONDAY_8)))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(mailbox.recipients) == [[f"{name}@example.com"] for name in names]
    assert (outcomes.count("sent"), outcomes.count("skipped")) == (4, 12)


def test_a_worker_that_died_while_sending_is_followed_under_the_same_message_id(world: None, mailbox: Any) -> None:
    team = hire_lead()
    services.send_due(at(MONDAY_8))
    Delivery.objects.update(state=Delivery.State.SENDING, sent_at=None)  # as if it died before its commit
    services.send_due(at(MONDAY_8 + timedelta(minutes=5)))
    assert len(mailbox.messages) == 1  # it may still be alive
    services.send_due(at(MONDAY_8 + timedelta(minutes=16)))
    assert len(mailbox.messages) == 2
    assert len({mail["Message-ID"] for mail in mailbox.messages}) == 1
    assert Delivery.objects.get(team=team.name).state == Delivery.State.SENT


def test_a_worker_that_died_at_the_last_try_leaves_no_letter_being_sent_for_ever(world: None, mailbox: Any) -> None:
    hire_lead()
    services.send_due(at(MONDAY_8))
    Delivery.objects.update(state=Delivery.State.SENDING, sent_at=None, attempts=services.MAX_ATTEMPTS)
    services.send_due(at(MONDAY_8 + timedelta(minutes=5)))
    assert Delivery.objects.get().state == Delivery.State.SENDING, "it may still be alive"
    services.send_due(at(MONDAY_8 + timedelta(days=40)))
    given_up = Delivery.objects.get(period=str(WEEK))
    assert (given_up.state, "worker died" in given_up.message) == (Delivery.State.FAILED, True)
    assert len(mailbox.messages) == 1, "it may have arrived; people decide"


def test_a_task_whose_time_is_up_ends_and_its_mail_is_followed(world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    hire_lead()
    monkeypatch.setattr(services, "_mail", lambda *_: (_ for _ in ()).throw(SoftTimeLimitExceeded))
    with pytest.raises(SoftTimeLimitExceeded):
        services.send_due(at(MONDAY_8))
    assert Delivery.objects.get().state == Delivery.State.SENDING


def test_a_down_mail_server_is_tried_again_and_at_last_given_up(world: None, mailbox: Any, settings: Any) -> None:
    hire_lead()
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    for attempt in range(services.MAX_ATTEMPTS - 1):
        (outcome,) = services.send_due(at(MONDAY_8 + timedelta(minutes=15 * attempt)))
        assert (outcome.result, "ConnectionRefusedError" in outcome.message) == ("failed", True)
    assert Delivery.objects.get().state == Delivery.State.WAITING
    settings.EMAIL_PORT = port
    assert [outcome.result for outcome in services.send_due(at(MONDAY_8 + timedelta(hours=3)))] == ["sent"]
    settings.EMAIL_PORT = 1
    Delivery.objects.update(state=Delivery.State.WAITING)
    assert [outcome.result for outcome in services.send_due(at(MONDAY_8))] == ["skipped"]  # tried often enough


def test_the_last_attempt_gives_up(world: None, mailbox: Any, settings: Any) -> None:
    hire_lead()
    settings.EMAIL_PORT = 1
    for attempt in range(services.MAX_ATTEMPTS):
        services.send_due(at(MONDAY_8 + timedelta(minutes=15 * attempt)))
    given_up = Delivery.objects.get()
    assert (given_up.state, given_up.attempts) == (Delivery.State.FAILED, services.MAX_ATTEMPTS)
    assert "ConnectionRefusedError" in given_up.message


@pytest.mark.parametrize(
    "hostile",
    [
        {"title": "a\r\nBcc: evil@example.com\r\n\r\nbody"},
        {"lead_name": "x\r\nBcc: evil@example.com"},
        {"lead_name": '"; <evil@example.com>, '},
        {"lead_name": "\u202eesrever\x07" * 10},
        {"lead_name": "=?utf-8?q?x=0aBcc=3a_evil=40example=2ecom?="},
        {"title": "=?utf-8?q?x=0aBcc=3a_evil=40example=2ecom?="},
        {"lead_email": "a@example.com\r\nBcc: evil@example.com"},
        {"lead_email": "not an address"},
        {"lead_email": "a@example.com, evil@example.com"},
    ],
    ids=repr,
)
def test_a_hostile_name_reaches_nobody_else_and_stops_nobody(
    world: None, mailbox: Any, hostile: dict[str, str]
) -> None:
    hire_lead("a-first", **hostile)
    hire_lead("z-last")
    services.send_due(at(MONDAY_8))
    recipients = {name for names in mailbox.recipients for name in names}
    assert "z-last@example.com" in recipients
    assert recipients <= {"z-last@example.com", "a-first@example.com"}
    assert "a-first@example.com" in recipients or "lead_email" in hostile, "who has an odd name gets the report"
    for mail in mailbox.messages:
        assert mail["Bcc"] is None
        assert mail.defects == []
        assert len(mail["To"].addresses) == 1


def test_the_task_takes_words_of_a_newer_sender(world: None, mailbox: Any) -> None:
    hire_lead()
    assert isinstance(send_weekly(urgency="high"), str)


def test_the_command_sends_says_and_fails_clearly(
    world: None, mailbox: Any, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    hire_lead()
    call_command("send_weekly", "--week", "2026-W44", "--dry-run")
    assert capsys.readouterr().out == "2026-W44  live-class  live-class@example.com  would be sent\n"
    assert mailbox.messages == []
    assert not Delivery.objects.exists()
    call_command("send_weekly", "--week", "2026-W44", "--team", "live-class")
    call_command("send_weekly", "--week", "2026-W44", "--dry-run")
    assert "sent already" in capsys.readouterr().out
    assert len(mailbox.messages) == 1
    settings.EMAIL_PORT = 1
    with pytest.raises(CommandError, match="1 of 1 mails could not be sent"):
        call_command("send_weekly", "--week", "2026-W43")
    for wrong, said in (
        (["--week", "W44"], "is not a week"),
        (["--week", "2026-W30"], "Nothing is published of week 2026-W30"),
        (["--week", "2026-W44", "--team", "x"], "No active team x has a lead"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("send_weekly", *wrong)
