"""Keeping the days of usage that were pulled from an API."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction

from apps.finops.tables import USAGE, UsageTable
from apps.ingest.books import API_FILE_ID
from apps.ingest.models import MeteredDay, Source
from apps.warehouse import fencing, lake

Tables = Mapping[str, pa.Table]


def sha256_of(tables: Tables) -> str:
    """A fingerprint of a day's usage, whatever the order of its rows."""
    digest = hashlib.sha256()
    for name, table in USAGE.items():
        rows = tables[name].select(list(table.file_columns)).combine_chunks()
        rows = rows.sort_by([(column, "ascending") for column in table.file_columns])
        digest.update(f"{name} {rows.num_rows}\n".encode())
        for column in rows.columns:
            _digest_column(digest, column.combine_chunks())
    return digest.hexdigest()


def _digest_column(digest: Any, column: pa.Array) -> None:
    text = column if pa.types.is_string(column.type) else column.cast(pa.string())
    text = pa.concat_arrays([text.slice(0)])  # offsets from zero, so that equal values have equal bytes
    for value in text.fill_null("\0").to_pylist():
        digest.update(value.encode())
        digest.update(b"\x1f")


def keep_day(source: Source, day: date, tables: Tables, now: datetime) -> dict[str, int]:
    """Replace a day of a source's usage, in one commit per table; an identical pull changes nothing but the clock."""
    sha256 = sha256_of(tables)
    known = MeteredDay.objects.filter(source=source, day=day).first()
    versions: dict[str, int] = {}
    if known is None or known.content_sha256 != sha256:
        versions = {name: _replace(table, tables[name], source.name, day) for name, table in USAGE.items()}
    coverage = tables["coverage_hours"]
    told = {
        "pulled_at": now,
        "observed_samples": pc.sum(coverage["observed_samples"]).as_py() or 0,
        "expected_samples": pc.sum(coverage["expected_samples"]).as_py() or 0,
        "content_sha256": sha256,
    }
    with transaction.atomic():
        fencing.check()
        MeteredDay.objects.update_or_create(source=source, day=day, defaults=told)
    return versions


def _replace(table: UsageTable, rows: pa.Table, source: str, day: date) -> int:
    before = kept_of(table, source, day)
    if not rows.num_rows:
        return lake.commit(table, add=[], remove=before)
    told = ibis.memtable(rows.select(list(table.file_columns)))
    told = told.mutate(source=ibis.literal(source), day=ibis.literal(day), file_id=ibis.literal(API_FILE_ID))
    return lake.replace(table, told, before)


def kept_of(table: UsageTable, source: str, day: date) -> list[lake.StoredFile]:
    """The files of a table with what was pulled of a source's day."""
    wanted = {"source": source, "day": str(day), "file_id": API_FILE_ID}
    return [stored for stored in lake.files(table) if {key: stored.partition[key] for key in wanted} == wanted]
