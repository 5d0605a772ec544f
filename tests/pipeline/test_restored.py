"""After a restore: what the lake holds and the database does not know is taken out, read or pulled again."""

from datetime import UTC, date, datetime

import pytest

from apps.finops.tables import CHARGES, WORKLOAD_HOURS
from apps.ingest.models import MeteredDay, Source
from apps.pipeline import restored
from apps.pipeline.models import StepRun
from apps.warehouse import lake
from tests.allocation.worlds import charge, moved, pod, put, put_usage

NOW = datetime(2026, 11, 20, tzinfo=UTC)
DAYS = date(2026, 10, 1), date(2026, 10, 2)

pytestmark = pytest.mark.usefixtures("home", "db")


@pytest.fixture
def online():
    return Source.objects.create(name="online", kind="prometheus", location="http://prometheus", created_at=NOW)


def pull(source, day):
    return MeteredDay.objects.create(
        source=source, day=day, pulled_at=NOW, observed_samples=1, expected_samples=1, content_sha256="a" * 64
    )


def test_a_day_that_was_pulled_later_is_kept_anew_by_the_next_pull_whatever_it_says(online):
    for day in DAYS:
        pull(online, day)
    hours = pod("web", "1", hours=(0,), source="online", file_id="api")
    put_usage(workload_hours=hours)
    restored.settle(now=NOW)
    told = MeteredDay.objects.order_by("day").values_list("content_sha256", flat=True)
    assert list(told) == ["", "a" * 64]


def test_what_a_source_brought_that_nobody_knows_counts_no_more(online):
    hours = pod("web", "1", hours=(0,), file_id="api")
    put_usage(workload_hours=[row | {"source": name} for row in hours for name in ("online", "lost")])
    put(CHARGES, [charge("1")])
    restored.settle(now=NOW)
    assert [file.partition["source"] for file in lake.files(WORKLOAD_HOURS)] == ["online"]
    assert lake.files(CHARGES) == ()


def test_files_of_sources_are_compared_with_the_lake_again(online):
    for name, kind in (("bill", "focus"), ("usage", "usage_files"), ("idle", "usage_files")):
        Source.objects.create(name=name, kind=kind, location="/nowhere", created_at=NOW)
    put(CHARGES, [charge("1")])
    put_usage(workload_hours=moved(pod("web", "1", hours=(0,)), 1))
    restored.settle(now=NOW)
    assert sorted(StepRun.objects.values_list("key", flat=True)) == ["meter usage", "normalize bill"]
