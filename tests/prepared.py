"""What tests of real processes begin with, made once for all of them: a small company's files, and a school filled."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.installation import Installation, made_for_all, migrated_database, new_installation
from tests.servers.postgres import Postgres

DUMP = """
import json
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.selectors import answer
from apps.pipeline.models import StepRun
from datetime import date
groups = ("day", "team", "kind", "namespace")
query = CostQuery(date(2026, 1, 1), date(2027, 1, 1), group_by=groups)
rows = answer(query).rows if Publication.objects.exists() else ()
print("DUMP" + json.dumps({
    "costs": [list(map(str, row)) for row in rows],
    "runs": sorted(StepRun.objects.values_list("step", "state", "attempt")),
    "versions": Publication.objects.order_by("-number").values_list("versions", flat=True).first(),
}))
"""
_FILLED = "filled_school"


def company() -> Path:
    """Three days of everything that a small company exports, of the metrics one; to be read only."""

    def make(folder: Path) -> None:
        days = ("--days", "3", "--metrics-days", "1")
        new_installation(folder / "maker").manage(
            "demo", *days, "--scale", "0.02", "--seed", "7", "--to", str(folder / "demo")
        )

    return made_for_all("company", make) / "demo"


def open_school(installation: Installation, folder: Path) -> None:
    """The small school in an installation of its own."""
    code = f"from pathlib import Path; from tests.pipeline.world import School; School.open(Path({str(folder)!r}))"
    installation.manage("shell", "--no-imports", "-c", code)


def dump(installation: Installation) -> dict[str, Any]:
    said = installation.manage("shell", "--no-imports", "-c", DUMP).stdout
    told: dict[str, Any] = json.loads(said.split("DUMP", 1)[1])
    return told


@dataclass(frozen=True)
class FilledSchool:
    """The small school when nobody interfered: its installation, the files it was filled from, what it published."""

    home: Path
    files: Path
    published: dict[str, Any]
    server: Postgres | None

    def copy(self, home: Path, name: str) -> Installation:
        """One of one's own; on a server its database has a name."""
        shutil.copytree(self.home, home)
        url = self.server.create_database(name, template=_FILLED) if self.server else None
        return new_installation(home, database_url=url, is_migrated=False)


def filled_school(server: Postgres | None) -> FilledSchool:
    """On SQLite, or on a PostgreSQL server."""

    def make(folder: Path) -> None:
        url = migrated_database(server, _FILLED) if server else None
        made = new_installation(folder / "installation", database_url=url)
        open_school(made, folder / "files")
        made.manage("fill")
        (folder / "published.json").write_text(json.dumps(dump(made)))

    folder = made_for_all(f"school-{server.port if server else 'sqlite'}", make)
    published = json.loads((folder / "published.json").read_text())
    return FilledSchool(folder / "installation", folder / "files", published, server)
