"""Plans that were made, the settings people chose for them, and what was measured beside them."""

from apps.planning.models.plans import ChosenSettings, Outcome, Plan
from apps.planning.models.timetables import Timetable

__all__ = ["ChosenSettings", "Outcome", "Plan", "Timetable"]
