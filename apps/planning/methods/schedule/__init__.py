"""Replicas by the clock: what a timetable or the week's own pattern needs, in as few steps as are worth it."""
