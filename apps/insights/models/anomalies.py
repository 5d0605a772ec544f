"""What departed from its usual, and what people said of it."""

from django.db import models


class AnomalyRun(models.Model):
    """All anomalies found in one publication by one version of the model.

    `end_day` is the day after the last complete one. `inputs` is the fingerprint of the costs, usage, settings and
    feedback they were found from, `days` of the days and settings these were read from; a later publication of the same
    of either takes the anomalies over. `detectors` says of every
    measure and unit whether a rule or the classifier found them, and how both did on injected anomalies.
    """

    publication = models.PositiveBigIntegerField()
    model_version = models.CharField(max_length=20)
    inputs = models.CharField(max_length=64)
    days = models.CharField(max_length=64, db_default="", blank=True)
    end_day = models.DateField(null=True)
    detectors = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publication", "model_version"], name="insights_anomaly_run_once")
        ]

    def __str__(self) -> str:
        return f"anomalies of publication {self.publication}"


class Place(models.Model):
    """Whose days they are: of one measure in its unit (cost in a currency, usage in hours), at one level.

    Of `team`, `service`, `cluster` and `namespace` those that the level names are filled in.
    """

    class Measure(models.TextChoices):
        COST = "cost", "Cost"
        CPU = "cpu", "Cores"
        MEMORY = "memory", "Memory"
        GPU = "gpu", "GPUs"
        VOLUMES = "volumes", "Volumes"

    class Level(models.TextChoices):
        TOTAL = "total", "Total"
        TEAM = "team", "Team"
        SERVICE = "service", "Service"
        CLUSTER = "cluster", "Cluster"
        NAMESPACE = "namespace", "Namespace"
        TEAM_SERVICE = "team_service", "Team and service"

    measure = models.CharField(max_length=10, choices=Measure)
    unit = models.CharField(max_length=12)
    level = models.CharField(max_length=12, choices=Level)
    team = models.CharField(max_length=500, blank=True)
    service = models.CharField(max_length=500, blank=True)
    cluster = models.CharField(max_length=500, blank=True)
    namespace = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True

    @property
    def place(self) -> tuple[str, ...]:
        return (self.measure, self.unit, self.level, self.team, self.service, self.cluster, self.namespace)


class Anomaly(Place):
    """One departure from the usual, at the level where it belongs.

    `slug` names it from run to run. `owner` is the team all of it is of, empty where it is of several. It began on
    `first_day`, could be seen on `seen_day` (a complete day), and was last seen on `last_day`. Amounts are text with
    six decimals in `unit`: `so_far` is actual less expected from the first to the last day, `month_end` what it will
    have become when the month ends, each with the bounds it lies between in 95 of 100 cases. `days` is a list of
    [day, actual, expected, low, high], also of some days before; `cause` says what moved.
    """

    class Kind(models.TextChoices):
        SPIKE = "spike", "Spike"
        STEP = "step", "Step"
        DRIFT = "drift", "Drift"
        DROP = "drop", "Drop"

    run = models.ForeignKey(AnomalyRun, on_delete=models.CASCADE, related_name="anomalies")
    slug = models.CharField(max_length=16, db_index=True)
    owner = models.CharField(max_length=500, blank=True)
    kind = models.CharField(max_length=8, choices=Kind)
    is_upward = models.BooleanField()
    is_going_on = models.BooleanField()
    is_by_rule = models.BooleanField()
    first_day = models.DateField()
    seen_day = models.DateField()
    last_day = models.DateField()
    actual = models.CharField(max_length=40)
    expected = models.CharField(max_length=40)
    so_far = models.CharField(max_length=40)
    so_far_low = models.CharField(max_length=40)
    so_far_high = models.CharField(max_length=40)
    per_day = models.CharField(max_length=40)
    month_end = models.CharField(max_length=40)
    month_end_low = models.CharField(max_length=40)
    month_end_high = models.CharField(max_length=40)
    days = models.JSONField()
    cause = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "slug"], name="insights_anomaly_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.measure} at {self.level} since {self.first_day}"


class AnomalyFeedback(Place):
    """Somebody said what an anomaly is to them; the newest row of a slug counts, none is changed or taken away.

    `until` is the last day it holds for; without one it holds as long as the anomaly goes on.
    """

    class Verdict(models.TextChoices):
        EXPECTED = "expected", "Expected"
        FALSE_ALARM = "false_alarm", "False alarm"
        PLANNED = "planned", "Planned"
        CONFIRMED = "confirmed", "Confirmed"

    slug = models.CharField(max_length=16, db_index=True)
    first_day = models.DateField()
    last_day = models.DateField()
    verdict = models.CharField(max_length=12, choices=Verdict)
    until = models.DateField(null=True)
    reason = models.TextField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.verdict}: {self.slug}"
