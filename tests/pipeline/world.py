"""The small school as an installation: its sources, and what is published of them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from apps.ingest.services import add_source
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.selectors import answer
from apps.teams.services import import_teams
from tests.pipeline import school

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)


@dataclass(frozen=True)
class School:
    """Folders of bills and usage, registered as the sources `bill` and `hours`."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> "School":
        """Three days of October, and teams, ready to be filled."""
        made = cls(folder)
        made.write_bill("2026-10.csv", OCTOBER, 3)
        made.write_usage(OCTOBER, 3)
        for name, kind, place, cluster in (("bill", "focus", "bills", ""), ("hours", "usage_files", "usage", "school")):
            add_source(name=name, kind=kind, location=str(folder / place), cluster=cluster, options={}, now=NOW)
        teams = folder / "teams.yaml"
        teams.write_text(school.TEAMS, encoding="utf-8")
        import_teams(teams, NOW)
        return made

    def write_bill(self, name: str, first: date, days: int, **facts: str) -> Path:
        return school.write_bill(self.folder / "bills" / name, school.days_from(first, days), **facts)

    def write_usage(self, first: date, days: int) -> None:
        school.write_usage(self.folder / "usage", school.days_from(first, days))

    def costs(self) -> dict[tuple[str, ...], Decimal]:
        """Everything that is published, by day, team, kind and namespace."""
        query = CostQuery(date(2026, 1, 1), date(2027, 1, 1), group_by=("day", "team", "kind", "namespace"))
        return {tuple(map(str, row[:-1])): row[-1] for row in answer(query).rows}

    def publications(self) -> list[tuple[int, dict[str, int]]]:
        return [(one.number, one.versions) for one in Publication.objects.order_by("number")]
