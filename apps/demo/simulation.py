"""One day of the simulated company: which pods ran where, when, and which servers stood there."""

from dataclasses import dataclass

import numpy as np

from apps.demo import jobs
from apps.demo.archetypes import USAGE_STEP
from apps.demo.fleet import SERVERLESS, Fleet
from apps.demo.names import mix
from apps.demo.organisation import OPTIMISED_PERCENT, Organisation
from apps.demo.pools import POOLS
from apps.demo.segments import TWELFTHS, Segments, concatenate, split_at
from apps.demo.timetable import PROFILE_NAMES, Booleans, BusinessDay, Floats, Ints, load_by_hour

REPLACED_SHARE = 0.02
"""Share of the hourly paid, always running servers that are replaced on a day."""
GENERATIONS = 1_000_000
OVERASKED = {"content-cms": 0.45, "admin": 0.35}
"""Kind of namespace → how much of the usual it uses of the memory it asks for; of CPU, too, it asks for far more."""


@dataclass(frozen=True)
class Servers:
    """Servers of a day, one row each: the place, the generation, and presence by hour in twelfths."""

    node: Ints
    generation: Ints
    start: Ints  # rows × hours
    length: Ints  # rows × hours

    def row_of(self, node: Ints, generation: Ints) -> Ints:
        """The row of each (place, generation) pair."""
        keys = self.node * GENERATIONS + self.generation
        order = np.argsort(keys)
        return order[np.searchsorted(keys, node * GENERATIONS + generation, sorter=order)]


@dataclass(frozen=True)
class DayRun:
    """What ran on a day. `server` is the row in `servers` of each segment, or -1: serverless."""

    day: BusinessDay
    segments: Segments
    servers: Servers
    server: Ints


