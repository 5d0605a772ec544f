"""Who may decide about a draft of the rules: whoever pays by it, or whoever may change the rules of every team."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.conf import settings

from apps.finops.errors import CostOpsError
from apps.teams.access import Somebody, access_of
from apps.teams.models import UNALLOCATED, Team
from apps.teams.roles import Can

WHO_HAS_RULES = "finance, cost operations or superusers"
"""Who may change the rules of every team, as refusals name them: whoever holds `Can.CHANGE_RULES` over everything."""
EVIDENCE = "worklist"
"""Who drafts what is proposed by evidence alone; a user may be called so, and is not it."""


class NotYours(CostOpsError):
    """This person may not do this to this draft; nothing was done."""


@dataclass(frozen=True)
class Actor:
    """Who acts: a name for the trail, and the teams they speak for; None: for all of them, and for the company.

    `has_rules`: about rules they speak for every team. `is_whole`: they speak as the whole user (`Access.is_whole`).
    """

    name: str
    teams: frozenset[str] | None = frozenset()
    has_rules: bool = False
    is_whole: bool = True

    @property
    def may_speak(self) -> bool:
        """Whether there is any team they speak for."""
        return self.teams is None or bool(self.teams)

    def is_one(self, name: str) -> bool:
        """Whether they are the user of a name, and speak as the whole of it."""
        return self.is_whole and self.name == name != EVIDENCE

    @property
    def may_draft(self) -> bool:
        return self.has_rules or self.may_speak

    @property
    def on_rules(self) -> "Actor":
        """The same as far as rules go."""
        return replace(self, teams=None) if self.has_rules else self

    def speaks_for(self, needed: Iterable[str]) -> frozenset[str]:
        """Those of the needed teams this person may agree for."""
        return frozenset(needed) if self.teams is None else self.teams & frozenset(needed)


def actor_of(user: Somebody) -> Actor:
    """What a user may decide: finance for everybody, cost operations about rules, members and leads for their teams."""
    access = access_of(user)
    teams = access.teams(Can.DECIDE)
    if teams is None and not access.may(Can.SPEAK_FOR_COMPANY):
        teams = frozenset(Team.objects.values_list("name", flat=True))
    return Actor(access.name, teams, has_rules=access.may(Can.CHANGE_RULES), is_whole=access.is_whole)


def agreed(
    actor: Actor, needed: frozenset[str], drafted_by: str, *, giving: frozenset[str] = frozenset()
) -> frozenset[str]:
    """The teams this person agrees for by approving, or why they may not.

    Cost that would join `unallocated` is agreed to by those alone who may change the rules of every team: no team
    speaks for it. Who drafted it agrees for nobody who gets cost; for teams that give some away and get none (`giving`)
    they may.
    """
    mine = actor.on_rules.speaks_for(needed)
    if actor.name == drafted_by and not settings.COSTOPS_RULES_ONE_PERSON:
        mine &= giving
        if not mine:
            raise NotYours(
                "Nobody approves a draft of their own; ask another owner, or another who may change the rules of every "
                "team (finance, cost operations or superusers). Where one person runs everything, set "
                "COSTOPS_RULES_ONE_PERSON."
            )
    if not mine:
        owners = ", ".join(sorted(needed - {UNALLOCATED})) or "nobody"
        raise NotYours(
            f"This draft is for members of the teams that pay by it ({owners}) to approve, or for finance, cost "
            "operations or superusers."
        )
    return mine
