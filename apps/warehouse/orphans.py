"""Orphans in the shared store: files that were sent and never committed, taken away after a grace period."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import unquote

from apps.warehouse import shared

GRACE = timedelta(days=2)
"""Far longer than a run may last between sending its files and committing them."""


def sweep(now: datetime) -> int:
    """Take away what no version of any table names, once it has lain there for the grace period; how many objects.

    Older versions stay readable: what any of them ever named stays.
    """
    if not shared.is_on():
        return 0
    store = shared.bucket()
    lying: dict[str, list[str]] = {}
    logs: dict[str, list[str]] = {}
    for one in store.listed("lake/"):
        table, _, path = one.key.removeprefix("lake/").partition("/")
        if path.startswith("_delta_log/"):
            logs.setdefault(table, []).append(one.key)
        elif one.modified < now - GRACE:
            lying.setdefault(table, []).append(one.key)
    probes = [one.key for one in store.listed(".probe-") if one.modified < now - GRACE]
    lost = [
        key
        for table, keys in lying.items()
        for key in set(keys) - {f"lake/{table}/{path}" for path in _named(logs.get(table, []))}
    ]
    store.delete([*lost, *probes])
    return len(lost) + len(probes)


def _named(log: list[str]) -> Iterator[str]:
    """Every file that any version added, relative to the table."""
    for key in log:
        if key.endswith(".json"):
            for line in shared.bucket().read(key).splitlines():
                if added := json.loads(line).get("add"):
                    yield unquote(added["path"])
