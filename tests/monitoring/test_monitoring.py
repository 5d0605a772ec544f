"""What machines ask about an installation: whether it lives, whether it is ready, and how it does."""

import errno
import io
import json
import logging
import logging.config
import shutil
import socket
import subprocess
import sys
import time
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from apps.monitoring import readiness
from apps.monitoring.logs import Json
from apps.pipeline.models import StepRun
from apps.pipeline.steps import STEPS
from tests.servers.objects import lay_lake
from tests.servers.process import free_port

pytestmark = pytest.mark.django_db
TOKEN = "scrape-me-please"


@pytest.fixture(autouse=True)
def _look_anew(monkeypatch):
    """Each test looks for itself."""
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0.0)


def test_an_answer_stands_for_seconds(home, monkeypatch):
    monkeypatch.setattr(readiness, "_looked", None)
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 60.0)
    assert ready()[0] == 200
    shutil.rmtree(home / "lake")
    (home / "lake").write_text("a file where a folder must be")
    assert ready()[0] == 200
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0.0)
    assert ready()[0] == 503


@pytest.fixture
def scraped(settings):
    """Asks for the metrics; answers them by name and labels."""
    settings.COSTOPS_METRICS_TOKEN = TOKEN

    def ask():
        text = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).content.decode()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return text, {(sample.name, *sorted(sample.labels.items())): sample.value for sample in samples}

    return ask


def ready():
    answer = Client().get("/readyz")
    return answer.status_code, {name: check["ok"] for name, check in answer.json()["checks"].items()}


def test_it_lives_for_whoever_asks(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert client.post("/healthz").status_code == 405


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_machines_come_by_any_host_and_without_tls(client, home, settings, path):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path, headers={"host": "10.3.0.7:8000"}).status_code == 200
    assert client.get("/login/", headers={"host": "10.3.0.7:8000"}).status_code == 400


def test_it_is_ready_when_everything_needed_is_there(home):
    status, checks = ready()
    assert status == 200
    assert checks == dict.fromkeys(("database", "migrations", "folders", "disk", "broker"), True)
    assert list((home / "lake").iterdir()) == []  # the probe is taken away again


def test_it_is_not_ready_where_the_lake_cannot_be_written(home):
    (home / "lake").write_text("a file where a folder must be")
    status, checks = ready()
    assert (status, [name for name, is_ok in checks.items() if not is_ok]) == (503, ["folders"])


def test_people_read_on_without_the_broker_and_watchers_are_told(home, settings, scraped):
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    status, checks = ready()
    assert (status, [name for name, is_ok in checks.items() if not is_ok]) == (200, ["broker"])
    told = Client().get("/readyz").json()
    assert (told["ready"], told["degraded"], told["checks"]["broker"]["needed"]) == (True, True, False)
    found = {labels[1][1]: number for labels, number in scraped()[1].items() if labels[0] == "costops_check_ok"}
    assert found == {"database": 1, "migrations": 1, "folders": 1, "disk": 1, "broker": 0}


