"""Google Cloud: files of the detailed billing export as CSV, JSON lines or Parquet, and of its FOCUS export."""

from apps.ingest.providers import focus
from apps.ingest.providers.base import Provider
from apps.ingest.providers.gcp.costs import DETAILED
from apps.ingest.providers.gcp.exports import discover

PROVIDER = Provider("gcp", "Google Cloud bill", (DETAILED, focus.MAPPING), discover, files="parts", only_grows=True)
