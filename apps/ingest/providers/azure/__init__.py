"""Azure: cost exports of actual, amortised and FOCUS cost, of Enterprise and Microsoft Customer Agreements."""

from apps.ingest.providers.azure import costs
from apps.ingest.providers.azure.exports import choose, discover
from apps.ingest.providers.base import Provider

PROVIDER = Provider(
    "azure",
    "Azure bill",
    (costs.FOCUS, costs.ACTUAL, costs.AMORTISED, costs.ACTUAL_BESIDE),
    discover=discover,
    choose=choose,
    same_anywhere=True,
)
