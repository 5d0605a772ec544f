"""The audit log: every change and export is in it, without secrets, and none of it can be changed unseen."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from io import StringIO
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from apps.audit import selectors, services
from apps.audit.chain import HASHED, hash_of, verify
from apps.audit.commands import is_recorded
from apps.audit.models import AuditEntry, ChainEnd
from apps.audit.redaction import HIDDEN, arguments, shown
from tests.dashboards import company
from tests.racing import race

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 2, 3, 4, 5, 678901, tzinfo=UTC)


def write(count=3):
    for n in range(count):
        deed = services.Deed(
            at=NOW + timedelta(minutes=n),
            actor="lilei",
            way="page",
            action=f"POST thing-{n}",
            subject={"b": n, "a": 1},
            details={"reason": "exams ✓"},
        )
        services.record(deed, 200)


def newest():
    return AuditEntry.objects.order_by("-number").first()


# --- The chain ----------------------------------------------------------------------------------------------------
def test_a_chain_that_nobody_touched_holds():
    write(5)
    found = selectors.verdict()
    assert (found.entries, found.wrong) == (5, "")
    assert found.hash == ChainEnd.objects.get().hash


@pytest.mark.parametrize("field", sorted({*HASHED, "at"} - {"number", "previous"}))
def test_an_entry_that_was_changed_is_named(field):
    write()
    changed = {"at": NOW, "subject": {"a": 2}, "details": {}, "outcome": 500}.get(field, "other")
    AuditEntry.objects.filter(number=2).update(**{field: changed})
    assert selectors.verdict().wrong == "Entry 2 was changed after it was written."


def test_an_entry_written_anew_with_its_hash_breaks_the_next():
    write()
    entry = AuditEntry.objects.get(number=2)
    entry.actor = "somebody-else"
    entry.hash = hash_of(entry)
    entry.save()
    assert selectors.verdict().wrong == "Entry 3 does not follow on entry 2: one of them was changed."


@pytest.mark.parametrize(
    ("number", "said"),
    [
        pytest.param(1, "Entry 1 is missing; after entry 0 comes entry 2.", id="the first"),
        pytest.param(2, "Entry 2 is missing; after entry 1 comes entry 3.", id="one within"),
        pytest.param(3, "The chain ends with entry 2; entry 3 was written.", id="the last"),
    ],
)
def test_an_entry_taken_out_is_missed(number, said):
    write()
    AuditEntry.objects.filter(number=number).delete()
    assert selectors.verdict().wrong == said


def test_entries_cut_off_with_the_end_are_missed_and_later_ones_are_kept():
    write(5)
    AuditEntry.objects.filter(number__gt=2).delete()
    ChainEnd.objects.all().delete()
    assert selectors.verdict().wrong == "The end is missing: entries may have been cut off."
    write(1)
    assert [entry.number for entry in AuditEntry.objects.order_by("number")] == [1, 2, 3, 4]
    assert selectors.verdict().wrong == "After entry 2 the end was missing: others may have been cut off."


def test_what_is_written_while_the_chain_is_walked_is_no_tampering(monkeypatch):
    write()
    walk = selectors.whole_chain

    def walked_slowly():
        yield from list(walk())
        write(2)

    monkeypatch.setattr(selectors, "whole_chain", walked_slowly)
    assert (selectors.verdict().entries, selectors.verdict().wrong) == (3, "")
    assert AuditEntry.objects.count() == 7


@pytest.mark.parametrize("count", [3, 5])
def test_a_chain_written_anew_before_its_end_is_seen(count):
    write()
    end = ChainEnd.objects.get()
    AuditEntry.objects.all().delete()
    ChainEnd.objects.all().delete()
    for _ in range(count):
        services.record(services.Deed(NOW, "", "page", "x"), 200)
    end.save()
    assert selectors.verdict().wrong == "Entry 3 is not the one that was written."


def test_a_chain_written_anew_is_seen_by_an_end_noted_elsewhere():
    write()
    noted = newest().hash
    call_command("audit", "verify", "--head", noted, stdout=StringIO())
    AuditEntry.objects.all().delete()
    ChainEnd.objects.all().delete()
    write(4)
    call_command("audit", "verify", stdout=StringIO())
    AuditEntry.objects.filter(number=3).update(actor="x")
    with pytest.raises(CommandError, match="Entry 3 was changed"):
        call_command("audit", "verify")
    AuditEntry.objects.filter(number=3).update(actor="lilei")
    services.record(services.Deed(NOW, "", "page", "x"), 200)
    with pytest.raises(CommandError, match="written anew"):
        call_command("audit", "verify", "--head", "0" * 64)


def _values():
    return st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
        lambda v: st.lists(v, max_size=3),
        max_leaves=5,
    )


@given(st.dictionaries(st.text(min_size=1, max_size=12), _values(), max_size=5), st.text(max_size=30))
def test_whatever_was_given_holds_in_the_chain(details, actor):
    """As written to the database and read again: what cannot be stored is replaced before it is hashed."""
    entry = AuditEntry(
        number=1, at=NOW, actor=actor, way="page", action="POST x", subject={}, details=shown(details), outcome=200
    )
    entry.hash = hash_of(entry)
    again = AuditEntry(
        number=1, at=NOW, actor=actor, way="page", action="POST x", subject={}, outcome=200, hash=entry.hash,
        details=json.loads(json.dumps(entry.details)),
    )  # fmt: skip
    assert verify([again]).wrong == ""
    assert "\x00" not in json.dumps(entry.details, ensure_ascii=False)


# --- What is in it ------------------------------------------------------------------------------------------------
def test_a_change_on_a_page_is_written_down(published, client_of):
    client_of("staff").post("/calendar/", {"action": "nonsense", "password": "hunter2"})
    entry = newest()
    assert (entry.actor, entry.way, entry.action) == ("staff", "page", "POST calendar")
    assert entry.details == {"action": "nonsense", "password": HIDDEN}
    assert entry.request_id


def test_looking_is_written_down_where_a_setting_says_so(published, client_of, settings):
    client = client_of("staff")
    client.get("/budgets/?state=any")
    assert not AuditEntry.objects.exists()
    settings.COSTOPS_AUDIT_READS = True
    client.get("/budgets/?state=any")
    assert (newest().action, newest().details) == ("GET budgets", {"state": "any"})


def test_an_export_is_written_down(published, client_of):
    client_of("finance").get("/api/v1/costs/?group_by=team&format=csv")
    assert (newest().actor, newest().action) == ("finance", "GET api-costs")
    assert newest().details == {"group_by": "team", "format": "csv"}


def test_a_change_by_token_names_its_token(published):
    from django.utils import timezone

    from apps.api.models import ApiToken
    from apps.api.services import issue_token

    key = issue_token(published["staff"], name="t", days=1, now=timezone.now())
    Client().post("/api/v1/budgets/", headers={"authorization": f"Token {key}"})
    entry = newest()
    assert (entry.actor, entry.way) == ("staff", "token")
    assert entry.details == {"via": ApiToken.objects.get().public_id}
    assert key not in json.dumps(entry.details)


@pytest.mark.parametrize(
    ("password", "actor", "outcome"),
    [pytest.param("wrong", "", 200, id="refused"), pytest.param(company.PASSWORD, "lilei", 302, id="let in")],
)
def test_signing_in_is_written_down_and_no_password(people, client, password, actor, outcome):
    client.post("/login/", {"username": "lilei", "password": password})
    entry = newest()
    assert (entry.action, entry.actor, entry.outcome) == ("POST login", actor, outcome)
    assert entry.details == {"username": "lilei", "password": HIDDEN}


def test_the_nameless_cannot_fill_the_log(people, client):
    for _ in range(70):
        client.post("/nothing/")
    assert AuditEntry.objects.count() == 60
    client.force_login(people["staff"])
    client.post("/nothing/")
    assert AuditEntry.objects.count() == 61


def test_who_signs_out_is_named(people, client_of):
    client_of("lilei").post("/logout/")
    assert (newest().actor, newest().action) == ("lilei", "POST logout")


def test_what_is_refused_for_want_of_a_token_against_forgery_is_written_down(people):
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["staff"])
    client.post("/calendar/", {"action": "x"})
    assert (newest().actor, newest().outcome) == ("staff", 403)


@pytest.mark.parametrize(
    ("behind", "header", "address"),
    [
        pytest.param(False, "6.6.6.6", "127.0.0.1", id="without a proxy its header is anybody's"),
        pytest.param(True, "6.6.6.6, 203.0.113.9", "203.0.113.9", id="behind one the last that it names"),
    ],
)
def test_where_it_came_from(people, client_of, settings, behind, header, address):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if behind else None
    client_of("staff").post("/logout/", headers={"x-forwarded-for": header})
    assert newest().address == address


def test_a_hostile_body_is_no_failure_and_storable(people, client_of):
    client_of("staff").post("/calendar/?a=%00%ED%A0%80" + "x" * 2000, {f"f{n}": "v" for n in range(100)})
    entry = newest()
    assert len(entry.details) == 101
    assert entry.details["?"]["a"].startswith("\ufffd\ufffd\ufffd\ufffdxxx")
    assert len(entry.details["?"]["a"]) < 400
    assert selectors.verdict().wrong == ""


JUNK = {f"a{n}": "x" for n in range(150)}


@pytest.mark.parametrize(
    ("query", "form"),
    [
        pytest.param(JUNK, {}, id="a long query"),
        pytest.param({}, JUNK, id="a long form"),
        pytest.param({}, {"role": ["viewer"] * 150}, id="the same name again and again: the last counts"),
        pytest.param({"role": "viewer", "user": "7", "via": "x"}, {}, id="the same names in the query"),
        pytest.param({}, {"role": [SimpleUploadedFile("viewer", b"x")]}, id="a file of the same name"),
        pytest.param({}, {"?": "x", "…": "x", "via": "x"}, id="names of ours"),
    ],
)
def test_nothing_of_a_form_hides_behind_what_stands_beside_it(people, client_of, query, form):
    given = form | {"role": [*form.get("role", []), "admin"], "user": "7"}
    client_of("staff").post(f"/calendar/?{urlencode(query)}", given)
    details = newest().details
    assert "admin" in details["role"]
    assert details["user"] == "7"
    assert not query or details["?"] == query
    assert selectors.verdict().wrong == ""


def test_of_what_is_cut_off_its_length_and_hash_are_kept():
    rest = [["b", f"s3://{HIDDEN}@x"], ["password", HIDDEN]]
    many = {f"n{n}": 1 for n in range(199)}
    told = shown({"text": "x" * 301, **many, "b": "s3://user:pw@x", "password": "hunter2"})
    assert told["text"] == f"{'x' * 300}… (1 more, SHA-256 {sha256(b'x').hexdigest()})"
    assert told["…"] == f"(2 more, SHA-256 {sha256(json.dumps(rest, ensure_ascii=False).encode()).hexdigest()})"
    assert shown({str(n): "x" * 100 for n in range(41)})["40"].startswith(f"{'x' * 60}… (40 more")


# --- What may be kept ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["add", "aws", "--secret", "key=env:KEY"], ["add", "aws", "--secret", f"key={HIDDEN}"]),
        (["add", "aws", "--secret", "id=abc"], ["add", "aws", "--secret", HIDDEN]),
        (["x", "--token=abc"], ["x", f"--token={HIDDEN}"]),
        (["x", "--password", "abc", "--name", "n"], ["x", "--password", HIDDEN, "--name", "n"]),
        pytest.param(["add", "a", "--sec", "id=abc"], ["add", "a", "--sec", HIDDEN], id="an option cut short"),
        pytest.param(["add", "a", "--se=id=abc"], ["add", "a", f"--se={HIDDEN}"], id="the same in one word"),
        pytest.param(
            ["add", "p", "--location", "https://me:pw@prometheus.example/"],
            ["add", "p", "--location", f"https://{HIDDEN}@prometheus.example/"],
            id="credentials in an address",
        ),
        (["add", "bill", "--location", "/data"], ["add", "bill", "--location", "/data"]),
        (["x", "--source", "bill", "--start", "2026-10-01"], ["x", "--source", "bill", "--start", "2026-10-01"]),
    ],
)
def test_no_secret_of_a_command_line_is_kept(words, kept):
    assert arguments(words) == kept


@pytest.mark.parametrize(
    ("line", "is_kept"),
    [
        ("fill", True),
        ("source add x", True),
        ("source list", False),
        ("import_teams list", True),
        ("rules publish 3", True),
        ("budgets export", True),
        ("ask --group-by team", False),
        ("mcp", False),
        ("fill --help", False),
        ("migrate --plan", False),
        ("backup restore --force -- --plan", True),
        ("disputes answer 3 accept -- --check", True),
        ("createsuperuser", True),
        ("check", False),
        ("", False),
    ],
)
def test_commands_that_do_something_are_kept(line, is_kept):
    assert is_recorded(["manage.py", *line.split()]) is is_kept


def test_a_command_is_written_down_with_its_outcome(installation):
    installation.manage("migrate", "--verbosity", "0")
    installation.manage("source", "add", "x", "--kind", "focus", "--location", str(installation.home))
    installation.manage("source", "unheard-of", check=False)
    listed = json.loads(installation.manage("audit", "list", "--format", "json").stdout)
    told = [(row["action"], str(row["outcome"])) for row in listed]
    assert told == [("source", "2"), ("source", "0"), ("migrate", "0")]
    installation.manage("audit", "verify")


def test_credentials_in_an_address_that_a_form_gives_are_not_kept():
    given = {"location": "https://me:p@ss@prometheus.example/?x=1", "link": "https://ci.example/@me", "mail": "a@b.cn"}
    assert shown(given) == given | {"location": f"https://{HIDDEN}@prometheus.example/?x=1"}


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2026-02-30"])
def test_a_day_that_nobody_can_mean_is_not_asked(published, client_of, settings, day):
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
    assert client_of("staff").get(f"/audit/?start={day}&last={day}").status_code == 200


# --- Who may read it ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("who", "status"), [("staff", 200), ("finance", 403), ("lilei", 403)])
def test_it_is_read_by_those_who_keep_the_installation(published, client_of, who, status):
    write()
    assert client_of(who).get("/audit/").status_code == status
    assert client_of(who).get("/api/v1/audit/").status_code == status


def test_the_page_shows_hostile_text_as_text(published, client_of):
    hostile = company.HOSTILE
    services.record(services.Deed(NOW, hostile, "page", hostile, details={"a": hostile}), 200)
    page = client_of("staff").get("/audit/").content.decode()
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_the_page_shows_what_was_given_in_the_letters_it_was_given_in(published, client_of):
    services.record(services.Deed(NOW, "lilei", "page", "POST x", details={"teams": ["直播课堂", "搜题"]}), 200)
    assert "直播课堂&quot;, &quot;搜题" in client_of("staff").get("/audit/").content.decode()


def test_older_entries_are_on_the_next_page(published, client_of):
    write(103)
    page = client_of("staff").get("/audit/?actor=lilei").content.decode()
    assert "?actor=lilei&amp;before=4" in page
    older = client_of("staff").get("/audit/?actor=lilei&before=4").content.decode()
    assert "thing-2" in older
    assert "thing-3" not in older


@pytest.mark.django_db(transaction=True)
def test_two_who_write_at_once_make_one_chain():

    def write_some(name):
        for n in range(20):
            services.record(services.Deed(NOW, name, "page", f"POST {n}"), 200)

    race(*(partial(write_some, name) for name in "abcd"))
    found = selectors.verdict()
    assert (found.entries, found.wrong) == (80, "")
