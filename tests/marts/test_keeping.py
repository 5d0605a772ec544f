"""Old publications are let go, and their files after them; what stays is read as before, to the last decimal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.core.management import call_command

from apps.books.changes import previous
from apps.books.models import Close
from apps.explorer.models import SavedView
from apps.finops.tables import ALLOCATED, CHARGES, COST_MART
from apps.ingest.models import Source
from apps.marts import keeping
from apps.marts.models import Publication
from apps.marts.selectors import LetGo, publication, publications
from apps.marts.services import publish
from apps.pipeline.models import StepRun
from apps.warehouse import lake, reclaiming
from apps.warehouse.orphans import GRACE
from tests.marts.test_publish import bill, cost, fill

NOW = datetime.now(UTC)
LONG_AGO = (NOW - timedelta(days=300)).replace(day=11)
"""In a month with days before and after it."""

pytestmark = pytest.mark.usefixtures("home", "db")


@pytest.fixture(autouse=True)
def _keeping(settings) -> Iterator[None]:
    settings.COSTOPS_KEEP_DAYS = settings.COSTOPS_KEEP_ALL_DAYS = 100
    cache.clear()
    yield
    cache.clear()


def publish_on(*days: int | None) -> list[int]:
    """Publications so many days after long ago, or (None) of today, of a charge that is another each time; their
    numbers."""
    numbers = []
    for at, day in enumerate(days):
        fill(bill((0, f"{at + 1}.{at + 1:03d}")))
        now = NOW if day is None else LONG_AGO + timedelta(days=day)
        numbers.append(publish(None, now=now).versions["publication"])
    return numbers


def close(number: int) -> None:
    """A month that is closed by this publication."""
    Close.objects.create(number=1, month="2026-01", publication_id=number, closed_at=NOW, sha256="0" * 64)


def lying() -> set[str]:
    """Every Parquet file there is of the tables that publications pin."""
    tables = (CHARGES, ALLOCATED, COST_MART)
    return {f"{table.name}/{path.name}" for table in tables for path in lake.location(table).rglob("*.parquet")}


def needed(*numbers: int) -> set[str]:
    """The files of these publications."""
    return {
        f"{table.name}/{file.path.rpartition('/')[2]}"
        for pinned in Publication.objects.filter(number__in=numbers)
        for table in (CHARGES, ALLOCATED, COST_MART)
        for file in lake.files(table, at=pinned.versions[table.name])
    }


def tidy_for_days(days: int = 4) -> None:
    """Every night, from the day after tomorrow on: files are as old as this test, the grace period begins with them."""
    for night in range(days):
        keeping.tidy(NOW + GRACE + timedelta(days=1 + night))


def readable() -> list[int]:
    return sorted(one.number for one in publications(None))


def test_what_is_old_is_let_go_but_for_the_last_of_a_month():
    first, middle, end, newest = publish_on(0, 3, 5, None)
    before = {number: cost("team", as_of=number) for number in (end, newest)}
    told = keeping.tidy(NOW)
    assert (told.staying, told.let_go, told.reclaimed.files) == (2, 2, 0), "its files lie there for the grace period"
    assert readable() == [end, newest]
    assert lying() == needed(first, middle, end, newest)
    tidy_for_days()
    assert lying() == needed(end, newest) < needed(first, middle, end, newest)
    cache.clear()
    assert {number: cost("team", as_of=number) for number in before} == before
    with pytest.raises(LetGo, match=f"Publication {first} of .* The next one that can be read is {end}"):
        publication(first)


def test_everything_stays_where_nothing_is_to_go(settings):
    settings.COSTOPS_KEEP_DAYS = 0
    numbers = publish_on(-600, 0, 1, None)
    there = lying()
    tidy_for_days()
    assert readable() == numbers
    assert lying() == there == needed(*numbers)


def test_of_days_before_the_newest_the_last_publication_stays(settings):
    settings.COSTOPS_KEEP_DAYS, settings.COSTOPS_KEEP_ALL_DAYS = 400, 50
    days, hours = (1, 49, 51, 51, 52), (0, 0, 1, 0, 0)  # noon of days ago; an hour before and noon of the 51st
    noon = NOW.astimezone(ZoneInfo(settings.COSTOPS_TIME_ZONE)).replace(hour=12)
    moments = sorted(noon - timedelta(days=day, hours=hour) for day, hour in zip(days, hours, strict=True))
    numbers = []
    for at, moment in enumerate(moments):
        fill(bill((0, f"{at + 1}.{at + 1:03d}")))
        numbers.append(publish(None, now=moment).versions["publication"])
    assert keeping.tidy(NOW).let_go == 1
    kept = [number for at, number in enumerate(numbers) if at != 1]
    assert readable() == kept, "the first of two of one day went"
    assert previous(kept[1]) == (kept[0], kept[1]), "what changed is asked between two that are kept"


def test_what_something_rests_on_stays(django_user_model):
    closed, viewed, source_at, _last, newest = publish_on(0, 1, 2, 3, None)
    close(closed)
    SavedView.objects.create(
        name="then", owner=django_user_model.objects.create(username="lin"), changed_at=NOW,
        query=f"publication={viewed}&group_by=team",
    )  # fmt: skip
    kept_version = Publication.objects.get(number=source_at).versions[CHARGES.name]
    Source.objects.create(name="late", created_at=NOW, charges_version=kept_version)
    keeping.tidy(NOW)
    tidy_for_days()
    assert {closed, viewed, newest} <= set(readable())
    assert needed(closed, viewed, newest) <= lying()
    of_the_source = {f"charges/{file.path.rpartition('/')[2]}" for file in lake.files(CHARGES, at=kept_version)}
    assert of_the_source <= lying()
    assert not needed(source_at) <= lying(), "of other tables its files went"


def test_what_is_wanted_again_by_the_night_its_files_would_go_comes_back():
    wanted, given_up, _last, newest = publish_on(0, 1, 2, None)
    keeping.tidy(NOW)
    assert not {wanted, given_up} & set(readable())
    close(wanted)
    keeping.tidy(NOW + GRACE + timedelta(days=3))  # beat was away for two nights
    assert {wanted, newest} <= set(readable())
    tidy_for_days()
    assert needed(wanted, newest) <= lying()
    close_of_what_is_gone = Close(number=2, month="2026-02", publication_id=given_up, closed_at=NOW, sha256="0" * 64)
    close_of_what_is_gone.save()
    tidy_for_days()
    assert given_up not in readable(), "its files went"


def test_what_is_gone_stays_gone_whatever_the_clock_says():
    gone, _last, newest = publish_on(0, 1, None)
    keeping.tidy(NOW)
    tidy_for_days()
    keeping.tidy(LONG_AGO)
    assert gone not in readable()
    assert newest in readable()


def test_where_the_zone_is_another_one_nothing_that_is_gone_stands_for_a_day(settings):
    """Of two publications the first is the last of its day in Shanghai, and not in Greenwich."""
    settings.COSTOPS_KEEP_DAYS, settings.COSTOPS_KEEP_ALL_DAYS = 400, 35
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
    day = (NOW - timedelta(days=60)).replace(hour=0, minute=0, second=0, microsecond=0)
    numbers = []
    for at, moment in enumerate((day.replace(hour=15), day.replace(hour=20), day + timedelta(hours=39), NOW)):
        fill(bill((0, f"{at + 1}.{at + 1:03d}")))
        numbers.append(publish(None, now=moment).versions["publication"])
    keeping.tidy(NOW)
    tidy_for_days()
    kept = readable()
    assert kept == [numbers[0], numbers[2], numbers[3]]
    settings.COSTOPS_TIME_ZONE = "UTC"
    tidy_for_days()
    assert readable() == kept


def test_versions_that_nobody_published_go_and_newer_ones_stay():
    (newest,) = publish_on(None)
    fill(bill((0, "5"), (1, "6")))
    fill(bill((0, "7"), (1, "8")))  # about to be published
    there = lying()
    tidy_for_days()
    assert lying() == there
    second = publish(None, now=NOW).versions["publication"]
    tidy_for_days()
    assert lying() == needed(newest, second) < there | needed(second)


def test_a_log_with_a_gap_is_left_alone():
    publish_on(0, 1, None)
    keeping.tidy(NOW)
    there = lying()
    (lake.location(CHARGES) / "_delta_log" / f"{1:020d}.json").unlink()
    tidy_for_days()
    assert {path for path in lying() if path.startswith("charges/")} == {
        path for path in there if path.startswith("charges/")
    }
    assert lying() < there, "other tables are tidied"


def test_without_a_publication_nothing_is_touched():
    fill(bill((0, "5")))
    fill(bill((0, "7")))
    there = lying()
    assert reclaiming.reclaim({}, NOW + timedelta(days=99)).files == 0
    tidy_for_days()
    assert lying() == there


def test_a_dry_run_changes_nothing(capsys):
    numbers = publish_on(0, 1, None)
    there = lying()
    call_command("tidy", "--dry-run", "--format", "csv")
    assert "publications let go,1" in capsys.readouterr().out
    assert readable() == numbers
    call_command("tidy", "--format", "csv")
    call_command("tidy", "--format", "csv")
    assert "publications let go,0" in capsys.readouterr().out.splitlines()[-8]
    assert lying() == there
    assert readable() == numbers[1:]


def test_old_runs_go_but_for_the_newest_of_each_step(capsys):
    for at, (step, state, age) in enumerate([
        ("land", "done", 500), ("land", "done", 400), ("read", "failed", 500), ("read", "done", 101),
        ("allocate", "done", 300), ("publish", "waiting", 300), ("publish", "done", 99),
    ]):  # fmt: skip
        ended = None if state == "waiting" else NOW - timedelta(days=age)
        StepRun.objects.create(step=step, key=f"{step} {at}", state=state, asked_at=NOW, finished_at=ended)
    call_command("tidy", "--format", "csv")
    assert "runs forgotten,2" in capsys.readouterr().out
    assert list(StepRun.objects.order_by("pk").values_list("key", flat=True)) == [
        "land 1", "read 3", "allocate 4", "publish 5", "publish 6",
    ]  # fmt: skip
