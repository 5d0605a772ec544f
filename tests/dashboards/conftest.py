"""What the tests of the pages share: a published company and its people."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client


@pytest.fixture
def people(db: Any, home: Path, settings: Any) -> "dict[str, User]":
    """Somebody of every sort, in an installation without data."""
    from django.core.cache import cache

    from tests.dashboards import company

    cache.clear()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # five people a test, hashed in no time
    return company.people()


@pytest.fixture
def published(people: "dict[str, User]") -> "dict[str, User]":
    """The people, and the company's costs published."""
    from tests.dashboards import company

    company.publish()
    return people


@pytest.fixture
def client_of(people: "dict[str, User]") -> "Callable[[str], Client]":
    """A signed-in client of one of the people."""
    from django.test import Client

    def signed_in(name: str) -> Client:
        client = Client()
        client.force_login(people[name])
        return client

    return signed_in
