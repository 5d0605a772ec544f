"""How much of each cluster-hour the monitoring saw, and what one of its samples therefore stands for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from apps.finops.problems import Problem
from apps.ingest.prometheus.queries import HOUR_SECONDS

USUAL_INTERVALS = (1, 2, 5, 10, 15, 20, 30, 60, 90, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600)
BINS = (300, 600, 900, 1200, 1800, 3600)
ASSUMED_INTERVAL = 60
"""For a cluster that was silent all along: only its expected samples depend on it, and none were observed."""

Counts = dict[tuple[str, int], float]
"""(cluster, second at which the hour or bin ends) → samples."""

ReplicaCounts = dict[str, dict[str, dict[int, float]]]
"""Cluster → replica of an HA pair → second at which the bin ends → samples."""


@dataclass(frozen=True)
class CoverageHour:
    """One cluster-hour. `hour` is its first second; a sample's worth is in hours, 0 when nothing was seen.

    State (kube-state-metrics) and usage (kubelets) are two eyes: `observed` and `expected` are those of the weaker
    one, and an hour in which either eye was closed counts as not observed; where there was nothing to see for the
    second, they are those of the first (`is_empty`). `usage_span` is the part of the hour between the first and the
    last sign of the kubelets, over all replicas of an HA pair: what their increases have seen.
    """

    cluster: str
    hour: int
    observed: int
    expected: int
    state_sample_hours: float = 0.0
    usage_sample_hours: float = 0.0
    usage_span: float = 1.0
    is_empty: bool = False

    @property
    def is_observed(self) -> bool:
        return self.observed > 0


def counts_of(table: pa.Table) -> Counts:
    """The samples of a scrape question, by cluster and end of hour or bin."""
    rows = table.select(["cluster", "at", "value"]).to_pydict()
    counts: Counts = defaultdict(float)
    for cluster, at, value in zip(rows["cluster"], rows["at"], rows["value"], strict=True):
        counts[cluster, round(at.timestamp())] += value
    return dict(counts)


def counts_by_replica(table: pa.Table) -> ReplicaCounts:
    """The samples of each bin, by cluster and replica; a server that is no pair is one replica without name."""
    counts: ReplicaCounts = defaultdict(lambda: defaultdict(dict))
    for row in table.to_pylist():
        replica = f"{row['prometheus_replica']}/{row['replica']}"
        counts[row["cluster"]][replica][round(row["at"].timestamp())] = row["value"]
    return counts


def scrape_interval(per_hour: float) -> int:
    """The interval that gives so many scrapes in a whole hour; a few missed ones do not matter."""
    measured = HOUR_SECONDS / max(1.0, per_hour)
    nearest = min(USUAL_INTERVALS, key=lambda usual: abs(usual - measured))
    return nearest if abs(nearest - measured) <= nearest / 10 else max(1, round(measured))


def intervals(rates: Counts, fixed: int | None) -> dict[str, int]:
    """Each cluster's scrape interval, from its best-seen hour, unless the source fixes it."""
    best: dict[str, float] = defaultdict(float)
    for (cluster, _at), count in rates.items():
        best[cluster] = max(best[cluster], count)
    return {cluster: fixed or scrape_interval(count) for cluster, count in best.items()}


def bin_seconds(slowest: int) -> int:
    """The length of a bin: it holds at least two scrapes, so that a late one is not taken for an outage."""
    return next((length for length in BINS if length >= 2 * slowest), HOUR_SECONDS)


