"""What was mailed to whom, byte by byte; and who wants which report, in which language."""

from django.conf import settings
from django.db import models


class Report(models.TextChoices):
    """A report by the role it is for."""

    LEAD = "lead", "Team lead"
    FINANCE = "finance", "Finance"
    MANAGEMENT = "management", "Management"


class Delivery(models.Model):
    """One report of one team and period to one recipient; that of finance and management is of no team.

    A worker sends only after it has moved the row from `waiting` to `sending` by a conditional update. When it dies
    between the mail server's yes and our commit, the same `parts` are sent again later under the same `message_id`, by
    which mailboxes recognise a repetition. The team is kept by name: a retired team keeps its history.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"
        KEPT = "kept", "Kept, not mailed"

    report = models.CharField(max_length=20)
    team = models.CharField(max_length=60, blank=True)
    period = models.CharField(max_length=10)
    recipient = models.CharField(max_length=254)
    name = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=10, blank=True)
    message_id = models.CharField(max_length=255)
    subject = models.CharField(max_length=1000, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    resent = models.PositiveIntegerField(default=0)
    resent_at = models.DateTimeField(null=True)
    resent_by = models.CharField(max_length=150, blank=True)
    publication = models.BigIntegerField(null=True)
    message = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["report", "team", "period", "recipient"], name="reports_delivery_once")
        ]

    def __str__(self) -> str:
        return f"{self.report} {self.period} of {self.team or 'all teams'} to {self.recipient}"


class Content(models.Model):
    """Bytes by their SHA-256: what several letters hold is kept once."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    data = models.BinaryField()

    def __str__(self) -> str:
        return self.sha256


class Part(models.Model):
    """A part of a letter as it was sent, by its file name; `place` is its place in the mail."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="parts")
    place = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=120)
    cid = models.CharField(max_length=200, blank=True)
    size_bytes = models.PositiveIntegerField()
    content = models.ForeignKey(Content, models.PROTECT, related_name="parts")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "place"], name="reports_part_place"),
            models.UniqueConstraint(fields=["delivery", "name"], name="reports_part_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.delivery}"


class Subscription(models.Model):
    """Somebody's wish about a report that differs from what their role brings: to get it, or not to.

    With a `user`, their rights are asked for anew before every mail. Without one it is a lead who is known by an
    address alone.
    """

    report = models.CharField(max_length=20)
    team = models.CharField(max_length=60, blank=True)
    address = models.CharField(max_length=254)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="report_subscriptions")
    is_wanted = models.BooleanField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=254)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "team", "address"], name="reports_subscription_once")]

    def __str__(self) -> str:
        return f"{self.address}: {self.report} {self.team} {'wanted' if self.is_wanted else 'not wanted'}"


class Reader(models.Model):
    """How somebody reads reports."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="report_reader")
    language = models.CharField(max_length=10, blank=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.language}"
