"""Who gets which report: whom a role brings it to, who asked for it, and who does not want it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core import signing
from django.db.models import QuerySet
from django.urls import reverse

from apps.finops.errors import CostOpsError
from apps.operations.people import seen_teams
from apps.reports.models import Reader, Report, Subscription
from apps.reports.written import site
from apps.teams.access import holders, speaks_whole
from apps.teams.models import Team
from apps.teams.preferring import preference_of
from apps.teams.roles import Role
from apps.teams.selectors import active_teams

MANAGEMENT = "management"
"""The group whose members get the report of management, and may read it in the archive."""
_SALT = "apps.reports.unsubscribe"


class NotForYou(CostOpsError):
    """This person may not read this report."""


class NoAddress(CostOpsError):
    """This user has no e-mail address."""


class NoSuchLink(CostOpsError):
    """The link to unsubscribe is not one of ours."""


@dataclass(frozen=True)
class Target:
    """A report that somebody may get: of a team, or of the company."""

    report: str
    team: Team | None = None

    @property
    def name(self) -> str:
        return self.team.name if self.team else ""


@dataclass(frozen=True)
class Addressee:
    """Somebody who gets a report; without a language, in that of the installation."""

    address: str
    name: str = ""
    language: str = ""


def targets(*, team: str | None = None, report: str | None = None) -> list[Target]:
    """The reports there are: of every active team, or the one of a name; those of the company where none is named."""
    found = [Target(Report.LEAD, one) for one in active_teams() if team in (None, one.name)]
    if team is None:
        found += [Target(Report.FINANCE), Target(Report.MANAGEMENT)]
    return [one for one in found if report in (None, one.report)]


def readings(user: AbstractBaseUser | AnonymousUser) -> Callable[[str, str], bool]:
    """`may_read` of one person, for many reports: what they see is asked once."""
    seen = seen_teams(user)

    def may(report: str, team: str) -> bool:
        if report == Report.LEAD:
            return seen is None or team in seen
        return seen is None or (report == Report.MANAGEMENT and is_manager(user))

    return may


def may_read(user: AbstractBaseUser | AnonymousUser, report: str, team: str) -> bool:
    """Whether somebody may read a report: that of a team who see its cost or lead it, that of the company who see all
    cost; that of management its group besides."""
    return readings(user)(report, team)


def is_manager(user: AbstractBaseUser | AnonymousUser) -> bool:
    if not isinstance(user, User) or not user.is_active or not speaks_whole(user):
        return False
    return user.groups.filter(name=MANAGEMENT).exists()


def readable(user: AbstractBaseUser | AnonymousUser) -> list[Target]:
    """The reports somebody may read."""
    may = readings(user)
    return [one for one in targets() if may(one.report, one.name)]


def addressees(target: Target) -> list[Addressee]:
    """Who gets a report: by role unless they do not want it, and who asked for it and may read it still."""
    wishes = list(Subscription.objects.filter(report=target.report, team=target.name).select_related("user"))
    unwanted = {wish.address for wish in wishes if not wish.is_wanted}
    found: dict[str, Addressee] = {}
    for one in (*_by_role(target), *_by_wish(target, wishes)):
        key = one.address.casefold()
        if key not in unwanted:
            found.setdefault(key, one)
    return list(found.values())


def _by_role(target: Target) -> Iterator[Addressee]:
    if target.team is not None:
        address = target.team.lead_email.strip()
        if address:
            yield Addressee(address, target.team.lead_name, _language_of(address))
        return
    members = holders(Role.FINANCE) if target.report == Report.FINANCE else _managers()
    yield from (_addressee(user) for user in members.exclude(email="").order_by("username"))


def _managers() -> "QuerySet[User]":
    return User.objects.filter(is_active=True, groups__name=MANAGEMENT)


def _by_wish(target: Target, wishes: list[Subscription]) -> Iterator[Addressee]:
    for wish in wishes:
        user = wish.user
        if wish.is_wanted and user and user.email and may_read(user, target.report, target.name):
            yield _addressee(user)


def _addressee(user: User) -> Addressee:
    return Addressee(user.email, user.get_full_name() or user.get_username(), reads_in(user))


def language_of(user: User) -> str:
    """The language somebody chose for reports; empty for that of their pages."""
    return Reader.objects.filter(user=user).values_list("language", flat=True).first() or ""


def reads_in(user: User) -> str:
    """The language somebody gets reports in: the one chosen for them, else that of their pages; empty for that of the
    installation."""
    return language_of(user) or preference_of(user).language


def _language_of(address: str) -> str:
    found = User.objects.filter(is_active=True, email__same_address=address).order_by("pk").first()
    return reads_in(found) if found else ""


def got(user: User) -> set[tuple[str, str]]:
    """The reports somebody gets, by report and team: what `addressees` says of each, asked at once."""
    address = user.email.casefold()
    if not address:
        return set()
    leads = {(str(Report.LEAD), one.name) for one in active_teams() if one.lead_email.strip().casefold() == address}
    company = {Report.FINANCE: holders(Role.FINANCE), Report.MANAGEMENT: _managers()}
    by_role = leads | {(str(report), "") for report, people in company.items() if people.filter(pk=user.pk).exists()}
    wishes = Subscription.objects.filter(address=address)
    asked = {(one.report, one.team) for one in wishes if one.is_wanted and one.user_id == user.pk}
    may = readings(user)
    asked = {one for one in asked if may(*one)}
    return (by_role | asked) - {(one.report, one.team) for one in wishes if not one.is_wanted}


def wish(user: User, target: Target, *, is_wanted: bool, by: str, now: datetime) -> None:
    """Somebody wants a report, or does not. Nobody gets what they may not read."""
    if not user.email:
        raise NoAddress(f"{user.get_username()} has no e-mail address; an administrator can enter one.")
    if is_wanted and not may_read(user, target.report, target.name):
        raise NotForYou(f"{user.get_username()} may not read this report.")
    _wish(target.report, target.name, user.email, is_wanted=is_wanted, by=by, now=now, user=user)


def _wish(
    report: str, team: str, address: str, *, is_wanted: bool, by: str, now: datetime, user: User | None = None
) -> None:
    told = {"is_wanted": is_wanted, "changed_at": now, "changed_by": by} | ({"user": user} if user else {})
    Subscription.objects.update_or_create(report=report, team=team, address=address.casefold(), defaults=told)


def read_in(user: User, language: str) -> None:
    """The language somebody wants to read reports in; empty for that of the installation."""
    Reader.objects.update_or_create(user=user, defaults={"language": language})


# --- The link in a mail -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Subscribed:
    """What a link to unsubscribe is about."""

    report: str
    team: str
    address: str


def unsubscribe_url(report: str, team: str, address: str) -> str:
    """The address that ends a report to somebody: signed, so that nobody can make one for somebody else."""
    token = signing.Signer(salt=_SALT).sign_object([report, team, address])
    return f"{site()}{reverse('report-unsubscribe', args=[token])}"


def subscribed(token: str) -> Subscribed:
    """What a link is about; raises NoSuchLink unless we signed it."""
    try:
        return Subscribed(*signing.Signer(salt=_SALT).unsign_object(token))
    except (signing.BadSignature, TypeError, ValueError) as forged:
        raise NoSuchLink("This link is not valid.") from forged


def follow(link: Subscribed, *, is_wanted: bool, now: datetime) -> None:
    """Do what somebody asks who holds a link."""
    _wish(link.report, link.team, link.address, is_wanted=is_wanted, by=link.address, now=now)
