"""Reading the settings when a program starts: one that is not what it may be is told, and the end.

Most are read by themselves (`reading.py`); what speaks of kinds, severities and days in the words of the house is
looked at once the house stands, with Django's own checks.
"""

import re
import sys
from typing import Any

from django.core.checks import Error
from django.core.checks import Warning as Doubt
from django.core.exceptions import ImproperlyConfigured

from costops import telemetry

WILL_NOT_BOOT = 3
"""The status by which gunicorn's workers say that another try would end the same."""
LEAST_ENGINES = 3
"""What reading a file apart may take, in memory limits of one engine: it has one, and what it reads beside it."""


def read_settings() -> None:
    """Load the settings, or say what is wrong with them and end."""
    try:
        import costops.settings  # noqa: F401
    except ImproperlyConfigured as error:
        sys.exit(f"CostOps does not start. {error}")
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        sys.exit(
            f"CostOps does not start. {what}{error.strerror or error}. The home folder is one that the account it runs "
            "under may write; COSTOPS_HOME names it."
        )


def words(**_facts: Any) -> list[Error]:
    """Settings that name what apps know."""
    from apps.alerts.people import hours_to_wait
    from apps.calendars.selectors import countries, told_seasons
    from apps.finops.errors import CostOpsError
    from apps.operations.kinds import days_until_due

    found = []
    for number, read in enumerate((countries, told_seasons, days_until_due, hours_to_wait), start=1):
        try:
            read()
        except CostOpsError as bad:
            found.append(Error(str(bad), id=f"costops.E{number:03}"))
    return found


def amounts(**_facts: Any) -> list[Doubt]:
    """Settings that may be what they are, and hardly can be meant so: said by `manage.py check`, and nothing ends."""
    from django.conf import settings

    apart, engine = settings.COSTOPS_READ_MEMORY_GIB, settings.COSTOPS_MEMORY_LIMIT
    if not settings.COSTOPS_READ_APART or apart * (1 << 30) >= LEAST_ENGINES * _in_bytes(engine):
        return []
    said = f"COSTOPS_READ_MEMORY_GIB: {apart} is less than {LEAST_ENGINES} times COSTOPS_MEMORY_LIMIT ({engine})."
    return [Doubt(said, hint="Files are refused for want of memory that others would be read with.", id="costops.W001")]


def _in_bytes(amount: str) -> float:
    """As the engine counts: kB by thousands, KiB by 1024."""
    number, unit = re.findall(r"[0-9.]+|[a-z]+", amount.lower())
    thousand = 1024 if "i" in unit else 1000
    return float(number) * float(thousand ** "bkmgt".index(unit[0]))


def check() -> None:
    """The same where no command of `manage.py` runs all checks, and whether what settings ask for is installed: a line
    for each, and the end."""
    found = [error.msg for error in words()]
    try:
        telemetry.check()
    except ImproperlyConfigured as bad:
        found.append(str(bad))
    if found:
        sys.stderr.writelines(f"CostOps does not start. {told}\n" for told in found)
        sys.exit(WILL_NOT_BOOT)
