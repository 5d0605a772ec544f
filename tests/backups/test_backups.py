"""Backups: what comes back is what was there, and a damaged one is refused before anything is touched."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from apps.backups import services
from tests.conftest import ON_POSTGRES
from tests.prepared import dump, filled_school, open_school
from tests.servers.installation import ROOT, Installation, migrated_database, new_installation
from tests.servers.objects import settings_of

pytestmark = pytest.mark.timeout(400)


@dataclass
class School:
    """A filled installation, what it published, and a backup of it."""

    installation: Installation
    files: Path
    published: dict
    folder: Path


def empty_installation(home, request, name):
    url = migrated_database(request.getfixturevalue("postgres"), name) if ON_POSTGRES else None
    return new_installation(home, database_url=url)


@pytest.fixture(scope="module")
def school(tmp_path_factory, request):
    box = tmp_path_factory.mktemp("school")
    made = filled_school(request.getfixturevalue("postgres") if ON_POSTGRES else None)
    filled = made.copy(box / "installation", "costops_school")
    filled.manage("backup", "make", str(box / "backups"))
    return School(filled, made.files, made.published, box / "backups")


BROUGHT_NS = 1_790_000_000_123_456_789


@pytest.fixture(scope="module")
def small_backup(tmp_path_factory, request):
    """The backup of an installation with one landed file and a source with credentials."""
    box = tmp_path_factory.mktemp("small")
    made = empty_installation(box / "installation", request, "costops_small")
    (made.home / "costops.env").write_text("COSTOPS_SITE_URL=https://production.example.net\n")
    (made.home / "landing").mkdir()
    (made.home / "landing" / "bill").write_text("production")
    (made.home / "uploads" / "hosting").mkdir(parents=True)
    (made.home / "uploads" / "hosting" / "bill.csv").write_text("brought")
    os.utime(made.home / "uploads" / "hosting" / "bill.csv", ns=(BROUGHT_NS, BROUGHT_NS))
    bucket = ["--location", "s3://bills/focus/", "--secret", "key=AKIA", "--secret", "secret=opened"]
    made.manage("source", "add", "oss-bill", "--kind", "focus", *bucket)
    made.manage("backup", "make", str(box / "backups"))
    return box / "backups"


def tell_manifest(folder, **told):
    """Change what the only backup of a folder says of itself."""
    manifest = next(folder.glob("backups/*/manifest.json"))
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | told))


def everything_in(home):
    """Path → content of what counts in a home folder."""
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and "sqlite3" not in path.name
    }


def test_a_backup_that_cannot_be_taken_is_refused_before_anything_is_touched(small_backup, tmp_path, request):
    another = empty_installation(tmp_path / "another", request, "costops_refusing")
    another.manage("source", "list")  # the first command makes its secret key
    (another.home / "landing").mkdir()
    (another.home / "landing" / "bill").write_text("mine")
    folder = Path(shutil.copytree(small_backup, tmp_path / "backups"))
    before = everything_in(another.home)

    def refusal():
        done = another.manage("backup", "restore", str(folder), "--force", check=False)
        assert done.returncode == 1
        assert everything_in(another.home) == before
        return done.stderr

    name = services.find(folder).name
    own, other = ("postgresql", "sqlite") if ON_POSTGRES else ("sqlite", "postgresql")
    tell_manifest(folder, vendor=other)
    assert f"The copy is of {other}, this database is {own}" in refusal()
    tell_manifest(folder, vendor=own)
    aside = another.home / f"landing.before-{name}"
    aside.mkdir()
    assert f"{aside} is there from an earlier time" in refusal()
    aside.rmdir()
    later = empty_installation(tmp_path / "later", request, "costops_later")
    later.manage("shell", "--no-imports", "-c", GROW)
    said = later.manage("backup", "make", str(tmp_path / "newer")).stdout
    assert "newer version of CostOps, with the migration teams.0999_of_a_newer_version: only that one can" in said
    folder = tmp_path / "newer"
    copied = (folder / "backups" / services.find(folder).name / "database").read_bytes()
    assert b"teams_future" in (gzip.decompress(copied) if ON_POSTGRES else copied), "after going back nothing is lost"
    assert "of a newer version of CostOps, with the migration teams.0999_of_a_newer_version" in refusal()


@pytest.mark.skipif(not ON_POSTGRES, reason="a copy of SQLite brings its tables along")
def test_rows_of_an_older_version_are_refused_before_anything_is_touched(small_backup, tmp_path, request):
    another = empty_installation(tmp_path / "another", request, "costops_newer")
    another.manage("shell", "--no-imports", "-c", GROW)
    before = everything_in(another.home)
    done = another.manage("backup", "restore", str(small_backup), check=False)
    assert "of an older version of CostOps, without the migration teams.0999_of_a_newer_version" in done.stderr
    assert everything_in(another.home) == before


def test_settings_stay_those_of_the_machine_and_the_key_is_the_one_that_opens(small_backup, tmp_path, request):
    another = empty_installation(tmp_path / "another", request, "costops_staging")
    mine = "COSTOPS_SITE_URL=https://staging.example.net\n"
    (another.home / "costops.env").write_text(mine)
    own_key = (another.home / "secret_key").read_text() if (another.home / "secret_key").exists() else "mine"
    (another.home / "secret_key").write_text(own_key)
    said = another.manage("backup", "restore", str(small_backup)).stdout
    assert (another.home / "costops.env").read_text() == mine
    assert "production" in (another.home / "costops.env.from-backup").read_text()
    assert "costops.env stays as it is here; that of the backup lies beside it: costops.env.from-backup." in said
    assert (another.home / f"secret_key.before-{services.find(small_backup).name}").read_text() == own_key
    assert "opened" in another.manage("shell", "--no-imports", "-c", OPEN).stdout
    brought = another.home / "uploads" / "hosting" / "bill.csv"
    assert (brought.read_text(), brought.stat().st_mtime_ns) == ("brought", BROUGHT_NS)


def test_a_key_that_the_settings_name_is_told_where_it_is_not_the_one_of_the_backup(small_backup, tmp_path, request):
    another = empty_installation(tmp_path / "another", request, "costops_keyed")
    another.environment["COSTOPS_SECRET_KEY"] = "another-key-of-some-length"
    said = another.manage("backup", "restore", str(small_backup)).stdout
    assert "put that one into COSTOPS_SECRETS_KEYS, or credentials cannot be opened" in said
    assert "production" in (another.home / "costops.env").read_text()
    another.environment["COSTOPS_SECRETS_KEYS"] = (another.home / "secret_key").read_text().strip()
    assert "opened" in another.manage("shell", "--no-imports", "-c", OPEN).stdout


GROW = """
from django.db import connection
connection.cursor().execute(
    "INSERT INTO django_migrations (app, name, applied) VALUES ('teams', '0999_of_a_newer_version', '2027-01-01')"
)
connection.cursor().execute("CREATE TABLE teams_future (number int)")
"""
OPEN = """
from apps.ingest.models import Source
from apps.ingest.sources import secrets_of
print(secrets_of(Source.objects.get())["secret"])
"""


@pytest.fixture
def copy(school, tmp_path):
    """The backup folder, to be damaged."""
    return Path(shutil.copytree(school.folder, tmp_path / "backups"))


def test_what_comes_back_is_what_was_there_and_goes_on(school, tmp_path, request):
    another = empty_installation(tmp_path / "another", request, "costops_restored")
    another.manage("backup", "restore", str(school.folder))
    assert dump(another) == school.published
    assert school.published["costs"]
    key = another.home / "secret_key"
    assert key.read_text() == (school.installation.home / "secret_key").read_text()
    assert key.stat().st_mode & 0o077 == 0
    another.manage("audit", "verify")
    another.manage("scrub")
    another.manage("import_teams", str(school.files / "teams.yaml"))  # new rows get numbers of their own
    another.manage("fill")
    assert dump(another)["costs"] == school.published["costs"]
    refused = another.manage("backup", "restore", str(school.folder), check=False)
    assert refused.returncode == 1
    assert "holds files in landing and lake" in refused.stderr
    another.manage("backup", "restore", str(school.folder), "--force")
    assert dump(another) == school.published
    assert list(another.home.glob("lake.before-*"))


def test_a_backup_goes_into_a_bucket_and_out_of_it_again(school, tmp_path, request, lake_bucket):
    another = empty_installation(tmp_path / "another", request, "costops_bucket")
    another.environment |= settings_of(lake_bucket, uuid.uuid4().hex)
    another.manage("backup", "restore", str(school.folder))
    assert dump(another) == school.published
    refused = another.manage("backup", "restore", str(school.folder), "--force", check=False)
    assert "name an empty prefix" in refused.stderr
    another.manage("backup", "make", str(tmp_path / "again"))
    kept, again = (
        {(file.path, file.sha256) for file in services.find(folder).files if "/" in file.path}
        for folder in (school.folder, tmp_path / "again")
    )
    assert again == kept != set()


def test_a_backup_is_read_by_its_owner_only(school):
    files = [path for path in school.folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if path.stat().st_mode & 0o077] == []
    folders = school.folder / "files", next((school.folder / "backups").iterdir())
    assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o700, 0o700]


def test_files_lie_there_once_however_many_backups_speak_of_them(school, copy):
    inodes = {path: path.stat().st_ino for path in (copy / "files").rglob("*") if path.is_file()}
    (copy / "backups" / "unfinished").mkdir()  # one that was killed is none
    time.sleep(1.1)  # backups are named by the second
    school.installation.manage("backup", "make", str(copy))
    assert len(inodes) > 10
    assert {path: path.stat().st_ino for path in inodes} == inodes
    listed = json.loads(school.installation.manage("backup", "list", str(copy), "--format", "json").stdout)
    assert [one["files"] for one in listed] == [listed[0]["files"]] * 2
    school.installation.manage("backup", "check", str(copy), "--name", listed[0]["name"])


def as_written_before(folder):
    """A backup as earlier versions wrote it: the files of logs by their names, too."""
    backup = services.find(folder)
    for file in backup.files:
        if file.by_sha256:
            (folder / "files" / file.path).parent.mkdir(parents=True, exist_ok=True)
            services.place_of(folder, backup, file).rename(folder / "files" / file.path)
    named = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in backup.files]
    tell_manifest(folder, format=1, files=named, zones=("landing", "lake"))


def test_a_backup_of_an_earlier_version_comes_back_and_the_next_one_lies_beside_it(school, copy, tmp_path, request):
    as_written_before(copy)
    before = {path: path.read_bytes() for path in (copy / "files").rglob("*") if path.is_file()}
    another = empty_installation(tmp_path / "another", request, "costops_earlier")
    another.manage("backup", "restore", str(copy))
    assert dump(another) == school.published
    another.manage("fill")
    another.manage("backup", "make", str(copy))
    assert {path: path.read_bytes() for path in before} == before
    for backup in services.backups(copy):
        another.manage("backup", "check", str(copy), "--name", backup.name)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        pytest.param("*.parquet", "is not as it was written", id="a file of the lake"),
        pytest.param("database", "is not as it was written", id="the database"),
        pytest.param("files/by-sha256/*/*", "is missing", id="a log that is gone"),
    ],
)
def test_a_damaged_backup_is_refused_before_anything_is_touched(school, copy, pattern, said):
    backup = services.find(copy)
    places = [services.place_of(copy, backup, file) for file in backup.files]
    damaged = next(path for path in places if path.match(pattern))
    if said == "is missing":
        damaged.unlink()
    else:
        content = bytearray(damaged.read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
    done = school.installation.manage("backup", "restore", str(copy), "--force", check=False)
    assert done.returncode == 1
    assert f"{damaged} {said}" in done.stderr
    assert not list(school.installation.home.glob("lake.before-*"))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param("../stolen", "", id="above the home folder"),
        pytest.param("lake/../../stolen", "", id="above it by way of the lake"),
        pytest.param("/etc/stolen", "", id="anywhere"),
        pytest.param("static/stolen.js", "", id="beside what is kept"),
        pytest.param("stolen", "", id="a file of no backup"),
        pytest.param("lake/costs/a.parquet", "../../elsewhere", id="a backup of another name than its folder"),
    ],
)
def test_a_manifest_names_nothing_but_what_backups_hold(tmp_path, path, name):
    into = tmp_path / "backups" / "20261102T030405Z"
    into.mkdir(parents=True)
    told = {
        "format": services.FORMAT, "name": name or into.name, "made_at": "2026-11-02", "vendor": "sqlite",
        "migrations": 1, "publication": None, "files": [{"path": path, "size": 0, "sha256": "0" * 64}],
    }  # fmt: skip
    (into / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(services.Damaged, match=r"manifest\.json: "):
        services.find(tmp_path)


def test_a_backup_that_is_not_there_is_told(school, copy):
    done = school.installation.manage("backup", "check", str(copy), "--name", "20260101T000000Z", check=False)
    assert done.returncode == 1
    assert "holds no complete backup 20260101T000000Z; there are: 2" in done.stderr


def test_a_backup_made_while_filling_is_whole(school, tmp_path, request):
    """What it holds is some moment of the fill; filled to the end it is what undisturbed filling came to."""
    filling = empty_installation(tmp_path / "filling", request, "costops_filling")
    open_school(filling, tmp_path / "files")
    fill = subprocess.Popen(
        [sys.executable, "manage.py", "fill"], cwd=ROOT, env=filling.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not list(filling.home.glob("lake/allocated/*/*.parquet")) and fill.poll() is None:
        time.sleep(0.05)
    filling.manage("backup", "make", str(tmp_path / "backups"))
    assert fill.wait(200) == 0
    another = empty_installation(tmp_path / "another", request, "costops_other")
    another.manage("backup", "restore", str(tmp_path / "backups"))
    another.manage("fill")
    assert dump(another)["costs"] == school.published["costs"]
