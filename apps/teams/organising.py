"""Keeping versions of the dated tree, and asking them who stands where."""

import functools
import hashlib
import json
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.finops.once import once
from apps.teams.models import Organisation, Team, Unit
from apps.teams.tree import Place, Tree
from apps.teams.tree import Unit as TreeUnit

_FACTS = ("kind", "title", "lead_name", "lead_email")


class NoSuchOrganisation(CostOpsError):
    """A version of the organisation that does not exist."""


def keep_tree(tree: Tree, now: datetime) -> int:
    """The number of the newest tree, a new one only when the tree differs from the newest. Units that it does not have
    are retired, never deleted: people stay their members."""
    document = tree.to_document()
    sha256 = _sha256(document)
    newest = Organisation.objects.order_by("-number").first()
    if newest is not None and newest.sha256 == sha256:
        return newest.number
    number = newest.number + 1 if newest is not None else 1
    Organisation.objects.create(number=number, sha256=sha256, document=document, imported_at=now)
    for unit in tree.units:
        facts: dict[str, Any] = {name: getattr(unit, name) for name in _FACTS}
        Unit.objects.update_or_create(name=unit.name, defaults=facts | {"is_active": True})
    Unit.objects.exclude(name__in=[unit.name for unit in tree.units]).update(is_active=False)
    return number


def _sha256(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def newest_tree_number() -> int:
    """The number of the newest tree; 0 before the first import."""
    newest = Organisation.objects.order_by("-number").values_list("number", flat=True)
    return once(("newest tree",), lambda: newest.first() or 0)


def organisations() -> list[Organisation]:
    """Every version of the tree, the newest first."""
    return list(Organisation.objects.order_by("-number"))


def tree_identity(number: int) -> str:
    """What a version of the tree is known by; a number alone is given again when a database is restored from an older
    copy."""
    found = _sha256_of(number)
    return f"{number} {found or _sha256(_of_teams().to_document())}"


def _sha256_of(number: int) -> str | None:
    found = Organisation.objects.filter(number=number).values_list("sha256", flat=True)
    return once(("sha256 of tree", number), found.first)


def tree(number: int | None = None) -> Tree:
    """One version of the tree, the newest by default; before the first, that of the departments of the teams."""
    asked = newest_tree_number() if number is None else number
    found = _sha256_of(asked)
    if found is not None:
        return _kept(asked, found)
    if asked or newest_tree_number():
        raise NoSuchOrganisation(
            f"organisation_as_of: there is no version {asked} of the organisation; the newest is {newest_tree_number()}"
        )
    return _of_teams()


@functools.lru_cache(maxsize=8)
def _kept(number: int, _sha256_of_it: str) -> Tree:
    return Tree.from_document(Organisation.objects.get(number=number).document)


def _of_teams() -> Tree:
    """The tree of an installation that has imported none yet: a team's department and cost centre, on every day."""
    teams = list(Team.objects.order_by("name").values_list("name", "department", "cost_center"))
    departments = sorted({department for _, department, _ in teams if department})
    return Tree(
        units=tuple(TreeUnit(name, "department", is_implied=True) for name in departments),
        teams={name: (Place(parent, cost_center),) for name, parent, cost_center in teams if parent or cost_center},
    )


def today() -> date:
    """The day that decides who may see what: today in the business time zone."""
    return timezone.localdate(timezone=ZoneInfo(settings.COSTOPS_TIME_ZONE))
