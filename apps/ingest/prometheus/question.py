"""What a question to a Prometheus-compatible server is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Grain = Literal["hour", "bin", "window"]


@dataclass(frozen=True)
class Question:
    """One fact: its PromQL, the labels of the answer (renamed by `columns`), the unit of its value."""

    fact: str
    unit: str
    promql: str
    columns: Mapping[str, str] = field(default_factory=dict)
    grain: Grain = "hour"
    labels_prefix: str = ""
    labels_named: str = ""
    """What the names of those labels begin with in our tables, instead of that prefix."""


def same(*names: str, **renamed: str) -> dict[str, str]:
    """Label → column: `cluster` always, the rest under their own or another name."""
    return {"$cluster": "cluster"} | {name: name for name in names} | renamed
