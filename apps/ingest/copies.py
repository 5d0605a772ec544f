"""The same bytes at two places of a source of which one at least names a period: they are the same charges, told once.

Loose files are told apart by their contents (`apps.ingest.deliveries`), those of a period within it. A copy of what a
period tells, or told before it was delivered anew, lies elsewhere: loose, or below another period's name. There it may
be read another way: of equal ones that count, that is kept whose period tells most.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from apps.ingest.delivered import Delivered, days_told_again
from apps.ingest.spans import MONTHS

Pairs = set[tuple[str, str]]
"""(file key, window)."""
Alike = Mapping[str, Sequence[Delivered]]
"""What was ever delivered of a period, by its bytes."""


def copied(files: Iterable[Delivered], counting: Pairs) -> Pairs:
    """What of `counting` is a copy, however it is read, of what another period tells, or told before its days came
    anew."""
    alike: dict[str, list[Delivered]] = defaultdict(list)
    by_window: dict[str, list[Delivered]] = defaultdict(list)
    for file in files:
        if file.content and not file.is_refused:
            if file.period:
                alike[_bytes_of(file)].append(file)
            for window in file.windows:
                if (file.key, window) in counting:
                    by_window[window].append(file)
    return {(key, window) for window, told in by_window.items() for key in _Window(window, told).copies(alike)}


class _Window:
    """What counts in a window; `left` are the keys of what is no copy."""

    def __init__(self, window: str, files: Iterable[Delivered]) -> None:
        self.window = window
        self.files = sorted(files, key=lambda file: (file.delivery, file.path, file.revision))
        self.left = {file.key for file in self.files}
        self.periods: dict[str, set[str]] = defaultdict(set)
        self.by_period: dict[str, list[Delivered]] = defaultdict(list)
        self.ways: dict[str, set[str]] = defaultdict(set)
        for file in self.files:
            self.periods[_bytes_of(file)].add(file.period)
            self.by_period[file.period].append(file)
            self.ways[file.period].add(_way_of(file))

    def copies(self, alike: Alike) -> set[str]:
        """The keys of copies. Of two that are told before and anew by each other, the better told stays, else the
        newer."""
        first: dict[str, str] = {}
        for file in sorted(self.files, key=self._standing):
            if first.setdefault(_bytes_of(file), file.period) != file.period:
                self._leave(file)
        for file in sorted(self.files, key=self._standing, reverse=True):
            if file.key in self.left and self._is_told_anew(file, alike.get(_bytes_of(file), ())):
                self._leave(file)
        return {file.key for file in self.files} - self.left

    def _standing(self, file: Delivered) -> tuple[bool, int, bool, bool]:
        """Sorts by how well its period tells the window: read in most ways, of a scope (manifests name it), of this
        month; loose ones last."""
        match = MONTHS.fullmatch(file.period)
        scope, first, last = match.group("scope", "first", "last") if match else (None, "", "")
        is_of_it = first <= self.window.replace("-", "") <= (last or first)
        return not file.period, -len(self.ways[file.period]), not scope, not is_of_it

    def _is_told_anew(self, file: Delivered, equal: Sequence[Delivered]) -> bool:
        anew = {one.period for one in equal} - self.periods[_bytes_of(file)]
        return any(
            other.key in self.left and days_told_again(other, file, self.window)
            for period in anew
            for other in self.by_period.get(period, ())
        )

    def _leave(self, file: Delivered) -> None:
        """Leave a file out; with all that its period is read from in one way goes what is read beside it in another."""
        self.left.discard(file.key)
        beside = [one for one in self.by_period[file.period] if one.key in self.left]
        if file.period and not any(_way_of(one) == _way_of(file) for one in beside):
            self.left -= {one.key for one in beside}


def _bytes_of(file: Delivered) -> str:
    """What is the same for the same bytes; a place may say that they are read another way."""
    return file.content.partition(" ")[0]


def _way_of(file: Delivered) -> str:
    return file.content.partition(" ")[2]
