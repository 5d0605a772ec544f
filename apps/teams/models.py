"""Teams, the people who may see them, and versions of the rules that say who pays."""

from django.conf import settings
from django.db import models

UNALLOCATED = "unallocated"


class Team(models.Model):
    """Somebody who pays. `name` is the key in rules, questions and addresses."""

    name = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120, blank=True)
    department = models.CharField(max_length=120, blank=True)
    cost_center = models.CharField(max_length=60, blank=True)
    lead_name = models.CharField(max_length=120, blank=True)
    lead_email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.title or self.name


class Membership(models.Model):
    """A person who may see the cost of a team."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="teams_membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class RuleSet(models.Model):
    """One imported version of all rules and policies; the newest decides, older ones stay for the trail.

    `document` is the validated file as `teams.ownership.RuleBook` reads it; `sha256` is of that document.
    """

    number = models.PositiveIntegerField(unique=True)
    sha256 = models.CharField(max_length=64)
    document = models.JSONField()
    imported_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"rules {self.number}"
