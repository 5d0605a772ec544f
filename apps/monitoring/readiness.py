"""Whether this installation can do its work now: what an orchestrator asks before it sends people here."""

import errno
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import translation
from django.utils.translation import gettext as _
from kombu import Connection
from kombu.exceptions import KombuError

from apps.finops.errors import CostOpsError
from apps.warehouse import shared

logger = logging.getLogger(__name__)
LEAST_FREE_BYTES = 256 * 1024**2
"""A fill writes files of about this size before it commits them."""
BROKER_SECONDS = 2
KEPT_SECONDS = 3.0
"""For so long an answer stands: whoever asks without end does not keep the installation busy with looking."""
FAR_SECONDS = 3.0
"""What is far away has so long to answer, all of it together: who asks us waits five seconds, then takes us away."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_looked: "tuple[float, list[Check]] | None" = None
_one_looks = Lock()


@dataclass(frozen=True)
class Check:
    """One thing looked at; `said` is a sentence without secrets and names of hosts.

    `is_needed`: without it no page can be answered. Without the rest work waits, and people read on: what all web
    processes share must not take all of them away at once.
    """

    name: str
    is_ok: bool
    said: str
    is_needed: bool = True


def checks() -> list[Check]:
    """Everything that must be so. Where the database does not answer, what stands in it is not asked for."""
    database = _tried("database", _database)
    rest = (("migrations", _migrations),) if database.is_ok else ()
    needed = [_tried(name, look) for name, look in (*rest, ("folders", _folders))]
    store, broker = {"store": _store} if shared.is_on() else {}, {"broker": _broker}
    return [database, *needed, _tried("disk", _disk, is_needed=False), *_tried_at_once(store | broker)]


def _tried_at_once(looks: Mapping[str, Callable[[], str]]) -> list[Check]:
    """What is far away. Whoever does not answer in time does not answer."""
    language = translation.get_language()

    def tried(name: str) -> Check:
        with translation.override(language):
            return _tried(name, looks[name], is_needed=False)

    def found(name: str, future: Future[Check]) -> Check:
        return future.result() if future in done else Check(name, False, _("It does not answer in time."), False)

    pool = ThreadPoolExecutor(len(looks))
    asked = {name: pool.submit(tried, name) for name in looks}
    done, _late = wait(asked.values(), timeout=FAR_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    return [found(name, future) for name, future in asked.items()]


def newest_checks() -> list[Check]:
    """What was looked at in the last seconds, for machines: in English."""
    global _looked  # of this process
    with _one_looks:
        if _looked is None or time.monotonic() - _looked[0] >= KEPT_SECONDS:
            with translation.override("en"):
                before, found = _wrong(_looked[1] if _looked else []), checks()
            _looked = time.monotonic(), found
            _tell_change(before, _wrong(found))
        return _looked[1]


def _wrong(found: list[Check]) -> dict[str, str]:
    return {check.name: check.said for check in found if not check.is_ok}


def _tell_change(before: dict[str, str], after: dict[str, str]) -> None:
    """Probes come every few seconds: what one finds is worth a line where the one before found another."""
    for name in after.keys() - before.keys():
        logger.warning("%s is not as it must be: %s", name, after[name])
    for name in before.keys() - after.keys():
        logger.info("%s is as it must be again.", name)


class _NotReady(Exception):
    """Something is not as it must be; the message says what."""


def _tried(name: str, look: Callable[[], str], *, is_needed: bool = True) -> Check:
    try:
        return Check(name, is_ok=True, said=look(), is_needed=is_needed)
    except _NotReady as error:
        return Check(name, is_ok=False, said=str(error), is_needed=is_needed)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise _NotReady(_("The database does not answer.")) from error
    return _("The database answers.")


def _migrations() -> str:
    """Django's own comparison of what is on disk with what the database holds."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise _NotReady(_("The database does not tell its migrations.")) from error
    if missing:
        raise _NotReady(_("%(count)d migrations are not applied; run `manage.py migrate`.") % {"count": len(missing)})
    return _("All migrations are applied.")


def _folders() -> str:
    """A file can be written and taken away again where the lake and landed files lie. A full disk is told by `disk`."""
    for name, folder in (("lake", settings.COSTOPS_LAKE), ("landing", settings.COSTOPS_LANDING)):
        probe = Path(folder) / f".ready-{secrets.token_hex(6)}"
        try:
            probe.parent.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            if error.errno in _FULL:
                return _("There is no room for a file in lake and landing.")
            told = {"folder": name, "reason": os.strerror(error.errno or 0)}
            raise _NotReady(_("The folder of %(folder)s cannot be written: %(reason)s.") % told) from error
    return _("Lake and landing can be written.")


def _store() -> str:
    """The bucket of the lake is asked for one name: whether it answers, and lets us in."""
    try:
        shared.bucket().look()
    except shared.LibraryMissing as error:
        raise _NotReady(
            _("COSTOPS_LAKE names a bucket, but what reaches one is not installed: build the image with EXTRAS=places.")
        ) from error
    except shared.CredentialsMissing as error:
        raise _NotReady(
            _(
                "There are no credentials for the bucket of the lake: give COSTOPS_LAKE_KEY and COSTOPS_LAKE_SECRET, "
                "or the machine a role."
            )
        ) from error
    except shared.StoreRefused as error:
        raise _NotReady(_("The bucket of the lake does not let us in; look at COSTOPS_LAKE and its keys.")) from error
    except CostOpsError as error:
        raise _NotReady(_("The bucket of the lake does not answer; work waits until it does.")) from error
    return _("The bucket of the lake answers.")


def free_bytes() -> int:
    """What is left on the disk of the home folder."""
    return shutil.disk_usage(settings.COSTOPS_HOME).free


def _disk() -> str:
    free = free_bytes()
    told = {"mib": free // 1024**2}
    if free < LEAST_FREE_BYTES:
        raise _NotReady(_("Only %(mib)d MiB are free below the home folder; a fill needs more. Make room.") % told)
    return _("%(mib)d MiB are free.") % told


def _broker() -> str:
    try:
        with Connection(
            settings.CELERY_BROKER_URL,
            connect_timeout=BROKER_SECONDS,
            transport_options={"socket_connect_timeout": BROKER_SECONDS, "socket_timeout": BROKER_SECONDS},
        ) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
            broker.default_channel  # noqa: B018  # a transport on disk connects here
    except (KombuError, OSError) as error:
        raise _NotReady(_("The broker does not answer; work waits until it does.")) from error
    return _("The broker answers.")
