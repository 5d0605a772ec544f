"""Plans by publication, planners that failed, and the settings people chose for plans."""

from django.db import models


class Plan(models.Model):
    """One plan of a publication: what a planner made for a subject, or why it made none.

    `data` is all it was made of, as the planner packed it, `inputs` the fingerprint of that, the settings and the
    planner's version; `draft` the plan as `apps.planning.packing` writes it, `withheld` the sentence that says why
    there is none.
    """

    publication = models.PositiveBigIntegerField(db_index=True)
    planner = models.CharField(max_length=20)
    subject = models.TextField(blank=True)
    version = models.CharField(max_length=20)
    inputs = models.CharField(max_length=64)
    data = models.BinaryField()
    draft = models.JSONField(null=True)
    withheld = models.JSONField(null=True)
    made_at = models.DateTimeField()
    seconds = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publication", "planner", "subject"], name="planning_plan_once")]

    def __str__(self) -> str:
        return f"{self.planner} {self.subject}".strip()


class Fault(models.Model):
    """A planner that could not plan a publication: its plans are of an earlier one. Gone as soon as it plans again.

    `message` is for people; empty where the fault is in the planner itself, which the log tells with its traceback.
    """

    planner = models.CharField(max_length=20, unique=True)
    publication = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    message = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.planner} {self.publication}"


class ChosenSettings(models.Model):
    """Settings somebody chose for a planner's plans of a subject: rows are only added, and the newest holds."""

    planner = models.CharField(max_length=20)
    subject = models.TextField(blank=True)
    settings = models.JSONField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "chosen settings"

    def __str__(self) -> str:
        return f"{self.planner} {self.subject}".strip()


class Outcome(models.Model):
    """What was measured beside a plan of a subject on a day and is no money: rows are only added."""

    planner = models.CharField(max_length=20)
    subject = models.TextField(blank=True)
    name = models.CharField(max_length=40)
    day = models.DateField()
    value = models.DecimalField(max_digits=18, decimal_places=6)
    note = models.TextField(blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.planner} {self.subject} {self.name} {self.day}"
