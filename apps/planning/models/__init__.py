"""Plans that were made, and the settings people chose for them."""

from apps.planning.models.plans import ChosenSettings, Plan

__all__ = ["ChosenSettings", "Plan"]
