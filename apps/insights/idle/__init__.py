"""Idle and abandoned resources: found, explained, priced, excluded."""
