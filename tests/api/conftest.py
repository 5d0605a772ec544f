"""The company of `tests.api.company` as fixtures; imported when used, for this file is read before Django is set up."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


@pytest.fixture(scope="module")
def clients(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[dict[str, Client]]":
    """The company of `tests.api.opencost`, published once, and the people who ask."""
    from django.db import transaction
    from django.test import override_settings

    from tests.api.opencost import hire, publish_world

    with (
        django_db_blocker.unblock(),
        override_settings(COSTOPS_LAKE=tmp_path_factory.mktemp("lake"), COSTOPS_API_REQUESTS_PER_MINUTE=0),
        transaction.atomic(),
    ):
        publish_world()
        yield hire()
        transaction.set_rollback(True)
