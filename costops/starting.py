"""Reading the settings when a program starts: one that is not what it may be is told, and the end.

Most are read by themselves (`reading.py`); what speaks of kinds, severities and days in the words of the house is
looked at once the house stands, with Django's own checks.
"""

import sys
from typing import Any

from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured

from costops import telemetry

WILL_NOT_BOOT = 3
"""The status by which gunicorn's workers say that another try would end the same."""


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
