"""Which files make up a period whose releases a manifest names, or a provider's names of files.

1. Only the files of a period's last release count, and that only when every one of them could be read. What a release
   held before a file of it could not be read keeps counting.
2. A release named `final…` of the period `ACCOUNT MONTH` is all there is of that month: rows of it in files of the
   account's other periods (late rows in the next month's daily files) stop counting.
3. A release named `days…` grows day by day: a file of one day (its name has a date of eight digits) that is refused
   takes nothing from the other days, and its earlier revision keeps counting.
4. A file that joins a release named `final…` later, under a name of its own, is asked about if it tells the same hours
   as those before it: a part that came late, or the month anew under other names.
5. The same content twice in a release counts once. A copy of what a file held before counts where that is told no more.
6. Of periods over several months one counts in each month (`apps.ingest.spans`).
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from apps.ingest.delivered import Delivered, Dispute, days_told_again
from apps.ingest.spans import told_in_another_period

FINAL = "final"
GROWING = "days"
_DAY = re.compile(r"(?<![0-9])20[0-9]{6}(?![0-9])")


@dataclass
class Released:
    """What counts of the files that belong to a release; see `apps.ingest.deliveries.Settlement`."""

    counting: set[tuple[str, str]] = field(default_factory=set)
    duplicates: set[str] = field(default_factory=set)
    disputed: dict[str, Dispute] = field(default_factory=dict)


def settle(files: Iterable[Delivered]) -> Released:
    """The files of the last release of every period that could be read whole; of a file, its last revision."""
    by_period: dict[str, dict[str, list[Delivered]]] = defaultdict(lambda: defaultdict(list))
    for file in sorted(files, key=lambda file: (file.delivery, file.revision, file.path)):
        if file.period and not _is_a_day_refused(file):
            by_period[file.period][file.release].append(file)
    found = Released()
    counting = []
    for _, by_release in sorted(by_period.items()):
        read = (_held(by_release[name], found) for name in sorted(by_release, reverse=True))
        counting += next(filter(None, read), [])
    found.counting = _without_closed(counting) - told_in_another_period(counting)
    return found


def _without_closed(released: list[Delivered]) -> set[tuple[str, str]]:
    closed = {file.period for file in released if file.release.startswith(FINAL)}
    return {
        (file.key, window)
        for file in released
        for window in file.windows
        if (owner := f"{file.period.rpartition(' ')[0]} {window}") == file.period or owner not in closed
    }


def _held(revisions: list[Delivered], found: Released) -> list[Delivered]:
    """What a release held when all of it could be read, last of all; nothing if that was never so."""
    now: dict[str, Delivered] = {}
    whole: dict[str, Delivered] = {}
    for _, delivered in groupby(revisions, key=lambda file: file.delivery):
        for file in delivered:
            is_later = bool(whole) and file.path not in whole and file.release.startswith(FINAL)
            if is_later and (dispute := _dispute(file, whole)):
                found.disputed[file.key] = dispute
            elif not (is_later and file.is_refused):
                now[file.path] = file
        if not any(file.is_refused for file in now.values()):
            whole = dict(now)
    return _told_once(revisions, list(whole.values()), found)


def _dispute(file: Delivered, whole: dict[str, Delivered]) -> Dispute | None:
    if (
        file.is_refused
        or file.is_accepted
        or (file.content and file.content in {one.content for one in whole.values()})
    ):
        return None
    for window in sorted(file.windows):
        others = [other for other in whole.values() if days_told_again(other, file, window)]
        if others:
            days = {day for other in others for day in days_told_again(other, file, window)}
            paths = tuple(sorted(other.path for other in others))
            return Dispute(window, tuple(sorted(days)), paths, "joins")
    return None


def _told_once(revisions: list[Delivered], whole: list[Delivered], found: Released) -> list[Delivered]:
    """Without the copies of what another file holds, or held before it was rewritten and tells anew."""
    kept: list[Delivered] = []
    before = {(file.path, file.content) for file in revisions if file.content}
    for file in sorted(whole, key=lambda file: (file.delivery, file.path)):
        if file.content and file.content in {other.content for other in kept}:
            found.duplicates.add(file.key)
        else:
            kept.append(file)
    return [file for file in kept if not any(_tells_anew(other, file, before) for other in kept)]


def _tells_anew(file: Delivered, copy: Delivered, before: set[tuple[str, str]]) -> bool:
    was_the_same = (file.path, copy.content) in before and file.delivery > copy.delivery
    return was_the_same and any(days_told_again(file, copy, window) for window in copy.windows)


def _is_a_day_refused(file: Delivered) -> bool:
    return file.is_refused and file.release.startswith(GROWING) and bool(_DAY.search(file.path))
