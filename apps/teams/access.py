"""Who may do what, and over what: asked here, whichever door somebody comes through."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.db import connection
from django.db.models import F, Q, QuerySet, TextField, Value
from django.http import HttpRequest

from apps.finops.once import once
from apps.teams import roles
from apps.teams.compiled import Compiled
from apps.teams.models import Grant, Membership, ServiceAccount, Team, UnitMembership
from apps.teams.organising import today, tree
from apps.teams.roles import Can, Reach, Role

Somebody: TypeAlias = AbstractBaseUser | AnonymousUser
_ONLY = "costops_only_teams"


@dataclass(frozen=True)
class Held:
    """What somebody may do over a part of the company."""

    may: frozenset[Can]
    reach: str = Reach.EVERYTHING
    value: str = ""


@dataclass(frozen=True)
class Access:
    """All that somebody holds; with a token that is for some teams, `only` over these."""

    name: str = ""
    held: tuple[Held, ...] = ()
    only: frozenset[str] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether they speak as the whole user: what is one's own without being of a team is for nobody else, a token
        for some teams neither."""
        return self.only is None

    def teams(self, can: Can) -> frozenset[str] | None:
        """The teams over which somebody may do something today; None means all.

        Where a team stands today decides, of its earlier days too.
        """
        named = self._named(can)
        if Reach.EVERYTHING in named:
            return self.only
        found = named.get(Reach.TEAM, frozenset())
        units, centers = (named.get(reach, frozenset()) for reach in (Reach.UNIT, Reach.COST_CENTER))
        if units or centers:
            known, day = tree(), today()
            found |= known.below(units, day) | known.paid_by(centers, day)
        return found if self.only is None else found & self.only

    def own_of(self, can: Can) -> frozenset[str]:
        """The teams over which somebody may do something, without what they hold over everything."""
        limited = tuple(one for one in self.held if one.reach != Reach.EVERYTHING)
        return replace(self, held=limited).teams(can) or frozenset()

    @property
    def company(self) -> frozenset[Can]:
        """What somebody may do that concerns the whole company."""
        return frozenset(can for can in Can if self.may(can))

    def accounts(self) -> frozenset[str]:
        """The accounts whose cost somebody sees, whoever's it is; with a token for some teams, none."""
        return self._named(Can.SEE_COST).get(Reach.ACCOUNT, frozenset()) if self.is_whole else frozenset()

    def may(self, can: Can) -> bool:
        """Whether somebody may do what concerns the whole company."""
        return self.is_whole and Reach.EVERYTHING in self._named(can)

    def _named(self, can: Can) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for one in self.held:
            if can in one.may:
                found[one.reach] = found.get(one.reach, frozenset()) | {one.value}
        return found


NOBODY = Access()


def access_of(user: Somebody) -> Access:
    """What somebody holds now: nothing, unless they are signed in and active."""
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    held = once(("held", user.pk), lambda: tuple(_held(user)))
    return Access(user.get_username(), held, getattr(user, _ONLY, None))


def may(user: Somebody, can: Can) -> bool:
    """Whether somebody may do what concerns the whole company."""
    access = access_of(user)
    if access.may(can):
        return True
    is_permitted = isinstance(user, User) and can in roles.PERMISSIONS and user.has_perm(roles.PERMISSIONS[can])
    return is_permitted and access.may(Can.SEE_COST)


def may_somewhere(user: Somebody, can: Can) -> bool:
    """Whether somebody may do something of the company; of what is asked of a team, over any."""
    return may(user, can) or (can in roles.OF_TEAMS and access_of(user).teams(can) != frozenset())


def rights_of(user: Somebody) -> tuple[object, ...]:
    """All that somebody may do now, in order: whether they speak as the whole user, whose accounts they see, and each
    thing, whether of the whole company, and over which teams."""
    access = access_of(user)
    over = {can: access.teams(can) for can in Can}
    things = ((can.value, may(user, can), None if (of := over[can]) is None else tuple(sorted(of))) for can in Can)
    return access.is_whole, tuple(sorted(access.accounts())), *things


def speaks_whole(user: Somebody) -> bool:
    """Whether somebody speaks as the whole user, and not by a token for some teams (`Access.is_whole`)."""
    return access_of(user).is_whole


