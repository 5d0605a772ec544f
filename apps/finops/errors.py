"""The root of every error a person can act on."""

from collections.abc import Callable


class CostOpsError(Exception):
    """Something a person can act on; the message says what is wrong, where, and what to do."""

    stays: Callable[[], object] | None = None
    """Writes what stays of a refusal, for whoever takes back all that was written with it."""
