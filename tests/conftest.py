"""The harness: a home folder and a database of the suite's own, real servers on loopback, and no way out."""

import atexit
import gc
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from _pytest import runner
from django.conf import settings as django_settings
from django.utils import translation

from tests.databases import is_asked

gc.disable()  # until everything is loaded, which takes half as long: `pytest_collection_finish`
IS_XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ
DATABASE = os.environ.get("COSTOPS_TEST_DATABASE", "")
ON_POSTGRES = DATABASE == "postgres"
LONG_FILES = (
    "warehouse/test_spark.py", "test_main_job.py", "pipeline/test_processes.py", "faults/test_kills.py",
    "insights/test_rule_pages.py", "allocation/test_rehearsal.py",
    "books/test_closing.py", "allocation/test_trial.py", "books/test_changes.py", "allocation/test_policies_worlds.py",
    "estimates/test_estimates.py", "reports/test_processes.py", "allocation/test_invariants.py",
    "backups/test_backups.py", "backups/test_restored.py",
    "dashboards/test_accessible.py", "api/test_schemathesis.py", "dashboards/test_admin.py",
    "dashboards/test_explorer_browser.py",
)  # fmt: skip
"""Those of half a minute and more begin first: begun last, they would keep one worker busy while others are done."""


def prepare_environment() -> None:
    """Give the suite a home of its own before Django's settings load; xdist's workers inherit it."""
    if "costops.settings" in sys.modules:
        pytest.exit(
            "Settings were loaded before the tests chose their home; unset DJANGO_SETTINGS_MODULE.", returncode=2
        )
    for key in [key for key in os.environ if key.startswith("COSTOPS_") and not key.startswith("COSTOPS_TEST_")]:
        del os.environ[key]
    home = tempfile.mkdtemp(prefix="costops-tests-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (Path(home) / "static").mkdir()  # WhiteNoise warns when it is missing
    os.environ["COSTOPS_HOME"] = home
    # Half a minute to make: once for all processes.
    os.environ["COSTOPS_FONTS"] = str(Path(__file__).parents[1] / ".tools" / "fonts")
    os.environ["COSTOPS_READ_APART"] = "false"  # `ingest/test_apart.py` and every installation of processes have it on
    os.environ["DJANGO_SETTINGS_MODULE"] = "costops.settings"
    if ON_POSTGRES:
        from tests.servers.postgres import running_postgres

        stack = ExitStack()
        atexit.register(stack.close)
        server = stack.enter_context(running_postgres())
        os.environ["COSTOPS_TEST_POSTGRES_PORT"] = str(server.port)
        os.environ["COSTOPS_DATABASE_URL"] = server.create_database("costops")


if not IS_XDIST_WORKER:
    prepare_environment()

# One commit, one verdict: cases are generated from the test's own text. COSTOPS_TEST_HUNT=1 looks at others.
hypothesis.settings.register_profile(
    "costops", deadline=None, print_blob=True, derandomize="COSTOPS_TEST_HUNT" not in os.environ
)
hypothesis.settings.load_profile("costops")


def pytest_collection_finish() -> None:
    """Libraries and tests live as long as the run: the collector need not look through them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    gc.enable()


def _in_one_piece(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same, with so large a frame that all it calls fits into one piece of memory beside it.

    CPython 3.11 keeps frames in pieces of 16 KiB and gives one back as soon as it is left: a loop whose calls cross an
    edge asks the kernel for memory in every round. Tests begin deep; for some that was half of their time.
    """

    def run(*arguments: Any) -> Any:
        return call(*arguments)

    run.__code__ = run.__code__.replace(co_stacksize=40_000)
    return run


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Any:
    return _in_one_piece(runner.pytest_runtest_protocol)(item, nextitem)


def pytest_configure() -> None:
    """Load the settings, now that the home is chosen; pytest-django sets Django up when it finds them loaded."""
    assert django_settings.DATABASES


def place_of(item: pytest.Item) -> str:
    """The file of a test, from this folder on."""
    return item.path.relative_to(Path(__file__).parent).as_posix()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long comes first; each database is asked its own."""
    ranks = {place: rank for rank, place in enumerate(LONG_FILES)}
    items.sort(key=lambda item: ranks.get(place_of(item), len(ranks)))
    asked = [item for item in items if is_asked(DATABASE, item.nodeid.removeprefix("tests/"), fixtures_of(item))]
    config.hook.pytest_deselected(items=[*{*items} - {*asked}])
    items[:] = asked


def fixtures_of(item: pytest.Item) -> tuple[str, ...]:
    marked = ("db",) if item.get_closest_marker("django_db") else ()
    return (*getattr(item, "fixturenames", ()), *marked)


# --- The database, the home folder, the guard ---------------------------------------------------------------------
@pytest.fixture(autouse=True)
def _own_language() -> None:
    """What the pages of one test were read in is not the language of the next."""
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest, worker_id: str) -> None:
    """SQLite in a file, as in earnest, where threads and processes meet its real locks; one for each xdist worker."""
    if ON_POSTGRES:
        request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")
    else:
        path = Path(django_settings.COSTOPS_HOME) / f"test-{worker_id}.sqlite3"
        django_settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(path)


@pytest.fixture(autouse=True, scope="session")
def _no_session_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """End what threads and killed processes left open in this worker's PostgreSQL database, which is then dropped."""
    if not ON_POSTGRES:
        yield
        return
    request.getfixturevalue("django_db_setup")
    yield
    from django.db import connection

    with request.getfixturevalue("django_db_blocker").unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True, scope="session")
