"""What the simulated engineers do to save, as stated before: one thing works, one does not, one is ahead."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from apps.demo.organisation import OPTIMISED_PERCENT, TEAM_NAMES, Organisation
from apps.demo.papers import write_table

COLUMNS = (
    "name", "hypothesis", "team", "scope", "currency", "promised_per_month", "start", "transition_days", "window_days",
    "stated_on",
)  # fmt: skip
FEWEST_DAYS = 60
"""In a shorter window nothing could be told of what was done in it."""
WINDOW_DAYS = 21
CURRENCY = "CNY"
A_REPLICA = 70
"""What a replica is thought to cost a month, by those who promise."""


def write(path: Path, organisation: Organisation, *, end: date, days: int) -> None:
    """The initiatives of a window, one a line; none in one too short to measure any."""
    write_table(path, COLUMNS, _rows(organisation, end) if days >= FEWEST_DAYS else ())


def _rows(organisation: Organisation, end: date) -> Iterator[tuple[Any, ...]]:
    start = organisation.optimised_on
    stated = start - timedelta(days=5)
    best = organisation.optimised
    promised = organisation.workloads[best].most * (100 - OPTIMISED_PERCENT) * A_REPLICA // 100
    yield (
        "Recompile the search stack", "The same searches with fewer replicas: half the instructions, warmer caches.",
        *_about(organisation, best, start), CURRENCY, promised, start, 1, WINDOW_DAYS, stated,
    )  # fmt: skip
    other = _another(organisation, best)
    yield (
        "Tune the garbage collector", "Shorter pauses need fewer cores at the evening peak.",
        *_about(organisation, other, start), CURRENCY, promised // 2, start, 0, WINDOW_DAYS, stated,
    )  # fmt: skip
    yield (
        "Run timed jobs in the serverless pool", "Jobs of minutes need no server of their own.",
        *_about(organisation, other, end), CURRENCY, promised // 3, end + timedelta(days=14), 7, 28, end,
    )  # fmt: skip


def _about(organisation: Organisation, workload: int, day: date) -> tuple[str, str]:
    """Whose a workload is, and the cost it is."""
    own = organisation.workloads[workload]
    place, team = organisation.namespaces[own.namespace], TEAM_NAMES[organisation.team_of(workload, day)]
    return team, f"team={team}; cluster={place.cluster}; namespace={place.name}; workload={own.name}"


def _another(organisation: Organisation, best: int) -> int:
    """The largest service that nothing happens to, and that somebody owns."""
    calm = [
        place
        for place, one in enumerate(organisation.workloads)
        if place != best
        and organisation.namespaces[one.namespace].archetype.runs == "service"
        and organisation.namespaces[one.namespace].owned != "nobody"
        and organisation.namespaces[one.namespace].moves_on == date.max
        and one.forgotten_on == date.max
    ]
    return max(calm, key=lambda place: (organisation.workloads[place].most, -place))
