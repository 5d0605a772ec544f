"""Drivers as allocation weighs by them: the quantities of teams, of the day they are told for."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from apps.allocation.division import WEIGHT
from apps.allocation.passing import Rung
from apps.finops.problems import Problem
from apps.finops.tables import DRIVERS
from apps.finops.windows import Window
from apps.teams.policies import Policy
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

_SCOPE = "team"
_LARGE = 10**15
_SHRINK = 1e-11
"""Quantities have at most 26 digits before the point, weights 19: those of a day with a larger one shrink together."""
NO_QUANTITIES = " (no quantities)"
EXAMPLES = 20


def weights(policies: Sequence[tuple[int, Policy]], window: Window) -> Rung:
    """By the quantities of each policy's driver: keys `number`, `day`; the version that told them is told."""
    names = {"number": "int32", "driver": "string"}
    asked = ibis.memtable(
        [{"number": number, "driver": policy.driver} for number, policy in policies], schema=ibis.schema(names)
    )
    rows = lake.scan(DRIVERS, only=_files({policy.driver for _, policy in policies}, window))
    rows = rows.filter(rows.quantity > 0).join(asked, "driver")
    most = rows.quantity.max().over(ibis.window(group_by=["number", "day"]))
    exact = ibis.least(rows.quantity, ibis.literal(_LARGE)).cast(WEIGHT)
    shrunk = (rows.quantity.cast("float64") * _SHRINK).cast(WEIGHT)
    told = ibis.literal(" (") + rows.driver + " v" + rows.version.cast("string") + ")"
    weight = (most < _LARGE).ifelse(exact, shrunk)
    return Rung(("number", "day"), rows.select("number", "day", team=rows.subject, weight=weight, told=told))


def missing(taken: ir.Table, rung: Rung, policies: Sequence[Policy]) -> list[Problem]:
    """The days on which a driver was told for no team."""
    unknown = taken.anti_join(rung.weights, rung.keys).group_by("number").aggregate(
        first=taken.day.min(), days=taken.day.nunique()
    )  # fmt: skip
    return [
        Problem(
            "warning",
            "no_driver",
            policies[number].label,
            f"On {days} days, the first {first}, driver {policies[number].driver!r} has no quantity above 0 of any "
            "team: the cost was divided in proportion to cost. Upload the days (`manage.py drivers import`).",
        )
        for number, first, days in rows_of(unknown.order_by("number").limit(EXAMPLES))
    ]


def fingerprints(policies: Iterable[Policy]) -> dict[date, str]:
    """By day, the files of quantities that policies valid then divide by."""
    found: dict[date, list[str]] = defaultdict(list)
    driven = [policy for policy in policies if policy.driver]
    for file in lake.files(DRIVERS) if driven else ():
        told, day = file.partition, date.fromisoformat(file.partition["day"])
        asked = {policy.driver for policy in driven if policy.is_valid_on(day)}
        if told["driver"] in asked and told["scope"] == _SCOPE:
            found[day].append(file.path)
    return {day: " ".join(sorted(paths)) for day, paths in found.items()}


def _files(drivers: set[str], window: Window) -> Iterable[lake.StoredFile]:
    for file in lake.files(DRIVERS):
        told = file.partition
        if told["driver"] in drivers and told["scope"] == _SCOPE and str(window.start) <= told["day"] < str(window.end):
            yield file
