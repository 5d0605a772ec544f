"""Bills brought through the browser: who may, what is taken, and what became of it."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.ingest.bills import bill, row

ADDRESS = "/sources/upload/"
GOOD = bill(row("1.25"), row("2"))


@pytest.fixture
def source(people: Any) -> Any:
    from apps.ingest import sources
    from tests.dashboards.company import MOMENT

    return sources.add_upload_source(name="hand", kind="focus", cluster="", options={}, now=MOMENT)


def send(client: Any, *files: tuple[str, bytes], source: str = "hand", **headers: str) -> Any:
    given = [SimpleUploadedFile(name, content) for name, content in files]
    return client.post(ADDRESS, {"source": source, "files": given}, headers=headers)


def fill(name: str = "hand") -> None:
    from apps.ingest import services
    from apps.ingest.models import Source
    from tests.ingest.bills import NOW

    one = Source.objects.get(name=name)
    services.land(one, NOW)
    services.normalize(one, NOW)


@pytest.mark.parametrize(
    ("who", "status"), [("staff", 200), ("finance", 403), ("lilei", 403)], ids=["staff", "who sees all", "a lead"]
)
def test_who_may_upload(client_of, people, source, who, status):
    assert client_of(who).get(ADDRESS).status_code == status


def test_nobody_else_brings_a_byte_to_the_disk(client_of, people, client, source, home):
    others = [name for name, user in people.items() if not user.is_staff]
    assert others
    for one in [client, *map(client_of, others)]:
        assert send(one, ("a.csv", GOOD)).status_code in (302, 403)
        assert send_to(one, "/login/").status_code in (200, 302, 403)
    assert list((home / "uploads" / "hand").iterdir()) == []


def send_to(client: Any, address: str) -> Any:
    return client.post(address, {"files": [SimpleUploadedFile("a.csv", GOOD)]})


def test_bills_are_taken_read_and_told_of(client_of, source, home):
    from apps.pipeline.models import StepRun

    staff = client_of("staff")
    sent = send(staff, ("october.csv", GOOD), ("账单 2.csv", bill(row("x"))))
    assert sent.status_code == 302
    assert (home / "uploads" / "hand" / "october.csv").read_bytes() == GOOD
    assert [run.key for run in StepRun.objects.all()] == ["land hand"]
    waiting = staff.get(sent["Location"])
    assert (waiting.headers["Refresh"], waiting.content.decode().count("Waiting to be taken over")) == ("3", 2)
    fill()
    body = staff.get(sent["Location"])
    assert "Refresh" not in body.headers
    text = body.content.decode()
    assert "Counts" in text
    assert "3.25 CNY" in text
    assert ">Refused<" in text
    assert "账单 2.csv, line 2, column BilledCost" in text


def test_a_file_that_is_held_back_is_told_of(client_of, source):
    staff = client_of("staff")
    send(staff, ("a.csv", GOOD))
    fill()
    sent = send(staff, ("a.csv", bill(row("1"))))
    fill()
    page = staff.get(sent["Location"]).content.decode()
    assert "Held back" in page
    assert "much smaller" in page


def test_a_file_of_the_same_name_replaces_the_one_before(client_of, source):
    from tests.ingest.bills import total

    staff = client_of("staff")
    send(staff, ("a.csv", GOOD))
    fill()
    send(staff, ("a.csv", bill(row("7"), row("0.5"))))
    fill()
    assert str(total().normalize()) == "7.5"


def test_usage_files_are_taken_as_bills_are(client_of, people, home):
    from apps.ingest import services, sources
    from apps.ingest.models import Source
    from tests.dashboards.company import MOMENT

    sources.add_upload_source(name="pods", kind="usage_files", cluster="online", options={}, now=MOMENT)
    content = b"hour,cluster,observed_samples,expected_samples\n2026-10-01T00:00:00Z,online,59,60\n"
    sent = send(client_of("staff"), ("coverage_hours-2026-10.csv", content), source="pods")
    assert sent.status_code == 302
    one = Source.objects.get(name="pods")
    services.land(one, MOMENT)
    assert [problem for problem in services.meter_files(one, MOMENT).problems if problem.severity == "error"] == []
    (file,) = one.files.all()
    assert (file.state, file.rows) == (file.State.CURRENT, 1)
    page = client_of("staff").get(sent["Location"]).content.decode()
    assert "Counts" in page


def test_two_uploads_of_one_name_at_once_leave_one_of_them_whole(source, home, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    from apps.ingest.uploads import Brought, keep

    contents = [bill(*(row(str(number)) for _ in range(5_000))) for number in range(8)]

    def bring(number: int) -> None:
        path = tmp_path / f"temporary-{number}"
        path.write_bytes(contents[number])
        keep(source, [Brought("a.csv", path, len(contents[number]))])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(bring, range(8)))
    (left,) = (home / "uploads" / "hand").iterdir()
    assert left.read_bytes() in contents
    fill()
    assert source.files.get().rows == 5_000


def test_a_script_gets_json(client_of, source):
    staff = client_of("staff")
    sent = send(staff, ("a.csv", GOOD), Accept="application/json")
    assert sent.json() == {"next": "/sources/upload/hand/?file=a.csv"}
    bad = send(staff, ("a.exe", GOOD), Accept="application/json")
    assert (bad.status_code, "Only bills are taken" in bad.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("empty.csv", b"", "The file is empty", id="empty"),
        pytest.param("bill.exe", GOOD, "Only bills are taken", id="no bill"),
        pytest.param(".hidden.csv", GOOD, "name cannot be taken", id="hidden"),
        pytest.param("n" * 240 + ".csv", GOOD, "name cannot be taken", id="a very long name"),
    ],
)
def test_what_is_not_taken_is_named_and_nothing_else_is_taken(client_of, source, home, name, content, said):
    sent = send(client_of("staff"), ("good.csv", GOOD), (name, content))
    assert (sent.status_code, said in sent.content.decode()) == (400, True)
    assert list((home / "uploads" / "hand").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../../secret_key.csv", "/etc/cron.d/x.csv", "..\\..\\x.csv", "bell\x07.csv", "\u202egpj.csv"]
)
def test_a_name_is_made_harmless(client_of, source, home, name):
    send(client_of("staff"), (name, GOOD))
    inside = set(home.rglob("*.csv"))
    assert inside
    assert all(path.parent == home / "uploads" / "hand" and path.name.isprintable() for path in inside)


def test_too_much_is_refused(client_of, source, home, settings):
    settings.COSTOPS_UPLOAD_MIB = 1
    staff = client_of("staff")
    for size in (900_000, 3 << 20):  # by what has come, and by what was announced
        sent = send(staff, ("a.csv", b"x" * size), ("b.csv", b"x" * size))
        assert (sent.status_code, "too large together" in sent.content.decode()) == (413, True)
    assert list((home / "uploads" / "hand").iterdir()) == []


def test_only_sources_for_uploads_take_them(client_of, people, source, tmp_path):
    from tests.ingest.bills import source as folder_source

    folder_source(tmp_path / "mounted", name="mounted")
    assert send(client_of("staff"), ("a.csv", GOOD), source="mounted").status_code == 400
    assert "mounted" not in client_of("staff").get(ADDRESS).content.decode()


def test_results_of_nothing_are_not_there(client_of, source):
    staff = client_of("staff")
    for address in (
        "hand/",
        "hand/?file=no.csv",
        "hand/?file=../secret_key",
        "hand/?file=../../secret_key",
        "hand/?file=%01",
        "none/?file=a.csv",
    ):
        assert staff.get(f"{ADDRESS}{address}").status_code == 404


def test_without_a_source_the_page_says_how_to_add_one(client_of):
    assert "--upload" in client_of("staff").get(ADDRESS).content.decode()
