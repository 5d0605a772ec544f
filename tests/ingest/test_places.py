"""Bills in object stores: a real S3 protocol server with paging, faults and hostile keys."""

import gzip
import hashlib
import io
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.management import CommandError, call_command
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.s3.models import s3_backends

from apps.ingest import services, sources
from apps.ingest.landing import landed_path
from apps.ingest.models import LandedFile, Source
from apps.ingest.options import InvalidOption
from apps.ingest.places import bucket, place_at, stores
from apps.warehouse.sealed import Secrets
from tests.ingest.bills import NOW, bill, charges, errors, ingest, row, total
from tests.servers.objects import KEY, REGION, SECRET, ObjectStore, running_store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

SECRETS = {"key": KEY, "secret": SECRET}


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(server, monkeypatch) -> Iterator[ObjectStore]:
    monkeypatch.setattr(bucket, "WAIT_SECONDS", 0.001)
    server.fault = None
    client = server.client()
    client.create_bucket(Bucket="bills")
    server.asked.clear()
    yield server
    server.fault = None
    inside = s3_backends[ACCOUNT]["aws"]
    for key in [*inside.buckets["bills"].keys]:
        inside.delete_object("bills", key)


def put(store: ObjectStore, key: str, content: bytes) -> None:
    store.client().put_object(Bucket="bills", Key=key, Body=content)


def source_at(store: ObjectStore, location: str = "s3://bills/focus", **options: str) -> Source:
    return sources.add_source(
        name="oss", kind="focus", location=location, cluster="", now=NOW, secrets=SECRETS,
        options={"endpoint_url": store.address, "region": REGION, "addressing": "path"} | options,
    )  # fmt: skip


def gets(store: ObjectStore) -> list[str]:
    return [asked for asked in store.asked if asked.startswith("GET /bills/") and "list-type" not in asked]


def test_bills_are_landed_once_and_read(store):
    put(store, "focus/2026/10/a.csv", bill(row("1.25"), row("2")))
    put(store, "focus/b.csv.json.txt", b"no bill")
    put(store, "elsewhere/c.csv", bill(row("99")))
    one = source_at(store)
    assert ingest(one) == []
    assert total() == row_sum("1.25", "2")
    (file,) = LandedFile.objects.all()
    assert (file.path, len(file.version), file.size) == ("2026/10/a.csv", 32, len(bill(row("1.25"), row("2"))))
    store.asked.clear()
    assert ingest(one) == []
    assert gets(store) == []


def row_sum(*costs: str) -> Any:
    from decimal import Decimal

    return sum(map(Decimal, costs))


def test_an_object_uploaded_in_parts_has_a_version_of_another_form(store):
    """The ETag of a multipart upload is no hash of the content: `…-2`."""
    content = bill(*(row("0.01", ResourceId=f"i-{number:06}") for number in range(30_000)))
    client, where = store.client(), {"Bucket": "bills", "Key": "focus/a.csv"}
    upload = where | {"UploadId": client.create_multipart_upload(**where)["UploadId"]}
    halves = (content[: 5 << 20], content[5 << 20 :])
    parts = [
        {"PartNumber": number, "ETag": client.upload_part(**upload, PartNumber=number, Body=half)["ETag"]}
        for number, half in enumerate(halves, 1)
    ]
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    one = source_at(store)
    assert ingest(one) == []
    assert total() == 300
    (file,) = LandedFile.objects.all()
    assert file.version.endswith("-2")
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    store.asked.clear()
    assert ingest(one) == []
    assert gets(store) == []
    put(store, "focus/a.csv", content)  # the same in one piece: another version, the same bytes
    assert ingest(one) == []
    assert (total(), LandedFile.objects.count()) == (300, 1)


def test_more_than_a_thousand_objects_are_listed_and_a_page_that_fails_is_asked_for_again(store):
    inside = s3_backends[ACCOUNT]["aws"]  # by requests, it would take half a minute
    for number in range(1005):
        inside.put_object("bills", f"focus/{number:04}.csv", b"x")
    faults = iter([True, True, False])

    def fault(environ: dict[str, Any], start: Any) -> Any:
        if "continuation-token" not in environ["QUERY_STRING"] or not next(faults, False):
            return None
        start("503 Slow Down", [("Content-Type", "application/xml")])
        return [b"<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>"]

    one = source_at(store)
    store.fault = fault
    found = services.discover(one, services.place_of(one)).files
    assert [listed.found.path for listed in found] == [f"{number:04}.csv" for number in range(1005)]
    assert sum("continuation-token" in asked for asked in store.asked) == 3


