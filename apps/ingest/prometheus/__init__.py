"""Usage, metered hour by hour from the HTTP API of a Prometheus-compatible server."""
