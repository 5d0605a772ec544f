"""From a Prometheus-compatible server to the usage tables of whole hours."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from apps.finops.problems import Problem
from apps.finops.tables import USAGE
from apps.ingest.prometheus import capacity, coverage, empty_queries, gpus, network, peaks, pods, volumes
from apps.ingest.prometheus.answers import to_table
from apps.ingest.prometheus.client import PrometheusClient
from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.prometheus.coverage import CoverageHour, Scrapes
from apps.ingest.prometheus.doubts import doubts
from apps.ingest.prometheus.queries import FACTS, FALLBACKS, HOUR_SECONDS, QUESTIONS, RATES, SCRAPES, written
from apps.ingest.prometheus.question import Question
from apps.warehouse.engine import registered
from apps.warehouse.wording import query_of

CHUNK_HOURS = 24
"""A longer window is metered day by day: memory stays that of one day."""

WEEK_SECONDS = 7 * 24 * HOUR_SECONDS

Tables = dict[str, pa.Table]


def meter_day(config: PrometheusConfig, start: datetime, end: datetime) -> tuple[Tables, list[Problem]]:
    """The usage tables for the whole UTC hours that begin in `start` <= hour < `end`, and what was wrong.

    Keys, columns and types are those of `apps.finops.tables.USAGE`. An hour that was not observed has a coverage row
    with 0 observed samples and no usage.
    """
    if start.tzinfo is None or end.tzinfo is None or start >= end:
        raise ValueError(f"a window of two instants with their time zone: {start} .. {end}")
    first = -(-int(start.timestamp()) // HOUR_SECONDS)
    last = -(-int(end.timestamp()) // HOUR_SECONDS)
    every = [hour * HOUR_SECONDS for hour in range(first, last)]
    chunks, problems = [], []
    with PrometheusClient(config) as client:
        for position in range(0, len(every), CHUNK_HOURS):
            tables, found = _meter_hours(client, every[position : position + CHUNK_HOURS])
            chunks.append(tables)
            problems += found
        problems += client.warnings
    return {name: pa.concat_tables([chunk[name] for chunk in chunks] or [_shaped(name)]) for name in USAGE}, problems


def _meter_hours(client: PrometheusClient, hours: Sequence[int]) -> tuple[Tables, list[Problem]]:
    rates = _ask(client, RATES, hours)
    scrapes = _scrapes(client, rates, hours)
    scrapes = replace(scrapes, empty=_empty(client, scrapes, hours))
    silent = client.config.cluster if not rates["known"].num_rows else ""
    clusters = {cluster for cluster, _at in coverage.counts_of(rates["known"])} | {
        cluster for cluster, _at in scrapes.state_seen
    }
    rows = coverage.cover(clusters | ({silent} - {""}), hours, scrapes)
    problems = coverage.gaps(rows)
    if not any(row.is_observed for row in rows):
        return _tables(rows, {}), problems or [_nothing(client.config)]
    answers = _ask(client, [question for question in FACTS if question not in SCRAPES], hours, scrapes.bin_length)
    tables = _tables(rows, answers)
    is_all_empty = all(row.is_empty for row in rows if row.is_observed)
    return tables, [*problems, *_unnamed(answers), *([] if is_all_empty else doubts(answers, tables))]


def _ask(
    client: PrometheusClient, questions: Iterable[Question], hours: Sequence[int], bin_length: int = 300
) -> Tables:
    """Ask several questions at once; the answers by fact."""

    def ask(question: Question) -> pa.Table:
        sent = written(question, client.config, bin_length)
        return _named(to_table(_series(client, sent, hours, bin_length), sent), client.config)

    several = list(questions)
    with ThreadPoolExecutor(client.config.concurrency) as threads:
        return dict(zip((question.fact for question in several), threads.map(ask, several), strict=True))


def _series(client: PrometheusClient, sent: Question, hours: Sequence[int], bin_length: int) -> list[dict[str, Any]]:
    first, end = hours[0], hours[-1] + HOUR_SECONDS
    if sent.fact == "known":
        return client.over(sent.promql, start=end - WEEK_SECONDS, end=end)
    if sent.grain == "window":
        return client.over(sent.promql, start=first, end=end)
    step = HOUR_SECONDS if sent.grain == "hour" else bin_length
    return client.range(sent.promql, start=first + step, end=end, step=step)


def _named(table: pa.Table, config: PrometheusConfig) -> pa.Table:
    """Series without a cluster's label belong to the source's own cluster."""
    position = table.schema.get_field_index("cluster")
    names = table["cluster"]
    return table.set_column(position, "cluster", pc.if_else(pc.equal(names, ""), config.cluster, names))


def _scrapes(client: PrometheusClient, rates: Tables, hours: Sequence[int]) -> Scrapes:
    """How the clusters were scraped; where `up` was not kept, as told by the best-seen series."""
    fixed = client.config.scrape_seconds
    state = coverage.intervals(coverage.counts_of(rates["state_rate"]), fixed)
    usage = coverage.intervals(coverage.counts_of(rates["usage_rate"]), fixed)
    length = coverage.bin_seconds(max([*state.values(), *usage.values(), 1]))
    answers = _ask(client, SCRAPES, hours, length)
    bins = coverage.counts_by_replica(answers.pop("usage_bins"))
    seen: dict[str, Any] = {fact: coverage.counts_of(table) for fact, table in answers.items()}
    if not state or set(state) != set(usage):
        other = _ask(client, FALLBACKS, hours, length)
        nodes = _only(coverage.counts_of(other["node_scrapes"]), without=state)
        memory = _only(coverage.counts_of(other["memory_scrapes"]), without=usage)
        untold = coverage.counts_by_replica(other["memory_bins"])
        bins |= {cluster: counts for cluster, counts in untold.items() if cluster not in usage}
        one_each = _only(dict.fromkeys(coverage.counts_of(other["memory_bins"]), 1.0), without=usage)
        state |= coverage.intervals(nodes, fixed)
        usage |= coverage.intervals(memory, fixed)
        told = {"state_samples": nodes, "state_seen": nodes, "usage_samples": memory, "usage_seen": memory}
        for fact, counts in (told | {"usage_targets": one_each, "usage_alive": one_each}).items():
            seen[fact] |= counts
    return Scrapes(**seen, usage_bins=bins, state_interval=state, usage_interval=usage, bin_length=length)


def _empty(client: PrometheusClient, scrapes: Scrapes, hours: Sequence[int]) -> frozenset[tuple[str, int]]:
    """The hours in which a cluster was watched and had no nodes: it was scaled to nothing."""
    asked = scrapes.without_kubelets
    if not asked:
        return frozenset()
    told = {fact: coverage.counts_of(table) for fact, table in _ask(client, empty_queries.QUESTIONS, hours).items()}
    known = {cluster for cluster, _at in told["nodes_known"]}
    return frozenset(
        key for key in asked
        if key[0] in known and told["namespaces_seen"].get(key)
        and not told["nodes_seen"].get(key) and not told["pods_placed"].get(key)
    )  # fmt: skip


def _only(counts: coverage.Counts, *, without: Mapping[str, int]) -> coverage.Counts:
    return {key: count for key, count in counts.items() if key[0] not in without}


def _tables(rows: Sequence[CoverageHour], answers: Tables) -> Tables:
    """The usage tables, sorted, in the types of the lake."""
    made: dict[str, Callable[[pods.Facts], ir.Table]] = {
        "workload_hours": pods.workload_hours,
        "node_hours": capacity.node_hours,
        "volume_hours": volumes.volume_hours,
        "label_hours": pods.label_hours,
        "overhead_hours": capacity.overhead_hours,
        "service_hours": network.service_hours,
        "network_hours": network.network_hours,
        "workload_peaks": peaks.workload_peaks,
        "autoscaler_hours": peaks.autoscaler_hours,
    }
    tables = {"coverage_hours": _coverage(rows)}
    if answers:
        facts = _facts(rows, answers)
        tables |= {name: _run(name, make(facts)) for name, make in made.items()}
    return {name: tables.get(name, _shaped(name)) for name in USAGE}


def _facts(rows: Sequence[CoverageHour], answers: Tables) -> dict[str, ir.Table]:
    """Every answer as an Ibis table; hourly ones carry `hour` and a sample's worth, and keep observed hours only."""
    worth = ibis.memtable(coverage.worth(rows))
    facts: dict[str, ir.Table] = {"worth": worth}
    for fact, answer in answers.items():
        cleaned = replace_labels(answer, pods.POD_ONLY_LABELS) if fact in ("pod_labels", "pod_annotations") else answer
        if QUESTIONS[fact].grain == "window":
            facts[fact] = ibis.memtable(cleaned.drop_columns(["at"]))
            continue
        table = ibis.memtable(cleaned)
        table = table.mutate(hour=table["at"] - ibis.interval(hours=1)).drop("at")
        facts[fact] = table.join(worth, ["hour", "cluster"])
    for name, fact in {"request": "requests", "part": "gpu_parts", "init": "init_requests"}.items():
        facts[f"{name}_levels"] = _measured(facts[fact], answers[fact])
    held, offered = (
        capacity.node_levels(_measured(facts[fact], answers[fact])) for fact in ("node_capacity", "node_allocatable")
    )
    facts["node_tags"] = ibis.memtable(node_tags(answers["node_labels"]))
    facts["node_scales"] = capacity.node_scales(held, facts["node_tags"])
    facts["allocatable_levels"] = offered
    return facts


