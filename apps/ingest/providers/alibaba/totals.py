"""The bill overview (账单总览, `QueryBillOverview`): what every product of a month cost, rounded off as it is paid."""

import re
from collections.abc import Mapping, Sequence

from apps.finops.money import parse_amount
from apps.ingest.providers.alibaba.bill import ACCOUNT_INPUTS
from apps.ingest.providers.alibaba.extras import OVERVIEW_AMOUNTS
from apps.ingest.providers.alibaba.words import service_name
from apps.ingest.providers.base import Overview, Stated

_MONTH = re.compile(r"(20\d\d)-?(\d\d)")


def _first(row: Mapping[str, str], names: Sequence[str]) -> str:
    return next((row[name].strip("\t '`") for name in names if row.get(name)), "")


def state(row: Mapping[str, str]) -> Stated:
    """One row: an account's month of one product."""
    month = _MONTH.fullmatch(_first(row, ("账单月份", "账期", "BillingCycle")))
    if month is None:
        raise LookupError("a row names no month")
    amounts = {what: _first(row, names) for what, names in OVERVIEW_AMOUNTS.items()}
    return Stated(
        account=_first(row, ACCOUNT_INPUTS["account"].names),
        month=f"{month[1]}-{month[2]}",
        service=service_name(amounts["product_code"], amounts["product"]),
        currency=amounts["currency"],
        billed_cost=parse_amount(amounts["payable"])[0],
    )


OVERVIEW_FILES = Overview(re.compile("billoverview|bill_overview|账单总览|账单概览", re.IGNORECASE), state)
