"""Columns of what ran: one segment is a pod on a server during a part of one hour."""

from dataclasses import dataclass, fields, replace

import numpy as np

from apps.demo.timetable import Ints

TWELFTHS = 12
"""An hour has twelve parts of five minutes; pods and servers begin and end on them."""


@dataclass(frozen=True)
class Segments:
    """`replica` is the replica's index, or the job's serial number when `is_job`; `node` a place, or -1: serverless.

    `start` and `length` are twelfths of hour `hour` of the day. The rates are thousandths of a core, GiB or GPU.
    """

    workload: Ints
    replica: Ints
    is_job: Ints
    node: Ints
    generation: Ints
    hour: Ints
    start: Ints
    length: Ints
    cpu_used: Ints
    cpu_request: Ints
    memory_used: Ints
    memory_request: Ints
    gpu_used: Ints
    gpu_request: Ints

    def __len__(self) -> int:
        return len(self.hour)

    def take(self, rows: Ints) -> "Segments":
        return Segments(*(getattr(self, field.name)[rows] for field in fields(self)))

    def moved(self, *, generation: Ints) -> "Segments":
        """The same segments, on servers of these generations."""
        return replace(self, generation=generation)


def concatenate(parts: list[Segments]) -> Segments:
    return Segments(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Segments)))


def split_at(segments: Segments, cut: Ints) -> tuple[Segments, Segments]:
    """The parts of segments before and after twelfth `cut` of their hour; empty parts are left out."""
    stop = segments.start + segments.length
    before = replace(segments, length=np.minimum(stop, cut) - segments.start)
    start = np.maximum(segments.start, cut)
    after = replace(segments, start=start, length=stop - start)
    first, second = (part.take(np.flatnonzero(part.length > 0)) for part in (before, after))
    return first, second
