"""Real processes: logs for machines, counts of all web workers, settings that are refused, errors that are sent."""

import gzip
import http.client
import json
import socket
import subprocess
import sys
from importlib import import_module

import pytest

from scripts.answers import wait
from tests.servers.hooks import running_receiver
from tests.servers.installation import ROOT, new_installation
from tests.servers.process import free_port, start

TOKEN = "scrape-me-please"


def test_lines_of_the_log_name_their_run(installation):
    installation.environment["COSTOPS_LOG_FORMAT"] = "json"
    folder = installation.home / "usage"
    folder.mkdir()
    installation.manage("source", "add", "usage", "--kind", "usage_files", "--location", str(folder))
    assert _runs_of(installation.manage("fill", "--step", "land").stderr)
    worker = installation.start_worker()
    installation.manage("shell", "--no-imports", "-c", LOOK_AGAIN)
    installation.run("-c", "from costops import celery_app; celery_app.send_task('apps.pipeline.tasks.tick')")
    worker.wait_until(lambda: "land usage: done" in worker.log.read_text(), what="The run")
    assert _runs_of(worker.log.read_text())


LOOK_AGAIN = "from apps.pipeline.models import Clock; Clock.objects.update(looked_at=None)"


def _runs_of(log):
    """The runs of a step that lines tell of, all of which are JSON; what Celery greets with has no logger."""
    begun = [line for line in log.splitlines() if "apps.pipeline" in line and "[tasks]" not in line]
    lines = [json.loads(line) for line in begun if not line.strip().startswith(". ")]
    told = [line for line in lines if line.get("step") == "land"]
    assert all({"time", "level", "logger", "message", "attempt"} <= line.keys() for line in told)
    return {line["run"] for line in told}


RING = """
from kombu import Connection
from django.conf import settings
from apps.pipeline.bells import forget_heard
from apps.warehouse.engine import connect
with Connection(settings.CELERY_BROKER_URL) as broker:
    queue = broker.SimpleQueue("bells")
    queue.put("a bell")
    queue.get(timeout=5).ack()
assert forget_heard() == 1
connect().con.execute("CREATE TEMP TABLE kept AS SELECT 1")
"""


def test_a_home_may_be_named_with_letters_that_mean_something_elsewhere(tmp_path):
    home = tmp_path / "R&D #1; 50%+ of Li's @home"
    odd = new_installation(home, is_migrated=False)
    odd.manage("migrate", "--verbosity", "0")
    odd.manage("shell", "--no-imports", "-c", RING)
    assert {path.name for path in tmp_path.iterdir()} == {home.name}
    assert {"costops.sqlite3", "broker.sqlite3"} <= {path.name for path in home.iterdir()}


def test_each_web_worker_answers_for_all_and_takes_no_request_for_two(installation):
    port = free_port()
    installation.environment |= {"COSTOPS_METRICS_TOKEN": TOKEN, "COSTOPS_LOG_FORMAT": "json"}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:costops.gunicorn", "costops.wsgi", "--bind"]
    web = start(
        [*command, f"127.0.0.1:{port}"],
        log=installation.home / "web.out",
        environment=installation.environment,
        cwd=ROOT,
    )
    installation.processes.append(web)
    assert wait(f"http://127.0.0.1:{port}/readyz", seconds=60), web.log.read_text()
    for _ in range(30):
        _get(port, "/healthz")
    line = 'costops_http_request_seconds_count{method="GET",status="200",view="healthz"} '
    counted = [text for text in _get(port, "/metrics").splitlines() if text.startswith(line)]
    assert counted == [f"{line}30.0"]
    for sent in SMUGGLED:
        assert _said_to(port, sent.encode()).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431", b"HTTP/1.1 501")), sent
    log = web.log.read_text()
    assert "gunicorn.error" in {json.loads(line)["logger"] for line in log.splitlines() if line.startswith("{")}
    assert "] [" not in log, "lines of gunicorn's own kind"


