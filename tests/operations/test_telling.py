"""Channels that choose recommendations are told of their steps: a ticket for each, every step to a webhook."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import translation

from apps.channels.models import Entry
from apps.operations import deciding
from apps.operations.deciding import Step
from apps.operations.states import MOVES
from apps.operations.telling import KIND, STEPS
from tests.channels.worlds import a_channel
from tests.operations.worlds import ANYBODY, NOW, a_finding, hire, one, recommend

pytestmark = pytest.mark.django_db


HOOK = {"url": "https://hooks.example.com/costops", "secret": "s" * 40}
BOARD = {"url": "https://jira.example.com", "project": "COST", "type": "Task", "token": "t" * 20}


def told(channel) -> list[str]:
    """The first line of every entry of a channel."""
    lines = [entry.lines[0] for entry in Entry.objects.filter(channel=channel).order_by("pk")]
    return [line["text"] % line["values"] for line in lines]


def test_a_webhook_is_told_every_step_and_its_end_once():
    hire()
    hook = a_channel("webhook", kinds=[KIND], **HOOK)
    recommend(a_finding(saving_per_month=Decimal(100)))
    for action in ("accept", "finish"):
        deciding.take([one()], Step(action, why="on Friday"), by=ANYBODY, now=NOW)

    assert told(hook) == ["It was found", "It was given to lilei", "han took it on", "han finished it"]
    last = Entry.objects.order_by("-pk")[0]
    assert (last.is_over, last.thread, last.team) == (True, f"recommendation {one().pk}", "live")
    assert {"text": "%(words)s", "values": {"words": "on Friday"}} in last.lines


def test_a_recommendation_is_one_ticket_until_it_is_found_no_longer():
    hire()
    board = a_channel("jira", kinds=[KIND], **BOARD)
    recommend(a_finding(), a_finding("disk-2"))
    recommend(a_finding(), days=1)

    entries = Entry.objects.filter(channel=board)
    assert sorted((one.title["values"]["name"], one.is_over) for one in entries) == [
        ("disk-1", False), ("disk-2", False), ("disk-2", True),
    ]  # fmt: skip


def test_a_ticket_is_told_of_every_end_and_of_what_is_back_but_of_no_step_between():
    hire()
    board = a_channel("jira", kinds=[KIND], **BOARD)
    recommend(a_finding())
    for action in ("accept", "finish", "reopen", "decline"):
        deciding.take([one()], Step(action, why="on Friday"), by=ANYBODY, now=NOW)
    with transaction.atomic():
        deciding.move(one(), "return", by="", now=NOW)
        deciding.move(one(), "accept", by="", now=NOW)
        deciding.move(one(), "finish", by="", now=NOW)
        deciding.move(one(), "verify", by="", now=NOW)

    assert told(board) == [
        "It was found", "han finished it", "han opened it again", "han declined it", "It was found again",
        "CostOps finished it", "Its saving was verified",
    ]  # fmt: skip


def test_nobody_is_told_who_did_not_choose_it_nor_another_team():
    hire()
    for channel in (a_channel("webhook", **HOOK), a_channel("webhook", kinds=["anomaly"], **HOOK)):
        recommend(a_finding(f"disk {channel.pk}"))
    other = a_channel("webhook", team="data", kinds=[KIND], **HOOK)
    recommend(a_finding("more"))

    assert not Entry.objects.exists()
    recommend(a_finding("theirs", team="data"))
    assert told(other)[0] == "It was found"


def test_of_other_teams_nobody_is_told_by_a_channel_of_their_own():
    people = hire() | {"stranger": User.objects.create_user("stranger")}
    own = {name: a_channel("webhook", user=user, kinds=[KIND], **HOOK) for name, user in people.items()}
    recommend(a_finding(saving_per_month=Decimal(100)))

    assert {name for name, channel in own.items() if told(channel)} == {"lilei", "finance"}


def test_every_step_has_its_words_in_both_languages():
    assert set(STEPS) == {*MOVES, "find"}
    with translation.override("zh-hans"):
        assert [text for text in STEPS.values() if translation.gettext(text) == text] == []
