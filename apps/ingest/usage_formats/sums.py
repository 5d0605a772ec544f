"""Adding up what the rows of another tool's files say, until they are rows of our usage tables.

Quantities are exact fractions, rounded once, to the six decimals of the lake, when the rows are told.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from apps.finops.tables import QUANTITY, USAGE
from apps.ingest.usage_formats.base import Row, decimal, micro

Key = tuple[Any, ...]
KEYS = {
    "workload_hours": ("hour", "cluster", "namespace", "workload", "pod", "node"),
    "node_hours": ("hour", "cluster", "node"),
    "volume_hours": ("hour", "cluster", "volume", "namespace", "claim"),
    "label_hours": ("hour", "cluster", "namespace", "workload"),
}
"""What tells the rows of a table apart, in this order."""
_NOTHING = {"string": "", QUANTITY: decimal(0)}


def _cells() -> defaultdict[str, dict[Key, dict[str, Any]]]:
    return defaultdict(dict)


@dataclass
class Sums:
    """Quantities, texts and labels by table and key; `coverage`: whether an hour of a cluster was seen."""

    quantities: defaultdict[str, dict[Key, dict[str, Fraction]]] = field(default_factory=_cells)
    texts: defaultdict[str, dict[Key, dict[str, str]]] = field(default_factory=_cells)
    labels: dict[Key, dict[str, str]] = field(default_factory=dict)
    coverage: dict[Key, bool] = field(default_factory=dict)

    def add(self, table: str, key: Key, amounts: Mapping[str, Fraction]) -> None:
        """Amounts by column, added to those of earlier rows."""
        row = self.quantities[table].setdefault(key, {})
        for column, amount in amounts.items():
            row[column] = row.get(column, Fraction(0)) + amount

    def most(self, table: str, key: Key, amounts: Mapping[str, Fraction]) -> None:
        """Amounts by column that several rows tell of one thing: the largest counts."""
        row = self.quantities[table].setdefault(key, {})
        for column, amount in amounts.items():
            row[column] = max(row.get(column, Fraction(0)), amount)

    def say(self, table: str, key: Key, **texts: str) -> None:
        """Texts by column; what was said first counts, unless it was nothing."""
        row = self.texts[table].setdefault(key, {})
        for column, text in texts.items():
            row[column] = row.get(column) or text

    def tables(self) -> dict[str, list[Row]]:
        """The rows of every table that has some."""
        found = {name: self._rows(name) for name in ("workload_hours", "node_hours", "volume_hours")}
        found["label_hours"] = [
            _named("label_hours", key) | {"labels": in_json(labels)} for key, labels in sorted(self.labels.items())
        ]
        found["coverage_hours"] = [
            {"hour": hour, "cluster": cluster, "observed_samples": int(is_seen), "expected_samples": 1}
            for (hour, cluster), is_seen in sorted(self.coverage.items())
        ]
        return {name: rows for name, rows in found.items() if rows}

    def _rows(self, table: str) -> list[Row]:
        nothing = {name: _NOTHING[kind] for name, kind in USAGE[table].file_columns.items() if kind in _NOTHING}
        texts = self.texts[table]
        return [
            nothing
            | _named(table, key)
            | texts.get(key, {})
            | {column: decimal(micro(amount)) for column, amount in amounts.items()}
            for key, amounts in sorted(self.quantities[table].items())
        ]


def _named(table: str, key: Key) -> Row:
    return dict(zip(KEYS[table], key, strict=True))


def in_json(labels: Mapping[str, Any]) -> str:
    return json.dumps(labels, ensure_ascii=False, sort_keys=True, default=str)
