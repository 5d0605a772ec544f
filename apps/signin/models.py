"""What signing in has to remember: counts that all processes share, and what groups of elsewhere gave somebody."""

from django.conf import settings
from django.db import models


class Kept(models.Model):
    """A value kept for a while: tries that were counted, codes that were used (`signin.shared`)."""

    key = models.CharField(max_length=250, primary_key=True)
    value = models.JSONField()
    until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "kept values"

    def __str__(self) -> str:
        return self.key


class Given(models.Model):
    """What a group of a provider gave somebody, who loses it with the group. What a person gave is not here."""

    class Kind(models.TextChoices):
        TEAM = "team", "team"
        UNIT = "unit", "part of the organisation"
        GROUP = "group", "group"
        STAFF = "staff", "administration"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="given_by_groups")
    kind = models.CharField(max_length=5, choices=Kind)
    name = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind", "name"], name="signin_given_once")]
        verbose_name_plural = "given by groups"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()
