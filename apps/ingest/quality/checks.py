"""The named checks of a bill's charges: what each looks for, what happens then, and the way out.

Sources: FOCUS 1.2 (allowed values, signs, order of the cost columns), and what providers' bills were seen to get wrong.
docs/quality.md explains every code; a test keeps it so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from apps.finops.currencies import CURRENCIES
from apps.finops.focus import JSON_COLUMNS
from apps.finops.problems import Severity


def _(text: str) -> str:
    """Marks what people read, to be translated where it is shown."""
    return text


Then = Literal["note", "warn", "hold", "stop"]
SEVERITY: dict[Then, Severity] = {"note": "note", "warn": "warning", "hold": "warning", "stop": "error"}
"""What a check does: tell, warn, hold the file back until somebody decides, or refuse it."""

CATEGORIES = (
    "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
    "Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration", "Mobile",
    "Multicloud", "Networking", "Other", "Security", "Storage", "Web",
)  # fmt: skip
"""FOCUS 1.2, ServiceCategory."""
CHARGE_CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")


@dataclass(frozen=True)
class RowCheck:
    """A rule every charge should keep: `broken` is true of a charge that breaks it.

    A rule that is dear to ask may be asked of the distinct values of columns first: `by_value`, column → condition.
    """

    code: str
    then: Then
    broken: str
    means: str
    way_out: str
    from_share: float = 0.0
    """Told only when more than this share of the charges break it."""
    by_value: Mapping[str, str] = field(default_factory=dict)


def _in(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _no_number(column: str) -> str:
    """Whether JSON holds NaN or Infinity, which the engine takes and JSON does not know; in quotes they are text."""
    bare = f"""regexp_replace("{column}", '"(?:[^"\\\\]|\\\\.)*"', '', 'g')"""
    return f"""(regexp_matches("{column}", '(?i)nan|inf') AND regexp_matches({bare}, '(?i)nan|inf'))"""


_ACCOUNTS = ('"BillingAccountId"', '"SubAccountId"')
_USAGE = "\"ChargeCategory\" = 'Usage' AND \"ChargeClass\" IS DISTINCT FROM 'Correction'"

ROW_CHECKS = (
    RowCheck(
        "currency_code", "stop", 'NOT regexp_full_match("BillingCurrency", \'[A-Z]{3}\')',
        _("The currency is not a code of three capital letters."),
        _("Correct BillingCurrency in the export; amounts of an unknown currency cannot be added to anything."),
    ),
    RowCheck(
        "currency_unknown", "warn", f"NOT regexp_full_match(\"BillingCurrency\", '{'|'.join(CURRENCIES)}')",
        _("The currency is none of ISO 4217."),
        _("If it is another name of one you use (RMB for CNY), correct the export: the two are never added."),
    ),
    RowCheck(
        "damaged_id", "stop",
        " OR ".join(f"regexp_full_match({name}, '[0-9](\\.[0-9]+)?E\\+[0-9]+')" for name in _ACCOUNTS),
        _("An account id was turned into a number by a spreadsheet, and its digits are lost."),
        _("Deliver the file as the provider wrote it, not saved again from a spreadsheet."),
    ),
    RowCheck(
        "json_number", "stop", " OR ".join(map(_no_number, JSON_COLUMNS)),
        _("A value of the tags or details is NaN or Infinity, which is no JSON."),
        _("Ask the exporter to write it in quotes or to leave it out."),
        by_value={column: _no_number(column) for column in JSON_COLUMNS},
    ),
    RowCheck(
        "charge_category", "warn", f'"ChargeCategory" NOT IN ({_in(CHARGE_CATEGORIES)})',
        _("The charge category is none of Usage, Purchase, Tax, Credit, Adjustment."),
        _("Ask the exporter to spell it as FOCUS does; rules on charge_category do not match it until then."),
    ),
    RowCheck(
        "service_category", "note", f'"ServiceCategory" NOT IN ({_in(CATEGORIES)})',
        _("The service category is none that FOCUS knows."),
        _("Nothing depends on it here; exports to others may fail."),
    ),
    RowCheck(
        "period_reversed", "warn", '"ChargePeriodEnd" < "ChargePeriodStart"',
        _("The charge ends before it starts."), _("Ask the exporter; the charge counts on the day it starts."),
    ),
    RowCheck(
        "outside_billing_period", "note",
        '"ChargePeriodStart" < "BillingPeriodStart" - INTERVAL 1 DAY OR "ChargePeriodStart" >= "BillingPeriodEnd"',
        _("The charge lies outside its billing period."),
        _("Usual for late or corrected charges; it counts on its own day and ties out in its billing month."),
    ),
    RowCheck(
        "negative_usage", "warn",
        f'{_USAGE} AND ("ConsumedQuantity" < 0 OR "PricingQuantity" < 0) AND "BilledCost" >= 0',
        _("Usage is negative, and its cost is not."), _("Ask the provider; the cost counts as it stands."),
    ),
    RowCheck(
        "list_below_contracted", "note", f'{_USAGE} AND "ListCost" < "ContractedCost"',
        _("The list price is lower than the contracted price."),
        _("Savings from the contract come out too small for these."),
    ),
    RowCheck(
        "contracted_below_effective", "note",
        f'{_USAGE} AND "CommitmentDiscountId" IS NULL AND "ContractedCost" < "EffectiveCost"',
        _("The contracted cost is lower than the effective cost."),
        _("Check whether tax or fees are inside the effective cost."),
    ),
    RowCheck(
        "missing_price", "note", f'{_USAGE} AND "ListCost" <> 0 AND "ListUnitPrice" IS NULL AND "SkuPriceId" IS NULL',
        _("A charge at list price names no price."),
        _("Estimates and what-if use prices learned from cost and quantity."),
        from_share=0.5,
    ),
    RowCheck(
        "no_list_cost", "note", f'{_USAGE} AND "BilledCost" > 0 AND coalesce("ListCost", 0) = 0',
        _("Usage has no list cost."), _("Savings against list price cannot be told for these charges."),
    ),
)  # fmt: skip
"""In the order they are told."""


@dataclass(frozen=True)
class SourceCheck:
    """A rule about a source as a whole, looked at after a file of it was read."""

    code: str
    then: Then
    means: str
    way_out: str


SOURCE_CHECKS = {
    check.code: check
    for check in (
        SourceCheck(
            "duplicate_rows", "warn", _("Charges are the same in every column."),
            _("Identical charges are legal and all count; if the export joined two files, deliver it again."),
        ),
        SourceCheck(
            "mostly_duplicates", "hold", _("A third of the charges or more repeat others in every column."),
            _(
                "Most likely the export was joined to itself: deliver it again, or accept it if the charges are meant "
                "so."
            ),
        ),
        SourceCheck(
            "told_before", "hold", _("Charges stand in another file as well, which counts already."),
            "Most likely two exports overlap: reject the file and deliver only what is new, or accept it if not.",
        ),
        SourceCheck(
            "several_currencies", "note", _("One account is billed in several currencies."),
            _("They are never added; each has its own totals."),
        ),
        SourceCheck(
            "new_service", "note", _("A service was billed for the first time."),
            _("Look at who owns it: without a rule it is unallocated."),
        ),
        SourceCheck(
            "missing_days", "warn", _("Days inside a billing month have no charges."),
            _("Ask for the missing days; until they come these days cost nothing here."),
        ),
        SourceCheck(
            "tag_twice", "warn", _("A tag stands twice in the tags of a charge."),
            "Its first value counts; ask the exporter to write every key once.",
        ),
        SourceCheck(
            "tag_drift", "warn", _("A tag covers much less cost than the month before."),
            _("See who stopped tagging; rules on this tag match less, and `unallocated` grows."),
        ),
        SourceCheck(
            "held", "hold", _("A new issue is much smaller than what counts now, or breaks a rule that holds it back."),
            _(
                "`manage.py source accept NAME` takes it, `manage.py source reject NAME` refuses it; or deliver it "
                "again."
            ),
        ),
        SourceCheck(
            "late", "warn", _("A day is later than it usually is, or than the source says."),
            _("Look whether the export still runs; the day costs nothing here until it comes."),
        ),
    )
}  # fmt: skip

HOLDS = frozenset(check.code for check in ROW_CHECKS if check.then == "hold") | {"mostly_duplicates", "told_before"}
"""Codes that hold a file back."""
