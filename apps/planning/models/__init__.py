"""Plans that were made, what people chose, measured and brought for them: settings, outcomes, timetables, offers."""

from apps.planning.models.offers import MemoryNeed, Offer
from apps.planning.models.plans import ChosenSettings, Fault, Outcome, Plan
from apps.planning.models.timetables import Timetable

__all__ = ["ChosenSettings", "Fault", "MemoryNeed", "Offer", "Outcome", "Plan", "Timetable"]
