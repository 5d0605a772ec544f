"""Policies at work: they take up rows of the first attribution, pass them on, and leave a whole again."""

from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir

from apps.allocation import drivers, taking, ways
from apps.allocation.facts import OUTPUT, Facts
from apps.allocation.passing import names, pass_on, to_nobody
from apps.finops.problems import Problem
from apps.finops.windows import Window
from apps.teams.ownership import RuleBook
from apps.teams.policies import Policy
from apps.warehouse.engine import Workspace, count_of, empty

COLUMNS = [name for name in OUTPUT if name not in ("pool_id", "is_shared")]
"""The columns of `allocated` and `passed_on`, but for `ruleset`."""


@dataclass(frozen=True)
class Settled:
    """What policies made of the first attribution: `allocated` and `passed_on` have the columns of COLUMNS."""

    allocated: ir.Table
    passed_on: ir.Table
    problems: tuple[Problem, ...]


def settle(
    claimed: ir.Table, rest: ir.Table, inputs: Facts, pools: ir.Table, *, book: RuleBook, window: Window,
    workspace: Workspace,
) -> Settled:  # fmt: skip
    """Apply the policies of a book to what `services.attribute` made of a window.

    First idle capacity and shared pools are passed on, then what follows other charges, by what these then cost. What
    a policy finds nobody for stays where the rules put it; the cost of a platform namespace is then `unallocated`. The
    rows of `allocated` add up to exactly those that came in, in every cost, for every day, bill and charge category.
    """
    policies = book.all_policies
    numbered = [one for one in enumerate(policies) if any(one[1].is_valid_on(day) for day in window.days())]
    taken = taking.take_up(claimed, rest, inputs, pools, numbered, workspace)
    ledger = _Ledger(policies, names(policies, workspace), workspace, list(taken.kept))
    for way in ways.sharing(numbered, taken, window, workspace):
        ledger.pass_on(way)
    for way in ways.following(numbered, taken, ledger.rows(ways.BASE), workspace):
        ledger.pass_on(way)
    gone = [rows.select(COLUMNS) for rows in ledger.gone]
    return Settled(
        allocated=ledger.rows(COLUMNS),
        passed_on=ibis.union(*gone) if gone else empty(rest.select(COLUMNS).schema()),
        problems=tuple(ledger.problems),
    )


@dataclass
class _Ledger:
    """What stays, what is received, and what is gone for it."""

    policies: tuple[Policy, ...]
    named: ir.Table
    workspace: Workspace
    kept: list[ir.Table]
    received: list[ir.Table] = field(default_factory=list)
    gone: list[ir.Table] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def pass_on(self, way: ways.Way) -> None:
        if way.driver is not None:
            self.problems += drivers.missing(way.rows, way.driver, self.policies)
        passed = pass_on(way.rows, way.rungs, self.named, self.workspace)
        self.received += passed.received
        self.gone += passed.gone
        if not count_of(passed.left):
            return
        if way.is_of_workloads:
            self.received.append(to_nobody(passed.left, self.named))
            self.gone.append(passed.left)
        else:
            self.kept.append(passed.left)

    def rows(self, columns: list[str]) -> ir.Table:
        """Everything that is allocated by now; columns that no row has are left out."""
        known = [name for name in columns if name in self.kept[0].columns]
        parts = [rows.select(known) for rows in (*self.kept, *self.received)]
        return ibis.union(*parts) if len(parts) > 1 else parts[0]
