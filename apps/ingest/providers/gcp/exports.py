"""Which files of a Google Cloud export count: batches are only ever added, and a batch delivered again replaces itself.

The billing table in BigQuery is append-only, and files are copies of parts of it. Late rows come in later files.
What a file is a copy of, only its path can tell: a range of days in its name, or a folder `partition_date=2026-10-30`.
"""

import re
from collections.abc import Sequence

from apps.ingest.landing import Found
from apps.ingest.providers.base import Discovery, Listed, Read

_DAY = r"\d{4}-\d\d-\d\d"
# 202610_<etag>_2026-10-30:2026-10-31.csv: an invoice month, what the copy is called, the days of export that it covers.
_RANGE = re.compile(rf"(?P<folder>(?:.*/)?)(?P<month>\d{{6}})_(?P<copy>.+)_(?P<days>{_DAY}[:_]{_DAY})\.[^/]+")
# …/partition_date=2026-10-30/<run>/000000000000.json.gz: each run copies the whole partition.
_PARTITION = re.compile(
    rf"(?P<folder>(?:.*/)?(?:partition_date|export_date|export_time|date|dt|day)={_DAY})/(?P<run>[^/]+)/[^/]+"
)


def discover(found: Sequence[Found], _read: Read) -> Discovery:
    """Every file, but manifests; copies of the same days of export are releases, the last of which counts."""
    return Discovery(tuple(_listed(one) for one in found if not one.path.lower().endswith("manifest.json")))


def _listed(one: Found) -> Listed:
    if match := _RANGE.fullmatch(one.path):
        # The name of a copy does not sort; when it was written does.
        return Listed(one, f"{match['folder']}{match['month']} {match['days']}", f"{one.modified_ns:020d}")
    if match := _PARTITION.fullmatch(one.path):
        return Listed(one, match["folder"], match["run"])
    return Listed(one)
