"""Who may work on what: claims, leases, takeovers, attempts."""

import os
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import psutil
import pytest

from apps.pipeline import identity, leases
from apps.pipeline.models import StepRun
from tests.racing import race

NOW = datetime(2026, 10, 20, 12, 30, tzinfo=UTC)
FAR, LONG_AGO = datetime(2999, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC)
ELSEWHERE = "another-machine/1 4711 100 abc"


def a_run(key: str, state: str = "waiting", **facts) -> StepRun:
    step, _, rest = key.partition(" ")
    source = "" if step in ("allocate", "publish") else rest
    worker = {"worker": ELSEWHERE, "lease_until": FAR, "attempt": 1} if state == "running" else {}
    return StepRun.objects.create(
        **({"step": step, "source": source, "key": key, "state": state, "asked_at": NOW} | worker | facts)
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param({}, None, id="nothing to do"),
        pytest.param({"publish": "waiting", "land a": "waiting"}, "land a", id="earlier steps first"),
        pytest.param({"land a": "running", "normalize a": "waiting"}, None, id="one run at a time of one source"),
        pytest.param({"land a": "running", "normalize b": "waiting"}, "normalize b", id="sources side by side"),
        pytest.param({"land a": "running", "allocate": "waiting"}, None, id="allocation waits for running sources"),
        pytest.param({"land a": "failed", "allocate": "waiting"}, "allocate", id="a failed source stops nobody"),
        pytest.param({"allocate": "running", "land a": "waiting"}, None, id="sources wait for allocation"),
        pytest.param({"allocate": "running", "publish": "waiting"}, None, id="publication waits for allocation"),
        pytest.param({"publish 1": "running", "publish 2": "waiting"}, None, id="publication runs alone"),
        pytest.param({"dream a": "waiting"}, None, id="a newer version's step is left to it"),
        pytest.param({"dream a": "waiting", "allocate": "waiting"}, "allocate", id="and keeps nobody waiting"),
        pytest.param({"dream a": "running", "allocate": "waiting"}, None, id="while it runs allocation waits"),
    ],
)
def test_what_may_start(runs, expected):
    for key, state in runs.items():
        a_run(key, state)
    claimed = leases.claim()
    assert (claimed and claimed.key) == expected
    if claimed:
        assert (claimed.state, claimed.attempt) == ("running", 1)
        assert leases.claim() is None or len(runs) > 2


OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))
NOVEMBER = (date(2026, 11, 1), date(2026, 12, 1))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("running", "waiting", "may_start"),
    [
        pytest.param(("allocate", OCTOBER), ("allocate", NOVEMBER), True, id="other days of allocation side by side"),
        pytest.param(("allocate", NOVEMBER), ("allocate", OCTOBER), True, id="earlier days as well"),
        pytest.param(
            ("allocate", OCTOBER), ("allocate", (date(2026, 10, 31), date(2026, 11, 30))), False, id="but no day twice"
        ),
        pytest.param(("allocate", OCTOBER), ("estimate", NOVEMBER), False, id="no other step meanwhile"),
        pytest.param(("publish", OCTOBER), ("publish", NOVEMBER), False, id="publication alone, whatever its days"),
    ],
)
def test_windows_side_by_side(running, waiting, may_start):
    for (step, (start, end)), state in ((running, "running"), (waiting, "waiting")):
        a_run(f"{step} {start}", state, window_start=start, window_end=end)
    assert (leases.claim() is not None) == may_start


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("queue", "expected"), [("io", "land a"), ("compute", "normalize b"), ("learn", None), ("", "land a")]
)
def test_a_worker_takes_what_its_queue_is_for(queue, expected):
    for key in ("land a", "normalize b", "plan"):
        a_run(key)
    claimed = leases.claim(queue)
    assert (claimed and claimed.key) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lease_until", "worker", "attempt", "expected"),
    [
        pytest.param(FAR, ELSEWHERE, 1, ("running", 1), id="somebody is at work"),
        pytest.param(LONG_AGO, ELSEWHERE, 1, ("running", 2), id="the lease is over: taken over, a second attempt"),
        pytest.param(FAR, "dead", 2, ("running", 3), id="its process died on this machine: no need to wait"),
        pytest.param(LONG_AGO, ELSEWHERE, 3, ("failed", 3), id="three workers died: set aside"),
        pytest.param(FAR, "dead", 3, ("failed", 3), id="three workers died here"),
        pytest.param(FAR, "me", 3, ("running", 3), id="the third attempt may take its time"),
    ],
)
def test_what_is_taken_over(lease_until, worker, attempt, expected):
    worker = {"dead": a_dead_worker, "me": identity.new_worker}.get(worker, lambda: worker)()
    run = a_run("normalize bill", "running", lease_until=lease_until, worker=worker, attempt=attempt)
    leases.claim()
    run.refresh_from_db()
    assert (run.state, run.attempt) == expected
    assert (run.failure == "quarantined") == (run.state == "failed")


