"""Questions that people keep, and what they wrote beside days."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.teams.models import Team


class SavedView(models.Model):
    """An address of the explorer that somebody keeps under a name. What it shows is what its reader may see.

    `query` is canonical, as `question.Exploration.params` writes it; `team` is the one it is shared with, if with one.
    """

    class Shared(models.TextChoices):
        NOBODY = "nobody", "nobody"
        TEAM = "team", "team"
        EVERYONE = "everyone", "everyone"

    name = models.CharField(max_length=80)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    query = models.TextField(blank=True)
    shared = models.CharField(max_length=8, choices=Shared, default=Shared.NOBODY)
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="saved_views")
    is_default = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="explorer_view_name_once"),
            models.UniqueConstraint(fields=["owner"], condition=Q(is_default=True), name="explorer_one_default_view"),
            models.CheckConstraint(condition=~Q(name=""), name="explorer_view_has_a_name"),
            models.CheckConstraint(
                condition=Q(shared="team", team__isnull=False)
                | Q(shared__in=["nobody", "everyone"], team__isnull=True),
                name="explorer_view_shared_with_a_team",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Annotation(models.Model):
    """What happened on the days from `first` to `last`, both within; of one team, or (None) of the whole company."""

    first = models.DateField()
    last = models.DateField()
    text = models.CharField(max_length=200)
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="annotations")
    link = models.URLField(max_length=500, blank=True)
    author = models.CharField(max_length=150)
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(first__lte=F("last")), name="explorer_annotation_has_days"),
            models.CheckConstraint(condition=~Q(text=""), name="explorer_annotation_says_something"),
        ]
        indexes = [models.Index(fields=["first", "last"], name="explorer_annotation_days")]

    def __str__(self) -> str:
        return f"{self.first} {self.text}"