class Simulator:
    """Runs the company day by day, in order; remembers which servers were replaced."""

    def __init__(self, organisation: Organisation, fleet: Fleet, *, seed: int, days: tuple[BusinessDay, ...]) -> None:
        self.organisation = organisation
        self.fleet = fleet
        self._seed = seed
        self._first_ordinal = days[0].day.toordinal()
        self._end = days[-1].day
        self._generation = np.zeros(len(fleet.node_pool), dtype=np.int64)
        workloads = organisation.workloads
        archetypes = [organisation.namespaces[w.namespace].archetype for w in workloads]
        self._profile = np.array([PROFILE_NAMES.index(a.profile) for a in archetypes])
        self._columns = {
            "most": np.array([w.most for w in workloads]),
            "least": np.array([w.least for w in workloads]),
            "cpu": np.array([w.cpu for w in workloads]),
            "memory": np.array([w.memory for w in workloads]),
            "peak": np.array([w.peak_percent for w in workloads]),
            "gpu_peak": np.array([w.gpu_percent for w in workloads]),
            "gpus": np.array([a.gpus * 1000 for a in archetypes]),
            "cpu_limit": np.array([a.cpu_limit for a in archetypes]),
            "memory_limit": np.array([a.memory_limit for a in archetypes]),
            "memory_share": np.array([OVERASKED.get(a.name, 1.0) for a in archetypes]),
            "forgotten": np.array([w.forgotten_on.toordinal() for w in workloads]),
        }
        self._lives = np.array([POOLS[p].lives for p in fleet.node_pool.tolist()])
        self._replaceable = np.flatnonzero(
            [POOLS[p].lives == "always" and not POOLS[p].is_daily for p in fleet.node_pool.tolist()]
        )

    def run(self, day: BusinessDay) -> DayRun:
        """Simulate one day; call in order of days."""
        rng = np.random.default_rng([self._seed, 3, day.day.toordinal()])
        load = load_by_hour(day.hour_list(margin=1), self._end, seed=self._seed)
        active = self._active(day, load)
        start, stop = self._presence(day, active)
        segments = self._service_segments(day, load, active, start, stop, rng)
        work = jobs.run_lanes(self.organisation, self.fleet, day, rng)
        self._presence_of_jobs(day, work, start, stop)
        segments = concatenate([segments, work])
        return self._place(day, segments, start, stop, rng)

    def _active(self, day: BusinessDay, load: Floats) -> Booleans:
        """Replica × hour, with one hour more on both sides."""
        fleet, org = self.fleet, self.organisation
        after = fleet.replica_after.copy()
        if day.day >= org.optimised_on:
            mine = np.flatnonzero(fleet.replica_workload == org.optimised)
            ordinal = fleet.replica_ordinal[mine]
            least = -(-org.workloads[org.optimised].least * OPTIMISED_PERCENT // 100)
            later = ordinal * 100 / (org.workloads[org.optimised].most * OPTIMISED_PERCENT)
            after[mine] = np.where(ordinal < least, -1.0, np.where(later < 1, np.maximum(later, after[mine]), np.inf))
        active: Booleans = load[self._profile[fleet.replica_workload]] > after[:, None]
        return active

    def _presence(self, day: BusinessDay, active: Booleans) -> tuple[Ints, Ints]:
        """Start and stop of every place in every hour, in twelfths; autoscaled servers come and go within hours."""
        places = len(self.fleet.node_pool)
        start = np.zeros((places, day.hours), dtype=np.int64)
        stop = np.where((self._lives == "always")[:, None], TWELFTHS, start)
        used = np.zeros((places, day.hours + 2), dtype=np.int64)
        hosted = np.flatnonzero(self.fleet.replica_node != SERVERLESS)
        np.add.at(used, self.fleet.replica_node[hosted], active[hosted].astype(np.int64))
        elastic = np.flatnonzero(self._lives == "with pods")
        start[elastic], stop[elastic] = _edges(used[elastic] > 0, elastic)
        return start, stop

    def _presence_of_jobs(self, day: BusinessDay, work: Segments, start: Ints, stop: Ints) -> None:
        """A batch server stands from the quarter of an hour of its first job to the quarter of its last."""
        quarter = TWELFTHS // 4
        begin = np.full(len(self.fleet.node_pool), day.hours * TWELFTHS)
        end = np.zeros(len(self.fleet.node_pool), dtype=np.int64)
        np.minimum.at(begin, work.node, work.hour * TWELFTHS + work.start)
        np.maximum.at(end, work.node, work.hour * TWELFTHS + work.start + work.length)
        hours = np.arange(day.hours) * TWELFTHS
        for place in np.flatnonzero(self._lives == "with jobs").tolist():
            first, last = begin[place] // quarter * quarter, -(-end[place] // quarter) * quarter
            start[place] = np.clip(first - hours, 0, TWELFTHS)
            stop[place] = np.maximum(np.clip(last - hours, 0, TWELFTHS), start[place])

    def _service_segments(
        self,
        day: BusinessDay,
        load: Floats,
        active: Booleans,
        start: Ints,
        stop: Ints,
        rng: np.random.Generator,
    ) -> Segments:
        replica, hour = np.nonzero(active[:, 1:-1])
        workload, node = self.fleet.replica_workload[replica], self.fleet.replica_node[replica]
        begin, end = start[node, hour], stop[node, hour]
        serverless = np.flatnonzero(self.fleet.replica_node == SERVERLESS)
        burst_start, burst_stop = _edges(active[serverless], serverless)
        at = np.flatnonzero(node == SERVERLESS)
        row = np.searchsorted(serverless, replica[at])
        begin[at], end[at] = burst_start[row, hour[at]], burst_stop[row, hour[at]]
        rates = self._rates(day, load[:, 1:-1], workload, hour, rng)
        zeros = np.zeros(len(replica), dtype=np.int64)
        return Segments(workload, replica, zeros, node, zeros, hour, begin, end - begin, *rates)

    def _rates(
        self, day: BusinessDay, load: Floats, workload: Ints, hour: Ints, rng: np.random.Generator
    ) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
        """Used and requested CPU, memory and GPU of each segment; what is used stays below the limits."""
        column = {name: values[workload] for name, values in self._columns.items()}
        now = np.minimum(load[self._profile[workload], hour], 1.0)
        share = np.where(
            (workload == self.organisation.optimised) & (day.day >= self.organisation.optimised_on),
            OPTIMISED_PERCENT / 100,
            1.0,
        )
        most = column["most"] * share
        busy = now * most / np.clip(np.ceil(now * most), column["least"] * share, None)
        busy = np.where(day.day.toordinal() < column["forgotten"], busy, 0.0)
        util = column["peak"] / 100 * busy * rng.lognormal(0.0, 0.10, len(workload))
        gpu_util = column["gpu_peak"] * busy * rng.lognormal(0.0, 0.15, len(workload))
        memory_util = 0.42 + 0.40 * np.minimum(util, 1.2) + rng.normal(0.0, 0.03, len(workload))
        cpu_used = _stepped(column["cpu"] * util, column["cpu_limit"])
        memory_used = _stepped(column["memory"] * column["memory_share"] * memory_util, column["memory_limit"])
        gpu_used = np.where(column["gpus"] > 0, np.clip(np.rint(gpu_util), 0, 100).astype(np.int64) * 10, 0)
        return cpu_used, column["cpu"], memory_used, column["memory"], gpu_used, column["gpus"]

    def _place(self, day: BusinessDay, segments: Segments, start: Ints, stop: Ints, rng: np.random.Generator) -> DayRun:
        """Put servers under the segments, replacing some in the middle of the day."""
        autoscaled = day.day.toordinal() - self._first_ordinal + 1
        generation = np.where(self._lives == "always", self._generation, autoscaled)
        replaced = self._replaceable[rng.random(len(self._replaceable)) < REPLACED_SHARE]
        at_hour = rng.integers(1, day.hours - 1, len(replaced))
        cut = rng.integers(1, 4, len(replaced)) * (TWELFTHS // 4)
        present = np.flatnonzero((stop > start).any(axis=1))
        servers = _replace_servers(
            Servers(present, generation[present], start[present], stop[present] - start[present]),
            replaced,
            at_hour,
            cut,
        )
        segments = _move_pods(segments.moved(generation=generation[segments.node]), replaced, at_hour, cut)
        self._generation[replaced] += 1
        server = np.where(segments.node == SERVERLESS, SERVERLESS, 0)
        hosted = np.flatnonzero(segments.node != SERVERLESS)
        server[hosted] = servers.row_of(segments.node[hosted], segments.generation[hosted])
        return DayRun(day, segments, servers, server)


def _edges(used: Booleans, identity: Ints) -> tuple[Ints, Ints]:
    """Start and stop by hour of what is `used` (one hour more on both sides): it comes and goes at a quarter."""
    before, now, after = used[:, :-2], used[:, 1:-1], used[:, 2:]
    chance = mix(identity, 7).astype(np.uint64)
    arrives = (3 * (1 + chance % np.uint64(3))).astype(np.int64)[:, None]
    leaves = (3 * (1 + chance // np.uint64(3) % np.uint64(3))).astype(np.int64)[:, None]
    start = np.where(now & ~before, arrives, 0)
    stop = np.where(now, np.where(after, TWELFTHS, leaves), 0)
    alone = now & ~before & ~after
    return np.where(alone, 3, start), np.where(alone, 9, stop)


def _stepped(rate: Floats, limit: Ints) -> Ints:
    """Whole steps of usage, never negative, never above the limit."""
    steps = np.rint(rate / USAGE_STEP).astype(np.int64) * USAGE_STEP
    return np.clip(steps, 0, limit // USAGE_STEP * USAGE_STEP)


def _replace_servers(servers: Servers, replaced: Ints, at_hour: Ints, cut: Ints) -> Servers:
    """End each replaced server at the cut, and let its successor stand from there."""
    row = np.searchsorted(servers.node, replaced)
    hours = np.arange(servers.length.shape[1])
    before, same = hours < at_hour[:, None], hours == at_hour[:, None]
    length = servers.length.copy()
    length[row] = np.where(before, TWELFTHS, np.where(same, cut[:, None], 0))
    new_start = np.where(same, cut[:, None], 0)
    new_length = np.where(before, 0, np.where(same, TWELFTHS - cut[:, None], TWELFTHS))
    return Servers(
        np.concatenate([servers.node, replaced]),
        np.concatenate([servers.generation, servers.generation[row] + 1]),
        np.concatenate([servers.start, new_start]),
        np.concatenate([length, new_length]),
    )


def _move_pods(segments: Segments, replaced: Ints, at_hour: Ints, cut: Ints) -> Segments:
    """Pods on a replaced server go on, from the cut, on its successor."""
    if not len(replaced):
        return segments
    row = np.clip(np.searchsorted(replaced, segments.node), 0, len(replaced) - 1)
    concerned = replaced[row] == segments.node
    later = np.flatnonzero(concerned & (segments.hour > at_hour[row]))
    during = np.flatnonzero(concerned & (segments.hour == at_hour[row]))
    generation = segments.generation.copy()
    generation[later] += 1
    segments = segments.moved(generation=generation)
    first, second = split_at(segments.take(during), cut[row[during]])
    rest = np.setdiff1d(np.arange(len(segments)), during)
    return concatenate([segments.take(rest), first, second.moved(generation=second.generation + 1)])
