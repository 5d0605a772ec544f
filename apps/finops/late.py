"""Bills that are late beside others that came: which they are, and until which day cost is whole despite them.

A day on which one bill came and another did not is known in part: compared with a whole one it would pass for a fall.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from itertools import pairwise

from apps.finops.windows import ONE_DAY

USUAL_DAYS = 28
WAITED_DAYS = 7
"""Nothing is held back by a bill that is late for longer: the source may have stopped. It is still told to be late."""
ENDED_DAYS = 45
"""A source that has told nothing for so many days has ended: nothing of it is missing any more."""


def late_bills(usage: Mapping[str, Collection[date]], until: date) -> dict[str, date]:
    """The day after the last that came of every source whose bill is late on the last day before `until`.

    `usage` are the days on which each source charged usage; a purchase or a fee stands alone, and may be dated ahead. A
    bill is late of a source that charged on half of its last four weeks or more, and has charged nothing for longer
    than it ever did within them: who bills on working days alone is not late on a Sunday.
    """
    ends = {source: _late_since([day for day in days if day < until], until) for source, days in usage.items()}
    return {source: end for source, end in sorted(ends.items()) if end is not None}


def _late_since(days: Collection[date], until: date) -> date | None:
    if not days:
        return None
    end = max(days) + ONE_DAY
    known = sorted(day for day in set(days) if day >= end - timedelta(days=USUAL_DAYS))
    usual = max([(later - earlier).days for earlier, later in pairwise(known)], default=1) - 1
    is_daily = 2 * len(known) >= USUAL_DAYS
    return end if is_daily and usual < (until - end).days <= ENDED_DAYS else None


def whole_until(until: date, late: Collection[date]) -> date:
    """The day after the last whole one: those before the first of the late bills that are waited for."""
    return min([end for end in late if until - end <= timedelta(days=WAITED_DAYS)], default=until)
