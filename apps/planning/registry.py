"""The planners, in the order of their pages: the page to read first."""

from apps.finops.errors import CostOpsError
from apps.planning.drafts import Planner
from apps.planning.planners import colocation, gpu, pools, purchase, rightsizing, timetable, upgrades

PLANNERS: tuple[Planner, ...] = tuple(
    module.PLANNER for module in (rightsizing, gpu, colocation, pools, timetable, purchase, upgrades)
)


class NoSuchPlanner(CostOpsError):
    """There is no planner of this name."""


def planner_of(name: str) -> Planner:
    """The planner of a name."""
    for planner in PLANNERS:
        if planner.name == name:
            return planner
    raise NoSuchPlanner(f"There is no planner {name[:40]!r}; there are {', '.join(one.name for one in PLANNERS)}.")
