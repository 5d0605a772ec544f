"""The whole API asked at random, by its own schema: no answer is our fault, and none is other than the schema says."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import override_settings
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.api.openapi import examples
from apps.api.services import issue_token
from tests.api.company import NOW, bring_drivers, bring_rates, publish_company
from tests.api.test_openapi import schema_of_today

pytestmark = pytest.mark.django_db
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = int(os.environ.get("COSTOPS_TEST_EXAMPLES", "3"))
"""Of each operation; `make soak` takes more, and others every time."""


@pytest.fixture(scope="module")
def key(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The company of `tests.api.company`, published once, and the token of somebody who may do everything."""
    lake: Path = tmp_path_factory.mktemp("lake")
    quiet = {"COSTOPS_API_REQUESTS_PER_MINUTE": 0, "COSTOPS_LAKE": lake, "ALLOWED_HOSTS": ["*"]}
    with django_db_blocker.unblock(), override_settings(**quiet), transaction.atomic():
        publish_company()
        bring_rates()
        bring_drivers()
        yield issue_token(User.objects.create_superuser("finance"), now=NOW, scopes=("read", "write"))
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Requests come through the real WSGI application, which would close the connection that holds the company."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def asked(key: str) -> dict[str, Any]:
    """Every operation by its name."""
    schema = schemathesis.openapi.from_dict(schema_of_today())
    schema.app = get_wsgi_application()
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    return {one.definition.raw["operationId"]: one for one in found}


def test_every_operation_is_asked(asked: dict[str, Any]) -> None:
    assert set(asked) == set(examples())


@pytest.mark.parametrize("name", examples())
def test_an_operation_answers_as_its_schema_says(key: str, asked: dict[str, Any], name: str) -> None:
    @settings(
        max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None,
    )  # fmt: skip
    @given(case=asked[name].as_strategy())
    def ask(case: Any) -> None:
        with transaction.atomic():
            case.call_and_validate(headers={"Authorization": f"Token {key}"}, checks=CHECKS)
            transaction.set_rollback(True)

    ask()
