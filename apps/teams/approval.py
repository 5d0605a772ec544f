"""Who may decide about a draft of the rules: whoever pays by it, or finance."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from apps.finops.errors import CostOpsError
from apps.teams.models import UNALLOCATED, Membership, Team
from apps.teams.selectors import FINANCE


class NotYours(CostOpsError):
    """This person may not do this to this draft; nothing was done."""


@dataclass(frozen=True)
class Actor:
    """Who acts: a name for the trail, and the teams they speak for; None: for all of them."""

    name: str
    teams: frozenset[str] | None = frozenset()

    @property
    def may_draft(self) -> bool:
        return self.teams is None or bool(self.teams)

    def speaks_for(self, needed: Iterable[str]) -> frozenset[str]:
        """Those of the needed teams this person may agree for."""
        return frozenset(needed) if self.teams is None else self.teams & frozenset(needed)


def actor_of(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """What a user may decide: superusers and finance for everybody, a member or lead for the own teams."""
    if not isinstance(user, User) or not user.is_active:
        return Actor("")
    if user.is_superuser or user.groups.filter(name=FINANCE).exists():
        return Actor(user.get_username(), None)
    mine = set(Membership.objects.filter(user=user).values_list("team__name", flat=True))
    if user.email:
        mine |= set(Team.objects.filter(lead_email__iexact=user.email).values_list("name", flat=True))
    return Actor(user.get_username(), frozenset(mine))


def agreed(actor: Actor, needed: frozenset[str], drafted_by: str) -> frozenset[str]:
    """The teams this person agrees for by approving, or why they may not.

    Cost that would join `unallocated` is agreed to by finance alone: no team speaks for it.
    """
    if actor.name == drafted_by and not settings.COSTOPS_RULES_ONE_PERSON:
        raise NotYours(
            "Nobody approves a draft of their own; ask another owner or finance. Where one person runs everything, set "
            "COSTOPS_RULES_ONE_PERSON."
        )
    mine = actor.speaks_for(needed)
    if not mine:
        owners = ", ".join(sorted(needed - {UNALLOCATED})) or "nobody"
        raise NotYours(f"This draft is for members of the teams that pay by it ({owners}) or finance to approve.")
    return mine
