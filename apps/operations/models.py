"""Recommendations, and every step people and the machine took with them."""

from decimal import Decimal

from django.conf import settings
from django.db import models


class Recommendation(models.Model):
    """A finding that somebody owns: the same `kind`, `subject` and `currency` found again is the same recommendation.

    `title` is a `Sentence` as JSON and `evidence` a list of such. `saving_text` is what it is expected to save a month,
    `amount_text` what a question without a saving is about; both exact. `declined_text` is the money it was declined
    at, `due` by policy. `found_in` is the publication it was first found in, `seen_in` the last. `scope` says which
    cost would fall: a value by dimension of a CostQuery, or `resource` as billed; empty where no cost would. `stakes`
    are the places where the saving is spent now, each with its part of it, `hours` those of the week in
    which it is to be off, if not for good; None of what an earlier version found.
    """

    class State(models.TextChoices):
        FOUND = "found", "found"
        ASSIGNED = "assigned", "assigned"
        ACCEPTED = "accepted", "accepted"
        DECLINED = "declined", "declined"
        SNOOZED = "snoozed", "snoozed"
        IN_PROGRESS = "in_progress", "in progress"
        DONE = "done", "done"
        VERIFIED = "verified", "verified"
        NOT_VERIFIED = "not_verified", "not verified"
        REVERTED = "reverted", "reverted"
        CLOSED = "closed", "closed"

    kind = models.CharField(max_length=20)
    subject = models.CharField(max_length=600)
    currency = models.CharField(max_length=20)
    team = models.CharField(max_length=60, db_index=True)
    title = models.JSONField()
    evidence = models.JSONField(default=list)
    saving_text = models.CharField(max_length=45)
    amount_text = models.CharField(max_length=45)
    declined_text = models.CharField(max_length=45, blank=True)
    at_stake = models.CharField(max_length=600, blank=True)
    scope = models.JSONField(default=dict, blank=True)
    stakes = models.JSONField(null=True, blank=True)
    hours = models.JSONField(null=True, blank=True)
    link = models.CharField(max_length=1000)
    since = models.DateField()
    state = models.CharField(max_length=12, choices=State, default=State.FOUND, db_index=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="recommendations"
    )
    due = models.DateField()
    snoozed_until = models.DateField(null=True, blank=True)
    found_at = models.DateTimeField()
    found_in = models.PositiveBigIntegerField()
    seen_at = models.DateTimeField()
    seen_in = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject", "currency"], name="operations_recommended_once"),
            models.CheckConstraint(
                condition=models.Q(state="snoozed", snoozed_until__isnull=False)
                | (~models.Q(state="snoozed") & models.Q(snoozed_until__isnull=True)),
                name="operations_snoozed_until_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"recommendation {self.pk}"

    @property
    def saving(self) -> Decimal:
        return Decimal(self.saving_text)

    @property
    def amount(self) -> Decimal:
        return Decimal(self.amount_text)

    @property
    def money(self) -> Decimal:
        """What it is worth looking at for: its saving, or what it is about where it saves nothing."""
        return self.saving or self.amount


class RecommendationStep(models.Model):
    """One thing done to a recommendation: who (empty: the machine), when, from which state to which, why.

    `values` belong to a sentence of the machine, which is told in the reader's language; people's words stand as they
    were written. Rows are only ever added.
    """

    recommendation = models.ForeignKey(Recommendation, models.PROTECT, related_name="steps")
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=12)
    from_state = models.CharField(max_length=12, blank=True)
    to_state = models.CharField(max_length=12)
    why = models.TextField(blank=True)
    values = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [models.Index(fields=["recommendation", "id"], name="operations_steps_in_order")]

    def __str__(self) -> str:
        return f"{self.action} {self.recommendation_id}"
