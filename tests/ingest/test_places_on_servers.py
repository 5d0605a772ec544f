"""Bills in S3, Azure Blob Storage and Google Cloud Storage: a real server of each protocol, with pages and faults."""

import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from apps.finops.tables import CHARGES
from apps.ingest import services, sources
from apps.ingest.landing import landed_path
from apps.ingest.models import LandedFile, Source
from apps.ingest.places import bucket
from apps.warehouse import lake
from tests.ingest.bills import NOW, bill, charges, errors, ingest, row, total
from tests.servers import azurite
from tests.servers.azurite import BlobStore, running_azurite
from tests.servers.front import Front
from tests.servers.google import GoogleStore, running_google
from tests.servers.objects import KEY, REGION, SECRET, running_store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

BLOCK = 256 << 10


@dataclass
class World:
    """A store, how objects get there, and how a source is told of it."""

    front: Front
    scheme: str
    put: Callable[[str, bytes], None]
    listed: Callable[[], list[str]]
    delete: Callable[[str], None]
    options: dict[str, str]
    secrets: dict[str, str]

    def source(self, location: str = "bills/focus", secrets: dict[str, str] | None = None, **options: str) -> Source:
        return sources.add_source(
            name="cloud", kind="focus", location=f"{self.scheme}://{location}", cluster="", now=NOW,
            options=self.options | options, secrets=self.secrets if secrets is None else secrets,
        )  # fmt: skip

    def reads(self, key: str = ".csv") -> list[str]:
        """The questions for the bytes of objects."""
        return [asked for asked in self.front.asked if asked.startswith("GET") and key in asked]


@contextmanager
def azure(folder: Any) -> Iterator[World]:
    if not azurite.is_there():
        pytest.skip("Azurite is an npm package, and npm could not bring it")
    with running_azurite(folder) as store:
        client = store.client()
        container = client.create_container("bills")

        def put(key: str, content: bytes) -> None:
            """In blocks, as large blobs come."""
            blob = client.get_blob_client("bills", key)
            names = [f"{start:012}" for start in range(0, len(content), BLOCK)]
            for name in names:
                blob.stage_block(name, content[int(name) : int(name) + BLOCK])
            blob.commit_block_list(names)

        yield World(
            store, "az", put, lambda: list(container.list_blob_names()), container.delete_blob, {},
            {"connection_string": store.connection()},
        )  # fmt: skip
        client.close()


@contextmanager
def google(_folder: Any) -> Iterator[World]:
    with running_google("bills") as store:
        client = store.client()
        yield World(
            store, "gs", lambda key, content: store.put("bills", key, content),
            lambda: [key.removeprefix("bills/") for key in client.find("bills")],
            lambda key: client.rm_file(f"bills/{key}"), {"endpoint_url": store.address, "anonymous": "yes"}, {},
        )  # fmt: skip


@contextmanager
def s3(_folder: Any) -> Iterator[World]:
    with running_store() as store:
        client = store.client()
        client.create_bucket(Bucket="bills")
        yield World(
            store,
            "s3",
            lambda key, content: client.put_object(Bucket="bills", Key=key, Body=content),
            lambda: [one["Key"] for one in client.list_objects_v2(Bucket="bills").get("Contents", [])],
            lambda key: client.delete_object(Bucket="bills", Key=key),
            {"endpoint_url": store.address, "region": REGION, "addressing": "path"},
            {"key": KEY, "secret": SECRET},
        )


@pytest.fixture(scope="module", params=[s3, azure, google], ids=["S3", "Azure", "Google"])
def server(request, tmp_path_factory) -> Iterator[World]:
    with request.param(tmp_path_factory.mktemp("store")) as world:
        yield world


@pytest.fixture
def world(server, monkeypatch) -> Iterator[World]:
    monkeypatch.setattr(bucket, "WAIT_SECONDS", 0.001)
    server.front.asked.clear()
    yield server
    server.front.fault = None
    if isinstance(server.front, GoogleStore):
        server.front.page = 0
    for key in server.listed():
        server.delete(key)


