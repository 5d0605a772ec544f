"""Somebody always looks after people: the last who can is not switched off, demoted or deleted, whoever tries how."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.signals import m2m_changed, pre_delete, pre_save

from apps.finops.errors import CostOpsError
from apps.teams.access import in_force
from apps.teams.models import Grant, ServiceAccount
from apps.teams.roles import ROLES, Can, Reach

KEEPING = [role for role, may in ROLES.items() if Can.MANAGE_ACCESS in may]
TOLD = (
    "Nobody could give and take roles any more: this is the last who can. Make another superuser or administrator "
    "first (manage.py createsuperuser, manage.py access grant NAME admin)."
)


class LastKeeper(CostOpsError):
    """The last who looks after people would be gone; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(TOLD)


def keepers(*, without: Collection[int] = ()) -> "QuerySet[User]":
    """Active people who look after people: superusers, and whom a role says so; as if some grants were taken back."""
    held = in_force().filter(role__in=KEEPING, reach=Reach.EVERYTHING).exclude(pk__in=without)
    wanted = Q(is_superuser=True) | Q(pk__in=held.values("user"))
    wanted |= Q(pk__in=User.objects.filter(groups__in=held.values("group")).values("pk"))
    return User.objects.filter(wanted, is_active=True).exclude(pk__in=ServiceAccount.objects.values("user"))


def _must_remain(others: "QuerySet[User]") -> None:
    """Raise LastKeeper where these are none, and there were some. Of two who are removed at once, the second waits."""
    there = keepers()
    if connection.in_atomic_block:
        list(User.objects.select_for_update().filter(pk__in=there.values("pk")).order_by("pk").values_list("pk"))
    if not others.exists() and there.exists():
        raise LastKeeper


def _saved(instance: User, raw: bool = False, **_: Any) -> None:
    if raw or instance._state.adding or (instance.is_active and instance.is_superuser):
        return
    before = keepers().filter(pk=instance.pk).values("is_active", "is_superuser").first()
    if before and (instance.is_active, instance.is_superuser) != (before["is_active"], before["is_superuser"]):
        is_one_still = instance.is_active and keepers().filter(pk=instance.pk, is_superuser=False).exists()
        if not is_one_still:
            _must_remain(keepers().exclude(pk=instance.pk))


def _deleted(instance: User | Group | Grant, **_: Any) -> None:
    if isinstance(instance, User):
        _must_remain(keepers().exclude(pk=instance.pk))
        return
    taken = [instance.pk] if isinstance(instance, Grant) else instance.grants.values_list("pk", flat=True)
    _must_remain(keepers(without=list(taken)))


def _left(action: str, instance: User | Group, reverse: bool, pk_set: set[int] | None, **_: Any) -> None:
    """Somebody leaves a group, or a group somebody."""
    if action in ("post_remove", "post_clear"):
        groups = [instance.pk] if reverse else pk_set
        held = in_force().filter(role__in=KEEPING, reach=Reach.EVERYTHING, group__isnull=False)
        if (held if groups is None else held.filter(group__in=groups)).exists() and not keepers().exists():
            raise LastKeeper


def watch() -> None:
    """From now on every way of saving, deleting and leaving is looked at."""
    pre_save.connect(_saved, User, dispatch_uid="teams.keepers")
    for model in (User, Group, Grant):
        pre_delete.connect(_deleted, model, dispatch_uid="teams.keepers")
    m2m_changed.connect(_left, User.groups.through, dispatch_uid="teams.keepers")
