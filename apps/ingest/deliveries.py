"""Which files make up a billing period.

1. A file changed in place supersedes its earlier revision.
2. Files found together form one delivery.
3. A later delivery whose new files bring days already billed re-issues that month: the earlier ones stop counting.
4. Unless a file of an earlier delivery was rewritten in place in the same delivery: then the new files join as parts.
5. A later delivery that only brings new days adds to the month.
6. A vanished file keeps counting.
7. `files=parts` always adds; `files=snapshots` always replaces.
8. Where a manifest names the release of a period, only the files of its last release count, and that only when
   every one of them could be read; the rules above are for the other files.
9. A release named `final…` of the period `ACCOUNT MONTH` is all there is of that month: rows of it in files of the
   account's other periods (late rows in the next month's daily files) stop counting.
10. A release named `days…` grows day by day: a file of one day (its name has a date of eight digits) that is refused
    takes nothing from the other days, and its earlier revision keeps counting.
11. Periods over several months (`SCOPE 202609-202610`) share months with others of their scope (`SCOPE 202610`): of
    every window one of them counts, that which brings most days of it, of equal ones that over fewer months.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

Policy = Literal["auto", "parts", "snapshots"]


@dataclass(frozen=True)
class Delivered:
    """What one revision of a file brought: the days of every window (a billing month) it holds.

    `period` and `release` are those of its manifest, if any; a refused file brings nothing.
    """

    key: str
    path: str
    delivery: int
    revision: int
    windows: Mapping[str, frozenset[str]] = field(default_factory=dict)
    period: str = ""
    release: str = ""
    is_refused: bool = False


Counting = dict[str, dict[str, Delivered]]
"""Window → path → the revision that counts."""


def settle(files: Iterable[Delivered], policy: Policy = "auto") -> set[tuple[str, str]]:
    """The pairs (file key, window) that count, told from everything that was ever delivered.

    A pure function of history: told twice it says the same, so a killed run is repeated without harm.
    """
    files = list(files)
    counting: Counting = {}
    loose = (file for file in files if not file.period and not file.is_refused)
    ordered = sorted(loose, key=lambda file: (file.delivery, file.path, file.revision))
    for _, delivered in groupby(ordered, key=lambda file: file.delivery):
        _deliver(counting, list(delivered), policy)
    pairs = {(file.key, window) for window, by_path in counting.items() for file in by_path.values()}
    released = list(_last_releases(files))
    return pairs | (_without_closed(released) - _told_in_another_period(released))


FINAL = "final"
GROWING = "days"
_DAY = re.compile(r"(?<![0-9])20[0-9]{6}(?![0-9])")


def _without_closed(released: list[Delivered]) -> set[tuple[str, str]]:
    closed = {file.period for file in released if file.release.startswith(FINAL)}
    return {
        (file.key, window)
        for file in released
        for window in file.windows
        if (owner := f"{file.period.rpartition(' ')[0]} {window}") == file.period or owner not in closed
    }


_MONTHS = re.compile(r"(?:(?P<scope>.*) )?(?P<first>20[0-9]{4})(?:-(?P<last>20[0-9]{4}))?")


@dataclass(frozen=True)
class _Span:
    """A period whose name says its months; `days` and `files` by window."""

    first: str
    last: str
    release: str
    days: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    files: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def shares_months_with(self, other: "_Span") -> bool:
        return self.first <= other.last and other.first <= self.last

    def standing(self, window: str) -> tuple[int, bool, int, str]:
        """Sorts by how well it tells a window."""
        return len(self.days[window]), self.first == self.last, int(self.first) - int(self.last), self.release


def _told_in_another_period(released: Iterable[Delivered]) -> set[tuple[str, str]]:
    """The pairs of periods over several months, or of a month of theirs, that another one tells better."""
    scopes: dict[str, dict[str, _Span]] = defaultdict(dict)
    for file in released:
        if match := _MONTHS.fullmatch(file.period):
            made = _Span(match["first"], match["last"] or match["first"], file.release)
            span = scopes[match["scope"] or ""].setdefault(file.period, made)
            for window, days in file.windows.items():
                span.days[window] |= days
                span.files[window].add(file.key)
    return {pair for spans in scopes.values() for pair in _lesser(list(spans.values()))}


def _lesser(spans: list[_Span]) -> Iterator[tuple[str, str]]:
    if all(span.first == span.last for span in spans):
        return
    for window in {window for span in spans for window in span.files}:
        counting: list[_Span] = []
        telling = [span for span in spans if span.files.get(window)]
        for span in sorted(telling, key=lambda span: span.standing(window), reverse=True):
            if any(span.shares_months_with(other) for other in counting):
                yield from ((key, window) for key in span.files[window])
            else:
                counting.append(span)


def _last_releases(files: Iterable[Delivered]) -> Iterator[Delivered]:
    """The files of the last release of every period that could be read whole; of a file, its last revision."""
    releases: dict[str, dict[str, dict[str, Delivered]]] = defaultdict(lambda: defaultdict(dict))
    for file in sorted(files, key=lambda file: file.revision):
        if file.period and not _is_a_day_refused(file):
            releases[file.period][file.release][file.path] = file
    for by_release in releases.values():
        whole = [name for name, by_path in by_release.items() if not any(one.is_refused for one in by_path.values())]
        if whole:
            yield from by_release[max(whole)].values()


def _is_a_day_refused(file: Delivered) -> bool:
    return file.is_refused and file.release.startswith(GROWING) and bool(_DAY.search(file.path))


def _deliver(counting: Counting, delivered: list[Delivered], policy: Policy) -> None:
    paths = {file.path for file in delivered}
    rewritten = {window for window, by_path in counting.items() if paths & by_path.keys()}
    newcomers = [file for file in delivered if not any(file.path in by_path for by_path in counting.values())]
    for by_path in counting.values():
        for path in paths:
            by_path.pop(path, None)
    for window in {window for file in delivered for window in file.windows}:
        if _replaces(counting.get(window, {}), window, delivered, newcomers, window in rewritten, policy):
            counting[window] = {}
    for file in delivered:
        for window in file.windows:
            counting.setdefault(window, {})[file.path] = file


def _replaces(
    earlier: Mapping[str, Delivered],
    window: str,
    delivered: list[Delivered],
    newcomers: list[Delivered],
    is_rewritten: bool,
    policy: Policy,
) -> bool:
    if policy != "auto":
        return policy == "snapshots"
    if is_rewritten:
        return False
    billed = {day for file in earlier.values() for day in file.windows[window]}
    brought = {day for file in newcomers for day in file.windows.get(window, ())}
    return bool(billed & brought)
