"""The embedded default keeps its own database up to date: nobody runs `migrate` to try CostOps on a laptop."""

import errno
import fcntl
import sys

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor

from apps.warehouse.commands import UNWRITABLE, not_ready, what_went_wrong

COMMANDS = {"source", "import_teams", "fill", "ask", "reconcile", "explain", "token", "send_weekly"}
"""The commands of the product, which need its tables."""
_NOT_BROUGHT = "The database cannot be brought up to date ({error})."
_OF_THE_FOLDER = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENOENT}
"""What another folder, or leave to write to it, mends."""


def bring_up_to_date() -> None:
    """Apply what is missing to an embedded (SQLite) database; with another database, say which command does it. Where
    it does not answer, its folder cannot be written or the disk is full, that is said, and the end."""
    try:
        _apply_what_is_missing()
    except (OperationalError, ProgrammingError) as error:
        sys.exit(not_ready(error))
    except OSError as error:
        said = UNWRITABLE if error.errno in _OF_THE_FOLDER else _NOT_BROUGHT
        sys.exit(said.format(error=what_went_wrong(error)))


def _apply_what_is_missing() -> None:
    if not _is_behind():
        return
    if connection.vendor != "sqlite":
        sys.exit("The database is not up to date. Run `manage.py migrate`, then this command again.")
    with (settings.COSTOPS_HOME / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_behind():
            call_command("migrate", verbosity=0, interactive=False)


def _is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