_POST = "POST /healthz HTTP/1.1\r\nHost: localhost\r\n"
SMUGGLED = (
    f"{_POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    f"{_POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    f"{_POST}Content-Length: +5\r\n\r\nhello",
    f"{_POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    f"{_POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    f"{_POST}X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"X-{at}: y\r\n" for at in range(200)) + "\r\n",
)
"""Two lengths of one body, and other shapes in which a proxy and we might read two requests."""


def _said_to(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(sent)
        return connection.recv(100)


def _get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer


REFUSED = [
    ("COSTOPS_HOME", "/proc/[x]", "'/proc/[x]' holds '['"),
    ("COSTOPS_HOME", "/proc/a%41", "'/proc/a%41' holds '%41'"),
    ("COSTOPS_THREADS", "many", "'many' is not a whole number"),
    ("COSTOPS_THREADS", "-1", "-1 is less than 0"),
    ("COSTOPS_FILL_EVERY_MINUTES", "0", "0 is less than 1"),
    ("COSTOPS_KEEP_DAYS", "1000000", "1000000 is more than 365000"),
    ("COSTOPS_REPORT_WEEKS_KEPT", "365000", "365000 is more than 50000"),
    ("COSTOPS_HTTPS", "maybe", "'maybe' is not true or false"),
    ("COSTOPS_LAKE", "https://bucket/x", "'https://bucket/x' is not s3://BUCKET/PREFIX"),
    ("COSTOPS_LAKE_ENDPOINT", "http://me:secret@minio", "without credentials"),
    ("COSTOPS_LAKE_SECRET", "@/nowhere", "the file /nowhere cannot be read"),
    ("COSTOPS_TIME_ZONE", "Mars/Olympus", "'Mars/Olympus' is not a time zone"),
    ("COSTOPS_LANGUAGE", "fr", "'fr' is not one of en, zh-hans"),
    ("COSTOPS_REPORTING_CURRENCY", "RMB", "'RMB' is not a currency code"),
    ("COSTOPS_TAG_KEYS", "env,env", "'env' stands there twice"),
    ("COSTOPS_DATABASE_URL", "mysql://u:hidden@h/d", "must be postgres://"),
    ("COSTOPS_DATABASE_URL", "postgres://u:hidden/x@h/d", "write others percent-encoded"),
    ("COSTOPS_DATABASE_URL", "postgres://u:hidden@h:99999/d", "cannot be read as USER:PASSWORD@HOST:PORT"),
    ("COSTOPS_EMAIL_URL", "smtp://u:hidden?x@h:25", "write others percent-encoded"),
    ("COSTOPS_REDIS_URL", "redis://:hidden%cd@h:6379/0", "write others percent-encoded"),
    ("COSTOPS_SECRET_KEY", "$hidden", "begins with $"),
    ("COSTOPS_EMAIL_URL", "mail://u:hidden@h", "must begin with one of"),
    ("COSTOPS_REDIS_URL", "http://u:hidden@h", "must be redis://"),
    ("COSTOPS_ALLOWED_HOSTS", "costs.corp,https://costs.corp", "'https://costs.corp' is not a host name"),
    ("COSTOPS_CSRF_TRUSTED_ORIGINS", "costs.example.com", "'costs.example.com' is not https://HOST"),
    ("COSTOPS_LOG_FORMAT", "xml", "'xml' is not one of plain, json"),
    ("COSTOPS_LOG_LEVEL", "LOUD", "'LOUD' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ("COSTOPS_MEMORY_LIMIT", "lots", "'lots' is not an amount of memory, such as 1GB"),
    ("COSTOPS_SITE_URL", "nonsense", "must be https://HOST or http://HOST:PORT"),
    ("COSTOPS_SENTRY_DSN", "hidden", "must be https://KEY@HOST/PROJECT"),
    ("COSTOPS_OTLP_ENDPOINT", "collector:4318", "must be https://HOST or http://HOST:PORT"),
    ("COSTOPS_OWN_NAMESPACES", "foo", "'foo' is not cluster/namespace"),
    ("COSTOPS_CHANNEL_HOSTS", "http://jira.corp", "'http://jira.corp' is no host and no network"),
    ("COSTOPS_SOURCE_HOSTS", "*.corp,10.1.0.0/99", "'10.1.0.0/99' is no host and no network"),
    ("COSTOPS_FROM_EMAIL", "bad", "'bad' is not ADDRESS or NAME <ADDRESS>"),
]


@pytest.mark.parametrize(("name", "value", "said"), REFUSED)
def test_a_setting_that_is_not_what_it_may_be_is_one_line(installation, name, value, said):
    installation.environment[name] = value
    done = installation.manage("check", check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"CostOps does not start. {name}: ")
    assert said in line
    assert "hidden" not in line


def test_a_file_that_cannot_be_understood_is_one_line(installation):
    (installation.home / "costops.env").write_text("COSTOPS_DATABASE_URL = postgres://u:hidden@h/d\n")
    done = installation.manage("check", check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"CostOps does not start. {installation.home}/costops.env, line 1: is not NAME=value")


@pytest.mark.parametrize(
    "program",
    [
        ("celery", "-A", "costops", "worker"),
        ("celery", "-A", "costops", "beat"),
        ("gunicorn", "--config", "python:costops.gunicorn", "costops.wsgi"),
    ],
)
def test_no_program_starts_with_it(installation, program):
    installation.environment["COSTOPS_THREADS"] = "many"
    done = installation.run("-m", *program)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["CostOps does not start. COSTOPS_THREADS: 'many' is not a whole number."]


WRONG_WORDS = {
    "COSTOPS_HOLIDAYS": ("ZZ", "COSTOPS_HOLIDAYS: 'ZZ' is not a country whose holidays are known"),
    "COSTOPS_SEASONS": ("x", "COSTOPS_SEASONS: 'x' is not a season"),
    "COSTOPS_RECOMMENDATION_DAYS": ("zzz", "COSTOPS_RECOMMENDATION_DAYS: 'zzz' is not a kind and its days"),
    "COSTOPS_ESCALATION_HOURS": ("foo", "COSTOPS_ESCALATION_HOURS: 'foo' is not a severity and its hours"),
}


@pytest.mark.parametrize(
    ("program", "status"),
    [
        (("-c", "import costops.wsgi"), 3),
        (("-m", "celery", "-q", "-A", "costops", "worker", "--pool", "solo"), 3),
        (("manage.py", "check"), 1),
    ],
    ids=["web", "worker", "manage"],
)
def test_words_that_nobody_knows_are_told_at_once(installation, program, status):
    installation.environment |= {name: value for name, (value, _) in WRONG_WORDS.items()}
    done = installation.run(*program)
    assert done.returncode == status
    told = [line for line in done.stderr.splitlines() if "COSTOPS_" in line]
    assert len(told) == len(WRONG_WORDS)
    for line, (_, said) in zip(told, WRONG_WORDS.values(), strict=True):
        assert said in line


def test_a_worker_does_not_start_without_what_a_setting_asks_for(installation):
    installation.environment["COSTOPS_SENTRY_DSN"] = "http://key@127.0.0.1:9/7"
    missing = "import sys; sys.modules['sentry_sdk'] = None"
    done = installation.run("-c", f"{missing}; from costops import celery_app; celery_app.Worker(pool='solo')")
    assert done.returncode == 3
    assert "CostOps does not start. COSTOPS_SENTRY_DSN is set, but sentry_sdk is not installed" in done.stderr


ASKING = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "costops.settings"
from costops.wsgi import application
from django.test import RequestFactory
SECRET = {
    "cookie": "sessionid=do-not-tell",
    "user-agent": "do-not-tell",
    "referer": "http://localhost/reports/unsubscribe/do-not-tell/",
    "forwarded": "for=10.98.76.54",
}
def ask(path):
    asked = RequestFactory().get(path, headers={"host": "localhost"} | SECRET, REMOTE_ADDR="10.98.76.54")
    application(asked.environ, lambda *_: None)
"""
FAILING = f"""{ASKING}
import logging
from apps.reports.subscription_views import Unsubscribe
import httpx, requests
def fail(*args, **kwargs):
    password = "do-not" + "-tell"
    for library in (httpx, requests):  # as to the room of a channel
        library.post(os.environ["ROOM"] + "/hook/" + password, data={{"x": "1"}})
    raise ZeroDivisionError(password)
Unsubscribe.get = fail
ask("/reports/unsubscribe/do-not-tell/?sign=do-not-tell")
logger = logging.getLogger("apps.pipeline.services")
logger.error("%s: failed: %s", "normalize bill", "bill.csv: do-not-tell is no number")
try:
    raise LookupError("do-not" + "-tell")
except LookupError:
    logger.exception("%s: failed", "normalize do-not-tell")
import sentry_sdk
sentry_sdk.flush()
"""


def test_errors_are_sent_where_a_setting_asks_for_it_and_tell_no_secret(installation):
    with running_receiver() as receiver:
        installation.environment["ROOM"] = receiver.url
        installation.environment["COSTOPS_SENTRY_DSN"] = f"http://key@127.0.0.1:{receiver.port}/7"
        subprocess.run([sys.executable, "-c", FAILING], cwd=ROOT, env=installation.environment, check=True, timeout=120)
        sent = [_plain(posted) for posted in receiver.posted if "/hook/" not in posted.path]
    told = b"".join(sent)
    assert told.count(b'"type":"event"') == 2
    assert b"ZeroDivisionError" in told
    assert b"LookupError" in told
    assert b"/reports/unsubscribe/{token}" in told
    assert b"do-not-tell" not in told
    assert b"10.98.76.54" not in told


def _plain(posted):
    kind = posted.headers.get("Content-Encoding")
    if kind == "br":  # where the library happens to be installed, the sender takes it
        return import_module("brotli").decompress(posted.body)
    return gzip.decompress(posted.body) if kind == "gzip" else posted.body


TRACED = f"""{ASKING}
ask("/reports/unsubscribe/do-not-tell/?sign=do-not-tell")
from opentelemetry import trace
trace.get_tracer_provider().force_flush()
"""


@pytest.mark.parametrize("names", ["", "http/dup"], ids=["names of old", "old and new names"])
def test_requests_are_traced_where_a_setting_asks_for_it_and_tell_no_secret(installation, names):
    with running_receiver() as receiver:
        installation.environment |= {"COSTOPS_OTLP_ENDPOINT": receiver.url, "OTEL_SEMCONV_STABILITY_OPT_IN": names}
        subprocess.run([sys.executable, "-c", TRACED], cwd=ROOT, env=installation.environment, check=True, timeout=120)
        sent = [_plain(posted) for posted in receiver.posted if posted.path == "/v1/traces"]
    told = b"".join(sent)
    assert b"reports/unsubscribe/<str:token>/" in told
    assert b"do-not-tell" not in told
    assert b"10.98.76.54" not in told
