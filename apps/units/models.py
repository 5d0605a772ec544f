"""Versions of drivers: who told how many units there were, when, and from where."""

from django.db import models


class DriverVersion(models.Model):
    """One upload of driver quantities; the quantities are in the lake (`drivers`).

    A later version replaces the days of its drivers and scope. `lake_version` is the table as this version left it: it
    stays readable. `origin` is a file, an upload, or a source of Prometheus with its query.
    """

    class Scope(models.TextChoices):
        TEAM = "team", "Team"
        SERVICE = "service", "Service"
        NAMESPACE = "namespace", "Namespace"

    number = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=12, choices=Scope)
    drivers = models.JSONField()
    first_day = models.DateField()
    last_day = models.DateField()
    rows = models.PositiveIntegerField()
    origin = models.CharField(max_length=1000)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    lake_version = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_day__lte=models.F("last_day")), name="units_driver_version_has_days"
            )
        ]

    def __str__(self) -> str:
        return f"drivers version {self.number}"
