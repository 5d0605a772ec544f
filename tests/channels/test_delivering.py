"""Delivery: claimed by one worker, tried again, given up for people to see, never to whom may not know any more."""

from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from apps.channels import delivering
from apps.channels.delivering import MOST_ATTEMPTS, claim, deliver_due, wait_after
from apps.channels.models import Message
from apps.channels.outbound import NotSent
from apps.channels.tasks import deliver as task
from apps.teams.models import Membership
from tests.channels.worlds import NOW, a_channel, a_notice, deliver, hire, send, the_message
from tests.racing import race

State = Message.State


@pytest.mark.django_db
def test_a_mail_reaches_the_lead_and_says_what_it_is(mailbox):
    send(a_notice(), to=a_channel())

    assert deliver() == {"sent": 1}
    (mail,) = mailbox.messages
    assert mail["To"] == "李雷 <lilei@example.com>"
    assert mail["Subject"] == "CostOps: warning: The budget live 2026 is spent"
    assert mail["Message-ID"] == f"<costops.{the_message().message_id}@127.0.0.1>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines() == [
        "[warning] The budget live 2026 is spent", "101 % of it", "http://127.0.0.1:8000/alerts/",
    ]  # fmt: skip
    sent = the_message()
    assert (sent.state, sent.recipient, sent.attempts) == (State.SENT, "lilei@example.com", 1)
    assert deliver(days=1) == {}


@pytest.mark.django_db(transaction=True)
def test_racing_workers_send_once(mailbox):
    channel = a_channel()
    for number in range(6):
        send(a_notice(f"n {number}"), to=channel)

    sent = race(*[lambda: deliver_due(lambda: NOW).get("sent", 0)] * 4)

    assert (sum(sent), len(mailbox.messages)) == (6, 6)
    assert len({mail["Message-ID"] for mail in mailbox.messages}) == 6


@pytest.mark.django_db
def test_a_worker_that_died_after_sending_is_followed_under_the_same_id(mailbox, monkeypatch):
    send(a_notice(), to=a_channel())
    with monkeypatch.context() as dying:
        dying.setattr(delivering, "_end", lambda *_args, **_facts: None)  # it dies between sending and writing down
        deliver()
    assert the_message().state == State.SENDING
    assert deliver(minutes=9) == {}, "it may still be alive"
    assert deliver(minutes=11) == {"sent": 1}
    assert len({mail["Message-ID"] for mail in mailbox.messages}) == 1
    assert len(mailbox.messages) == 2


@pytest.mark.django_db
def test_a_result_does_not_count_once_another_worker_took_over(mailbox):
    send(a_notice(), to=a_channel())
    slow = claim(the_message().pk, NOW)
    fast = claim(the_message().pk, NOW + timedelta(minutes=11))
    assert slow is not None
    assert fast is not None

    delivering.deliver(slow, lambda: NOW)
    assert the_message().state == State.SENDING, "it is the other's now"
    delivering.deliver(fast, lambda: NOW)
    assert the_message().state == State.SENT


@pytest.mark.django_db
def test_a_server_that_is_down_is_tried_ever_later_then_given_up_and_by_hand_again(mailbox, settings):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    send(a_notice(), to=a_channel())
    moment = NOW
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert deliver(moment) == {"failed" if attempt == MOST_ATTEMPTS else "waiting": 1}
        moment = the_message().not_before
    assert (the_message().attempts, "ConnectionRefusedError" in the_message().error) == (MOST_ATTEMPTS, True)
    assert deliver(days=365) == {}

    settings.EMAIL_PORT = port
    assert delivering.retry(the_message(), NOW)
    assert deliver() == {"sent": 1}
    assert not delivering.retry(the_message(), NOW), "what was sent is not sent again"


