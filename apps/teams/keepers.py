"""Somebody always looks after people: the last who can is not switched off, demoted or deleted, whoever tries how."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.signals import m2m_changed, post_delete, pre_delete, pre_save

from apps.finops.errors import CostOpsError
from apps.teams.access import in_force
from apps.teams.models import Grant, ServiceAccount
from apps.teams.roles import ROLES, Can, Reach

KEEPING = [role for role, may in ROLES.items() if Can.MANAGE_ACCESS in may]
TOLD = (
    "Nobody could give and take roles any more: this is the last who can, or the last whose role does not end. Make "
    "another superuser or administrator first (manage.py createsuperuser, manage.py access grant NAME admin)."
)
_DECIDES = {"is_active", "is_superuser"}
_KEPT = "_kept"
"""Where something that is about to go notes who looked after people before."""


class LastKeeper(CostOpsError):
    """The last who looks after people would be gone; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(TOLD)


def keepers(*, is_lasting: bool = False) -> "QuerySet[User]":
    """Active people who look after people: superusers, and whom a role says so; `is_lasting`: a role without an end."""
    return _people(Q(is_superuser=True) | _by_role(is_lasting))


def _people(wanted: Q) -> "QuerySet[User]":
    return User.objects.filter(wanted, is_active=True).exclude(pk__in=ServiceAccount.objects.values("user"))


def _by_role(is_lasting: bool) -> Q:
    held = in_force().filter(role__in=KEEPING, reach=Reach.EVERYTHING)
    if is_lasting:
        held = held.filter(valid_to=None)
    return Q(pk__in=held.values("user")) | Q(pk__in=User.objects.filter(groups__in=held.values("group")).values("pk"))


def _wait() -> None:
    """Of two who remove each other at once, the second waits here, and sees from then on what the first did."""
    if connection.in_atomic_block:
        list(User.objects.select_for_update().filter(pk__in=keepers().values("pk")).order_by("pk").values_list("pk"))


def _saved(instance: User, raw: bool = False, update_fields: frozenset[str] | None = None, **_: Any) -> None:
    is_no_less = instance._state.adding or (instance.is_active and instance.is_superuser)
    if raw or is_no_less or _DECIDES.isdisjoint(_DECIDES if update_fields is None else update_fields):
        return
    if not keepers().filter(pk=instance.pk).exists():
        return
    _wait()
    is_lasting = keepers(is_lasting=True).exists()
    remains = instance.is_active and _people(_by_role(is_lasting)).filter(pk=instance.pk).exists()
    if not remains and not keepers(is_lasting=is_lasting).exclude(pk=instance.pk).exists():
        raise LastKeeper


def _goes(instance: User | Group | Grant, action: str = "pre_delete", **_: Any) -> None:
    """Before somebody, or what makes somebody look after people, is deleted; before somebody leaves a group."""
    if action in ("pre_delete", "pre_remove", "pre_clear"):
        _wait()
        vars(instance)[_KEPT] = keepers().exists(), keepers(is_lasting=True).exists()


def _gone(instance: User | Group | Grant, action: str = "post_delete", **_: Any) -> None:
    """Afterwards, so that all who go at once are seen together; what is refused here is rolled back."""
    if action in ("post_delete", "post_remove", "post_clear"):
        is_kept, is_lasting = vars(instance).pop(_KEPT)
        if is_kept and not keepers(is_lasting=is_lasting).exists():
            raise LastKeeper


def watch() -> None:
    """From now on every way of saving, deleting and leaving is looked at."""
    pre_save.connect(_saved, User, dispatch_uid="teams.keepers")
    for model in (User, Group, Grant):
        pre_delete.connect(_goes, model, dispatch_uid="teams.keepers")
        post_delete.connect(_gone, model, dispatch_uid="teams.keepers")
    for when in (_goes, _gone):
        m2m_changed.connect(when, User.groups.through, dispatch_uid=f"teams.keepers.{when.__name__}")