def sometimes(status: str, every: int, only: str = "") -> Any:
    """An answer that fails for all but every n-th request."""
    count = iter(range(1_000_000))

    def fault(environ: dict[str, Any], start: Any) -> Any:
        if only not in environ["PATH_INFO"] or next(count) % every == every - 1:
            return None
        start(status, [("Content-Type", "application/xml")])
        return [b"<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>"]

    return fault


def test_a_task_whose_time_is_up_asks_no_store_again(store):
    asked = []

    def slow():
        asked.append("once")
        raise SoftTimeLimitExceeded

    with pytest.raises(SoftTimeLimitExceeded):
        services.place_of(source_at(store))._patiently(slow)
    assert asked == ["once"]


def test_faults_that_stay_end_after_a_bounded_number_of_tries(store):
    put(store, "focus/a.csv", bill(row("1")))
    put(store, "focus/b.csv", bill(row("2", ResourceId="i-b")))
    store.fault = sometimes("503 Slow Down", every=1_000_000, only="a.csv")
    (told,) = errors(ingest(source_at(store)))
    assert "error a.csv: Cannot be copied:" in told
    assert charges() == []  # found together, counted together: the other would look like a re-issue
    assert sum("a.csv" in asked for asked in gets(store)) == bucket.ATTEMPTS
    store.fault = None
    store.asked.clear()
    assert errors(ingest(Source.objects.get())) == []
    assert total() == 3
    assert not any("b.csv" in asked for asked in gets(store))  # it was landed before
    assert not [path for path in landed_path("00").parent.parent.rglob(".*") if path.is_file()]
    assert list((landed_path("00").parent.parent / ".receipts").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "costs_meanwhile", "costs"),
    [
        pytest.param("InvalidObjectState", 2, 2, id="archived: it may never come, the others do not wait"),
        pytest.param("AccessDenied", 0, 3, id="forbidden: somebody will allow it, the others wait"),
    ],
)
def test_an_object_we_may_not_read_is_named(store, code, costs_meanwhile, costs):
    put(store, "focus/a.csv", bill(row("1")))
    put(store, "focus/b.csv", bill(row("2", ResourceId="i-b")))

    def fault(environ: dict[str, Any], start: Any) -> Any:
        if "a.csv" not in environ["PATH_INFO"]:
            return None
        start("403 Forbidden", [("Content-Type", "application/xml")])
        return [f"<Error><Code>{code}</Code><Message>Not for you</Message></Error>".encode()]

    store.fault = fault
    (told,) = errors(ingest(source_at(store)))
    assert "error a.csv: Cannot be copied: Not for you" in told
    assert total() == costs_meanwhile
    if code == "AccessDenied":
        store.fault = None
    ingest(Source.objects.get())
    assert total() == costs


def test_an_object_that_cannot_be_looked_into_keeps_the_others_waiting(store):
    put(store, "focus/a.csv", bill(row("1")))
    put(store, "focus/part-2", gzip.compress(bill(row("2", ResourceId="i-b"))))
    store.fault = sometimes("503 Slow Down", every=1_000_000, only="part-2")
    assert len(errors(ingest(source_at(store)))) == 1
    assert charges() == []
    store.fault = None
    assert errors(ingest(Source.objects.get())) == []
    assert total() == 3


def test_a_truncated_answer_is_asked_for_again(store):
    content = bill(row("1"))
    put(store, "focus/a.csv", content)
    cut = iter([True, True, False])

    def fault(environ: dict[str, Any], start: Any) -> Any:
        if environ["REQUEST_METHOD"] != "GET" or "a.csv" not in environ["PATH_INFO"] or not next(cut, False):
            return None
        start("206 Partial Content", [("Content-Range", f"bytes 0-{len(content) - 1}/{len(content)}")])
        return [content[:100]]

    store.fault = fault
    assert ingest(source_at(store)) == []
    assert total() == 1


HOSTILE = {
    "focus/../../etc/passwd.csv": "odd",
    "focus//absolute.csv": "odd",
    "focus/./dot.csv": "odd",
    "focus/bell\x07.csv": "odd",
    "focus/back\\slash.csv": "odd",
    f"focus/{'n' * 1014}.csv": "odd",
    "focus/账单-😀.csv": "read",
    f"focus/{'d/' * 300}deep.csv": "read",
    "focus/space and+plus%20.csv": "read",
    "focus/quote'\"$(x).csv": "read",
    "focus/folder.csv/": "ignored",
    "focus/.hidden.csv": "ignored",
}


