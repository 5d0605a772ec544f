"""What was forecast of every series."""

from datetime import date

from django.db import models


class ForecastRun(models.Model):
    """All forecasts made from one publication by one version of the model.

    `first_day` is the first day forecast of the currency that is known longest: the day after its last complete one.
    `inputs` is the fingerprint of the costs and settings they were made from, `days` of the days and settings these
    were read from; a later publication of the same of either takes the forecasts over.
    """

    publication = models.PositiveBigIntegerField()
    model_version = models.CharField(max_length=20)
    inputs = models.CharField(max_length=64)
    days = models.CharField(max_length=64, db_default="", blank=True)
    first_day = models.DateField(null=True)
    dropped_days = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publication", "model_version"], name="insights_forecast_run_once")
        ]

    def __str__(self) -> str:
        return f"forecasts of publication {self.publication}"


class Forecast(models.Model):
    """One series: all cost in one currency (`total`), or that of one team, service, cluster or part of the organisation
    (its outermost units of a kind, and cost centres; `teams` are those whose cost is in it).

    `days` is a list of [mean, low 80, high 80, low 95, high 95] from `begin` on, `sums` the same bounds
    of the first one, two, … days together, less their mean; `first_day` is the day after the last complete one of its
    currency, None where a version made it that knew one of all currencies only; `landings` a list of
    objects with `period`, `kind`, `last_day`, `so_far`, the same five, `known`, what of it is told by changes known
    ahead, which are the `events`, and `ahead`, by how much what is charged of days ahead is more than their forecast,
    which is the sum of `beyond`, by day; amounts are text with six decimals, or with those that bills have.
    The scores are of the back-test of this very series: mean absolute scaled errors, and by how much (0.04 is 4 %) the
    total of the first `total_days` was off; None where there was nothing to compare.
    """

    class Level(models.TextChoices):
        TOTAL = "total", "Total"
        TEAM = "team", "Team"
        SERVICE = "service", "Service"
        CLUSTER = "cluster", "Cluster"
        COMPANY = "company", "Company"
        UNIT = "unit", "Business unit"
        DEPARTMENT = "department", "Department"
        COST_CENTER = "cost_center", "Cost centre"

    run = models.ForeignKey(ForecastRun, on_delete=models.CASCADE, related_name="forecasts")
    level = models.CharField(max_length=12, choices=Level)
    key = models.CharField(max_length=500, blank=True)
    currency = models.CharField(max_length=3)
    teams = models.JSONField(default=list)
    is_naive = models.BooleanField()
    first_day = models.DateField(null=True)
    days = models.JSONField()
    sums = models.JSONField(default=list)
    beyond = models.JSONField(null=True, default=dict)
    landings = models.JSONField()
    events = models.JSONField(default=list)
    origins = models.PositiveIntegerField()
    backtest_first_day = models.DateField()
    total_days = models.PositiveIntegerField()
    mase = models.FloatField(null=True)
    naive_mase = models.FloatField(null=True)
    total_error = models.FloatField(null=True)
    naive_total_error = models.FloatField(null=True)
    coverage_80 = models.FloatField(null=True)
    coverage_95 = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "level", "key", "currency"], name="insights_forecast_once")
        ]

    def __str__(self) -> str:
        return f"forecast of {self.level} {self.key} in {self.currency}"

    @property
    def begin(self) -> date | None:
        """The first of its days ahead."""
        return self.first_day or self.run.first_day
