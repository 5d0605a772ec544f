"""Second factors: who must have one, who has, and how their secrets are kept."""

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.teams.access import may
from apps.teams.roles import Can
from apps.warehouse.sealed import seal, seal_again, unseal

NONE, PRIVILEGED, ALL = CHOICES = ("none", "privileged", "all")
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
SEALED = ("secret", "seed")
"""What an authenticator keeps that whoever reads the database must not have."""


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]  # it publishes no types
    """Secrets are sealed with the installation's keys."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("That is not right, or was used already."),
    }

    def encrypt(self, text: str) -> str:
        return seal({"secret": text})

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, again="manage.py signin reset NAME")["secret"]


def must_have(user: User) -> bool:
    """Whether the installation wants a second factor of somebody."""
    asked = settings.COSTOPS_REQUIRE_SECOND_FACTOR
    return asked == ALL or (asked == PRIVILEGED and _is_privileged(user))


def _is_privileged(user: User) -> bool:
    return any(may(user, can) for can in Can if can is not Can.SEE_COST)


def has_one(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def lacks_one(request: HttpRequest, user: User) -> bool:
    """Whether somebody has to set up a second factor before anything else."""
    if settings.COSTOPS_REQUIRE_SECOND_FACTOR == NONE or not must_have(user) or has_one(user):
        return False
    return not _shown_elsewhere(request, user)


def _shown_elsewhere(request: HttpRequest, user: User) -> bool:
    """Whether they came by a provider of which the installation says that it asks for a second factor itself."""
    came_by = {record.get("provider") for record in get_authentication_records(request, user)}
    return bool(came_by & set(settings.COSTOPS_SSO_SECOND_FACTOR))


def reset(user: User) -> int:
    """Take all factors of somebody away, who lost theirs; how many there were."""
    found = Authenticator.objects.filter(user=user)
    count = int(found.filter(type__in=FACTORS).count())
    found.delete()
    return count


@transaction.atomic
def seal_all_again() -> int:
    """Encrypt the secrets of all factors with the newest key; of how many."""
    count = 0
    for one in Authenticator.objects.select_for_update().exclude(type=Authenticator.Type.WEBAUTHN):
        one.data |= {name: seal_again(one.data[name]) for name in SEALED if name in one.data}
        one.save(update_fields=["data"])
        count += 1
    return count
