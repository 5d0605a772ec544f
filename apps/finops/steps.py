"""What one run of one step reports: rows, money in and out, problems, and the table versions it made."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from apps.finops.problems import Problem

Queue = Literal["io", "compute", "learn"]
QUEUES: tuple[Queue, ...] = ("io", "compute", "learn")
"""What a worker is there for: to wait for others, to divide and add up, to learn. One that is told nothing does all."""

BELL_SECONDS = 12 * 60 * 60
"""How long a bell may be heard. Who rings says until when, by a clock that may be hours from the listener's."""


@dataclass(frozen=True)
class StepResult:
    """`cost_in` and `cost_out` are effective cost by currency; a step that moves no money leaves them empty."""

    rows: int = 0
    cost_in: dict[str, Decimal] = field(default_factory=dict)
    cost_out: dict[str, Decimal] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)
