"""What asks for attention, from when to when, who took note, and by which thresholds."""

from django.db import models

from apps.finops.notices import SEVERITIES

SEVERITY_CHOICES = [(severity, severity) for severity in SEVERITIES]


class Alert(models.Model):
    """One fact of a rule: the same `subject` in the same `period` is the same alert, however often it is found.

    `severity` is the gravest of this `opening`, which counts how often it came back. `title` is a `Sentence` as JSON
    and `lines` a list of such. `team` is whose cost it is about, empty for the company's. `raised_at` is when it was
    opened or became graver, from when `escalated` counts how many further circles of people were told.
    """

    class State(models.TextChoices):
        OPEN = "open", "open"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        RESOLVED = "resolved", "resolved"

    rule = models.CharField(max_length=20)
    subject = models.CharField(max_length=200)
    period = models.CharField(max_length=60, blank=True)
    team = models.CharField(max_length=60, blank=True, db_index=True)
    severity = models.CharField(max_length=8, choices=SEVERITY_CHOICES)
    title = models.JSONField()
    lines = models.JSONField(default=list)
    link = models.CharField(max_length=1000, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN, db_index=True)
    opening = models.PositiveIntegerField(default=1)
    escalated = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    raised_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "subject", "period"], name="alerts_alert_once"),
            models.CheckConstraint(
                condition=models.Q(state="resolved", resolved_at__isnull=False)
                | (~models.Q(state="resolved") & models.Q(resolved_at__isnull=True)),
                name="alerts_resolved_at_a_moment",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="acknowledged") | models.Q(acknowledged_at__isnull=False),
                name="alerts_acknowledged_at_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"alert {self.pk}"

    @property
    def thread(self) -> str:
        """What all notices of one opening have in common."""
        return f"alert {self.pk} {self.opening}"


class AlertStep(models.Model):
    """One thing that happened to an alert: who (empty: the machine), when, what, and what they said of it.

    Rows are only ever added, and go with their alert when it has been over for long.
    """

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="steps")
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=12)
    severity = models.CharField(max_length=8, choices=SEVERITY_CHOICES)
    note = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["alert", "id"], name="alerts_steps_in_order")]

    def __str__(self) -> str:
        return f"{self.action} {self.alert_id}"


class RuleCheck(models.Model):
    """When a rule was last looked at: what was seen earlier counts no more. Whoever applies a rule holds its row."""

    rule = models.CharField(max_length=20, unique=True)
    checked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.rule} at {self.checked_at}"


class Threshold(models.Model):
    """From where a rule speaks, for a `team` (empty: for all): the newest row counts, none is changed or taken away.

    `limits` pairs a severity with a number as text; a severity without one is never reached.
    """

    rule = models.CharField(max_length=20)
    team = models.CharField(max_length=60, blank=True)
    is_on = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)
    limits = models.JSONField(default=dict)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"thresholds of {self.rule}"
