"""The copy of the database: tables larger than the memory at hand, and copies of earlier versions."""

import gzip
import io
import json
import tracemalloc

import pytest
from django.db import connection
from django.utils import timezone

from apps.backups import database
from apps.pipeline.models import StepRun
from tests.conftest import ON_POSTGRES

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="SQLite copies itself")
MIB = 1 << 20
RUNS, SAID = 1_000, 40_000


@pytest.fixture
def large(transactional_db):
    """A table of forty megabytes."""
    message = "said" * (SAID // 4)
    runs = (StepRun(step="plan", key=f"plan {n}", state="done", asked_at=timezone.now()) for n in range(RUNS))
    for run in runs:
        run.message = message
        run.save()


def peak_of(work, path):
    """The most bytes held at once."""
    tracemalloc.start()
    try:
        work(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_table_is_never_held_whole(large, tmp_path):
    copy = tmp_path / "database"
    peaks = {work.__name__: peak_of(work, copy) for work in (database.save, database.look, database.load)}
    assert {name: peak for name, peak in peaks.items() if peak > 12 * MIB} == {}
    assert [path.name for path in tmp_path.iterdir()] == ["database"]
    assert (StepRun.objects.count(), StepRun.objects.filter(message__startswith="said").count()) == (RUNS, RUNS)
    assert len(StepRun.objects.order_by("pk")[RUNS - 1].message) == SAID


def written_before(path):
    """As versions before wrote it: compressed as one, a table held whole."""
    with gzip.open(path, "wb", compresslevel=5) as out, connection.cursor() as cursor:
        for table in database._tables():
            columns, rows = database._columns(table), io.BytesIO()
            listed = ", ".join(f'"{name}"' for name in columns)
            with cursor.copy(f'COPY "{table}" ({listed}) TO STDOUT (FORMAT binary)') as copy:
                for piece in copy:
                    rows.write(piece)
            head = {"table": table, "columns": columns, "bytes": rows.tell()}
            out.write(json.dumps(head).encode() + b"\n" + rows.getvalue())


def test_a_copy_reads_as_those_of_earlier_versions_and_theirs_come_back(large, tmp_path):
    written_before(tmp_path / "before")
    database.save(tmp_path / "now")
    before, now = (gzip.decompress((tmp_path / name).read_bytes()) for name in ("before", "now"))
    assert before == now
    StepRun.objects.all().delete()
    database.look(tmp_path / "before")
    database.load(tmp_path / "before")
    assert StepRun.objects.count() == RUNS


def test_a_copy_that_ends_within_a_table_is_refused(transactional_db, tmp_path):
    head = {"table": "a_table", "columns": ["id"], "bytes": 100}
    (tmp_path / "database").write_bytes(gzip.compress(json.dumps(head).encode() + b"\n" + b"too short"))
    with pytest.raises(database.OtherDatabase, match="it ends within a table"):
        database.look(tmp_path / "database")