def _measured(levels: ir.Table, answer: pa.Table) -> ir.Table:
    """Name what each resource counts as, and bring it to that measure's unit."""
    names = sorted(set(answer["resource"].to_pylist()))
    measures = [pods.resource_measures(name) for name in names]
    known = pa.table(
        {
            "resource": pa.array(names, pa.string()),
            "measure": pa.array([measure for measure, _scale in measures], pa.string()),
            "scale": pa.array([scale for _measure, scale in measures], pa.float64()),
        }
    )
    joined = levels.join(ibis.memtable(known), "resource")
    return joined.mutate(value=joined.value * joined.scale).drop("scale")


def replace_labels(table: pa.Table, dropped: frozenset[str]) -> pa.Table:
    """The same table, its label objects without the dropped labels."""
    bags = [
        orjson.dumps({key: text for key, text in orjson.loads(bag).items() if key not in dropped}).decode()
        for bag in table["labels"].to_pylist()
    ]
    return table.set_column(table.schema.get_field_index("labels"), "labels", pa.array(bags, pa.string()))


def node_tags(labels: pa.Table) -> pa.Table:
    """One row per node: its pool, instance type and labels as last told, and whether it is virtual."""
    seen: dict[tuple[str, str], tuple[float, str]] = {}
    for row in labels.select(["cluster", "node", "value", "labels"]).to_pylist():
        key = row["cluster"], row["node"]
        seen[key] = max(seen.get(key, (0.0, "")), (row["value"], row["labels"]))
    bags = {key: orjson.loads(text) for key, (_count, text) in seen.items()}
    columns: dict[str, list[Any]] = {
        "cluster": [cluster for cluster, _node in bags],
        "node": [node for _cluster, node in bags],
        "node_pool": [_first(bag, capacity.NODE_POOL_LABELS) for bag in bags.values()],
        "instance_type": [_first(bag, capacity.INSTANCE_TYPE_LABELS) for bag in bags.values()],
        "labels": [text for _count, text in seen.values()],
    }
    table = {name: pa.array(column, pa.string()) for name, column in columns.items()}
    found = [gpus.tags(bag) for bag in bags.values()]
    devices = {name: pa.array([each[name] for each in found], pa.float64()) for name in gpus.tags({})}
    return pa.table(
        table
        | devices
        | {"is_virtual": pa.array([bag.get("type") == "virtual-kubelet" for bag in bags.values()], pa.bool_())}
    )


