"""What is due: tables of what the database holds, and the work that follows."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from django.core.cache import cache
from redis.exceptions import RedisError

from apps.finops.windows import Window
from apps.ingest.models import LandedFile, MeteredDay, Source
from apps.pipeline import due, retries, services
from apps.pipeline.due import Ask
from apps.pipeline.models import STALE, FilledDay, StepRun
from apps.pipeline.steps import PLACE, STEPS
from apps.pipeline.work import Work
from apps.teams.models import RuleSet
from tests.servers.process import free_port
from tests.worlds import FOUND

NOW = datetime(2026, 10, 20, 12, 30, tzinfo=UTC)
OCTOBER = Window(date(2026, 10, 1), date(2026, 11, 1))

pytestmark = pytest.mark.django_db


def october(day: int) -> date:
    return date(2026, 10, day)


def a_source(name: str, kind: str, **facts) -> Source:
    return Source.objects.create(name=name, kind=kind, location="/nowhere", created_at=NOW, **facts)


def a_file(source: Source, state: str, revision: int = 1) -> LandedFile:
    return LandedFile.objects.create(
        source=source, path=f"{state}.csv", revision=revision, sha256="0" * 64, size=1, modified_ns=1, state=state,
        delivery=1, landed_at=NOW,
    )  # fmt: skip


def a_pull(source: Source, day: int, *, pulled_at: datetime, observed: int = 60, content: str = "a") -> MeteredDay:
    return MeteredDay.objects.create(
        source=source, day=october(day), pulled_at=pulled_at, observed_samples=observed, expected_samples=60,
        content_sha256=content * 64,
    )  # fmt: skip


def keys(step: str, ask: Ask) -> list[str]:
    return [work.key for work in getattr(due, step)(ask)]


def test_every_step_comes_after_those_it_builds_on():
    assert [step.name for step in STEPS] == [
        "land", "normalize", "meter", "allocate", "estimate", "publish", *FOUND,
    ]  # fmt: skip
    assert all(PLACE[earlier] < PLACE[step.name] for step in STEPS for earlier in step.after)


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        pytest.param(Ask(NOW), ["land bill", "land hours"], id="every active source of files"),
        pytest.param(Ask(NOW, sources=frozenset({"hours"})), ["land hours"], id="only the source asked for"),
        pytest.param(Ask(NOW, sources=frozenset({"monitoring"})), [], id="an API has nothing to land"),
        pytest.param(Ask(NOW, sources=frozenset({"paused"})), [], id="a paused source rests"),
    ],
)
def test_what_is_landed(ask, expected):
    a_source("bill", "focus")
    a_source("hours", "usage_files")
    a_source("monitoring", "prometheus")
    a_source("paused", "focus", is_active=False)
    assert keys("land", ask) == expected


@pytest.mark.parametrize(
    ("states", "ask", "expected"),
    [
        pytest.param([], Ask(NOW), [], id="nothing landed"),
        pytest.param(["current", "superseded", "duplicate", "refused"], Ask(NOW), [], id="everything was read"),
        pytest.param(["landed", "current"], Ask(NOW), ["read"], id="a file was landed and not read"),
        pytest.param(["landed"], Ask(NOW, sources=frozenset({"other"})), [], id="of another source than asked for"),
        pytest.param(["current"], Ask(NOW, forced=frozenset({"normalize", "meter"})), ["read"], id="asked for by name"),
    ],
)
@pytest.mark.parametrize(("kind", "step"), [("focus", "normalize"), ("usage_files", "meter")])
def test_what_is_read(kind, step, states, ask, expected):
    source = a_source("files", kind)
    for state in states:
        a_file(source, state)
    assert keys(step, ask) == [f"{step} files" for _ in expected]


def test_reading_is_new_work_when_other_files_wait():
    source = a_source("bill", "focus")
    first = a_file(source, "landed")
    before = [work.fingerprint for work in due.normalize(Ask(NOW))]
    first.delete()
    a_file(source, "landed", revision=2)
    assert [work.fingerprint for work in due.normalize(Ask(NOW))] != before


HOUR = timedelta(hours=1)
END = datetime(2026, 10, 19, tzinfo=UTC)
"""The end of 18 October; today is the 20th."""


@pytest.mark.parametrize(
    ("pulls", "expected"),
    [
        pytest.param({}, "18..21", id="never pulled: all days up to today"),
        pytest.param({18: (END + HOUR, 60), 19: (NOW, 60), 20: (NOW, 30)}, "20..21", id="today is pulled again"),
        pytest.param(
            {18: (END - HOUR, 60), 19: (NOW, 60), 20: (NOW, 60)}, "18..19 20..21", id="pulled before it was over"
        ),
        pytest.param({18: (END + HOUR, 59), 19: (NOW, 60)}, "18..19 20..21", id="gaps may still be filled"),
        pytest.param({18: (END + HOUR, 60), 20: (NOW, 60)}, "19..21", id="a day in the middle is missing"),
        pytest.param(
            {18: (NOW + 200 * HOUR, 60), 19: (NOW, 60)}, "18..19 20..21", id="pulled by a clock that was ahead"
        ),
    ],
)
def test_which_days_are_pulled(pulls, expected):
    source = a_source("monitoring", "prometheus", options={"since": "2026-10-18"})
    for day, (pulled_at, observed) in pulls.items():
        a_pull(source, day, pulled_at=pulled_at, observed=observed)
    windows = [str(work.window).replace("2026-10-", "") for work in due.meter(Ask(NOW))]
    assert " ".join(windows) == expected


@pytest.mark.parametrize(
    ("observed", "expected"), [pytest.param(59, 60, id="a gap"), pytest.param(0, 0, id="nothing is known of it")]
)
@pytest.mark.parametrize(("hours", "is_pulled"), [(1, True), (71, True), (73, False)])
def test_gaps_that_stay_are_left_after_three_days(observed, expected, hours, is_pulled):
    pull = a_pull(
        a_source("monitoring", "prometheus", options={"since": "2026-10-18"}), 18, pulled_at=END + hours * HOUR
    )
    MeteredDay.objects.filter(pk=pull.pk).update(observed_samples=observed, expected_samples=expected)
    windows = [work.window for work in due.meter(Ask(END + 98 * HOUR)) if work.window]
    assert any(october(18) in window.days() for window in windows) is is_pulled


def test_usage_is_pulled_from_a_week_back_when_nothing_is_billed():
    a_source("monitoring", "prometheus")
    assert keys("meter", Ask(NOW)) == [
        "meter monitoring 2026-10-13..2026-10-20",
        "meter monitoring 2026-10-20..2026-10-21",
    ]


def test_usage_is_pulled_from_the_first_known_day():
    a_pull(a_source("other", "usage_files"), 19, pulled_at=NOW)
    a_source("monitoring", "prometheus")
    assert keys("meter", Ask(NOW)) == ["meter monitoring 2026-10-19..2026-10-21"]


def test_a_day_is_pulled_when_its_first_hour_is_over(settings):
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
    a_source("monitoring", "prometheus", options={"since": "2026-10-19"})
    before, after = datetime(2026, 10, 19, 16, 59, tzinfo=UTC), datetime(2026, 10, 19, 17, tzinfo=UTC)
    assert keys("meter", Ask(before)) == ["meter monitoring 2026-10-19..2026-10-20"]
    assert keys("meter", Ask(after)) == ["meter monitoring 2026-10-19..2026-10-21"]


def test_days_asked_for_are_pulled_again():
    source = a_source("monitoring", "prometheus")
    for day in (1, 2, 3):
        a_pull(source, day, pulled_at=NOW)
    ask = Ask(NOW, window=Window(october(1), october(3)), forced=frozenset({"meter"}))
    assert keys("meter", ask) == ["meter monitoring 2026-10-01..2026-10-03"]


@pytest.mark.parametrize("inputs", ["usage", "rules", "method", "disappeared"])
def test_a_day_is_allocated_again_when_its_inputs_change(inputs, monkeypatch):
    source = a_source("monitoring", "prometheus")
    pulls = [a_pull(source, day, pulled_at=NOW) for day in (1, 2, 9)]
    assert keys("allocate", Ask(NOW)) == ["allocate 2026-10-01..2026-10-03", "allocate 2026-10-09..2026-10-10"]
    for day, fingerprint in due.inputs_of_allocation().items():
        FilledDay.objects.create(step="allocate", day=day, fingerprint=fingerprint)
    assert keys("allocate", Ask(NOW)) == []
    change = {
        "usage": lambda: MeteredDay.objects.filter(pk=pulls[0].pk).update(content_sha256="b" * 64),
        "rules": lambda: RuleSet.objects.create(number=1, sha256="c", document={}, imported_at=NOW),
        "method": lambda: monkeypatch.setattr(due, "METHOD_VERSION", "of tomorrow"),
        "disappeared": pulls[0].delete,
    }
    expected = {
        "usage": ["allocate 2026-10-01..2026-10-02"],
        "rules": ["allocate 2026-10-01..2026-10-03", "allocate 2026-10-09..2026-10-10"],
        "method": ["allocate 2026-10-01..2026-10-03", "allocate 2026-10-09..2026-10-10"],
        "disappeared": ["allocate 2026-10-01..2026-10-02"],
    }
    change[inputs]()
    assert keys("allocate", Ask(NOW)) == expected[inputs]


def test_a_long_history_is_allocated_in_windows_of_a_month():
    source = a_source("monitoring", "prometheus")
    MeteredDay.objects.bulk_create(
        MeteredDay(
            source=source, day=OCTOBER.start + timedelta(days=n), pulled_at=NOW, observed_samples=1, expected_samples=1,
            content_sha256="a",
        )
        for n in range(70)
    )  # fmt: skip
    assert keys("allocate", Ask(NOW)) == [
        "allocate 2026-10-01..2026-11-01", "allocate 2026-11-01..2026-12-02", "allocate 2026-12-02..2026-12-10",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("allocated", "published", "expected"),
    [
        pytest.param({}, {}, [], id="nothing was allocated"),
        pytest.param({1: "a", 9: "a"}, {1: "a", 9: "a"}, [], id="everything is published"),
        pytest.param(
            {1: "a", 2: "b", 9: "b"}, {1: "a", 2: "a"}, ["publish 2026-10-02..2026-10-10"], id="one window for all"
        ),
        pytest.param({1: "a"}, {1: "a", 2: "a"}, ["publish 2026-10-02..2026-10-03"], id="a day that disappeared"),
        pytest.param({1: STALE, 2: "b"}, {1: "a", 2: "a"}, [], id="nothing while a restored day is not filled anew"),
    ],
)
def test_what_is_published(allocated, published, expected):
    for step, days in (("allocate", allocated), ("publish", published)):
        for day, fingerprint in days.items():
            FilledDay.objects.create(step=step, day=october(day), fingerprint=fingerprint)
    assert keys("publish", Ask(NOW)) == expected


def test_days_asked_for_are_done_even_when_they_are_not_due():
    for step in ("allocate", "publish"):
        for day in (1, 2, 3):
            FilledDay.objects.create(step=step, day=october(day), fingerprint="a")
    ask = Ask(NOW, window=Window(october(2), october(9)), forced=frozenset({"publish"}))
    assert keys("publish", ask) == ["publish 2026-10-02..2026-10-04"]


@pytest.mark.parametrize(
    ("failure", "minutes", "fingerprint", "by_clock", "is_time", "expected"),
    [
        pytest.param("", 1, "a", True, False, False, id="its time has not come"),
        pytest.param("", 1, "a", True, True, True, id="its time has come"),
        pytest.param("", 1, "b", False, False, True, id="new inputs do not wait for the clock"),
        pytest.param("unavailable", 1, "a", True, False, True, id="a source that was away is asked at the next tick"),
        pytest.param("refused", 1, "a", False, True, False, id="a mistake is not repeated at once"),
        pytest.param("refused", 1, "b", False, True, True, id="new inputs may mend it"),
        pytest.param("refused", 75, "a", False, True, True, id="it is tried again after a while"),
        pytest.param("quarantined", 61, "a", False, True, False, id="what kills workers rests for a day"),
        pytest.param("quarantined", 1800, "a", False, True, True, id="and is tried again then"),
        pytest.param("unavailable", -0.1, "a", True, True, False, id="who failed meanwhile is not asked again at once"),
    ],
)
def test_when_the_clock_tries(failure, minutes, fingerprint, by_clock, is_time, expected):
    StepRun.objects.create(
        step="normalize", key="normalize bill", fingerprint="a", asked_at=NOW,
        finished_at=NOW - timedelta(minutes=minutes),
        state="failed" if failure else "done", failure=failure,
    )  # fmt: skip
    work = Work("normalize", "bill", fingerprint=fingerprint, by_clock=by_clock)
    assert retries.may_try(work, NOW, is_time=is_time) is expected


def test_a_cache_that_is_away_is_asked_at_the_next_tick(settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{free_port()}/0",
        }
    }
    with pytest.raises(RedisError) as away:
        cache.get("anything")
    assert retries.kind_of(away.value) == "unavailable"


def is_looked_at(source: Source) -> bool:
    """Whether a tick between two times of the clock looks at it, and finds no more to look at afterwards."""
    services.tick(now=NOW + timedelta(minutes=1))
    waiting = StepRun.objects.filter(source=source.name, state="waiting")
    return waiting.update(state="done", finished_at=NOW) > 0


@pytest.mark.parametrize("kind", ["focus", "usage_files", "prometheus"])
def test_a_source_is_looked_at_as_soon_as_it_is_there(kind):
    services.tick(now=NOW)
    source = a_source("new", kind)
    assert [is_looked_at(source), is_looked_at(source)] == [True, False]


@pytest.mark.parametrize("facts", [{"location": "/there"}, {"options": {"files": "parts"}}, {"secrets": "sealed"}])
def test_a_source_that_says_something_else_is_looked_at_again(facts):
    services.tick(now=NOW)
    source = a_source("bill", "focus")
    assert is_looked_at(source)
    Source.objects.filter(pk=source.pk).update(**facts)
    assert [is_looked_at(source), is_looked_at(source)] == [True, False]


def test_whoever_brings_files_has_them_looked_at_once():
    services.tick(now=NOW)
    source = a_source("bill", "focus")
    services.ask_to_land("bill", now=NOW)
    assert [is_looked_at(source), is_looked_at(source)] == [True, False]


def test_what_failed_together_does_not_come_together():
    names = [f"source {number}" for number in range(40)]
    for name in names:
        StepRun.objects.create(
            step="land", key=f"land {name}", asked_at=NOW, finished_at=NOW, state="failed", failure="refused"
        )

    def tried(minutes: int) -> set[str]:
        later = NOW + timedelta(minutes=minutes)
        return {name for name in names if retries.may_try(Work("land", name), later, is_time=False)}

    assert (tried(59), tried(75)) == (set(), set(names))
    steps = [tried(minutes) for minutes in range(60, 76)]
    assert all(earlier <= later for earlier, later in pairwise(steps)), "who may try, still may"
    assert max(len(later - earlier) for earlier, later in pairwise(steps)) < 20