def test_hostile_keys_are_labels_and_never_paths(store, tmp_path):
    for number, key in enumerate(HOSTILE):
        put(store, key, bill(row("1", ResourceId=f"i-{number}")) if not key.endswith("/") else b"")
    told = ingest(source_at(store))
    assert errors(told) == []
    assert total() == sum(fate == "read" for fate in HOSTILE.values())
    assert sum("was left alone" in problem for problem in told) == sum(fate == "odd" for fate in HOSTILE.values())
    assert {file.path for file in LandedFile.objects.all()} == {
        key.removeprefix("focus/") for key, fate in HOSTILE.items() if fate == "read"
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"location": "s3://nowhere/x"}, "nowhere", id="a bucket that is not there"),
        pytest.param({"endpoint_url": "http://127.0.0.1:9"}, "", id="nobody answers"),
    ],
)
def test_a_place_that_cannot_be_seen_is_a_problem(store, changes, said):
    place = {"location": changes.pop("location")} if "location" in changes else {}
    (told,) = errors(ingest(source_at(store, **place, **changes)))
    assert "error oss: s3://" in told
    assert said in told
    assert SECRET not in told
    assert KEY not in told


def test_check_and_preview_fetch_and_keep_nothing(store, home):
    put(store, "focus/a.csv", bill(row("1")))
    source_at(store)
    out = io.StringIO()
    call_command("source", "check", "oss", stdout=out)
    assert "12 columns read" in out.getvalue()
    call_command("source", "preview", "oss", stdout=out, stderr=io.StringIO())
    assert "total" in out.getvalue()
    assert not LandedFile.objects.exists()
    assert list((home / "tmp" / "staging").iterdir()) == []


@pytest.mark.parametrize(
    ("location", "options", "secrets", "said"),
    [
        pytest.param("ftp://x/y", {}, {}, "ftp:// is not a place", id="another scheme"),
        pytest.param("file:///etc", {}, {}, "file:// is not a place", id="a file by address"),
        pytest.param("s3://k:s@bills/x", {}, {}, "given by --secret", id="credentials in the location"),
        pytest.param("s3://bills/x?key=a", {}, {}, "given by --secret", id="a query"),
        pytest.param("s3://bills", {"addressing": "dns"}, {}, "auto, path, virtual", id="addressing"),
        pytest.param("s3://bills", {"endpoint_url": "gopher://x"}, {}, "http:// or https://", id="an endpoint"),
        pytest.param("s3://bills", {"endpoint_url": "http://k:s@x"}, {}, "--secret", id="credentials in the endpoint"),
        pytest.param("s3://bills", {"account": "x"}, {}, "does not belong to s3://", id="an option of another store"),
        pytest.param("s3://bills", {}, {"password": "hunter2"}, "no secret 'password'", id="a secret of another store"),
        pytest.param("/data", {}, {"key": "hunter2"}, "local path", id="a secret for a folder"),
        pytest.param("/data", {"region": "x"}, {}, "local path", id="an option for a folder"),
        pytest.param("s3://bills", {"request_mib": "0"}, {}, "from 1 to 256", id="no block"),
    ],
)
def test_mistakes_are_named_before_anything_is_reached(location, options, secrets, said):
    with pytest.raises(InvalidOption, match=said) as caught:
        sources.add_source(
            name="a", kind="focus", location=location, cluster="", options=options, now=NOW, secrets=secrets
        )
    assert "hunter2" not in str(caught.value)
    assert not Source.objects.exists()


@pytest.mark.parametrize(
    ("location", "library"), [("s3://bills", "s3fs"), ("az://bills", "adlfs"), ("gs://bills", "gcsfs")]
)
def test_a_library_that_is_missing_is_named(monkeypatch, location, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InvalidOption, match=rf"needs the library {library}.*requirements/places\.txt"):
        place_at(location, {}, Secrets())


def test_every_store_is_told_what_its_library_takes():
    assert stores._azure({"account": "bills"}, {"account_key": "k"}) == {
        "account_name": "bills",
        "account_key": "k",
        "anon": False,
    }
    assert stores._google({"anonymous": "yes"}, {}) == {"project": "", "token": "anon", "endpoint_url": None}
    with pytest.raises(InvalidOption, match="service account"):
        stores._google({}, {"token": "hunter2"})


def test_command_shows_no_secret(store):
    out = io.StringIO()
    call_command(
        "source", "add", "oss", "--kind", "focus", "--location", "s3://bills/focus", "--secret", f"key={KEY}",
        "--secret", f"secret={SECRET}", stdout=out,
    )  # fmt: skip
    call_command("source", "list", "--format", "json", stdout=out)
    call_command("source", "secret", "oss", "--secret", "key=other", "--secret", f"secret={SECRET}", stdout=out)
    assert "oss now has: key, secret" in out.getvalue()
    assert KEY not in out.getvalue()
    assert SECRET not in out.getvalue()
    with pytest.raises(CommandError, match="no secret 'pass'"):
        call_command("source", "secret", "oss", "--secret", "pass=x", stdout=out)
