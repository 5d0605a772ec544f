"""What is idle by a publication, and what people decided about it."""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models


class IdleRun(models.Model):
    """All that was found idle in one publication.

    Cost is of the `costed_days` complete days before `end_day`; activity is known up to `last_hour`, which is empty
    where no cluster is metered. `inputs` is the fingerprint of the days and settings it was found by; a later
    publication of the same takes it over.
    """

    publication = models.PositiveBigIntegerField()
    model_version = models.CharField(max_length=20)
    inputs = models.CharField(max_length=64)
    end_day = models.DateField(null=True)
    costed_days = models.PositiveIntegerField(default=0)
    last_hour = models.DateTimeField(null=True)
    ways = models.JSONField(default=dict)
    """By kind how its verdicts came about: learned from the fleet's own past, by the plain rule, or by a shipped
    curve."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publication"], name="insights_idle_run_once")]

    def __str__(self) -> str:
        return f"idle resources of publication {self.publication}"


class IdleFinding(models.Model):
    """Something idle, and what it costs one team in one currency; `identity` names it whatever the team.

    `cost` is effective cost in the run's days and `per_month` the same as that of a month, both exact, as text.
    `is_known` is false where no signal tells whether it is used. `evidence` and `lost` are sentences: English text and
    its values. `activity` holds the highest value of each of the last days by signal, `slots` the share of active hours
    by hour of the week, `windows` the hours that a schedule would switch off: weekday, first hour, number of hours.
    """

    class Verdict(models.TextChoices):
        SAFE = "safe", "Safe to stop"
        REVIEW = "review", "Review"

    run = models.ForeignKey(IdleRun, on_delete=models.CASCADE, related_name="findings")
    identity = models.CharField(max_length=16, db_index=True)
    kind = models.CharField(max_length=20)
    subject = models.TextField()
    cluster = models.TextField(blank=True)
    namespace = models.TextField(blank=True)
    workload = models.TextField(blank=True)
    resource = models.TextField(blank=True)
    name = models.TextField(blank=True)
    service = models.TextField(blank=True)
    team = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    cost_text = models.CharField(max_length=45)
    per_month_text = models.CharField(max_length=45)
    verdict = models.CharField(max_length=8, choices=Verdict)
    is_known = models.BooleanField()
    probability = models.FloatField(null=True)
    since = models.DateField()
    last_active = models.DateTimeField(null=True)
    evidence = models.JSONField(default=list)
    lost = models.JSONField(default=list)
    at_stake = models.TextField(blank=True)
    signals = models.JSONField(default=dict)
    activity = models.JSONField(default=dict)
    slots = models.JSONField(default=list)
    windows = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "identity", "team", "currency"], name="insights_idle_finding_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @property
    def cost(self) -> Decimal:
        return Decimal(self.cost_text)

    @property
    def per_month(self) -> Decimal:
        return Decimal(self.per_month_text)


class IdleExclusion(models.Model):
    """Somebody decided about something idle: rows are only added, and of one kind and pattern the newest decides.

    `pattern` is a subject or a shell pattern of subjects, `kind` empty for all kinds. An exclusion ends before the day
    `until`, or never. `team` is whom the decision is of; empty where it is for all.
    """

    class Decision(models.TextChoices):
        EXCLUDE = "exclude", "Excluded"
        KEEP = "keep", "Keep"
        UNDO = "undo", "Undone"

    decision = models.CharField(max_length=8, choices=Decision)
    kind = models.CharField(max_length=20, blank=True)
    pattern = models.TextField()
    team = models.CharField(max_length=64, blank=True)
    reason = models.TextField()
    until = models.DateField(null=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.decision} {self.kind} {self.pattern}".strip()

    def is_in_force(self, day: date) -> bool:
        return self.decision != self.Decision.UNDO and (self.until is None or day < self.until)


def identity_of(kind: str, *parts: Any) -> str:
    """The short name of a subject in addresses."""
    return hashlib.sha256(repr((kind, *parts)).encode()).hexdigest()[:16]
