"""The harness itself: every server the tests talk to is real, and nothing leaves this machine."""

import smtplib
import socket
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connection

from tests.conftest import ON_POSTGRES
from tests.servers.network import NetworkForbiddenError


def test_postgres_answers(postgres):
    with psycopg.connect(postgres.url()) as client:
        assert client.execute("SELECT 0.1 + 0.2 = 0.3").fetchone() == (True,)


def test_redis_answers(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("team", "直播课堂")
        assert client.get("team").decode() == "直播课堂"


def test_smtp_keeps_what_it_receives(mailbox):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "costops@localhost", "lilei@example.com", "上周成本"
    message.set_content("¥ 1,234.56")
    with smtplib.SMTP("127.0.0.1", mailbox.port) as client:
        client.send_message(message)
    assert [kept["Subject"] for kept in mailbox.messages] == ["上周成本"]
    assert mailbox.recipients == [["lilei@example.com"]]


def test_chromium_draws_a_page(page):
    page.set_content("<h1>直播课堂</h1>")
    assert page.inner_text("h1") == "直播课堂"


@pytest.mark.django_db
def test_the_suite_uses_the_database_it_says():
    User.objects.create_user("lilei")
    assert User.objects.count() == 1
    assert connection.vendor == ("postgresql" if ON_POSTGRES else "sqlite")


def test_the_suite_has_a_home_of_its_own():
    assert Path(django_settings.COSTOPS_HOME).name.startswith("costops-tests-")


def test_a_test_may_have_a_home_of_its_own(home):
    assert django_settings.COSTOPS_LAKE.is_relative_to(home)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_time", [1, 2])
def test_nothing_is_left_of_a_test_with_transactions_of_its_own_but_what_migrations_made(_time):
    from django.contrib.auth.models import Group, Permission, User

    assert not User.objects.exists()
    assert not Group.objects.exists()
    assert Permission.objects.filter(content_type__app_label="auth").count() == 12
    User.objects.create_user("wei").groups.add(Group.objects.create(name="of wei"))


def test_an_installation_has_its_own_database(installation):
    installation.manage("migrate", "--verbosity", "0")
    done = installation.manage(
        "shell", "-c", "from django.contrib.auth.models import User; print(User.objects.count())"
    )
    assert done.stdout.split()[-1] == "0"


@pytest.mark.parametrize(
    ("family", "address"),
    [
        pytest.param(socket.AF_INET, ("192.0.2.1", 443), id="another machine"),
        pytest.param(socket.AF_INET6, ("2001:db8::1", 443), id="another machine by IPv6"),
        pytest.param(socket.AF_INET, ("example.com", 80), id="a name on the internet"),
    ],
)
def test_the_guard_refuses(family, address):
    with socket.socket(family) as client, pytest.raises(NetworkForbiddenError):
        client.connect(address)


def test_the_guard_refuses_to_look_up_a_name():
    with pytest.raises(NetworkForbiddenError):
        socket.getaddrinfo("example.com", 443)
