"""The root of every error a person can act on."""


class CostOpsError(Exception):
    """Something a person can act on; the message says what is wrong, where, and what to do."""