def a_dead_worker() -> str:
    code = "from apps.pipeline import identity; print(identity.new_worker())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, False, id="this process"),
        pytest.param({"began": "1"}, True, id="its id was reused"),
        pytest.param({"pid": "999999999"}, True, id="no such process"),
        pytest.param({"boot": "another"}, False, id="another machine of our name, or ours before it was started again"),
        pytest.param({"machine": "x/1", "pid": "999999999"}, False, id="another machine"),
        pytest.param({"boot": "", "began": "176000000000"}, False, id="the name of a version before, which lives"),
        pytest.param({"boot": "", "pid": "999999999"}, False, id="the name of a version before: its lease tells"),
        pytest.param({"pid": "x"}, False, id="a name we do not understand"),
    ],
)
def test_who_is_dead(change, expected):
    names = ("machine", "boot", "pid", "began", "rest")
    worker = dict(zip(names, identity.new_worker().split(" "), strict=True))
    assert worker["pid"] == str(os.getpid())
    assert identity.is_dead(" ".join(filter(None, (worker | change).values()))) is expected


def test_where_starts_are_not_told_nobody_is_surely_dead(monkeypatch):
    monkeypatch.setattr(identity, "_boot", lambda: identity.UNKNOWN)
    assert not identity.is_dead(identity.new_worker().replace(f" {os.getpid()} ", " 999999999 "))


@pytest.mark.django_db
def test_two_machines_of_one_name_take_no_run_from_each_other(monkeypatch):
    run = a_run("land bill")
    for boot in ("aaaaaaaa-0001", "bbbbbbbb-0002", "aaaaaaaa-0001"):
        monkeypatch.setattr(identity, "_boot", lambda boot=boot: boot)
        leases.claim()
    run.refresh_from_db()
    assert (run.attempt, run.worker.split(" ")[1]) == (1, "aaaaaaaa-0001")


@pytest.mark.parametrize("seconds", [-3600, -1, 1, 3600])
def test_a_clock_that_is_set_anew_makes_nobody_dead(monkeypatch, seconds):
    worker = identity.new_worker()
    began = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: began(process) + seconds)  # as libraries tell it
    assert not identity.is_dead(worker)


def test_where_the_kernel_does_not_tell_ticks_the_clock_does(monkeypatch, tmp_path):
    dead = subprocess.Popen(["sleep", "60"])
    monkeypatch.setattr(identity, "_PROCESSES", tmp_path)
    worker = identity.new_worker()
    lived = worker.replace(f" {os.getpid()} ", f" {dead.pid} ")
    dead.kill()
    assert not identity.is_dead(worker)
    assert identity.is_dead(lived), "only its remains are there"
    dead.wait()
    assert identity.is_dead(lived)


def test_the_name_of_the_longest_machine_fits_its_column(monkeypatch):
    monkeypatch.setattr(identity.socket, "gethostname", lambda: "m" * 64)
    identity._machine.cache_clear()
    worker = identity.new_worker()
    identity._machine.cache_clear()
    assert len(worker) + 5 <= StepRun._meta.get_field("worker").max_length


@pytest.mark.django_db
def test_a_run_whose_lease_was_renewed_meanwhile_is_not_taken():
    """Whoever claims may wait for the row of a run whose worker is alive, and was only kept waiting."""
    now = datetime.now(UTC)  # leases go by the clock of the database
    found = StepRun.objects.create(
        step="land", source="bill", key="land bill", asked_at=now, state="running", attempt=1, worker="other/1",
        lease_until=now - timedelta(seconds=1),
    )  # fmt: skip
    StepRun.objects.filter(pk=found.pk).update(lease_until=now + timedelta(seconds=90))
    assert not leases._take(found)
    found.refresh_from_db()
    assert leases._take(found)


@pytest.mark.django_db
def test_a_released_run_waits_again_and_the_attempt_does_not_count():
    a_run("land bill")
    leases.release(leases.claim())
    run = StepRun.objects.get()
    assert (run.state, run.attempt, run.worker, run.lease_until) == ("waiting", 0, "", None)


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_renews_only_what_is_ours(monkeypatch):
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.05)
    a_run("land bill")
    run = leases.claim()
    StepRun.objects.filter(pk=run.pk).update(lease_until=LONG_AGO)
    with leases.Heartbeat(run):
        wait_until(lambda: StepRun.objects.get(pk=run.pk).lease_until > LONG_AGO)
    assert StepRun.objects.get(pk=run.pk).lease_until - run.lease_until < timedelta(seconds=60)
    StepRun.objects.filter(pk=run.pk).update(worker="another", lease_until=LONG_AGO)
    with leases.Heartbeat(run) as _:
        threading.Event().wait(0.3)
    assert StepRun.objects.get(pk=run.pk).lease_until == LONG_AGO


def wait_until(is_true, seconds: float = 20.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if is_true():
            return
        threading.Event().wait(0.02)
    pytest.fail("waited in vain")


@pytest.mark.django_db(transaction=True)
def test_every_run_is_claimed_by_exactly_one_of_many_workers():
    for number in range(24):
        a_run(f"land source-{number:02}")
    claimed: list[str] = []

    def work() -> None:
        while run := leases.claim():
            claimed.append(run.key)

    race(*[work] * 4)
    assert Counter(claimed) == Counter({f"land source-{number:02}": 1 for number in range(24)})
    assert set(StepRun.objects.values_list("attempt", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_allocate_at_the_same_time():
    a_run("allocate 1")
    a_run("allocate 2")
    claimed = race(leases.claim, leases.claim)
    assert sorted(run is not None for run in claimed) == [False, True]
