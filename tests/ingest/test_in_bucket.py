"""Landed files and charges in a bucket: any machine reads them, the scrub reads what the bucket holds, not a copy."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection

from apps.finops.tables import CHARGES
from apps.ingest import scrub, sources, uploads
from apps.ingest.landing import at_hand
from apps.ingest.lines import places
from apps.ingest.models import LandedFile
from apps.ingest.services import land, normalize
from apps.warehouse import lake, shared
from tests.ingest.bills import NOW, bill, ingest, put, row, source, total
from tests.servers.objects import lay_lake

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def be(lake_bucket, settings, tmp_path):
    """Be a machine from now on, by name."""
    prefix = uuid.uuid4().hex
    lay_lake(settings, lake_bucket, prefix)

    def on(name):
        home = tmp_path / name
        settings.COSTOPS_HOME = home
        settings.COSTOPS_LAKE, settings.COSTOPS_LANDING = home / "cache" / "lake", home / "cache" / "landing"
        return prefix

    on("one")
    return on


def test_what_one_machine_landed_another_reads(be, tmp_path):
    put(tmp_path / "in", "a.csv", bill(row("1"), row("2")))
    bills = source(tmp_path / "in")
    land(bills, NOW)
    be("two")
    normalize(bills, NOW)
    assert total() == 3
    be("three")
    (file,) = LandedFile.objects.all()
    assert at_hand(file.sha256).read_bytes() == bill(row("1"), row("2"))
    assert [place.line for place in places(file.file_id, [1, 2]).values()] == [2, 3]


def test_nobody_waits_for_the_bucket_in_a_transaction(be, tmp_path, monkeypatch):
    """Whoever enters files holds what everybody plans by."""
    asked, ask = [], shared.missing

    def missing(paths):
        asked.append(len(connection.savepoint_ids))
        return ask(paths)

    monkeypatch.setattr(shared, "missing", missing)
    put(tmp_path / "in", "a.csv", bill(row("1")))
    before = len(connection.savepoint_ids)
    land(source(tmp_path / "in"), NOW)
    assert asked == [before]


def test_a_file_brought_to_one_machine_is_landed_by_another_and_told_by_both(be, tmp_path):
    # Machines have the same home folder's path, as containers do: what is in it here is taken aside instead.
    bills = sources.add_upload_source(name="up", kind="focus", cluster="", options={}, now=NOW)
    content = bill(row("5"))
    (tmp_path / "came").write_bytes(content)
    uploads.keep(bills, [uploads.Brought("a.csv", tmp_path / "came", len(content))])
    folder = sources.uploads_folder("up")
    folder.rename(tmp_path / "aside")
    assert ingest(bills) == []
    assert total() == 5
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    (tmp_path / "aside").rename(folder)
    assert uploads.fates(bills, ["a.csv"])["a.csv"] is not None


@pytest.mark.parametrize("zone", ["landing", "lake"])
@pytest.mark.parametrize(("is_gone", "code"), [(True, "scrub_missing"), (False, "scrub_changed")])
def test_the_scrub_reads_the_bucket_and_not_the_copies(be, lake_bucket, tmp_path, zone, is_gone, code):
    put(tmp_path / "in", "a.csv", bill(row("1")))
    assert ingest(source(tmp_path / "in")) == []
    (stored,), sha256 = lake.files(CHARGES), LandedFile.objects.get().sha256
    key = {"lake": f"lake/charges/{stored.path}", "landing": f"landing/{sha256[:2]}/{sha256}"}[zone]
    assert scrub.scrub(NOW).files == 2
    assert scrub.problems() == []
    where = {"Bucket": "lake", "Key": f"{be('one')}/{key}"}
    client = lake_bucket.client()
    whole = client.get_object(**where)["Body"].read()
    if is_gone:
        client.delete_object(**where)
    else:
        client.put_object(**where, Body=whole[:-1] + bytes([whole[-1] ^ 1]))
    scrub.scrub(NOW + timedelta(days=1))
    assert [(problem.code, problem.subject) for problem in scrub.problems()] == [(code, key)]
    client.put_object(**where, Body=whole)
    scrub.scrub(NOW + timedelta(days=2))
    assert scrub.problems() == []
