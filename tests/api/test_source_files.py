"""Bills that a program brings: whole or not at all, once, and followed to the line that is wrong."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from apps.api.services import issue_token
from apps.audit.models import AuditEntry
from apps.ingest import services
from apps.ingest.models import Source
from apps.ingest.sources import add_upload_source, uploads_folder
from apps.pipeline.models import StepRun
from tests.api.company import NOW, client_of
from tests.ingest.bills import bill, row

pytestmark = pytest.mark.django_db
GOOD = bill(row("1.50"), row("2.25", ResourceId="i-2"))
WRONG = bill(row("1.50"), row("1,000.50", ResourceId="i-2"))
ADDRESS = "/api/v1/sources/bills/files/"


def base64_of(way: str, content: bytes) -> str:
    return base64.b64encode(hashlib.new(way, content).digest()).decode()


@pytest.fixture
def source(home: Path) -> Source:
    Source.objects.create(name="pulled", kind="focus", location="/exports", created_at=NOW)
    return add_upload_source(name="bills", kind="focus", cluster="", options={}, now=NOW)


@pytest.fixture
def keeper(source: Source) -> Client:
    return client_of(issue_token(User.objects.create_superuser("keeper"), now=NOW, scopes=("sources:write",)))


@pytest.fixture
def reader(source: Source) -> Client:
    return client_of(issue_token(User.objects.create_superuser("reader"), now=NOW, scopes=("read",)))


def bring(client: Client, content: bytes, name: str = "october.csv", **headers: str) -> Any:
    address = f"{ADDRESS}?file={name}"
    return client.post(address, content, content_type="application/octet-stream", headers=headers)


def kept(source: Source) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in uploads_folder(source.name).iterdir()}


@pytest.fixture(autouse=True)
def _nothing_is_left(settings: LazySettings, home: Path) -> Iterator[None]:
    """Whatever happens, the place of half an upload is empty afterwards."""
    settings.FILE_UPLOAD_TEMP_DIR = home / "half"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    yield
    assert list(settings.FILE_UPLOAD_TEMP_DIR.iterdir()) == []


def test_a_bill_is_kept_read_next_and_followed_to_what_it_bills(source: Source, keeper: Client, reader: Client) -> None:
    answer = bring(keeper, GOOD)
    told = answer.json()
    assert (answer.status_code, told["is_new"], told["size"]) == (202, True, len(GOOD))
    assert told["sha256"] == hashlib.sha256(GOOD).hexdigest()
    assert answer["Location"] == told["follow"] == f"{ADDRESS}?file=october.csv"
    assert kept(source) == {"october.csv": GOOD}
    assert StepRun.objects.get().step == "land"

    (waiting,) = reader.get(told["follow"]).json()["rows"]
    assert (waiting["state"], waiting["revision"], waiting["billed"]) == ("waiting", None, {})
    services.land(source, NOW)
    services.normalize(source, NOW)
    (read,) = reader.get(told["follow"]).json()["rows"]
    assert (read["state"], read["rows"], read["billed"]) == ("current", 2, {"CNY": "3.750000000000"})


def test_what_is_wrong_with_a_file_is_told_by_line_and_column(source: Source, keeper: Client, reader: Client) -> None:
    follow = bring(keeper, WRONG).json()["follow"]
    services.land(source, NOW)
    services.normalize(source, NOW)
    (refused,) = reader.get(f"{follow}&state=refused").json()["rows"]
    assert refused["billed"] == {}
    told = [f"{one['subject']} {one['message']}" for one in refused["problems"]]
    assert any(all(part in line for part in ("october.csv", "BilledCost", "2")) for line in told), told


@pytest.mark.parametrize("name", ["october.csv", "again.csv"], ids=["under the same name", "under another name"])
def test_the_same_bytes_are_one_delivery(source: Source, keeper: Client, name: str) -> None:
    bring(keeper, GOOD)
    again = bring(keeper, GOOD, name).json()
    assert (again["is_new"], again["file"], again["follow"]) == (False, "october.csv", f"{ADDRESS}?file=october.csv")
    assert kept(source) == {"october.csv": GOOD}
    assert services.land(source, NOW).rows == 1
    assert source.files.count() == 1


def test_other_bytes_replace_a_file_of_their_name(source: Source, keeper: Client) -> None:
    bring(keeper, GOOD)
    assert bring(keeper, WRONG).json()["is_new"]
    assert kept(source) == {"october.csv": WRONG}
    assert bring(keeper, GOOD).json()["is_new"], "what was replaced may be brought back"


def test_a_key_that_comes_again_gets_the_same_answer(source: Source, keeper: Client) -> None:
    first, again = (bring(keeper, GOOD, **{"Idempotency-Key": "october"}) for _ in range(2))
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (202, first.json(), "true")
    assert again["Location"] == first["Location"] == first.json()["follow"]
    assert bring(keeper, WRONG, **{"Idempotency-Key": "october"}).json()["code"] == "idempotency_key_reused"


GIVEN = {
    "Content-MD5": base64_of("md5", GOOD),
    "Digest": f"SHA-256={base64_of('sha256', GOOD)}",
    "Content-Digest": f"sha-256=:{base64_of('sha256', GOOD)}:",
}


@pytest.mark.parametrize("header", GIVEN)
def test_bytes_that_add_up_are_taken_and_others_are_not(source: Source, keeper: Client, header: str) -> None:
    cut = bring(keeper, GOOD[:-7], **{header: GIVEN[header]})
    assert (cut.status_code, cut.json()["code"]) == (400, "checksum_mismatch")
    assert kept(source) == {}
    assert bring(keeper, GOOD, **{header: GIVEN[header]}).status_code == 202


@pytest.mark.parametrize(
    ("content", "name", "headers", "status", "code", "said"),
    [
        pytest.param(b"", "a.csv", {}, 400, "parse_error", "The body is empty", id="no bytes"),
        pytest.param(GOOD, "", {}, 400, "bad_parameter", "file", id="no name"),
        pytest.param(GOOD, "../a.csv", {}, 400, "bad_parameter", "no name for a file", id="a name that leads away"),
        pytest.param(GOOD, ".a.csv", {}, 400, "bad_parameter", "no name for a file", id="a hidden name"),
        pytest.param(GOOD, "a.exe", {}, 400, "bad_parameter", "only bills are taken", id="no bill"),
        pytest.param(GOOD, "a.csv", {"Digest": "crc32=x"}, 400, "checksum_mismatch", "neither", id="unknown checksum"),
        pytest.param(GOOD, "a.csv", {"Content-MD5": "?"}, 400, "checksum_mismatch", "Content-MD5", id="no base64"),
    ],
)
def test_what_cannot_be_taken_says_why_and_leaves_nothing(
    source: Source,
    keeper: Client,
    content: bytes,
    name: str,
    headers: dict[str, str],
    status: int,
    code: str,
    said: str,
) -> None:
    answer = bring(keeper, content, name, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert said in answer.json()["detail"]
    assert kept(source) == {}


def test_too_many_bytes_are_refused_before_they_are_read(
    source: Source, keeper: Client, settings: LazySettings
) -> None:
    settings.COSTOPS_UPLOAD_MIB = 1
    answer = bring(keeper, b"x" * ((1 << 20) + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "COSTOPS_UPLOAD_MIB" in answer.json()["detail"]
    assert bring(keeper, b"x" * (1 << 20)).status_code == 202


@pytest.mark.parametrize(
    ("scopes", "user", "address", "status", "code"),
    [
        pytest.param(("sources:read",), {"is_superuser": True, "is_staff": True}, ADDRESS, 403, "insufficient_scope",
                     id="a token that may only read"),
        pytest.param(("write",), {"is_superuser": False, "is_staff": False}, ADDRESS, 403, "permission_denied",
                     id="somebody of no team"),
        pytest.param(("write",), {"is_superuser": True, "is_staff": True}, "/api/v1/sources/pulled/files/", 400,
                     "bad_parameter", id="a source that is read where it points to"),
        pytest.param(("write",), {"is_superuser": True, "is_staff": True}, "/api/v1/sources/none/files/", 404,
                     "not_found", id="no such source"),
    ],
)  # fmt: skip
def test_who_may_not_bring_it_brings_nothing(
    source: Source, scopes: tuple[str, ...], user: dict[str, bool], address: str, status: int, code: str
) -> None:
    client = client_of(issue_token(User.objects.create_user("li", **user), now=NOW, scopes=scopes))  # type: ignore[arg-type]
    answer = client.post(f"{address}?file=a.csv", GOOD, content_type="application/octet-stream")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert kept(source) == {}


def test_it_stands_in_the_audit_log(source: Source, keeper: Client) -> None:
    bring(keeper, GOOD)
    entry = AuditEntry.objects.get(action="POST api-source-files")
    assert (entry.actor, entry.way, entry.outcome) == ("keeper", AuditEntry.Way.TOKEN, 202)
    assert entry.details["file"] == "october.csv"


def test_every_request_counts_towards_the_limit(source: Source, keeper: Client, settings: LazySettings) -> None:
    settings.COSTOPS_API_REQUESTS_PER_MINUTE = 1
    answers = [bring(keeper, GOOD).status_code for _ in range(3)]
    assert 429 in answers[1:]