@dataclass(frozen=True)
class Scrapes:
    """What was asked about scraping, for one window."""

    state_samples: Counts
    state_seen: Counts
    usage_seen: Counts
    usage_samples: Counts
    usage_bins: ReplicaCounts
    usage_targets: Counts
    usage_alive: Counts
    state_interval: Mapping[str, int]
    usage_interval: Mapping[str, int]
    bin_length: int
    empty: frozenset[tuple[str, int]] = frozenset()
    """(cluster, second at which the hour ends) of hours in which state told that there were no nodes."""

    @property
    def without_kubelets(self) -> list[tuple[str, int]]:
        """Clusters and ends of hours in which state was told, and there was no kubelet to ask."""
        ends = ((cluster, -(-at // HOUR_SECONDS)) for (cluster, at), count in self.usage_targets.items() if count)
        asked = {(cluster, end * HOUR_SECONDS) for cluster, end in ends}
        return [key for key, seen in self.state_seen.items() if seen and key not in asked]


def cover(clusters: Iterable[str], hours: Sequence[int], scrapes: Scrapes) -> list[CoverageHour]:
    """One row for every cluster and hour, seen or not."""
    return [row for cluster in sorted(clusters) for row in _cover_cluster(cluster, hours, scrapes)]


def _cover_cluster(cluster: str, hours: Sequence[int], scrapes: Scrapes) -> list[CoverageHour]:
    targets = _filled(cluster, hours, scrapes.usage_targets, scrapes.bin_length)
    alive = _filled(cluster, hours, scrapes.usage_alive, scrapes.bin_length)
    interval = scrapes.usage_interval.get(cluster, ASSUMED_INTERVAL)
    state_expected = max(1, HOUR_SECONDS // scrapes.state_interval.get(cluster, ASSUMED_INTERVAL))
    rows = []
    for hour in hours:
        end = hour + HOUR_SECONDS
        bins = range(hour + scrapes.bin_length, end + 1, scrapes.bin_length)
        usage_samples = scrapes.usage_samples.get((cluster, end), 0.0)
        usage_expected = max(1, round(sum(targets[at] for at in bins) * scrapes.bin_length / interval))
        alive_hours = sum(alive[at] for at in bins) * scrapes.bin_length / HOUR_SECONDS
        state = min(state_expected, round(scrapes.state_seen.get((cluster, end), 0.0)))
        usage = min(usage_expected, round(scrapes.usage_seen.get((cluster, end), 0.0)))
        samples = scrapes.state_samples.get((cluster, end), 0.0)
        if state and samples and (cluster, end) in scrapes.empty:
            rows.append(CoverageHour(cluster, hour, state, state_expected, 1 / samples, is_empty=True))
            continue
        if not (state and usage and samples):
            rows.append(CoverageHour(cluster, hour, 0, state_expected))
            continue
        weaker = min((state, state_expected), (usage, usage_expected), key=lambda pair: pair[0] / pair[1])
        rows.append(
            CoverageHour(
                cluster,
                hour,
                *weaker,
                state_sample_hours=1 / samples,
                usage_sample_hours=alive_hours / usage_samples,
                usage_span=sum(_span(counts, bins) for counts in scrapes.usage_bins[cluster].values()) or 1.0,
            )
        )
    return rows


def _filled(cluster: str, hours: Sequence[int], counts: Counts, length: int) -> dict[int, float]:
    """Targets in each bin; in a bin without any, those of the bin before, or else of the next one after."""
    ends = [at for hour in hours for at in range(hour + length, hour + HOUR_SECONDS + 1, length)]
    last = next((counts[cluster, at] for at in ends if counts.get((cluster, at))), 0.0)
    filled = {}
    for at in ends:
        last = counts.get((cluster, at)) or last
        filled[at] = last
    return filled


def _span(counts: Mapping[int, float], bins: Sequence[int]) -> float:
    """The part of the hour between the first and the last bin with samples, both included."""
    alive = [index for index, at in enumerate(bins) if counts.get(at)]
    return (alive[-1] - alive[0] + 1) / len(bins) if alive else 0.0


def gaps(rows: Sequence[CoverageHour]) -> list[Problem]:
    """One warning for every cluster with hours that nobody watched."""
    missing: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if not row.is_observed:
            missing[row.cluster].append(row.hour)
    return [
        Problem(
            "warning",
            "hours-not-observed",
            f"cluster {cluster}",
            f"{len(hours)} hours were not observed and have no usage; the first begins {_clock(hours[0])}, "
            f"the last ends {_clock(hours[-1] + HOUR_SECONDS)}.",
        )
        for cluster, hours in missing.items()
    ]


def _clock(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%MZ")


def worth(rows: Sequence[CoverageHour]) -> pa.Table:
    """The observed hours, as a table to join facts with."""
    observed = [row for row in rows if row.is_observed]
    columns: dict[str, Any] = {
        "cluster": pa.array([row.cluster for row in observed], pa.string()),
        "hour": pa.array([row.hour * 1_000_000 for row in observed], pa.int64()).cast(pa.timestamp("us", tz="UTC")),
    }
    for name in ("state_sample_hours", "usage_sample_hours", "usage_span"):
        columns[name] = pa.array([getattr(row, name) for row in observed], pa.float64())
    return pa.table(columns)
