"""What lies on the disk is read again: a flipped bit, a cut or missing file is told, and forgotten once mended."""

import io
import shutil
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.finops.tables import CHARGES
from apps.ingest import scrub
from apps.ingest.landing import landed_path
from apps.ingest.models import LandedFile, ScrubbedFile
from apps.ingest.tasks import scrub as nightly
from apps.warehouse import lake
from tests.ingest.bills import NOW, bill, ingest, put, row, source

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def files(home):
    """A bill, landed and read: the file of each zone."""
    put(home / "in", "a.csv", bill(row("1"), row("2")))
    assert ingest(source(home / "in")) == []
    (stored,) = lake.files(CHARGES)
    return {
        "landing": landed_path(LandedFile.objects.get().sha256),
        "lake": lake.location(CHARGES) / stored.path,
    }


def flip(path, at):
    """Turn one bit of a file."""
    path.chmod(0o640)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def found():
    return [(problem.code, problem.subject.partition("/")[0]) for problem in scrub.problems()]


def test_whole_files_are_whole(files):
    done = scrub.scrub(NOW)
    assert (done.files, done.left) == (2, 0)
    assert done.bytes == sum(path.stat().st_size for path in files.values())
    assert found() == []


@pytest.mark.parametrize("zone", ["landing", "lake"])
@pytest.mark.parametrize(
    ("harm", "code"),
    [
        pytest.param(lambda path: flip(path, 40), "scrub_changed", id="a flipped bit"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), "scrub_changed", id="cut off"),
        pytest.param(lambda path: path.unlink(), "scrub_missing", id="gone"),
    ],
)
def test_damage_is_told_until_it_is_mended(files, tmp_path, zone, harm, code):
    path = files[zone]
    scrub.scrub(NOW)
    whole = shutil.copy(path, tmp_path / "backup")
    path.chmod(0o640)
    harm(path)
    scrub.scrub(NOW + timedelta(days=1))
    assert found() == [(code, zone)]
    scrub.scrub(NOW + timedelta(days=2))
    assert found() == [(code, zone)], "also when it is looked at again"
    shutil.copy(whole, path)
    scrub.scrub(NOW + timedelta(days=3))
    assert found() == []


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda path: path.write_bytes(path.read_bytes() + b"x"), id="longer than its table says"),
        pytest.param(lambda path: flip(path, -1), id="no Parquet any more"),
    ],
)
def test_a_file_of_the_lake_that_was_never_whole(files, harm):
    files["lake"].chmod(0o640)
    harm(files["lake"])
    scrub.scrub(NOW)
    assert [zone for _, zone in found()] == ["lake"]
    assert ScrubbedFile.objects.get(path__startswith="lake").sha256 == ""


def test_touching_the_file_at_its_source_mends_the_landed_one(files, home):
    scrub.scrub(NOW)
    flip(files["landing"], 3)
    scrub.scrub(NOW)
    assert found() == [("scrub_changed", "landing")]
    put(home / "in", "a.csv", bill(row("1"), row("2")))
    assert ingest(LandedFile.objects.get().source) == []
    scrub.scrub(NOW)
    assert found() == []


def test_what_is_replaced_is_forgotten(files, home):
    scrub.scrub(NOW)
    put(home / "in", "a.csv", bill(row("1"), row("2"), row("3")))
    assert ingest(LandedFile.objects.get().source) == []
    files["lake"].unlink()
    assert scrub.scrub(NOW).files == 3, "two landed files, and the one that counts now"
    assert found() == []


def test_those_come_first_that_were_not_read_longest(home):
    stored = [scrub.Stored(path, home / path) for path in ("a", "b", "c", "d")]
    ages = {"a": 1, "b": 3, "d": 3}
    known = {path: ScrubbedFile(path=path, checked_at=NOW - timedelta(days=age)) for path, age in ages.items()}
    assert [one.path for one in scrub.oldest_first(stored, known)] == ["c", "b", "d", "a"]


def test_what_it_has_no_time_for_is_left(files):
    assert scrub.scrub(NOW, seconds=-1).left == 2
    assert scrub.scrub(NOW, seconds=60).left == 0


def test_the_command_and_the_bell(files):
    out = io.StringIO()
    call_command("scrub", stdout=out)
    assert "2 files" in out.getvalue()
    assert nightly() == "2 files, 0 left"
    files["lake"].unlink()
    with pytest.raises(CommandError, match="1 are damaged"):
        call_command("scrub", "--format", "csv", stdout=out)
    assert "The file is gone." in out.getvalue()
