"""A letter goes once a week to an address, and again only to whom it would go today."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.reports.recipients import unsubscribe_url
from apps.teams.models import Team
from tests.reports.test_archive import _without_pdf, client_of, letter_of, people, send, texts_of

__all__ = ["_without_pdf", "people"]
pytestmark = pytest.mark.usefixtures("_without_pdf")


def test_a_letter_is_sent_again_as_it_is_kept_by_who_speaks_for_the_team(people: dict[str, User], mailbox: Any) -> None:
    send()
    found = letter_of("lead", "live-class")
    assert client_of(people["hanmeimei"]).post(f"/reports/letters/{found.pk}/").status_code == 404
    assert client_of(people["zhao"]).post(f"/reports/letters/{letter_of('management').pk}/").status_code == 403
    before = {mail["Message-ID"]: mail for mail in mailbox.messages}
    mailbox.clear()
    assert client_of(people["wang"]).post(f"/reports/letters/{found.pk}/").status_code == 302
    (again,) = mailbox.messages
    assert mailbox.recipients == [["live-class@example.com"]]
    assert again["Message-ID"] not in before
    assert texts_of(again) == texts_of(before[found.message_id])
    found.refresh_from_db()
    assert (found.state, found.resent, found.resent_by) == ("sent", 1, "wang")


def leave_finance(people: dict[str, User]) -> None:
    people["wang"].groups.clear()


def end_the_report(_people: dict[str, User]) -> None:
    found = letter_of("finance")
    Client().post(unsubscribe_url("finance", "", found.recipient).partition("8000")[2])


@pytest.mark.parametrize("end", [leave_finance, end_the_report])
def test_a_letter_is_not_sent_again_to_whom_it_is_for_no_more(
    people: dict[str, User], mailbox: Any, end: Callable[[dict[str, User]], None]
) -> None:
    send()
    found = letter_of("finance")
    User.objects.create_superuser("root", "root@example.com", "x")
    end(people)
    mailbox.clear()
    answered = client_of(User.objects.get(username="root")).post(f"/reports/letters/{found.pk}/")
    assert (answered.status_code, mailbox.messages) == (409, [])
    assert f"{found.recipient} gets this report no more" in answered.content.decode()


def test_an_address_in_other_capitals_gets_a_week_once(people: dict[str, User], mailbox: Any) -> None:
    send()
    mailbox.clear()
    Team.objects.filter(name="live-class").update(lead_email="Live-Class@Example.com")
    assert set(send()) == {"skipped"}
    assert mailbox.messages == []
