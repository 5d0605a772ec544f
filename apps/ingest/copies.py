"""The same bytes at two places of a source of which one at least names a period: they are the same charges, told once.

Loose files are told apart by their contents (`apps.ingest.deliveries`), those of a period within it. A copy of what a
period tells, or told before it was delivered anew, lies elsewhere: loose, or below another period's name.
"""

from collections import defaultdict
from collections.abc import Iterable

from apps.ingest.delivered import Delivered, days_told_again

Pairs = set[tuple[str, str]]
"""(file key, window)."""


def copied(files: Iterable[Delivered], counting: Pairs) -> Pairs:
    """What of `counting` is a copy, however it is read, of what another period tells, or told before its days came
    anew. Of equal ones that count the first is the original, loose ones last."""
    ordered = sorted(files, key=lambda file: (not file.period, file.delivery, file.path, file.revision))
    alike: dict[str, list[Delivered]] = defaultdict(list)
    by_period: dict[str, list[Delivered]] = defaultdict(list)
    found: Pairs = set()
    for file in ordered:
        if file.period and file.content and not file.is_refused:
            alike[_bytes_of(file)].append(file)
            by_period[file.period].append(file)
    for file in ordered:
        equal = alike[_bytes_of(file)]
        for window in file.windows if any(one.period != file.period for one in equal) else ():
            if (file.key, window) not in counting:
                continue
            there = [one for one in equal if (one.key, window) in counting]
            anew = {one.period for one in equal} - {one.period for one in there} - {file.period}
            if (there and there[0].period != file.period) or any(
                days_told_again(other, file, window)
                for period in anew
                for other in by_period[period]
                if (other.key, window) in counting - found
            ):
                found.add((file.key, window))
    return found


def _bytes_of(file: Delivered) -> str:
    """What is the same for the same bytes; a place may say that they are read another way."""
    return file.content.partition(" ")[0]
