"""Alibaba Cloud: bills pushed to OSS or pulled from the API, with what lies beside them."""

from dataclasses import replace

from apps.ingest.providers.alibaba import api
from apps.ingest.providers.alibaba.bill import BILL
from apps.ingest.providers.alibaba.discovery import discover
from apps.ingest.providers.alibaba.extras import AMORTISED_COST, OVERVIEW, PLAN_DEDUCTIONS, PLAN_USE
from apps.ingest.providers.alibaba.totals import OVERVIEW_FILES
from apps.ingest.providers.base import Api, Provider
from apps.ingest.providers.china import ENCODINGS

MAPPINGS = (AMORTISED_COST, PLAN_USE, PLAN_DEDUCTIONS, OVERVIEW, BILL)
"""What lies beside a bill first: it is known by columns of its own."""

PROVIDER = Provider(
    "alibaba",
    "Alibaba Cloud bill",
    MAPPINGS,
    discover,
    encodings=ENCODINGS,
    overview=OVERVIEW_FILES,
    has_answers=True,
)
API_PROVIDER = replace(
    PROVIDER,
    kind="alibaba_api",
    title="Alibaba Cloud bill, by API",
    api=Api(api.OPTIONS, api.check_options, api.fetch),
)
