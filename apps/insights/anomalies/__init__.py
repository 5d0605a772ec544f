"""Anomalies of published cost and measured usage: what departs from its usual, where it belongs, and why."""