def manages_access(request: HttpRequest) -> bool:
    """Whether who asks looks after people; the admin wants to know many times for one page."""
    known = getattr(request, "manages_access", None)
    if known is None:
        known = may(request.user, Can.MANAGE_ACCESS)
        setattr(request, "manages_access", known)  # noqa: B010  # a request has no place of its own for it
    return bool(known)


def only_of(user: User, teams: Iterable[str]) -> User:
    """The user as a token for some teams speaks for them: over these teams, and nothing of the whole company."""
    setattr(user, _ONLY, frozenset(teams))
    return user


def _held(user: User) -> Iterator[Held]:
    if user.is_superuser:
        yield Held(roles.SUPERUSER)
    if user.is_staff:
        yield Held(roles.STAFF)
    given = _GIVEN.rows(
        user=user.pk, email=connection.ops.prep_for_iexact_query(user.email),
        day=connection.ops.adapt_datefield_value(today()),
    )  # fmt: skip
    for what, reach, value in given:
        yield Held(_FIXED[what] if what in _FIXED else roles.ROLES[Role(what)], reach, value)


_FIXED = {
    "finance group": roles.FINANCE_GROUP, "member": roles.MEMBER, "unit member": roles.UNIT_MEMBER,
    "addressed": roles.ADDRESSED,
}  # fmt: skip
"""What somebody may do who was given no role by name, but is in a group, a team or a unit, or is a team's address."""


def _given(user: int, email: str, day: date) -> "QuerySet[Any, Any]":
    """Role, reach and value of all that somebody was given; nobody is the address of a team that has none."""
    own = Q(user=user)
    return _told(Group.objects.filter(own, name=roles.FINANCE), "finance group", Reach.EVERYTHING, "").union(
        _told(Membership.objects.filter(own), "member", Reach.TEAM, F("team__name")),
        _told(UnitMembership.objects.filter(own, unit__is_active=True), "unit member", Reach.UNIT, F("unit__name")),
        _told(
            Team.objects.filter(lead_email__same_address=email).exclude(lead_email=""),
            "addressed",
            Reach.TEAM,
            F("name"),
        ),
        _told(in_force(day).filter(own | Q(group__user=user)), F("role"), F("reach"), F("value")),
        all=True,
    )


def _told(rows: "QuerySet[Any]", *columns: Any) -> "QuerySet[Any, Any]":
    texts = [column if isinstance(column, F) else Value(str(column), output_field=TextField()) for column in columns]
    given = rows.order_by().annotate(told_1=texts[0], told_2=texts[1], told_3=texts[2])
    found: QuerySet[Any, Any] = given.values_list("told_1", "told_2", "told_3")
    return found


_GIVEN = Compiled(_given, user=-7_000_001, email="email of somebody", day=date(1, 2, 3))


def in_force(day: date | None = None) -> "QuerySet[Grant]":
    """The grants that hold on a day, today by default."""
    day = day or today()
    begun = Q(valid_from=None) | Q(valid_from__lte=day)
    return Grant.objects.filter(begun & (Q(valid_to=None) | Q(valid_to__gt=day)))


def holders(role: Role, reach: Reach = Reach.EVERYTHING, values: Iterable[str] = ("",)) -> "QuerySet[User]":
    """Active people who were given a role over just one of these; of finance over everything, the group too."""
    given = in_force().filter(role=role, reach=reach, value__in=list(values))
    wanted = Q(pk__in=given.values("user")) | Q(groups__in=given.values("group"))
    if (role, reach) == (Role.FINANCE, Reach.EVERYTHING):
        wanted |= Q(groups__name=roles.FINANCE)
    return User.objects.filter(wanted, is_active=True).distinct()


def people_of(*teams: Team) -> "QuerySet[User]":
    """Active members of teams: those listed, and their leads by grant."""
    leads = holders(Role.LEAD, Reach.TEAM, [team.name for team in teams])
    wanted = Q(memberships__team__in=teams) | Q(pk__in=leads.values("pk"))
    return User.objects.filter(wanted, is_active=True).distinct()


def is_service(user: Somebody) -> bool:
    """Whether this is a program that speaks by token only."""
    return isinstance(user, User) and ServiceAccount.objects.filter(user=user).exists()
