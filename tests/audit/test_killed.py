"""What a killed process had begun is in the audit log all the same."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import InternalError, OperationalError, ProgrammingError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit import requests, selectors, services, tasks
from apps.audit.commands import recorded
from apps.audit.models import AuditEntry, Begun, ChainEnd

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


class Killed(BaseException):
    """What no handler of the framework catches, as nothing catches a kill."""


@pytest.fixture
def killed_before_its_entry(monkeypatch):
    """A process that dies between the change and its entry."""

    def die(*_deed, **_begun):
        raise Killed

    monkeypatch.setattr(services, "record", die)
    return monkeypatch


def newest():
    return AuditEntry.objects.order_by("-number").first()


def ended():
    entry = newest()
    return entry.actor, entry.way, entry.action, entry.outcome


def test_a_change_whose_process_is_killed_is_written_down_later(published, client_of, killed_before_its_entry):
    with pytest.raises(Killed):
        client_of("staff").post("/calendar/?day=x", {"action": "nonsense"})
    killed_before_its_entry.undo()
    assert not AuditEntry.objects.exists()
    began = Begun.objects.get()
    assert services.finish(began.at + timedelta(minutes=14)) == 0
    assert [services.finish(began.at + HOUR), services.finish(began.at + HOUR)] == [1, 0]
    assert ended() == ("staff", "page", "POST calendar", AuditEntry.UNKNOWN)
    assert (newest().at, newest().request_id, newest().details) == (began.at, began.request_id, {"day": "x"})
    assert not Begun.objects.exists()
    assert selectors.verdict().wrong == ""
    assert "not known" in client_of("staff").get("/audit/").content.decode()


def test_who_wrote_by_token_is_known_though_it_was_killed(published, killed_before_its_entry):
    from apps.api.services import issue_token

    token = issue_token(User.objects.get(username="staff"), name="t", days=1, scopes=["write"], now=timezone.now())
    with pytest.raises(Killed):
        Client().post(
            "/api/v1/budgets/", {}, content_type="application/json", headers={"Authorization": f"Token {token}"}
        )
    killed_before_its_entry.undo()
    services.finish(timezone.now() + HOUR)
    assert ended() == ("staff", "token", "POST api-budgets", AuditEntry.UNKNOWN)
    assert newest().details == {"via": token.split("_")[1]}


def test_a_command_that_is_killed_is_written_down_later(killed_before_its_entry):
    with pytest.raises(Killed), recorded(["manage.py", "fill", "--step", "publish"]):
        pass
    killed_before_its_entry.undo()
    assert services.finish(timezone.now() + HOUR) == 0, "a command may take long"
    assert services.finish(timezone.now() + WEEK) == 1
    assert ended()[1:] == ("command", "fill", AuditEntry.UNKNOWN)


def test_what_has_its_entry_leaves_no_note(published, client_of):
    client_of("staff").post("/calendar/", {"action": "nonsense"})
    client_of("finance").post("/nowhere/", {})
    with recorded(["manage.py", "fill"]):
        pass
    assert AuditEntry.objects.count() == 3
    assert not Begun.objects.exists()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(OperationalError("the database is away"), id="a database that is away"),
        pytest.param(OperationalError("no such table: audit_begun"), id="SQLite before the migration"),
        pytest.param(ProgrammingError('relation "audit_begun" does not exist'), id="PostgreSQL before the migration"),
        pytest.param(InternalError("cannot execute INSERT in a read-only transaction"), id="one that only reads"),
    ],
)
def test_what_cannot_be_noted_is_not_done(published, client_of, monkeypatch, fault):
    def away(_deed):
        raise fault

    client = client_of("staff")
    client.raise_request_exception = False
    monkeypatch.setattr(services, "begin", away)
    assert client.post("/logout/").status_code == 503
    assert client.get("/audit/").status_code == 200, "still signed in"


def test_the_bell_makes_entries_of_what_was_left():
    services.begin(services.Deed(NOW - HOUR, "lilei", "page", "POST x"))
    assert [tasks.finish(), tasks.finish()] == [1, 0]
    assert ended() == ("lilei", "page", "POST x", AuditEntry.UNKNOWN)


def test_the_end_of_the_chain_is_locked_before_the_note():
    """As `record` does: in the other order a bell and a slow request would wait for each other on PostgreSQL."""
    services.begin(services.Deed(NOW - HOUR, "lilei", "page", "POST x"))
    with CaptureQueriesContext(connection) as seen:
        tasks.finish()
    asked = [query["sql"] for query in seen.captured_queries]
    end = next(at for at, sql in enumerate(asked) if ChainEnd._meta.db_table in sql)
    note = next(at for at, sql in enumerate(asked) if Begun._meta.db_table in sql and '."key" = ' in sql)
    assert end < note


def test_who_floods_without_a_name_writes_no_more_than_the_log_takes(published, monkeypatch, settings):
    """Neither with nothing nor with a token that is none: an entry each, sixty times a minute, and no note."""
    noted = []
    begin = services.begin
    monkeypatch.setattr(services, "begin", lambda deed: noted.append(deed) or begin(deed))
    monkeypatch.setattr(requests, "NAMELESS_A_MINUTE", 3)
    for _ in range(5):
        Client().post("/login/", {"login": "x", "password": "y"})
    assert (len(noted), AuditEntry.objects.count()) == (3, 3)
    Client().post("/api/v1/budgets/", headers={"Authorization": "Token costops_x_y"})
    assert (len(noted), AuditEntry.objects.count(), Begun.objects.count()) == (3, 3, 0)
