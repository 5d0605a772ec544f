"""Files that only versions have which nobody reads any more: without this a lake grows by every hour it is filled.

A commit replaces the files of a window, and the version before keeps those that were there. Who may still ask for a
version says so (`hold`); what no such version has is taken away, the versions themselves stay in the log of the table.
"""

import logging
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from apps.warehouse.orphans import GRACE, History, history, store
from apps.warehouse.versions import Lying

logger = logging.getLogger(__name__)

Versions = Iterable[tuple[str, int]]
"""Name of a table and a version of it."""
_held_by: dict[str, Callable[[], Versions]] = {}


def hold(name: str, ask: Callable[[], Versions]) -> None:
    """A floor above reads versions besides those of publications: it says so once, when it starts."""
    _held_by[name] = ask


@dataclass(frozen=True)
class Reclaimed:
    """What was taken away, or would be."""

    files: int = 0
    size: int = 0


def reclaim(pinned: Mapping[str, Iterable[int]], now: datetime, *, dry_run: bool = False) -> Reclaimed:
    """Take away the files of these tables that no version has which is pinned, held, or newer than what is pinned.

    Of each table `pinned` names versions; every version since the largest of them stays, for somebody may be about to
    pin it. A table without any is left alone, and so is one whose log has gaps or lacks what is pinned. A file goes
    once the version that took it out is older than the grace period: whoever began to read before that has ended.
    Repeating it, or doing it twice at once, takes the same away.
    """
    wanted: dict[str, set[int]] = defaultdict(set)
    for name, versions in pinned.items():
        wanted[name].update(versions)
    for ask in _held_by.values():
        for name, version in ask():
            if name in pinned:
                wanted[name].add(version)
    found = {
        key: size
        for name, versions in wanted.items()
        for key, size in _unread(name, max(pinned[name], default=None), versions, now)
    }
    if found and not dry_run:
        store().delete(sorted(found))
        logger.info("%d files of the lake taken away, which no version has that is kept.", len(found))
    return Reclaimed(len(found), sum(found.values()))


def _unread(name: str, newest: int | None, wanted: Iterable[int], now: datetime) -> Iterator[tuple[str, int]]:
    """The keys and sizes of files that are there and that nobody reads."""
    if newest is None or (told := history(store(), name)) is None:
        return
    if newest >= len(told.changes):
        logger.error(
            "Version %d of the table %s is published and not there: is this the database of that lake?", newest, name
        )
        return
    needed = sorted({version for version in wanted if version <= newest})
    spans = _spans(told)
    lying: Iterable[Lying] = store().listed(f"lake/{name}/")
    for one in lying:
        span = spans.get(one.key.removeprefix(f"lake/{name}/"))
        if span is None:  # of the newest version, or named by none: `orphans` looks at those
            continue
        first, end = span
        at = bisect_left(needed, first)
        is_needed = end > newest or (at < len(needed) and needed[at] < end)
        if not is_needed and told.written_at[end] < now - GRACE:
            yield one.key, one.size


def _spans(told: History) -> dict[str, tuple[int, int]]:
    """Of every file that was taken out: the version that added it first, and the one that no longer had it at last."""
    first: dict[str, int] = {}
    end: dict[str, int] = {}
    for version, change in enumerate(told.changes):
        for path in change.removed:
            end[path] = version
        for path in change.added:
            first.setdefault(path, version)
            end.pop(path, None)
    return {path: (first[path], last) for path, last in end.items() if path in first}
