"""What reading one file gave: its parts in the lake (not committed yet), what it holds, and what is wrong with it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from apps.finops.problems import Problem
from apps.warehouse import lake


@dataclass(frozen=True)
class Content:
    """A window of a file: a billing month (bills) or a table (usage), its days, rows and cost by currency."""

    window: str
    days: tuple[str, ...]
    rows: int
    cost: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def to_json(self, *, counts: bool) -> dict[str, Any]:
        cost = {currency: {basis: str(amount) for basis, amount in by.items()} for currency, by in self.cost.items()}
        return {"window": self.window, "days": list(self.days), "rows": self.rows, "cost": cost, "counts": counts}


@dataclass(frozen=True)
class Reading:
    """One file as read. An error-level problem refuses the whole file: then it has no parts and no contents."""

    parts: dict[str, list[lake.WrittenFile]] = field(default_factory=dict)
    contents: tuple[Content, ...] = ()
    problems: tuple[Problem, ...] = ()
    content_sha256: str = ""

    @property
    def rows(self) -> int:
        return sum(content.rows for content in self.contents)

    @property
    def is_refused(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)


def refused(problems: Iterable[Problem]) -> Reading:
    return Reading(problems=tuple(problems))


def problems_to_json(problems: Iterable[Problem]) -> list[dict[str, str]]:
    return [asdict(problem) for problem in problems]
