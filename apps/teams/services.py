"""Importing teams and rules: one file, all or nothing."""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from apps.teams.checks import TeamFacts
from apps.teams.documents import read_file
from apps.teams.models import RuleSet, Team
from apps.teams.organisation_csv import read_organisation
from apps.teams.organising import keep_tree
from apps.teams.ownership import RuleBook


class ImportedTeams(NamedTuple):
    """How many teams an import created, changed and retired, and the number of the rules now in force."""

    created: int
    updated: int
    retired: int
    ruleset: int


def import_teams(path: Path, now: datetime) -> ImportedTeams:
    """Make teams and rules what the file says. Teams it does not name are retired, never deleted."""
    teams, book, tree = read_file(path)
    with transaction.atomic():
        known = {team.name: team for team in Team.objects.select_for_update()}
        created = Team.objects.bulk_create(Team(**asdict(facts)) for facts in teams if facts.name not in known)
        updated = sum(_update(known[facts.name], facts) for facts in teams if facts.name in known)
        gone = set(known) - {facts.name for facts in teams}
        retired = Team.objects.filter(name__in=gone, is_active=True).update(is_active=False)
        keep_tree(tree, now)
        return ImportedTeams(len(created), updated, retired, keep(book, now))


def import_organisation(content: bytes, *, name: str, now: datetime) -> tuple[int, int]:
    """Make the organisation what a sheet says: the number of the version in force, and how many teams it places.

    What the teams' own file said of departments and cost centres no longer counts.
    """
    with transaction.atomic():
        known = [team.name for team in Team.objects.select_for_update()]
        tree = read_organisation(content, name=name, teams=known)
        Team.objects.exclude(department="", cost_center="").update(department="", cost_center="")
        return keep_tree(tree, now), len(tree.teams)


def _update(team: Team, facts: TeamFacts) -> bool:
    """Bring a team up to date; whether anything differed."""
    wanted = {**asdict(facts), "is_active": True}
    if all(getattr(team, name) == value for name, value in wanted.items()):
        return False
    for name, value in wanted.items():
        setattr(team, name, value)
    team.save()
    return True


def keep(book: RuleBook, now: datetime) -> int:
    """The number of the newest rules, a new one only when the book differs from the newest."""
    document, sha256 = book.to_document(), identity(book)
    newest = RuleSet.objects.order_by("-number").first()
    if newest is not None and newest.sha256 == sha256:
        return newest.number
    number = newest.number + 1 if newest is not None else 1
    RuleSet.objects.create(number=number, sha256=sha256, document=document, imported_at=now)
    return number


def identity(book: RuleBook) -> str:
    """The sha256 of a book's document."""
    return hashlib.sha256(json.dumps(book.to_document(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()
