"""What the tests of signing in share: somebody of every sort, and how one signs in."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

PASSWORD = "a-password-of-the-tests"


@pytest.fixture
def people(db: Any, settings: Any) -> "dict[str, User]":
    """A lead, somebody of finance, and somebody who looks after CostOps."""
    from django.contrib.auth.models import Group, User
    from django.core.cache import cache

    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # hashed in no time
    made = {name: User.objects.create_user(name, f"{name}@corp.example", PASSWORD) for name in ("lilei", "han", "root")}
    made["han"].groups.add(Group.objects.create(name="finance"))
    User.objects.filter(username="root").update(is_staff=True, is_superuser=True)
    return made


@pytest.fixture
def sign_in(people: Any) -> "Callable[..., Client]":
    """A browser in which somebody has signed in by password; `code` is what shows their second factor."""
    from django.test import Client

    def signed_in(name: str, code: str = "") -> Client:
        browser = Client()
        response = browser.post("/login/", {"username": name, "password": PASSWORD})
        if code:
            response = browser.post(response["Location"], {"code": code})
        assert response.status_code == 302, response.content.decode()
        return browser

    return signed_in
