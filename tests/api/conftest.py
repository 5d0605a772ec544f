"""The company of `tests.api.company` as fixtures; imported when used, for this file is read before Django is set up."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

    from apps.marts.models import Publication


@pytest.fixture
def published(db: None, home: Path) -> "Publication":
    from tests.api.company import publish_company

    return publish_company()


@pytest.fixture
def people(published: "Publication") -> "dict[str, User]":
    from tests.api.company import hire_people

    return hire_people()


@pytest.fixture
def callers(people: "dict[str, User]") -> "dict[str, Client]":
    from tests.api.company import clients_of

    return clients_of(people)
