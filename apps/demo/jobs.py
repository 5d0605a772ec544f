"""Job pods: lanes in which short jobs run one after another."""

from dataclasses import dataclass

import numpy as np

from apps.demo.archetypes import ARCHETYPES, USAGE_STEP, Archetype
from apps.demo.fleet import Fleet
from apps.demo.organisation import Organisation
from apps.demo.segments import TWELFTHS, Segments, concatenate
from apps.demo.timetable import SHANGHAI_OFFSET, BusinessDay, Ints


@dataclass(frozen=True)
class _Jobs:
    """One row per job: the lane, and start and end in twelfths of an hour since the day's start."""

    lane: Ints
    start: Ints
    end: Ints


def run_lanes(organisation: Organisation, fleet: Fleet, day: BusinessDay, rng: np.random.Generator) -> Segments:
    """All job segments of a day; a job begins and ends on the same business day."""
    parts = []
    serial = 0
    for index, archetype in enumerate(ARCHETYPES):
        lanes = np.flatnonzero(fleet.lane_archetype == index)
        if len(lanes):
            jobs = _fill_lanes(archetype, lanes, day, rng)
            parts.append(_segments(organisation, fleet, archetype, jobs, serial, rng))
            serial += len(jobs.lane)
    return concatenate(parts)


def _window(archetype: Archetype, day: BusinessDay) -> tuple[int, int]:
    """Start and end of the lanes' working time, in twelfths since the day's start; where the day begins in the middle
    of it, the longer part."""
    first, length = archetype.lane_hours
    if length == 24:
        return 0, day.hours * TWELFTHS
    begin = (first - SHANGHAI_OFFSET - day.first_hour) % 24
    left = begin + length - day.hours
    if left > day.hours - begin:
        return 0, left * TWELFTHS
    return begin * TWELFTHS, min(begin + length, day.hours) * TWELFTHS


def _fill_lanes(archetype: Archetype, lanes: Ints, day: BusinessDay, rng: np.random.Generator) -> _Jobs:
    """Fill each lane with jobs and pauses of random length until its working time is over."""
    shortest, longest, step = archetype.twelfths
    begin, end = _window(archetype, day)
    most = max(1, (end - begin) // shortest)
    lengths = rng.integers(shortest // step, longest // step + 1, (len(lanes), most)) * step
    pauses = rng.integers(0, archetype.gap // step + 1, (len(lanes), most)) * step
    stops = begin + np.cumsum(lengths + pauses, axis=1)
    row, column = np.nonzero(stops <= end)
    stop = stops[row, column]
    return _Jobs(lanes[row], stop - lengths[row, column], stop)


def _segments(
    organisation: Organisation, fleet: Fleet, archetype: Archetype, jobs: _Jobs, serial: int, rng: np.random.Generator
) -> Segments:
    """Cut each job at the full hours, with the appetite of a workload drawn at random."""
    candidates = np.array(
        [i for i, w in enumerate(organisation.workloads) if organisation.namespaces[w.namespace].archetype is archetype]
    )
    workload = candidates[rng.integers(0, len(candidates), len(jobs.lane))]
    cpu = np.array([organisation.workloads[i].cpu for i in candidates.tolist()])
    request = cpu[np.searchsorted(candidates, workload)]
    used = request * rng.integers(archetype.peak_percent - 30, archetype.peak_percent, len(workload)) // 100
    memory = np.full(len(workload), archetype.memory)
    memory_used = memory * rng.integers(50, 90, len(workload)) // 100
    gpu = (
        rng.integers(archetype.gpu_percent - 15, archetype.gpu_percent + 8, len(workload))
        if archetype.gpus
        else 0 * request
    )
    parts = []
    first = jobs.start // TWELFTHS
    hours = (jobs.end - 1) // TWELFTHS - first
    for later in range(int(hours.max(initial=-1)) + 1):
        at = np.flatnonzero(hours >= later)
        hour = first[at] + later
        start = np.maximum(jobs.start[at], hour * TWELFTHS)
        stop = np.minimum(jobs.end[at], (hour + 1) * TWELFTHS)
        parts.append(
            Segments(
                workload=workload[at],
                replica=serial + at,
                is_job=np.ones(len(at), dtype=np.int64),
                node=fleet.lane_node[jobs.lane[at]],
                generation=np.zeros(len(at), dtype=np.int64),
                hour=hour,
                start=start - hour * TWELFTHS,
                length=stop - start,
                cpu_used=used[at] // USAGE_STEP * USAGE_STEP,
                cpu_request=request[at],
                memory_used=memory_used[at] // USAGE_STEP * USAGE_STEP,
                memory_request=memory[at],
                gpu_used=gpu[at] * 10,
                gpu_request=np.full(len(at), archetype.gpus * 1000),
            )
        )
    return concatenate(parts) if parts else _nothing()


def _nothing() -> Segments:
    empty = np.zeros(0, dtype=np.int64)
    return Segments(*([empty] * 14))
