"""What somebody prefers: read for pages and letters, and written by themselves."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from apps.teams.models import Preference


def preference_of(user: AbstractBaseUser | AnonymousUser) -> Preference:
    """The preferences of somebody; empty ones where nothing was chosen."""
    found = Preference.objects.filter(user=user).first() if isinstance(user, User) else None
    return found or Preference()


def prefer(user: User, **chosen: Any) -> None:
    """What somebody prefers from now on, instead of what they did."""
    Preference.objects.update_or_create(user=user, defaults=chosen)
