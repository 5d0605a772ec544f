"""Keeping views: saving, renaming, sharing, forgetting. Only its owner changes a view."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from apps.explorer import selectors
from apps.explorer.models import SavedView
from apps.explorer.question import Exploration, read
from apps.finops.errors import CostOpsError
from apps.teams.access import speaks_whole
from apps.teams.approval import NotYours, actor_of
from apps.teams.models import Team
from apps.teams.selectors import visible_teams

MOST_VIEWS = 200
MOST_NAME = 80
MOST_QUERY = 8_000
MOST_FIELDS = 200
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class CannotSave(CostOpsError):
    """The view cannot be kept as asked; nothing was changed."""


def understood(query: str) -> Exploration:
    """The question of a query string; raises CannotBeAsked."""
    if len(query) > MOST_QUERY:
        raise CannotSave(f"query: longer than {MOST_QUERY} characters")
    try:
        given = parse_qs(query.removeprefix("?"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as too_many:
        raise CannotSave(f"query: more than {MOST_FIELDS} parameters") from too_many
    return read(given)


def save(
    *, name: str, query: str, by: User, now: datetime, shared: str = "nobody", team: str = "", is_default: bool = False
) -> SavedView:
    """Keep a question under a name; under a name of one's own that is taken, instead of what was there."""
    _must_be_whole(by)
    told = {"query": understood(query).params(), "changed_at": now, **_sharing(by, shared, team)}
    called = _name(name)
    if not SavedView.objects.filter(owner=by, name=called).exists() and by.saved_views.count() >= MOST_VIEWS:
        raise CannotSave(f"name: you keep {MOST_VIEWS} views already; delete some first")
    with _alone(by):
        kept, _ = SavedView.objects.update_or_create(owner=by, name=called, defaults=told)
        return _chosen(kept, is_default)


def change(number: int, *, by: User, now: datetime, **given: Any) -> SavedView:
    """Rename a view, share it otherwise, make it the default or not, or ask something else under its name. One that
    was deleted meanwhile stays deleted."""
    _own(number, by)
    told: dict[str, Any] = {"changed_at": now}
    if "name" in given:
        told["name"] = _name(given["name"])
    if "query" in given:
        told["query"] = understood(given["query"]).params()
    if "shared" in given:
        told |= _sharing(by, given["shared"], given.get("team", ""))
    try:
        with _alone(by):
            SavedView.objects.filter(pk=number, owner=by).update(**told)
            kept = _own(number, by)
            return _chosen(kept, given.get("is_default", kept.is_default))
    except IntegrityError as taken:
        raise CannotSave(f"name: you keep another view called {told.get('name')!r}") from taken


def forget(number: int, *, by: User) -> None:
    """Delete a view of one's own."""
    _own(number, by).delete()


@contextmanager
def _alone(by: User) -> Iterator[None]:
    """A transaction of the only one who keeps views of this person: there is one default."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        yield


def _own(number: int, by: User) -> SavedView:
    found = selectors.view(number, by)
    _must_be_whole(by)
    if found.owner_id != by.pk:
        raise NotYours("Only whoever saved a view changes it; save it under a name of your own.")
    return found


def _must_be_whole(by: User) -> None:
    if not speaks_whole(by):
        raise NotYours("Views are their owner's: a token for some teams keeps and changes none.")


def _chosen(kept: SavedView, is_default: bool) -> SavedView:
    """The view, the only default one of its owner where it is to be."""
    if is_default:
        SavedView.objects.filter(owner=kept.owner, is_default=True).exclude(pk=kept.pk).update(is_default=False)
    if kept.is_default != is_default:
        kept.is_default = is_default
        kept.save(update_fields=["is_default"])
    return kept


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > MOST_NAME or _UNSHOWN.search(name):
        raise CannotSave(f"name: a name has 1 to {MOST_NAME} characters that show")
    return name


def _sharing(by: User, shared: str, team: str) -> dict[str, Any]:
    if shared not in SavedView.Shared.values:
        raise CannotSave(f"shared: {shared[:20]!r} is not one of {', '.join(SavedView.Shared.values)}")
    if shared != "team":
        return {"shared": shared, "team": None}
    found, seen = Team.objects.filter(name=team).first(), visible_teams(by)
    if found is None or not (seen is None or team in seen or team in (actor_of(by).teams or ())):
        raise CannotSave(f"team: {team[:60]!r} is not a team of yours")
    return {"shared": shared, "team": found}
