"""What was asked for, tried and done: runs of steps, and the days each step has filled."""

from django.db import models


class StepRun(models.Model):
    """One attempt to fill one window of one step."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    step = models.CharField(max_length=30)
    source = models.CharField(max_length=60, blank=True)
    window_start = models.DateField(null=True)
    window_end = models.DateField(null=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempt = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    cost_in = models.JSONField(default=dict)
    cost_out = models.JSONField(default=dict)
    versions = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    message = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "step"], name="pipeline_run_state")]

    def __str__(self) -> str:
        return f"{self.step} {self.source} {self.window_start or ''} {self.state}"


class FilledDay(models.Model):
    """The inputs a step last filled a day from; when they differ from today's inputs, the day is due again."""

    step = models.CharField(max_length=30)
    day = models.DateField()
    fingerprint = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step", "day"], name="pipeline_filled_day_once")]

    def __str__(self) -> str:
        return f"{self.step} {self.day}"