class Clock:
    """Stands for `time` where a server that does not answer takes 20 seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def silent(monkeypatch) -> list[str]:
    """The kinds of channels that were asked, of which mail and `webhook` keep everybody waiting."""
    clock, asked = Clock(), []

    def wait(_message, channel, *_more):
        asked.append(channel.kind)
        if channel.kind == "dingtalk":
            return ""
        clock.now += 20
        raise NotSent("it did not answer")

    monkeypatch.setattr(delivering, "time", clock)
    monkeypatch.setattr(delivering, "_send", wait)
    return asked


@pytest.mark.django_db
def test_a_mail_server_that_is_silent_keeps_no_other_channel_waiting(silent):
    mails = [a_channel(), a_channel(name="theirs")]
    room = a_channel("dingtalk", name="room", address="https://oapi.dingtalk.com/robot/send?access_token=abc")
    for number in range(30):
        send(a_notice(f"n {number}"), to=mails[number % 2])
    send(a_notice("n"), to=room)
    assert deliver() == {"waiting": 1, "sent": 1}
    assert silent == ["email", "dingtalk"]


@pytest.mark.django_db
def test_a_task_ends_in_time_and_does_the_rest_at_the_next_bell(silent):
    for number in range(8):
        send(a_notice(), to=a_channel("webhook", name=f"{number}", url="https://example.com/", secret="s"))
    assert deliver_due(lambda: NOW, seconds=40) == {"waiting": 3}
    assert deliver_due(lambda: NOW, seconds=40) == {"waiting": 3}
    assert deliver_due(lambda: NOW, seconds=40) == {"waiting": 2}


@pytest.mark.django_db
def test_while_one_task_delivers_another_ends_at_once(mailbox):
    for number in range(3):
        send(a_notice(f"n {number}"), to=a_channel(name=f"{number}"))
    first = claim(Message.objects.earliest("pk").pk, NOW)
    assert deliver_due(lambda: NOW, seconds=40) == {}
    later = NOW + delivering.BUSY + timedelta(seconds=1)
    assert deliver_due(lambda: later, seconds=40) == {"sent": 2}, "it died"
    delivering.deliver(first, lambda: later)
    assert len(mailbox.messages) == 3


@pytest.mark.django_db
def test_a_task_whose_time_is_up_ends_and_its_message_is_followed(mailbox, monkeypatch):
    send(a_notice(), to=a_channel())
    with monkeypatch.context() as slow:
        slow.setattr(EmailMessage, "send", lambda _mail: (_ for _ in ()).throw(SoftTimeLimitExceeded))
        with pytest.raises(SoftTimeLimitExceeded):
            deliver()
    assert the_message().state == State.SENDING
    assert deliver(minutes=11) == {"sent": 1}


def test_each_wait_is_longer_up_to_four_hours():
    for attempt in range(1, 20):
        full = min(timedelta(hours=4), timedelta(minutes=2 ** (attempt - 1)))
        assert all(full / 2 <= wait_after(attempt) <= full for _ in range(20))


def leave_the_team() -> None:
    Membership.objects.all().delete()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(leave_the_team, id="she left the team"),
        pytest.param(lambda: User.objects.update(is_active=False), id="she left the company"),
    ],
)
def test_who_may_know_is_decided_when_it_is_sent(mailbox, change):
    mei = hire()["mei"]
    send(a_notice(team="data"), to=a_channel(user=mei))
    change()
    assert (deliver(), mailbox.messages) == ({"dropped": 1}, [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("who", "team", "expected"),
    [
        pytest.param("mei", "data", {"sent": 1}, id="her own team"),
        pytest.param("mei", "live", {"dropped": 1}, id="another team"),
        pytest.param("mei", "", {"dropped": 1}, id="what is the company's"),
        pytest.param("lilei", "live", {"sent": 1}, id="whom he leads"),
        pytest.param("han", "live", {"sent": 1}, id="finance: any team"),
        pytest.param("han", "", {"sent": 1}, id="finance: the company"),
    ],
)
def test_nobody_is_told_of_teams_they_may_not_see(mailbox, who, team, expected):
    send(a_notice(team=team), to=a_channel(user=hire()[who]))
    assert deliver() == expected


@pytest.mark.django_db
def test_a_reader_is_told_in_their_language(mailbox):
    send(a_notice(), to=a_channel(language="zh-hans"))
    deliver()
    assert "警告" in mailbox.messages[0]["Subject"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    ["x\r\nBcc: evil@example.com", '"; <evil@example.com>, ', "\u202eesrever\x07", "=?utf-8?q?x=0aBcc=3a_evil?="],
)
def test_a_hostile_name_reaches_nobody_else(mailbox, name):
    from apps.finops.findings import Sentence
    from apps.teams.models import Team

    channel = a_channel()
    Team.objects.filter(name="live").update(lead_name=name)
    channel.team.refresh_from_db()
    send(a_notice(title=Sentence("About %(name)s", {"name": name})), to=channel)
    deliver()
    assert [people for people in mailbox.recipients if people != ["lilei@example.com"]] == []
    assert [mail["Bcc"] for mail in mailbox.messages] == [None] * len(mailbox.messages)
    assert len(mailbox.messages) == 1


@pytest.mark.django_db
def test_the_task_takes_words_of_a_newer_sender(mailbox):
    send(a_notice(), to=a_channel())
    assert task(urgency="high") == "1 sent"


@pytest.mark.django_db
def test_a_fault_of_ours_stops_no_other_channel_and_tells_no_secret(mailbox, monkeypatch, caplog):
    from apps.channels import ways

    def broken(*_given: object) -> None:
        raise ZeroDivisionError("at https://hooks.example/canary0123456789abcdef")

    monkeypatch.setattr(ways, "webhook", broken)
    secret = "canary0123456789abcdef"
    send(a_notice(), to=a_channel("webhook", url="https://hooks.example/", secret=secret))
    send(a_notice(), to=a_channel())

    assert deliver() == {"waiting": 1, "sent": 1}
    assert "ZeroDivisionError" in Message.objects.order_by("pk")[0].error
    assert "ZeroDivisionError" in caplog.text
    assert secret not in caplog.text
