"""After a restore: a lake that is newer than the database says again what the database says."""

import pytest

from apps.backups import services
from tests.backups.test_backups import empty_installation
from tests.prepared import dump, open_school

pytestmark = pytest.mark.timeout(400)

BESIDE = """
from datetime import date
from pathlib import Path
from django.utils import timezone
from apps.backups import services
from apps.ingest.services import add_source
from apps.pipeline.services import fill
from apps.teams.services import import_teams
from apps.units.services import import_drivers
from tests.pipeline import school
from tests.pipeline.world import OCTOBER, School
files = Path({files!r})
import_drivers(b"date,driver,team,quantity\\n2026-10-01,orders,live,1\\n", name="a.csv", by="", now=timezone.now())
def say(text):
    if text == "The database is copied.":
        rules = files / "others.yaml"
        rules.write_text(school.TEAMS.replace("live: 60, data: 40", "live: 10, data: 90"))
        import_teams(rules, timezone.now())
        later = School(files.with_name("later"))
        later.write_bill("2026-10.csv", OCTOBER, 5)
        now = timezone.now()
        add_source(name="later", kind="focus", location=str(later.folder / "bills"), cluster="", options={{}}, now=now)
        School(files).write_bill("2026-10.csv", OCTOBER, 4, node_price="9.99")
        fill(now=now)
        import_drivers(b"date,driver,team,quantity\\n2026-10-01,orders,live,7\\n", name="b.csv", by="", now=now)
        School(files).write_bill("2026-10.csv", OCTOBER, 3)
services.make(Path({folder!r}), now=timezone.now(), say=say)
"""
A_DAY_COMES = """
from pathlib import Path
from tests.pipeline.world import OCTOBER, School
School(Path({files!r})).write_bill("2026-11.csv", OCTOBER.replace(month=11), 1)
"""
DRIVERS = """
from apps.finops.tables import DRIVERS
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
print("DRIVERS", rows_of(lake.scan(DRIVERS).select("quantity")))
"""


def test_a_backup_made_beside_a_change_of_rules_ends_in_what_its_database_says(installation, tmp_path, request):
    """What came later was a source, a bill, rules and drivers that the copied database knows nothing of."""
    files, folder = tmp_path / "files", tmp_path / "backups"
    open_school(installation, files)
    installation.manage("fill")
    published = dump(installation)["costs"]
    installation.manage("shell", "--no-imports", "-c", BESIDE.format(files=str(files), folder=str(folder)))
    assert dump(installation)["costs"] != published
    restored = empty_installation(tmp_path / "restored", request, "costops_newer_lake")
    restored.manage("backup", "restore", str(folder), "--name", services.find(folder).name)
    assert dump(restored)["costs"] == published
    restored.manage("shell", "--no-imports", "-c", A_DAY_COMES.format(files=str(files)))
    restored.manage("fill")
    costs = dump(restored)["costs"]
    assert [row for row in costs if row[0] < "2026-11-01"] == published
    assert {row[0] for row in costs} == {"2026-10-01", "2026-10-02", "2026-10-03", "2026-11-01"}
    assert "(Decimal('1.000000000000'),)]" in restored.manage("shell", "--no-imports", "-c", DRIVERS).stdout
