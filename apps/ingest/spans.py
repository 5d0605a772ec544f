"""Periods over several months (`SCOPE 202609-202610`), which share months with others of their scope (`SCOPE 202610`).

Of every window one of them counts: that which brings most days of it, of equal ones that over fewer months.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from apps.ingest.delivered import Delivered

MONTHS = re.compile(r"(?:(?P<scope>.*) )?(?P<first>20[0-9]{4})(?:-(?P<last>20[0-9]{4}))?")


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


def told_in_another_period(released: Iterable[Delivered]) -> set[tuple[str, str]]:
    """The pairs of periods over several months, or of a month of theirs, that another one tells better."""
    scopes: dict[str, dict[str, _Span]] = defaultdict(dict)
    for file in released:
        if match := MONTHS.fullmatch(file.period):
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
