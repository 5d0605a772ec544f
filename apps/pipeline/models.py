"""What was asked for, tried and done: runs of steps, and the days each step has filled."""

from django.db import models

from apps.finops.windows import Window


class StepRun(models.Model):
    """One piece of work: a step, for a source and a window of days where the step has them.

    `key` names the piece; at most one run of a key is active. `attempt` counts workers that took it, before they began.
    `fingerprint` is of the inputs it was planned for; `failure` is the kind of failure (`pipeline.retries`).
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    ACTIVE = (State.WAITING, State.RUNNING)

    step = models.CharField(max_length=30)
    source = models.CharField(max_length=60, blank=True)
    window_start = models.DateField(null=True)
    window_end = models.DateField(null=True)
    key = models.CharField(max_length=130)
    fingerprint = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    failure = models.CharField(max_length=12, blank=True)
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
        indexes = [
            models.Index(fields=["state", "step"], name="pipeline_run_state"),
            models.Index(fields=["key", "state"], name="pipeline_run_key"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(state__in=["waiting", "running"]), name="pipeline_active_run_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.state}"

    @property
    def window(self) -> Window | None:
        return Window(self.window_start, self.window_end) if self.window_start and self.window_end else None


STALE = ""
"""In place of inputs: a day that is filled anew whatever they are."""


class FilledDay(models.Model):
    """The inputs a step last filled a day from; when they differ from today's inputs, the day is due again."""

    step = models.CharField(max_length=30)
    day = models.DateField()
    fingerprint = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step", "day"], name="pipeline_filled_day_once")]

    def __str__(self) -> str:
        return f"{self.step} {self.day}"


class Clock(models.Model):
    """One row: when sources were last looked at. Whoever plans, claims or finishes a run holds it meanwhile."""

    THE_ONE = 1

    looked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"clock, last looked at sources {self.looked_at}"
