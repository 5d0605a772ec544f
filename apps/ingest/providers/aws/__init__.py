"""AWS: legacy Cost and Usage Reports, CUR 2.0 and FOCUS Data Exports, told apart by their columns."""

from apps.ingest.providers import focus
from apps.ingest.providers.aws.discovery import discover
from apps.ingest.providers.aws.mapping import MAPPING
from apps.ingest.providers.base import Provider

PROVIDER = Provider("aws", "AWS bill", (MAPPING, focus.MAPPING), discover=discover)
