"""Plans that were made, the settings people chose for them, and the price table of what can be bought."""

from apps.planning.models.offers import MemoryNeed, Offer
from apps.planning.models.plans import ChosenSettings, Plan

__all__ = ["ChosenSettings", "MemoryNeed", "Offer", "Plan"]