def test_who_never_answers_keeps_no_probe_waiting(home, settings, monkeypatch):
    monkeypatch.setattr(readiness, "FAR_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        began = time.monotonic()
        answer = Client().get("/readyz")
        assert time.monotonic() - began < readiness.BROKER_SECONDS
    assert answer.status_code == 200
    assert answer.json()["checks"]["broker"] == {"ok": False, "needed": False, "message": "It does not answer in time."}


def test_people_read_on_beside_a_full_disk(home, monkeypatch):
    monkeypatch.setattr(readiness, "LEAST_FREE_BYTES", shutil.disk_usage(home).total + 1)
    status, checks = ready()
    assert (status, [name for name, is_ok in checks.items() if not is_ok]) == (200, ["disk"])


def test_a_disk_without_any_room_is_no_folder_that_cannot_be_written(home, monkeypatch):
    def refuse(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "touch", refuse)
    assert ready()[0] == 200


def test_it_is_not_ready_with_migrations_to_apply(home, django_db_blocker):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'pipeline'")
    assert ready()[0] == 503
    assert Client().get("/readyz").json()["checks"]["migrations"]["message"].endswith("run `manage.py migrate`.")


@pytest.mark.parametrize(
    ("token", "given", "status"),
    [
        pytest.param("", "Bearer ", 404, id="without a token in the settings there is no such page"),
        pytest.param(TOKEN, "", 401, id="without one in the request"),
        pytest.param(TOKEN, "Bearer other", 401, id="with another"),
        pytest.param(TOKEN, "Bearer \udcff", 401, id="with bytes that are no text"),
        pytest.param(TOKEN, f"Bearer {TOKEN}", 200, id="with the right one"),
    ],
)
def test_metrics_are_for_whoever_bears_the_token(client, settings, token, given, status):
    settings.COSTOPS_METRICS_TOKEN = token
    raw = given.encode("utf-8", "surrogateescape").decode("latin-1")
    assert client.get("/metrics", HTTP_AUTHORIZATION=raw).status_code == status


def test_metrics_say_what_the_database_holds(scraped, django_assert_max_num_queries):
    from django.utils import timezone

    now = timezone.now()
    StepRun.objects.create(step="allocate", key="a", state="failed", asked_at=now)
    StepRun.objects.create(step="allocate", key="b", state="done", asked_at=now, started_at=now, finished_at=now)
    with django_assert_max_num_queries(40):
        text, found = scraped()
    assert found["costops_runs", ("queue", "compute"), ("state", "failed"), ("step", "allocate")] == 1
    assert found["costops_last_run_seconds", ("step", "allocate")] == 0
    assert found["costops_disk_free_bytes",] > 0
    assert "costops_publication_number" not in {name for name, *_ in found}  # nothing published: unknown, not zero
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_nothing_is_waited_for_from_a_source_that_is_looked_at_no_more(scraped):
    from django.utils import timezone

    from apps.ingest.models import MeteredDay, Source

    for name, is_active in (("bill", True), ("old", False)):
        one = Source.objects.create(name=name, kind="prometheus", is_active=is_active, created_at=timezone.now())
        told = {"pulled_at": timezone.now(), "observed_samples": 1, "expected_samples": 1}
        MeteredDay.objects.create(source=one, day=date(2026, 10, 5), **told)
    _, found = scraped()
    told = {(name, *labels) for name, *labels in found if name.startswith("costops_source")}
    assert told == {
        ("costops_source_failed", ("source", "bill")),
        ("costops_source_last_day_timestamp_seconds", ("source", "bill")),
    }


def test_a_queue_in_which_nothing_waits_is_told_as_such(scraped):
    from django.utils import timezone

    StepRun.objects.create(step="allocate", key="a", state="waiting", asked_at=timezone.now())
    _, found = scraped()
    assert {labels: runs for labels, runs in found.items() if labels[0] == "costops_runs"} == {
        ("costops_runs", ("queue", step.queue), ("state", "waiting"), ("step", step.name)): step.name == "allocate"
        for step in STEPS
    }


def test_requests_are_counted_by_the_name_of_their_address(scraped, client):
    name, labels = "costops_http_request_seconds_count", (("method", "GET"), ("status", "404"), ("view", "none"))
    before = scraped()[1].get((name, *labels), 0)
    for place in ("secret", "other"):
        client.get(f"/nowhere/{place}/")
    text, found = scraped()
    assert found[(name, *labels)] == before + 2
    assert "secret" not in text


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        pytest.param("a1b2c3d4-trace", True, id="what a proxy gave"),
        pytest.param("short", False, id="too short to be one"),
        pytest.param("x" * 65, False, id="too long"),
        pytest.param('"} {"level": "forged', False, id="what would forge a line of the log"),
    ],
)
def test_an_answer_bears_the_name_of_its_request(client, given, is_kept):
    named = client.get("/healthz", headers={"x-request-id": given})["X-Request-ID"]
    assert (named == given) is is_kept
    assert len(named) >= 8


