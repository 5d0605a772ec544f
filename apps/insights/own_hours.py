"""The hours of workloads that several teams pay for, divided between them."""

import ibis
import ibis.expr.types as ir

from apps.allocation.division import WEIGHT, placed
from apps.finops.tables import MEASURED, MONEY, WORKLOAD_DAYS
from apps.warehouse.exact import amount_of, units_of, with_shares

WHOSE = ("day", "cluster", "namespace", "workload")
HOURS = tuple(name for name, kind in WORKLOAD_DAYS.columns.items() if kind == MEASURED)
"""What is divided; a table of hours holds some of it, under the same names."""


def own_hours(usage: ir.Table, charged: ir.Table, teams: frozenset[str] | None) -> ir.Table:
    """What some teams, or all of them, pay for of the hours of workloads.

    Parameters
    ----------
    usage
        One row per day, workload and node, or several, with some of HOURS; what was not measured is null, and stays so.
    charged
        One row per day, workload, `team` and `currency`, or several: `effective_cost`, of all teams.

    Returns
    -------
    ir.Table
        `usage` and `team`, each row once for every one of `teams` that is charged for its workload on its day, HOURS in
        proportion to what it is charged of that (regardless of sign; evenly where that is nothing), with twelve
        decimals. The hours of all teams add up to exactly those of the workload. Costs in several currencies count
        alike: each currency divides the same part of the hours.
    """
    hours = [name for name in HOURS if name in usage.columns]
    claims = charged.group_by([*WHOSE]).aggregate(team=charged.team.min(), last=charged.team.max())
    alone = claims.filter(claims.team == claims.last).drop("last")
    shared = charged.semi_join(claims.filter(claims.team != claims.last), WHOSE)
    if teams is not None:
        alone = alone.filter(alone.team.isin(sorted(teams)))
        shared = shared.semi_join(shared.filter(shared.team.isin(sorted(teams))), WHOSE)
    whole = usage.join(alone, WHOSE).mutate(**{name: usage[name].cast(MONEY) for name in hours})
    return whole.select(*usage.columns, "team").union(_parts(usage, shared, teams, hours))


def _parts(usage: ir.Table, shared: ir.Table, teams: frozenset[str] | None, hours: list[str]) -> ir.Table:
    """Of workloads with several teams, each team's part."""
    own = _places(shared).drop("currency").rename(team="claimant")
    if teams is not None:
        own = own.filter(own.team.isin(sorted(teams)))
    rows = usage.join(own, WHOSE).mutate(**{f"{name}_units": units_of(usage[name].cast(MONEY)) for name in hours})
    ends = {f"{name}_{end}": (f"{name}_units", end) for name in hours for end in ("since_all", "until_all")}
    rows = with_shares(rows, ends, whole="whole_all")
    parts = {name: amount_of(rows[f"{name}_until_all"] - rows[f"{name}_since_all"]) for name in hours}
    known = {name: rows[name].isnull().ifelse(ibis.null(MONEY), part) for name, part in parts.items()}
    return rows.mutate(**known).select(*usage.columns, "team")


def _places(charged: ir.Table) -> ir.Table:
    """Where each team stands in a workload's day: from `since_all` until `until_all` of `whole_all`."""
    of = (*WHOSE, "currency")
    costs = charged.group_by([*of, "team"]).aggregate(weight=charged.effective_cost.sum().abs().cast(WEIGHT))
    found = placed(costs.select("weight", pool_id=ibis.struct({name: costs[name] for name in of}), claimant=costs.team))
    found = found.mutate(**{name: found.pool_id[name] for name in of}).drop("pool_id")
    found = found.mutate(before=ibis.dense_rank().over(ibis.window(group_by=WHOSE, order_by="currency")).cast("int64"))
    found = found.mutate(currencies=(found.before.max().over(ibis.window(group_by=WHOSE)) + 1).cast("int64"))
    return found.select(
        *of, "claimant",
        since_all=found.since + found.before * found.whole,
        until_all=found.until + found.before * found.whole,
        whole_all=found.whole * found.currencies,
    )  # fmt: skip
