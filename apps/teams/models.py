"""Teams, the people who may see them, and versions of the rules that say who pays."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from apps.teams.roles import Reach, Role

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


class Grant(models.Model):
    """A role that somebody, or everybody of a group, holds over a part of the company.

    It holds on the days `valid_from` <= day < `valid_to` (open where None). What roles may do stands in `teams.roles`.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="grants")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="grants")
    role = models.CharField(max_length=12, choices=Role)
    reach = models.CharField(max_length=12, choices=Reach)
    value = models.CharField(max_length=255, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    given_by = models.CharField(max_length=150)
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user=None, group__isnull=False) | models.Q(user__isnull=False, group=None),
                name="teams_grant_to_a_user_or_a_group",
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="teams_grant_role_is_known"),
            models.CheckConstraint(
                condition=models.Q(reach=Reach.EVERYTHING, value="")
                | (models.Q(reach__in=Reach.values) & ~models.Q(reach=Reach.EVERYTHING) & ~models.Q(value="")),
                name="teams_grant_names_what_it_is_over",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_from=None)
                | models.Q(valid_to__gt=models.F("valid_from")),
                name="teams_grant_ends_after_it_begins",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        over = f"{Reach(self.reach).label} {self.value}".strip()
        return f"{self.user or self.group}: {Role(self.role).label} of {over}"


class ServiceAccount(models.Model):
    """A program's user: it has tokens and grants, and cannot sign in."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="service_account")
    purpose = models.CharField(max_length=200)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"service account {self.user}"


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


class RuleDraft(models.Model):
    """A proposed change of the rules, on its way: drafted, simulated, approved, published; or rejected, withdrawn.

    `text` is the change as it was written, and never altered; `base` the ruleset it was last laid over. `simulation` is
    what it would do (`teams.simulations.Simulation`); `asked` since when a worker is to find that out, `claimed` when
    one began, and `carrier` for whom it goes on as far as they may. `approvals` pairs a team with who approved for it.
    `subject` names what of the worklist it settles.
    """

    class State(models.TextChoices):
        DRAFTED = "drafted", "drafted"
        SIMULATED = "simulated", "simulated"
        APPROVED = "approved", "approved"
        PUBLISHED = "published", "published"
        REJECTED = "rejected", "rejected"
        WITHDRAWN = "withdrawn", "withdrawn"

    text = models.TextField()
    valid_from = models.DateField()
    base = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State, default=State.DRAFTED)
    reason = models.TextField(blank=True)
    subject = models.CharField(max_length=600, blank=True, db_index=True)
    drafted_by = models.CharField(max_length=150)
    drafted_at = models.DateTimeField()
    simulation = models.JSONField(null=True)
    asked = models.DateTimeField(null=True)
    claimed = models.DateTimeField(null=True)
    carrier = models.CharField(max_length=150, blank=True)
    approvals = models.JSONField(default=dict)
    ruleset = models.ForeignKey(RuleSet, models.PROTECT, null=True, related_name="drafts")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="published", ruleset__isnull=False)
                | (~models.Q(state="published") & models.Q(ruleset__isnull=True)),
                name="teams_draft_published_as_rules",
            )
        ]

    def __str__(self) -> str:
        return f"draft {self.pk}"


class DraftTrail(models.Model):
    """One thing done to a draft: who, when, what, why. Rows are only ever added."""

    draft = models.ForeignKey(RuleDraft, models.PROTECT, related_name="trail")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    action = models.CharField(max_length=30)
    why = models.TextField(blank=True)
    outcome = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.action} {self.draft}"


class RuleCount(models.Model):
    """What every rule of a ruleset did in a window: rows as `allocation.counting` says them, None before they are.

    `claimed_at` is when a worker last began to count.
    """

    ruleset = models.ForeignKey(RuleSet, models.CASCADE, related_name="counts")
    start = models.DateField()
    end = models.DateField()
    rows = models.JSONField(null=True)
    counted_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ruleset", "start", "end"], name="teams_rules_counted_once")]

    def __str__(self) -> str:
        return f"{self.ruleset}, {self.start} to {self.end}"


class Preference(models.Model):
    """How somebody likes to look at pages; what is empty is as it is for everybody.

    `team` is the name of the team whose page they begin with; `time_zone` the one that moments are shown in. Without a
    `theme` pages are light or dark as the system of each device is.
    """

    class Theme(models.TextChoices):
        LIGHT = "light", "light"
        DARK = "dark", "dark"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="preference")
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=60, blank=True)
    period = models.CharField(max_length=12, blank=True)
    currency = models.CharField(max_length=13, blank=True)
    team = models.CharField(max_length=60, blank=True)
    theme = models.CharField(max_length=5, choices=Theme, blank=True)

    def __str__(self) -> str:
        return f"preferences of {self.user}"