def _network_guard() -> Iterator[None]:
    from tests.servers.network import only_loopback

    with only_loopback():
        yield


@pytest.fixture(autouse=True, scope="session")
def _speed_over_safety() -> Iterator[None]:
    """No test of this process cuts the power: nothing waits for the disk, as with the suite's PostgreSQL."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _handle: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _static_files_once() -> Iterator[None]:
    """Every client of a test makes the middleware anew, which would look through the static folders each time."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    look = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def look_once(middleware: Any) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WhiteNoiseMiddleware, "add_files_from_finders", look_once)
        yield


@pytest.fixture(autouse=True, scope="session")
def _empty_what_is_full() -> Iterator[None]:
    """After a test with transactions of its own Django empties all tables and writes down anew what models there are:
    a fifth of a second, and on PostgreSQL more. Here the tables that hold something are emptied, but for those."""
    from django.core.management.commands import flush

    def statements(_style: Any, connection: Any, **_how: Any) -> list[str]:
        tables = {*connection.introspection.django_table_names(only_existing=True)}
        names = sorted(tables - {"django_content_type", "auth_permission"})
        full = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names)
        with connection.cursor() as cursor:
            cursor.execute(full)
            return [f'DELETE FROM "{name}"' for (name,) in cursor.fetchall()]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(flush, "sql_flush", statements)
        patched.setattr(flush, "emit_post_migrate_signal", lambda *_given, **_more: None)
        yield


@pytest.fixture
def home(tmp_path: Path, settings: Any) -> Path:
    """A home folder of the test's own: whatever it lands or publishes stays there."""
    folder = tmp_path / "home"
    folder.mkdir()
    settings.COSTOPS_HOME = folder
    settings.COSTOPS_LANDING = folder / "landing"
    settings.COSTOPS_LAKE = folder / "lake"
    return folder


# --- Servers ------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server (`tests.servers.postgres.Postgres`): the suite's own database server when it runs on one."""
    from tests.servers.postgres import Postgres, running_postgres

    if port := os.environ.get("COSTOPS_TEST_POSTGRES_PORT"):
        yield Postgres(int(port))
        return
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Redis server (`tests.servers.redis.Redis`)."""
    from tests.servers.redis import running_redis

    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[Any]:
    """An S3 server with the bucket `lake`; take `lake_bucket`."""
    from tests.servers.objects import running_store

    with running_store() as store:
        store.client().create_bucket(Bucket="lake")
        yield store


@pytest.fixture
def lake_bucket(bucket_server: Any) -> Iterator[Any]:
    """A bucket for lakes (`tests.servers.objects.ObjectStore`) without faults; each test takes a prefix of its own."""
    bucket_server.asked.clear()
    yield bucket_server
    bucket_server.fault = None


@pytest.fixture(scope="session")
def smtp_server() -> Iterator[Any]:
    """An SMTP server that keeps what it receives (`tests.servers.smtp.MailServer`)."""
    from tests.servers.smtp import running_smtp

    with running_smtp() as server:
        yield server


@pytest.fixture
def mailbox(smtp_server: Any, settings: Any) -> Any:
    """The SMTP server with an empty mailbox, and Django's mail going there through a real connection."""
    smtp_server.clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = smtp_server.port
    return smtp_server


@pytest.fixture(scope="session")
def prometheus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """A factory of Prometheus servers with a given history; takes what `running_prometheus` takes after the folder."""
    from tests.servers.prometheus import running_prometheus

    with ExitStack() as stack:

        def start_one(*args: Any, **kwargs: Any) -> Any:
            folder = tmp_path_factory.mktemp("prometheus")
            return stack.enter_context(running_prometheus(folder, *args, **kwargs))

        yield start_one


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser (Playwright's `Browser`)."""
    from tests.servers.browser import running_chromium

    with running_chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page of a fresh browser profile; the test fails when the page complained (scripts, policy, requests)."""
    from tests.servers.browser import record_complaints

    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en", timezone_id="UTC")
    page = context.new_page()
    complaints = record_complaints(page)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def installation(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A whole installation of its own, for tests of real processes (`tests.servers.installation.Installation`)."""
    from tests.servers.installation import migrated_database, new_installation

    server = request.getfixturevalue("postgres") if ON_POSTGRES else None
    url = migrated_database(server, f"costops_{uuid.uuid4().hex[:12]}") if server else None
    installation = new_installation(tmp_path / "installation", database_url=url)
    yield installation
    installation.stop()
