"""What policies ask of a charge beyond the columns of a pool: its invoice, its commitment, whether it is a credit."""

import functools
import operator
from collections.abc import Callable

import ibis.expr.types as ir

from apps.allocation.ownership import is_valid
from apps.teams.ownership import Condition, RuleBook
from apps.teams.policies import Policy

Particulars = dict[str, Callable[[ir.Table], ir.StringValue]]
"""The column of a pool → its value of the charges of the lake."""

_OF_SUBJECT = {"unused": ("commitment", "commitment_type", "commitment_status"), "credits": ("credit",)}
_GUARDS = {
    "unused": (Condition("commitment_status", "", ("Unused",)),),
    "credits": (Condition("credit", "", ("yes",)),),
}
FIELDS = ("commitment", "commitment_type", "commitment_status", "credit")
"""Those that conditions may be about."""


def guard(policy: Policy) -> tuple[Condition, ...]:
    """What a charge must be for the subject of a policy, whatever the policy says."""
    return _GUARDS.get(policy.subject, ())


def asked_by(policy: Policy) -> tuple[str, ...]:
    """The particulars that tell apart what a policy takes up, or what it weighs by."""
    return ("invoice",) if policy.how == "invoice" else _OF_SUBJECT.get(policy.subject, ())


def particulars(book: RuleBook) -> Particulars:
    """Those that any policy of the book asks for. On days when none is valid that asks they are empty, so that a
    policy leaves the pools of earlier days as they were, to the last decimal."""
    found: Particulars = {}
    for name, value in _VALUES.items():
        asking = [policy for policy in book.policies if name in asked_by(policy)]
        if asking:
            found[name] = functools.partial(_on_valid_days, asking, value)
    return found


def _on_valid_days(
    asking: list[Policy], value: Callable[[ir.Table], ir.StringValue], charges: ir.Table
) -> ir.StringValue:
    is_asked = functools.reduce(operator.or_, (is_valid(charges.x_ChargeDay, policy) for policy in asking))
    return is_asked.ifelse(value(charges).fill_null(""), "")


def _credit(charges: ir.Table) -> ir.StringValue:
    """`yes` for credits, and for adjustments that lower the cost."""
    effective, billed = charges.EffectiveCost.fill_null(0), charges.BilledCost.fill_null(0)
    lowers = (effective < 0) | ((effective == 0) & (billed < 0))
    category = charges.ChargeCategory.fill_null("")
    is_credit = (category == "Credit") | ((category == "Adjustment") & lowers)
    return is_credit.ifelse("yes", "")


_VALUES: Particulars = {
    "invoice": lambda charges: charges.InvoiceId,
    "commitment": lambda charges: charges.CommitmentDiscountId,
    "commitment_type": lambda charges: charges.CommitmentDiscountType,
    "commitment_status": lambda charges: charges.CommitmentDiscountStatus,
    "credit": _credit,
}