def _first(bag: Mapping[str, str], names: Iterable[str]) -> str:
    return next((bag[name] for name in names if bag.get(name)), "")


def _run(name: str, expression: ir.Table) -> pa.Table:
    """Compute a table, exact to the sixth decimal and in a fixed order."""
    wanted = USAGE[name].file_columns
    cast = {
        column: expression[column].round(6).cast(kind) if kind.startswith("decimal") else expression[column].cast(kind)
        for column, kind in wanted.items()
    }
    shaped = expression.select(**cast)
    keys = [column for column, kind in wanted.items() if not kind.startswith("decimal")]
    ordered = shaped.order_by(keys)
    with registered(ordered) as backend:
        rows = backend.con.execute(query_of(backend, ordered)).to_arrow_table()
    return rows.cast(_schema(name))


def _coverage(rows: Sequence[CoverageHour]) -> pa.Table:
    ordered = sorted(rows, key=lambda row: (row.hour, row.cluster))
    columns = {
        "hour": [datetime.fromtimestamp(row.hour, UTC) for row in ordered],
        "cluster": [row.cluster for row in ordered],
        "observed_samples": [row.observed for row in ordered],
        "expected_samples": [row.expected for row in ordered],
    }
    return pa.table(columns, schema=_schema("coverage_hours"))


def _shaped(name: str) -> pa.Table:
    return _schema(name).empty_table()


def _schema(name: str) -> pa.Schema:
    schema: pa.Schema = ibis.schema(USAGE[name].file_columns).to_pyarrow()
    return schema


def _unnamed(answers: Tables) -> list[Problem]:
    """An error when series carry no cluster and the source names none."""
    nameless = sorted(fact for fact, table in answers.items() if pc.any(pc.equal(table["cluster"], "")).as_py())
    if not nameless:
        return []
    return [
        Problem(
            "error",
            "no-cluster",
            ", ".join(nameless[:5]),
            "Series carry no cluster label and the source names no cluster. "
            "Give the source a cluster, or the option cluster_label.",
        )
    ]


def _nothing(config: PrometheusConfig) -> Problem:
    return Problem(
        "warning",
        "nothing-observed",
        config.url,
        "The server has no scrapes of kube-state-metrics or kubelets in this window. Check the options state_job, "
        "usage_job and selector, and how long the server keeps its data.",
    )