def failing(status: str, when: Callable[[dict[str, Any]], bool], body: bytes = b"busy") -> Any:
    def fault(environ: dict[str, Any], start: Any) -> Any:
        if environ["REQUEST_METHOD"] != "GET" or not when(environ):
            return None
        start(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return fault


def is_list(environ: dict[str, Any]) -> bool:
    query = environ["QUERY_STRING"]
    return "comp=list" in query or "list-type=2" in query or environ["PATH_INFO"].endswith("/o")


def is_read(environ: dict[str, Any]) -> bool:
    return ".csv" in environ["PATH_INFO"] and ("HTTP_RANGE" in environ or "HTTP_X_MS_RANGE" in environ)


def test_bills_are_landed_once_and_told_again_nothing_changes(world):
    world.put("focus/2026/10/a.csv", bill(row("1.25"), row("2")))
    world.put("focus/notes.txt", b"no bill")
    world.put("focus2/c.csv", bill(row("99")))
    one = world.source()
    assert ingest(one) == []
    assert total() == 3.25
    (file,) = LandedFile.objects.all()
    assert (file.path, file.size) == ("2026/10/a.csv", len(bill(row("1.25"), row("2"))))
    assert file.version
    version = lake.version(CHARGES)
    world.front.asked.clear()
    assert ingest(one) == []
    assert world.reads() == []
    assert (lake.version(CHARGES), LandedFile.objects.count()) == (version, 1)


def test_the_same_bytes_written_again_count_once(world):
    world.put("focus/a.csv", bill(row("1")))
    one = world.source()
    ingest(one)
    world.put("focus/a.csv", bill(row("1")))
    world.put("focus/copy.csv", bill(row("1")))
    assert ingest(one) == []
    assert total() == 1


def test_a_changed_object_supersedes_its_earlier_version(world):
    world.put("focus/a.csv", bill(row("1")))
    one = world.source()
    ingest(one)
    world.put("focus/a.csv", bill(row("5")))  # as long, in the same second: the version tells
    assert ingest(one) == []
    assert (total(), LandedFile.objects.count()) == (5, 2)


@pytest.mark.parametrize("location", ["bills/focus/a.csv", "bills", "bills/focus/"])
def test_a_location_is_one_object_a_container_or_a_prefix(world, location):
    world.put("focus/a.csv", bill(row("1")))
    assert ingest(world.source(location)) == []
    assert total() == 1


def large(first: int = 0) -> bytes:
    content = bill(*(row("0.01", ResourceId=f"i-{number:06}") for number in range(first, first + 12_000)))
    assert len(content) > 2 << 20
    return content


def test_a_large_period_comes_object_by_object_and_block_by_block(world, home):
    parts = [large(first) for first in (0, 100_000, 200_000)]
    for number, content in enumerate(parts):
        world.put(f"focus/part-{number}.csv", content)
    ranges, beside = [], []

    def watch(environ: dict[str, Any], _start: Any) -> None:
        if is_read(environ):
            ranges.append(environ.get("HTTP_X_MS_RANGE") or environ["HTTP_RANGE"])
            beside.append(len(list((home / "landing").glob(".incoming-*"))))

    world.front.fault = watch
    assert ingest(world.source(request_mib="1")) == []
    assert total() == 360
    sizes = [int(end) - int(begin) + 1 for begin, end in (it.removeprefix("bytes=").split("-") for it in ranges)]
    assert max(sizes) == 1 << 20, "memory holds one block"
    assert len(sizes) == sum(-(-len(content) // (1 << 20)) for content in parts)
    assert max(beside) == 1, "beside what is landed, the disk holds one object"
    told = {file.sha256: landed_path(file.sha256).read_bytes() for file in LandedFile.objects.all()}
    assert {hashlib.sha256(content).hexdigest(): content for content in parts} == told


ODD = {
    "focus/账单-😀.csv": "read",
    "focus/space and+plus%20.csv": "read",
    "focus/hash#1.csv": "read",
    "focus/question?x=1.csv": "read",
    "focus/quote'$(x).csv": "read",
    "focus//empty.csv": "odd",
    "focus/.hidden.csv": "ignored",
}


def test_odd_keys_are_labels_and_never_paths(world):
    for number, key in enumerate(ODD):
        world.put(key, bill(row("1", ResourceId=f"i-{number}")))
    told = ingest(world.source())
    assert errors(told) == []
    assert {file.path for file in LandedFile.objects.all()} == {
        key.removeprefix("focus/") for key, fate in ODD.items() if fate == "read"
    }
    assert sum("was left alone" in problem for problem in told) == 1


@pytest.mark.parametrize("status", ["503 Busy", "500 Internal", "502 Bad Gateway", "429 Too Many Requests"])
@pytest.mark.parametrize("where", [is_list, is_read], ids=["in the list", "in a read"])
def test_faults_that_pass_cost_a_retry(world, status, where):
    world.put("focus/a.csv", bill(row("1")))
    left = iter([True, True, False])
    world.front.fault = failing(status, lambda environ: where(environ) and next(left, False))
    assert ingest(world.source()) == []
    assert total() == 1


def test_an_interruption_in_the_middle_of_a_read_is_made_good_at_the_next_fill(world, home):
    world.put("focus/a.csv", bill(row("1")))
    world.put("focus/b.csv", large())
    beyond = f"bytes={1 << 20}-"

    def is_second_block(environ: dict[str, Any]) -> bool:
        return (environ.get("HTTP_X_MS_RANGE") or environ.get("HTTP_RANGE", "")).startswith(beyond)

    one = world.source(request_mib="1")
    world.front.fault = failing("503 Busy", is_second_block)
    (told,) = errors(ingest(one))
    assert "error b.csv: Cannot be copied:" in told
    assert "tried 5 times" in told
    assert charges() == [], "found together, counted together"
    assert len(world.reads("b.csv")) <= 1 + bucket.ATTEMPTS
    assert list((home / "landing").glob(".incoming-*")) == []
    world.front.fault = None
    world.front.asked.clear()
    assert ingest(one) == []
    assert total() == 121
    assert world.reads("a.csv") == [], "it was landed before"


def test_a_list_that_fails_is_told_and_changes_nothing(world):
    world.put("focus/a.csv", bill(row("1")))
    one = world.source()
    world.front.fault = failing("503 Busy", is_list)
    begun = time.monotonic()
    (told,) = errors(ingest(one))
    assert time.monotonic() - begun < 10, "no library repeats the question by itself"
    assert "tried 5 times" in told
    assert told.startswith(f"error cloud: {world.scheme}://bills/focus")
    world.front.fault = None
    assert ingest(one) == []
    assert total() == 1


def test_an_object_that_changes_while_it_is_read_waits(world):
    world.put("focus/a.csv", bill(row("1")))
    one = world.source()
    changes = iter([True])

    def fault(environ: dict[str, Any], _start: Any) -> None:
        if is_read(environ) and next(changes, False):
            writer = threading.Thread(target=world.put, args=("focus/a.csv", bill(row("7"))))
            writer.start()
            writer.join()

    world.front.fault = fault
    assert services.land(one, NOW).rows == 0
    assert not LandedFile.objects.exists()
    assert ingest(one) == []
    assert total() == 7


def test_a_container_that_is_not_there_is_named(world):
    (told,) = errors(ingest(world.source("nowhere/focus")))
    assert told == f"error cloud: {world.scheme}://nowhere/focus: there is no such bucket; correct the location."


def test_a_long_listing_comes_in_pages(world):
    for number in range(7):
        world.put(f"focus/part-{number}.csv", bill(row(str(number + 1), ResourceId=f"i-{number}")))
    front, secrets = world.front, world.secrets
    if isinstance(front, BlobStore):  # a signature by key covers the question
        secrets = {"connection_string": front.shared_access()}

    def two_at_a_time(environ: dict[str, Any], _start: Any) -> None:
        query = environ["QUERY_STRING"]
        if is_list(environ) and "maxresults" not in query and "max-keys" not in query:
            environ["QUERY_STRING"] += "&maxresults=2&max-keys=2"

    if isinstance(front, GoogleStore):
        front.page = 2
    else:
        front.fault = two_at_a_time
    one = world.source(secrets=secrets)
    front.asked.clear()
    assert ingest(one) == []
    assert (total(), LandedFile.objects.count()) == (28, 7)
    assert sum("comp=list" in asked or "list-type=2" in asked or "/o?" in asked for asked in front.asked) >= 4


def refused_key(world: World) -> dict[str, str]:
    if world.scheme == "s3":
        return {"key": "AKIANOBODYNOBODY", "secret": "a-secret-nobody-has-0123456789"}
    if isinstance(world.front, BlobStore):
        return {"connection_string": world.front.connection(key=azurite.KEY.replace("Eby8", "Aby8"))}
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account", "client_email": "bills@school.iam.gserviceaccount.com",
        "private_key": private.decode(), "token_uri": f"{world.front.address}/token",
    }  # fmt: skip
    return {"token": json.dumps(account)}


def test_a_wrong_key_is_told_at_once_and_never_shown(world):
    world.put("focus/a.csv", bill(row("1")))

    def refuse(environ: dict[str, Any], start: Any) -> Any:
        if "AKIANOBODYNOBODY" in environ.get("HTTP_AUTHORIZATION", ""):  # the server of S3 looks at no key
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>InvalidAccessKeyId</Code><Message>AKIANOBODYNOBODY is no key</Message></Error>"]
        if not environ["PATH_INFO"].startswith("/token"):
            return None
        body = b'{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}'
        start("400 Bad Request", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    secrets = refused_key(world)
    world.front.fault = refuse
    one = world.source(secrets=secrets, **({"anonymous": "no"} if "anonymous" in world.options else {}))
    world.front.asked.clear()
    (told,) = errors(ingest(one))
    assert told.startswith(f"error cloud: {world.scheme}://bills/focus: ")
    assert "tried" not in told
    assert len(world.front.asked) <= 2
    assert not any(part in told for secret in secrets.values() for part in (secret, "Aby8", "PRIVATE KEY"))


def test_nobody_is_sent_elsewhere(world):
    world.put("focus/a.csv", bill(row("1")))
    one = world.source()
    world.front.asked.clear()

    def fault(environ: dict[str, Any], start: Any) -> Any:
        if "meta-data" in environ["PATH_INFO"]:
            return None
        start("302 Found", [("Location", f"{world.front.address}/latest/meta-data"), ("Content-Length", "0")])
        return [b""]

    world.front.fault = fault
    assert len(errors(ingest(one))) == 1
    assert not any("meta-data" in asked for asked in world.front.asked)


def test_what_is_not_listed_or_a_metadata_service_is_never_asked(world, settings, monkeypatch):
    world.put("focus/a.csv", bill(row("1")))
    one = world.source()
    world.front.asked.clear()
    settings.COSTOPS_SOURCE_HOSTS = ["*.aliyuncs.com", "10.0.0.0/8"]
    assert "not among the places that this installation asks" in errors(ingest(one))[0]
    settings.COSTOPS_SOURCE_HOSTS = []
    metadata = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("100.100.100.200", 80))]
    with monkeypatch.context() as names:
        names.setattr("apps.warehouse.addresses.socket.getaddrinfo", lambda *_asked, **_how: metadata)
        assert "never asked" in errors(ingest(one))[0]
    assert world.front.asked == []
    settings.COSTOPS_SOURCE_HOSTS = ["127.0.0.0/8"]
    assert errors(ingest(one)) == []
