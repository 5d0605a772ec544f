"""What people do with channels, and who may: on pages, over the API, at the terminal; secrets never come back."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from apps.channels import managing
from apps.channels.kinds import BadChannel
from apps.channels.managing import MOST_TESTS, MOST_TESTS_BY_ONE, Wishes, read_wishes
from apps.channels.models import Channel, Message
from apps.finops.findings import Sentence
from apps.teams.approval import NotYours, actor_of
from apps.teams.models import Membership, Team
from apps.warehouse.sealed import unseal
from tests.channels.worlds import NOW, a_channel, a_notice, deliver, hire, send, the_message
from tests.racing import race

pytestmark = pytest.mark.django_db
CANARY = "canary0123456789abcdef"
SLACK = f"https://hooks.slack.com/services/T1/B2/{CANARY}"
FORM = {"name": "on call", "least": "warning", "kinds": ["anomaly"], "quiet_from": "22:00", "quiet_until": "07:30",
        "time_zone": "Asia/Shanghai", "group_minutes": "10", "language": "zh-hans", "is_on": "yes"}  # fmt: skip


@pytest.fixture
def staff() -> dict[str, Any]:
    return hire()


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


class TestPages:
    def test_a_channel_is_added_shown_changed_and_removed_and_its_secret_never_comes_back(self, staff):
        lilei = client_of(staff["lilei"])
        added = lilei.post("/channels/new/?kind=slack&team=live", FORM | {"address": SLACK})
        assert (added.status_code, added.headers["Location"]) == (302, "/channels/")
        channel = Channel.objects.get()
        assert (channel.team.name, channel.least, channel.kinds, f"{channel.quiet_until:%H:%M}") == (
            "live", "warning", ["anomaly"], "07:30",
        )  # fmt: skip
        assert unseal(channel.secrets) == {"address": SLACK}

        place = f"/channels/{channel.pk}/"
        shown = [lilei.get(address).content.decode() for address in ("/channels/", place, "/channels/deliveries/")]
        assert CANARY not in "".join(shown)
        assert "kept; empty: as it is" in shown[1]
        lilei.post(place, FORM | {"name": "new name", "action": "save"})
        channel.refresh_from_db()
        assert (channel.name, dict(unseal(channel.secrets))) == ("new name", {"address": SLACK})

        lilei.post(place, {"action": "remove"})
        channel.refresh_from_db()
        assert (channel.is_removed, channel.secrets) == (True, "")
        assert lilei.get(place).status_code == 404

    def test_what_is_refused_is_said_and_what_was_written_is_kept_but_for_secrets(self, staff):
        answer = client_of(staff["lilei"]).post(
            "/channels/new/?kind=webhook", FORM | {"url": "http://10.0.0.1/x", "secret": CANARY}
        )
        body = answer.content.decode()
        assert answer.status_code == 400
        assert "COSTOPS_CHANNEL_HOSTS" in body
        assert 'value="on call"' in body
        assert CANARY not in body
        assert not Channel.objects.exists()

    def test_a_test_says_whether_it_arrived(self, staff, mailbox, settings):
        channel = a_channel(user=staff["mei"])
        mei, place = client_of(staff["mei"]), f"/channels/{channel.pk}/"
        assert "The test was sent." in mei.post(place, {"action": "test"}).content.decode()
        assert "mei asked for it" in mailbox.messages[0].get_content()
        settings.EMAIL_PORT = 1
        assert "ConnectionRefusedError" in mei.post(place, {"action": "test"}).content.decode()
        assert Message.objects.latest("pk").state == "failed", "who waits tries again by hand"

    def test_what_was_given_up_is_tried_again_by_hand(self, staff, mailbox, settings):
        send(a_notice(), to=a_channel())
        Message.objects.update(state="failed", attempts=8, error="mail server away")
        lilei = client_of(staff["lilei"])
        assert "mail server away" in lilei.get("/channels/deliveries/?state=failed").content.decode()
        assert "1 given up" in lilei.get("/channels/").content.decode()
        lilei.post("/channels/deliveries/", {"message": the_message().pk})
        assert (the_message().state, the_message().attempts) == ("waiting", 0)

    @pytest.mark.parametrize("who", ["mei", "han"])
    def test_of_others_nothing_is_told_and_nothing_done(self, staff, who):
        theirs = a_channel(user=staff["lilei"])
        send(a_notice(), to=theirs)
        client, place = client_of(staff[who]), f"/channels/{theirs.pk}/"
        assert client.get(place).status_code == 404
        assert client.post(place, {"action": "remove"}).status_code == 404
        assert client.get(f"/channels/deliveries/?channel={theirs.pk}").status_code == 404
        assert client.post("/channels/deliveries/", {"message": the_message().pk}).status_code == 404
        assert client.post(f"/api/v1/channels/{theirs.pk}/test/").status_code == 404
        assert client.post(f"/api/v1/deliveries/{the_message().pk}/retry/").status_code == 404
        assert client.get("/api/v1/deliveries/").json()["rows"] == []

    def test_a_member_of_another_team_adds_nothing_to_it(self, staff):
        answer = client_of(staff["mei"]).post("/channels/new/?kind=slack&team=live", FORM | {"address": SLACK})
        assert (answer.status_code, Channel.objects.count()) == (404, 0)

    def test_the_admin_shows_no_secret(self, staff):
        channel = a_channel("slack", address=SLACK)
        staff["han"].is_staff = staff["han"].is_superuser = True
        staff["han"].save()
        body = client_of(staff["han"]).get(f"/admin/channels/channel/{channel.pk}/change/").content.decode()
        assert channel.name in body
        assert channel.secrets not in body


class TestRules:
    def test_a_kept_secret_is_not_led_to_another_place(self, staff, receiver):
        by = actor_of(staff["lilei"])
        given = {"url": receiver.url, "project": "OPS", "token": CANARY}
        channel = managing.add(Team.objects.get(name="live"), "jira", given, Wishes(), by=by, now=NOW)
        elsewhere = given | {"url": "https://evil.example/", "token": ""}
        with pytest.raises(BadChannel, match="token: this is needed"):
            managing.change(channel, elsewhere, Wishes(), by=by)
        managing.change(channel, given | {"token": "", "project": "NEW"}, Wishes(), by=by)
        assert (channel.options["project"], dict(unseal(channel.secrets))) == ("NEW", {"token": CANARY})

    def test_a_webhook_that_moves_is_given_its_secret_again(self, staff, receiver):
        by, given = actor_of(staff["mei"]), {"url": receiver.url, "secret": CANARY}
        channel = managing.add(staff["mei"], "webhook", given, Wishes(), by=by, now=NOW)
        with pytest.raises(BadChannel, match="secret: this is needed"):
            managing.change(channel, {"url": "https://evil.example/"}, Wishes(), by=by)
        managing.change(channel, {}, Wishes(least="critical"), by=by)
        assert dict(unseal(channel.secrets)) == given

    def test_mail_to_oneself_goes_to_ones_own_address(self, staff):
        with pytest.raises(BadChannel, match="your own address"):
            managing.add(staff["mei"], "email", {"address": "evil@example.com"}, Wishes(),
                         by=actor_of(staff["mei"]), now=NOW)  # fmt: skip

    def test_nobody_adds_a_channel_for_somebody_else(self, staff):
        with pytest.raises(NotYours):
            managing.add(staff["lilei"], "email", {}, Wishes(), by=actor_of(staff["han"]), now=NOW)

    def test_a_channel_is_not_tried_without_end(self, staff, mailbox):
        channel, by = a_channel(user=staff["mei"]), actor_of(staff["mei"])
        for _ in range(MOST_TESTS):
            managing.test(channel, by=by, clock=lambda: NOW)
        with pytest.raises(BadChannel, match="try again later"):
            managing.test(channel, by=by, clock=lambda: NOW)
        assert len(mailbox.messages) == MOST_TESTS

    def test_a_channel_that_is_removed_and_added_again_is_not_tried_anew(self, staff, mailbox):
        live, by = Team.objects.get(name="live"), actor_of(staff["lilei"])

        def mailed(address: str, *, minutes: int = 0) -> None:
            channel = managing.add(live, "email", {"address": address}, Wishes(), by=by, now=NOW)
            try:
                managing.test(channel, by=by, clock=lambda: NOW + timedelta(minutes=minutes))
            finally:
                managing.remove(channel, by=by)

        for _ in range(MOST_TESTS):
            mailed("victim@example.org")
        with pytest.raises(BadChannel, match="got 10 tests within an hour"):
            mailed("Victim@example.org")
        for number in range(MOST_TESTS_BY_ONE - MOST_TESTS):
            mailed(f"victim{number}@example.org")
        with pytest.raises(BadChannel, match="lilei tried channels 30 times within an hour"):
            mailed("another@example.org")
        assert len(mailbox.messages) == MOST_TESTS_BY_ONE
        mailed("victim@example.org", minutes=61)

    def test_what_others_tried_is_no_limit_to_oneself(self, staff, mailbox):
        live = a_channel(address="live@example.org")
        for who in ("lilei", "han"):
            for _ in range(MOST_TESTS // 2):
                managing.test(live, by=actor_of(staff[who]), clock=lambda: NOW)
        with pytest.raises(BadChannel, match="It was tried 10 times"):
            managing.test(live, by=actor_of(staff["han"]), clock=lambda: NOW)
        own = a_channel(user=staff["han"])
        assert managing.test(own, by=actor_of(staff["han"]), clock=lambda: NOW).state == "sent"

    def test_what_waits_is_dropped_with_its_channel(self, staff, mailbox):
        channel = a_channel()
        send(a_notice(), to=channel)
        managing.remove(channel, by=actor_of(staff["lilei"]))
        assert (deliver(), the_message().state) == ({}, "dropped")

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            pytest.param({"quiet_from": "25:00"}, "quiet_from", id="no hour"),
            pytest.param({"group_minutes": "-1"}, "group_minutes", id="no minutes"),
            pytest.param({"group_minutes": "99999"}, "group_minutes", id="too many"),
            pytest.param({"quiet_from": "22:00"}, "quiet_until", id="only one of two"),
            pytest.param({"time_zone": "Mars/Olympus"}, "time_zone", id="no zone"),
            pytest.param({"time_zone": "../../etc/passwd"}, "time_zone", id="a path"),
            pytest.param({"language": "xx"}, "language", id="no language"),
            pytest.param({"least": "awful"}, "least", id="no severity"),
            pytest.param({"name": "x" * 81}, "name", id="too long a name"),
        ],
    )
    def test_wishes_that_cannot_be_are_refused_by_name(self, staff, given, said):
        with pytest.raises(BadChannel, match=f"^{said}:"):
            managing.add(staff["mei"], "email", {}, read_wishes(given), by=actor_of(staff["mei"]), now=NOW)

    def test_secrets_follow_a_new_key(self, settings):
        channel = a_channel("slack", address=SLACK)
        before, settings.COSTOPS_SECRETS_KEYS = channel.secrets, ["a new key"]
        assert managing.seal_all_again() == 1
        channel.refresh_from_db()
        assert channel.secrets != before
        settings.SECRET_KEY = "another"
        assert unseal(channel.secrets) == {"address": SLACK}

    def test_a_secret_that_cannot_be_opened_is_given_up_and_says_what_to_do(self, settings):
        channel = a_channel("slack", address=SLACK)
        settings.SECRET_KEY = "another"
        send(a_notice(), to=channel)
        assert deliver() == {"failed": 1}
        assert "change the channel" in the_message().error


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("channels", *words, stdout=out)
    return out.getvalue()


def test_the_terminal_lists_tries_and_sends_again(mailbox, settings):
    channel = a_channel("slack", address=SLACK)
    mail = a_channel()
    assert CANARY not in said("list", "--format", "csv")
    assert str(channel.pk) in said("list")
    assert said("test", str(mail.pk)) == "The test was sent.\n"
    settings.EMAIL_PORT = 1
    with pytest.raises(CommandError, match="ConnectionRefusedError"):
        said("test", str(mail.pk))
    failed = Message.objects.latest("pk")
    assert "given up" not in said("deliveries", "--state", "sent")
    assert str(failed.pk) in said("deliveries", "--state", "failed")
    assert said("retry", str(failed.pk)) == f"Delivery {failed.pk} is sent again.\n"
    assert said("retry", str(failed.pk)) == f"Delivery {failed.pk} was not given up.\n"
    assert said("reseal") == "The secrets of 1 channels are encrypted with the newest key.\n"
    with pytest.raises(CommandError, match="no channel 999"):
        said("test", "999")


def test_who_left_a_team_reads_nothing_more_of_it_in_what_waited_for_them(staff):
    mei = staff["mei"]
    channel = a_channel(user=mei, group_minutes=60)
    title = Sentence("%(place)s costs %(much)s more", {"place": "data", "much": "98,765"})
    send(a_notice(team="data", title=title), to=channel)
    reads = client_of(mei)
    assert "98,765" in reads.get("/channels/deliveries/").content.decode()

    Membership.objects.filter(user=mei).delete()
    deliver(minutes=120)
    assert the_message().state == Message.State.DROPPED
    assert "98,765" not in reads.get("/channels/deliveries/").content.decode()
    assert [row["titles"] for row in reads.get("/api/v1/deliveries/").json()["rows"]] == [[]]


def test_the_api_tells_channels_and_deliveries_and_sends_again(mailbox):
    staff = hire()
    channel = a_channel("slack", address=SLACK)
    mail = a_channel()
    lilei = client_of(staff["lilei"])
    answer = lilei.get("/api/v1/channels/")
    assert [row["number"] for row in answer.json()["rows"]] == [channel.pk, mail.pk]
    assert CANARY not in answer.content.decode()
    assert lilei.post(f"/api/v1/channels/{mail.pk}/test/").json()["state"] == "sent"
    Message.objects.update(state="failed")
    (row,) = lilei.get("/api/v1/deliveries/?state=failed").json()["rows"]
    assert row["titles"] == ["This is a test: ours reaches you"]
    assert lilei.post(f"/api/v1/deliveries/{row['number']}/retry/").json()["state"] == "waiting"


@pytest.mark.django_db(transaction=True)
def test_who_tries_at_the_same_moment_is_counted_one_by_one(mailbox):
    staff = hire()
    channel, by = a_channel(user=staff["mei"]), actor_of(staff["mei"])
    for _ in range(MOST_TESTS - 1):
        managing.test(channel, by=by, clock=lambda: NOW)
    refused = []

    def try_it() -> None:
        try:
            managing.test(channel, by=by, clock=lambda: NOW)
        except BadChannel as limit:
            refused.append(str(limit))

    race(*[try_it] * 4)
    assert (len(mailbox.messages), len(refused)) == (MOST_TESTS, 3)
