"""Days that a company named, as they were brought: school terms, promotions, days off, weekends worked."""

from django.db import models

TERM, PROMOTION, HOLIDAY, WORKDAY = KINDS = ("term", "promotion", "holiday", "workday")


class CalendarImport(models.Model):
    """A file of spans that somebody brought; what was brought is undone by withdrawing it, never deleted."""

    number = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=255)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    withdrawn_by = models.CharField(max_length=150, blank=True)
    withdrawn_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"calendar import {self.number}"


class Span(models.Model):
    """Days from `first` to `last`, both within, that are like each other; of the same name and kind the newest holds.

    `holiday` are days off besides the public ones, `workday` days that are worked though the calendar says they are
    off.
    """

    brought = models.ForeignKey(CalendarImport, models.PROTECT, related_name="spans")
    line = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10)
    first = models.DateField()
    last = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="calendars_span_kind_is_known"),
            models.CheckConstraint(condition=models.Q(first__lte=models.F("last")), name="calendars_span_has_days"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.first}..{self.last}"
