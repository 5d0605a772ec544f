"""Versions of a log and checkpoints that are on the disk before anything builds on them."""

import logging
import shutil
import uuid
from pathlib import Path

from deltalake import DeltaTable, PostCommitHookProperties
from deltalake.exceptions import DeltaError
from django.conf import settings

from apps.warehouse import logs, shared
from apps.warehouse.disk import lay, sync

logger = logging.getLogger(__name__)

EVERY = 100
"""Versions from one checkpoint to the next."""
NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
"""Delta's own checkpoints have their name before they are on the disk; a table without them is read from versions."""


def keep_version(table: Path, at: int) -> None:
    """Have a version of a log on the disk; where it was read from a checkpoint it need not be there."""
    version = logs.log_of(table) / f"{at:020}.json"
    if not shared.is_on() and version.exists():
        sync(version, version.parent)


def keep_new(table: Path) -> None:
    """Have a table that was just made on the disk, from the folder that holds it down."""
    keep_version(table, 0)
    if not shared.is_on():
        sync(table, table.parent)


def keep_checkpoint(table: Path, at: int) -> None:
    """Write down the whole of a version where one is due. A table is read without it: what fails is said."""
    if shared.is_on() or at == 0 or at % EVERY:
        return
    copy = Path(settings.COSTOPS_HOME) / "tmp" / "commits" / uuid.uuid4().hex
    try:
        logs.copy_log(table, copy)
        DeltaTable(str(copy), version=at).create_checkpoint()
        for name in (f"{at:020}.checkpoint.parquet", "_last_checkpoint"):
            lay(logs.log_of(copy) / name, logs.log_of(table) / name)
    except (OSError, DeltaError) as error:
        logger.warning("%s: no checkpoint of version %d was written: %s", table.name, at, error)
    finally:
        shutil.rmtree(copy, ignore_errors=True)
