"""What policies take up: platform workloads, idle capacity, and charges of their own."""

import functools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir

from apps.allocation import ownership
from apps.allocation.facts import Facts
from apps.allocation.particulars import FIELDS as PARTICULARS
from apps.allocation.particulars import guard
from apps.teams.ownership import CHARGE_FIELDS, IDLE_FIELDS, WORKLOAD_FIELDS
from apps.teams.policies import OF_CHARGES, Policy
from apps.warehouse.engine import Workspace

Numbered = Sequence[tuple[int, Policy]]
"""Policies with their numbers among all of a book."""
_WORKLOAD = ["day", "cluster", "namespace", "workload"]


@dataclass(frozen=True)
class Taken:
    """The first attribution as policies see it.

    `kept` stays for good. `workloads`, `idle` and `charges` are taken up, with the `number` of the policy that decides;
    None where there is no policy for such. `claims` are the rows of clusters that no policy took up as a workload.
    """

    kept: tuple[ir.Table, ...]
    claims: ir.Table
    workloads: ir.Table
    idle: ir.Table | None
    charges: ir.Table | None


def take_up(
    claimed: ir.Table, rest: ir.Table, inputs: Facts, pools: ir.Table, policies: Numbered, workspace: Workspace
) -> Taken:
    """Let every row meet the first policy that matches it."""
    claimed, rest = (_with_particulars(rows, pools, inputs) for rows in (claimed, rest))
    claims = claimed.filter(~claimed.is_shared).drop("is_shared")
    of_idle = [(number, policy) for number, policy in policies if policy.subject == "idle"]
    of_charges = [
        (number, replace(policy, when=(*guard(policy), *policy.when)))
        for number, policy in policies
        if policy.subject in OF_CHARGES and _may_match(policy, _CHARGE_FIELDS)
    ]
    idle, charges = None, None
    kept = [claims, rest]
    if of_idle:
        judged = _judged(claims.filter(claims.kind == "idle"), pools, of_idle, IDLE_FIELDS, workspace)
        kept[:1] = [claims.filter(claims.kind != "idle"), _kept(judged, of_idle, workspace)]
        idle = _taken(judged, of_idle, workspace)
    if of_charges:
        judged = _judged(rest, pools, of_charges, _CHARGE_FIELDS, workspace)
        kept[-1:] = [_kept(judged, of_charges, workspace)]
        charges = _taken(judged, of_charges, workspace)
    return Taken(
        kept=tuple(kept),
        claims=claims,
        workloads=_workloads(claimed, inputs, policies, workspace),
        idle=idle,
        charges=charges,
    )


_CHARGE_FIELDS = (*CHARGE_FIELDS, *PARTICULARS)


def _with_particulars(rows: ir.Table, pools: ir.Table, inputs: Facts) -> ir.Table:
    return rows.join(pools.select("pool_id", *inputs.particulars), "pool_id") if inputs.particulars else rows


def _may_match(policy: Policy, fields: Iterable[str]) -> bool:
    """Whether anything that has just these fields may match a policy."""
    return {one.field for one in policy.when} <= set(fields) and (
        not policy.any or any(one.field in fields for one in policy.any)
    )


def _workloads(claimed: ir.Table, inputs: Facts, policies: Numbered, workspace: Workspace) -> ir.Table:
    """What platform workloads claimed: `is_shared` says that a policy matches, this says which."""
    platform = workspace.keep(claimed.filter(claimed.is_shared).drop("is_shared"))
    sharing = [(number, policy) for number, policy in policies if policy.subject == "share"]
    subjects = inputs.labelled(platform.select(_WORKLOAD).distinct())
    judged = ownership.first_of(subjects, sharing, WORKLOAD_FIELDS, workspace)
    return workspace.keep(platform.join(judged.select(*_WORKLOAD, "number"), _WORKLOAD))


def _judged(
    rows: ir.Table, pools: ir.Table, policies: Numbered, fields: tuple[str, ...], workspace: Workspace
) -> ir.Table:
    tagged = workspace.keep(rows.join(pools.select("pool_id", "tags"), "pool_id"))
    return workspace.keep(ownership.first_of(tagged, policies, fields, workspace).drop("tags"))


def _taken(judged: ir.Table, policies: Numbered, workspace: Workspace) -> ir.Table:
    return workspace.keep(judged.filter(judged.number.isin(_passing(policies))))


def _kept(judged: ir.Table, policies: Numbered, workspace: Workspace) -> ir.Table:
    """What policies leave in place, with the owner they choose."""
    rows = judged.filter(judged.number.notin(_passing(policies)))
    central = [(number, policy) for number, policy in policies if policy.how == "central"]
    if central:
        is_central = functools.reduce(operator.or_, (rows.number == number for number, _ in central))
        chosen = {
            "team": ibis.cases(*((rows.number == number, policy.team) for number, policy in central), else_=rows.team),
            "rule": ibis.cases(*((rows.number == number, policy.label) for number, policy in central), else_=rows.rule),
            "kind": is_central.ifelse("idle", rows.kind),
        }
        rows = rows.mutate(**chosen)
    return workspace.keep(rows.drop("number"))


def _passing(policies: Numbered) -> list[int]:
    return [number for number, policy in policies if policy.how not in ("owner", "central")]
