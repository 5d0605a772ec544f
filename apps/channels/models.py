"""Ways to reach people, and the outbox: what is to be told, in which message, and what became of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.finops.notices import SEVERITIES
from apps.teams.models import Team

TEST = "test"
"""The kind of a notice that tells nothing: whoever has a channel may try it."""
LEAST = [(severity, severity) for severity in SEVERITIES]


class Channel(models.Model):
    """A way to reach a user or a team. `options` are its open facts, `secrets` the others, sealed.

    It wants notices of `least` severity and graver, of `kinds` (all when empty). Between `quiet_from` and `quiet_until`
    in its `time_zone` it is told urgent ones only; the rest waits. What comes within `group_minutes` is one message. A
    removed channel keeps its history and loses its secrets. `created_by` is empty where the machine made it: the first
    one, of whoever never had any.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="channels")
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="channels")
    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=80)
    options = models.JSONField(default=dict, blank=True)
    secrets = models.TextField(blank=True)
    least = models.CharField(max_length=8, choices=LEAST, default=SEVERITIES[0])
    kinds = models.JSONField(default=list, blank=True)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=60, blank=True)
    group_minutes = models.PositiveIntegerField(default=5)
    language = models.CharField(max_length=10, blank=True)
    is_on = models.BooleanField(default=True)
    is_removed = models.BooleanField(default=False)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True, team__isnull=False) | Q(user__isnull=False, team__isnull=True),
                name="channels_of_a_user_or_a_team",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="channels_quiet_from_until",
            ),
            models.UniqueConstraint(
                fields=["team"], condition=Q(created_by="", team__isnull=False), name="channels_first_of_a_team"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(created_by="", user__isnull=False), name="channels_first_of_a_user"
            ),
            models.CheckConstraint(
                condition=Q(is_removed=False) | Q(secrets="", is_on=False), name="channels_removed_without_secrets"
            ),
        ]

    def __str__(self) -> str:
        return f"channel {self.pk}"


class Message(models.Model):
    """What is sent at once through a channel: one notice, or several that came together.

    A worker sends after it has moved the row from `waiting` to `sending` by a conditional update. When it dies between
    the other side's yes and our commit, the same message is sent again under the same `message_id`, by which a receiver
    recognises a repetition. Notices join while it waits for `not_before` and nobody tried it. `reference` is what the
    other side calls it, such as the number of a ticket.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "given up"
        DROPPED = "dropped", "dropped"

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="messages")
    message_id = models.CharField(max_length=64, unique=True)
    is_urgent = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    recipient = models.CharField(max_length=254, blank=True)
    reference = models.CharField(max_length=500, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "not_before"], name="channels_message_due")]

    def __str__(self) -> str:
        return f"message {self.pk}"


class Entry(models.Model):
    """A notice in the outbox of a channel: at most once, however often it is sent.

    `title` and `lines` are sentences as JSON; `message` is the one it is told in.
    """

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="entries")
    message = models.ForeignKey(Message, models.CASCADE, related_name="entries")
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    severity = models.CharField(max_length=8, choices=LEAST)
    title = models.JSONField()
    lines = models.JSONField(default=list)
    link = models.CharField(max_length=1000, blank=True)
    team = models.CharField(max_length=60, blank=True)
    thread = models.CharField(max_length=200, blank=True, db_index=True)
    is_over = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "entries"
        constraints = [models.UniqueConstraint(fields=["channel", "key"], name="channels_told_once")]

    def __str__(self) -> str:
        return f"entry {self.pk}"
