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


class Unit(models.Model):
    """A company, unit or department of the newest organisation; who stands below it is told by the tree, by day."""

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=12)
    title = models.CharField(max_length=120, blank=True)
    lead_name = models.CharField(max_length=120, blank=True)
    lead_email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["company", "unit", "department"]), name="teams_unit_kind_is_known"
            )
        ]

    def __str__(self) -> str:
        return self.title or self.name


class UnitMembership(models.Model):
    """A person who may see the cost of every team that stands below a unit today."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="unit_memberships")
    unit = models.ForeignKey(Unit, models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "unit"], name="teams_unit_membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.unit}"


class Organisation(models.Model):
    """One imported version of the dated tree; the newest answers, older ones stay for the trail.

    `document` is what `teams.tree.Tree` reads; `sha256` is of that document.
    """

    number = models.PositiveIntegerField(unique=True)
    sha256 = models.CharField(max_length=64)
    document = models.JSONField()
    imported_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"organisation {self.number}"


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
