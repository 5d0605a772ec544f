"""The installation in numbers that Prometheus scrapes: requests, runs, freshness, messages, alerts, disk."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.conf import settings
from django.db.models import Count, Min
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from apps.alerts.models import Alert
from apps.channels.models import Message
from apps.ingest.selectors import SourceState, source_states
from apps.marts.models import Publication
from apps.monitoring import requests
from apps.monitoring.readiness import free_bytes, newest_checks
from apps.monitoring.selectors import StepTime, step_times
from apps.pipeline import failing
from apps.pipeline.models import Clock, StepRun
from apps.pipeline.steps import NAMES, QUEUE_OF

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where several web processes keep their counts, so that each of them answers for all (costops/gunicorn.py)."""
Rows = Iterable[tuple[tuple[str, ...], float]]


def exposition() -> bytes:
    """Everything, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Installation())
    if os.environ.get(SHARED_FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(registry) + generate_latest(REGISTRY.restricted_registry(requests.NAMES))


class _Installation(Collector):
    """What the database knows, asked anew for every scrape."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in GAUGES:
            family = GaugeMetricFamily(f"costops_{gauge.name}", gauge.told, labels=gauge.labels)
            for values, number in gauge.rows():
                family.add_metric(values, number)
            yield family


@dataclass(frozen=True)
class Gauge:
    """A number by some labels; what is unknown is no row, never zero, and zero only where nothing is known to be."""

    name: str
    told: str
    rows: Callable[[], Rows]
    labels: tuple[str, ...] = ()


def _newest() -> Publication | None:
    return Publication.objects.order_by("-number").first()


def _published(read: Callable[[Publication], float | None]) -> Callable[[], Rows]:
    def rows() -> Rows:
        newest = _newest()
        number = read(newest) if newest else None
        return [] if number is None else [((), number)]

    return rows


def _midnight(day: date | None) -> float | None:
    return datetime.combine(day, time(), UTC).timestamp() if day else None


def _runs() -> Rows:
    """Runs by step and state. That nothing waits is told too: what scales workers down must be able to see it."""
    kept = StepRun.objects.values_list("step", "state").annotate(runs=Count("pk")).order_by()
    counted = {(name, StepRun.State.WAITING.value): 0 for name in NAMES}
    counted |= {(step, state): runs for step, state, runs in kept}
    return [((step, state, QUEUE_OF.get(step, "")), runs) for (step, state), runs in counted.items()]


def _set_aside() -> Rows:
    aside = failing.set_aside()
    return [((step,), aside[step]) for step in sorted({*NAMES, *aside})]


def _last_runs(read: Callable[[StepTime], float]) -> Callable[[], Rows]:
    """Of the newest run of every step that was done."""
    return lambda: [((time.step,), read(time)) for time in step_times()]


def _looked_at() -> Rows:
    looked = Clock.objects.filter(looked_at__isnull=False).values_list("looked_at", flat=True)
    return [((), moment.timestamp()) for moment in looked if moment]


def _source_days() -> Rows:
    days = [(state.source.name, _midnight(state.last_day)) for state in _looked_at_sources()]
    return [((name,), moment) for name, moment in days if moment is not None]


def _source_problems() -> Rows:
    return [((state.source.name,), state.has_failed) for state in _looked_at_sources()]


def _looked_at_sources() -> list[SourceState]:
    """Nothing is waited for from those that are retired, and nothing of them must be mended."""
    return [state for state in source_states() if state.source.is_active]


def _messages() -> Rows:
    return [((state,), n) for state, n in Message.objects.values_list("state").annotate(n=Count("pk")).order_by()]


def _oldest_message() -> Rows:
    oldest = Message.objects.filter(state=Message.State.WAITING).aggregate(at=Min("not_before"))["at"]
    return [((), oldest.timestamp())] if oldest else []


def _alerts() -> Rows:
    unresolved = Alert.objects.exclude(state=Alert.State.RESOLVED)
    counted = unresolved.values_list("severity", "state").annotate(n=Count("pk")).order_by()
    return [((severity, state), n) for severity, state, n in counted]


def _checks() -> Rows:
    return [((check.name,), check.is_ok) for check in newest_checks()]


GAUGES = (
    Gauge("publication_number", "The newest publication.", _published(lambda one: one.number)),
    Gauge("published_timestamp_seconds", "When it was published.", _published(lambda one: one.created_at.timestamp())),
    Gauge(
        "published_end_timestamp_seconds",
        "The day after the last one with cost in it that has come, at midnight UTC.",
        _published(lambda one: _midnight(one.came_until)),
    ),
    Gauge(
        "coverage_ratio",
        "Observed over expected samples of usage in it.",
        _published(lambda one: one.observed_samples / one.expected_samples if one.expected_samples else None),
    ),
    Gauge("runs", "Runs of steps that are kept.", _runs, ("step", "state", "queue")),
    Gauge("runs_set_aside", "Pieces of work that are set aside: workers died of them.", _set_aside, ("step",)),
    Gauge(
        "last_run_seconds",
        "How long the newest run of a step took that was done.",
        _last_runs(lambda time: time.took.total_seconds()),
        ("step",),
    ),
    Gauge(
        "last_run_timestamp_seconds", "When it ended.", _last_runs(lambda time: time.ended_at.timestamp()), ("step",)
    ),
    Gauge("looked_at_timestamp_seconds", "When the clock last looked at sources.", _looked_at),
    Gauge(
        "fill_every_seconds",
        "How often it is to look at them.",
        lambda: [((), settings.COSTOPS_FILL_EVERY_MINUTES * 60)],
    ),
    Gauge("source_last_day_timestamp_seconds", "The newest day a source brought.", _source_days, ("source",)),
    Gauge("source_failed", "1 where something of a source must be mended.", _source_problems, ("source",)),
    Gauge("messages", "Messages of the outbox.", _messages, ("state",)),
    Gauge("oldest_waiting_message_timestamp_seconds", "Since when the oldest message is due.", _oldest_message),
    Gauge("alerts", "Alerts that are not resolved.", _alerts, ("severity", "state")),
    Gauge("disk_free_bytes", "What is left on the disk of the home folder.", lambda: [((), free_bytes())]),
    Gauge("check_ok", "1 where what /readyz looks at is as it must be.", _checks, ("check",)),
)
