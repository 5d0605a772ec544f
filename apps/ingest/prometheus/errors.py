"""What can go wrong between us and a Prometheus-compatible server."""

from apps.finops.errors import CostOpsError


class PrometheusError(CostOpsError):
    """Something about the Prometheus source that a person can act on."""


class BadPrometheusOption(PrometheusError):
    """An option of the source is unknown or cannot be used."""


class PrometheusUnavailable(PrometheusError):
    """The server could not be reached, or kept failing, after several attempts."""


class PrometheusRefused(PrometheusError):
    """The server understood the query and refused it: permission, address or syntax."""


class PrometheusGarbled(PrometheusError):
    """The answer is not an answer of the Prometheus HTTP API."""


class QueryTooLarge(PrometheusError):
    """The server, or our own limit, refuses a query even for the smallest window."""
