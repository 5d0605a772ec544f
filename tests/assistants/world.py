"""The school's two months, filled in an installation of its own, behind a real server; a lead and finance."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.pipeline import school
from tests.servers.installation import Installation, new_installation
from tests.servers.process import free_port

DAYS = [date(2026, 9, day) for day in range(1, 31)] + [date(2026, 10, 1), date(2026, 10, 2)]
_USED = [date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 2)]
_HIRE = """
from django.contrib.auth.models import Group, User
from apps.teams.models import Membership, Team
lilei, finance = User.objects.create_user("lilei"), User.objects.create_user("finance")
Membership.objects.create(user=lilei, team=Team.objects.get(name="live"))
finance.groups.add(Group.objects.get_or_create(name="finance")[0])
call_command("token", "add", "lilei")
call_command("token", "add", "finance")
"""


@dataclass(frozen=True)
class Served:
    """Where the site answers, and who asks it with which token."""

    url: str
    installation: Installation
    keys: dict[str, str]


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    port = free_port()
    installation = new_installation(folder / "home")
    installation.environment |= {"COSTOPS_SITE_URL": f"http://127.0.0.1:{port}", "COSTOPS_READ_LOG": "30"}
    keys = _fill(folder, installation)
    bind = ("--bind", f"127.0.0.1:{port}", "--threads", "2", "--no-control-socket")
    web = installation.start("gunicorn", "costops.wsgi", *bind)
    try:
        url = f"http://127.0.0.1:{port}"
        web.wait_until(lambda: _answers(url), what="The web server")
        yield Served(url, installation, keys)
    finally:
        installation.stop()


def _fill(folder: Path, installation: Installation) -> dict[str, str]:
    school.write_bill(folder / "bill" / "bill.csv", DAYS)
    school.write_usage(folder / "usage", _USED)
    (folder / "teams.yaml").write_text(school.TEAMS)
    commands = (
        ("migrate", "--verbosity", "0"),
        ("import_teams", str(folder / "teams.yaml")),
        ("source", "add", "bill", "--kind", "focus", "--location", str(folder / "bill")),
        ("source", "add", "usage", "--kind", "usage_files", "--location", str(folder / "usage")),
        ("fill",),
    )
    calls = [f"call_command(*{command!r})" for command in commands]
    code = "\n".join(["from django.core.management import call_command", *calls, _HIRE])
    said = installation.manage("shell", "--no-imports", "-c", code).stdout
    keys = [word for word in said.split() if word.startswith("costops_")]
    return dict(zip(("lilei", "finance"), keys, strict=True))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/login/", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
