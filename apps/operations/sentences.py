"""Sentences of findings as they are kept and told: those of `warehouse.sentences`."""

from apps.warehouse.sentences import kept, told, told_of

__all__ = ["kept", "told", "told_of"]