def test_the_bucket_of_the_lake_is_asked(home, settings, lake_bucket):
    assert "store" not in ready()[1]
    lay_lake(settings, lake_bucket, "ready")
    assert ready()[1]["store"]
    for status in ("503 Slow Down", "403 Forbidden"):
        lake_bucket.fault = partial(_refuses, status)
        answer, checks = ready()
        assert (answer, [name for name, is_ok in checks.items() if not is_ok]) == (200, ["store"])
    lake_bucket.fault = None
    settings.COSTOPS_LAKE_ENDPOINT = f"http://127.0.0.1:{free_port()}"
    assert not ready()[1]["store"]


@pytest.fixture
def written():
    """Lines of the log as they are written for machines."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Json())
    for name in ("django.request", "apps.monitoring"):
        logging.getLogger(name).addHandler(handler)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    for name in ("django.request", "apps.monitoring"):
        logging.getLogger(name).removeHandler(handler)


def test_what_others_say_begins_no_line_of_the_log_and_commands_no_terminal(settings):
    told = settings.LOGGING["formatters"]["plain"]
    plain = logging.config.DictConfigurator({}).configure_formatter(dict(told))
    said = "refused: bad\r\n2026-11-30 00:00:00,000 ERROR apps.audit: forged\x1b[2J\x1b]0;owned\x07 \u202e"
    try:
        raise ValueError("in the code")
    except ValueError:
        found = sys.exc_info()
    record = logging.LogRecord("apps.pipeline", logging.ERROR, __file__, 1, "%s: %s", ("fill", said), found)
    first, second, *trace = plain.format(record).split("\n")
    assert first.endswith("ERROR apps.pipeline: fill: refused: bad\ufffd")
    assert second == "    2026-11-30 00:00:00,000 ERROR apps.audit: forged\ufffd[2J\ufffd]0;owned\ufffd \ufffd"
    assert (trace[0], trace[-1]) == ("Traceback (most recent call last):", "ValueError: in the code")


def test_a_line_about_an_answer_names_its_request(client, written):
    answers = [client.get("/nowhere/"), client.get("/metrics")]
    assert [line["request_id"] for line in written()] == [answer["X-Request-ID"] for answer in answers]
    assert all("request" not in line for line in written())


def test_what_probes_find_is_told_when_it_changes(home, settings, monkeypatch, written):
    monkeypatch.setattr(readiness, "_looked", None)
    (home / "lake").write_text("a file where a folder must be")
    assert [ready()[0] for _ in range(3)] == [503] * 3
    (home / "lake").unlink()
    assert ready()[0] == 200
    assert [(line["level"], line["message"].partition(":")[0]) for line in written()] == [
        ("WARNING", "folders is not as it must be"),
        ("INFO", "folders is as it must be again."),
    ]


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        pytest.param("library", "build the image with EXTRAS=places.", id="what reaches buckets"),
        pytest.param("credentials", "or the machine a role.", id="credentials"),
    ],
)
def test_a_bucket_that_is_not_set_up_is_told_as_such(home, settings, lake_bucket, monkeypatch, missing, said):
    lay_lake(settings, lake_bucket, "ready")
    if missing == "library":
        monkeypatch.setitem(sys.modules, "apps.warehouse.objects", None)
        monkeypatch.delattr("apps.warehouse.objects", raising=False)
    else:
        settings.COSTOPS_LAKE_CREDENTIALS = {"key": "", "secret": ""}
        monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _session: None)
    told = Client().get("/readyz").json()["checks"]["store"]
    assert (told["ok"], told["message"].endswith(said)) == (False, True), told


def _refuses(status, _environ, start_response):
    start_response(status, [("Content-Length", "0")])
    return [b""]
