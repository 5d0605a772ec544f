"""Migrations on a real PostgreSQL: who must wait for a table gives up, and readiness says that tables are behind."""

import json
import uuid
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.monitoring.behind import grow
from tests.servers.installation import new_installation

NOT_READY, IS_READY = [503, False], [200, True]
BESIDE = {"built_beside", "made_beside"}
GIVEN_UP = "A table was in use, or another migrate at work, for longer than 1 s"


@pytest.fixture(scope="module")
def deploy(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    url = postgres.create_database(f"behind_{uuid.uuid4().hex[:8]}")
    installation = new_installation(tmp_path_factory.mktemp("behind"), database_url=url)
    code = f"from tests.monitoring.behind import tell; tell({url!r})"
    said = installation.manage("shell", "--no-imports", "-c", code).stdout
    return list(json.loads(said.split("TOLD", 1)[1]))


@pytest.mark.parametrize(
    ("stage", "before", "said", "after"),
    [
        ("on an empty database", NOT_READY, "", IS_READY),
        ("while its table is in use", NOT_READY, GIVEN_UP, NOT_READY),
        ("beside another migrate", NOT_READY, GIVEN_UP, NOT_READY),
        ("when nothing is in its way", NOT_READY, "", IS_READY),
        ("beside a newer version", IS_READY, "", IS_READY),
    ],
)
def test_a_deploy(deploy, stage, before, said, after):
    told = deploy[0][stage]
    assert (told["before"], told["said"][: len(said) or None], told["after"]) == (before, said, after)


def test_who_comes_after_a_migration_waits_no_longer_than_it(deploy):
    assert 0.5 < deploy[1] < 5


def test_what_is_built_beside_a_table_in_use_is_whole(deploy):
    assert deploy[2] == [True, True]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_name_is_refused(postgres, tmp_path, encoding):
    url = postgres.create_database(f"other_{uuid.uuid4().hex[:8]}", encoding)
    refused = new_installation(tmp_path, database_url=url).run("manage.py", "migrate")
    assert refused.returncode == 1
    assert f"keeps text as {encoding}" in refused.stderr
    assert "Traceback" not in refused.stderr
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_the_same_operations_there_and_back_on_the_suites_own_database():
    grow()
    assert made() == BESIDE
    grow(back=True)
    assert made() == set()


def made() -> set[str]:
    with connection.cursor() as cursor:
        return BESIDE & connection.introspection.get_constraints(cursor, "api_apitoken").keys()
