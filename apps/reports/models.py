"""What was mailed to whom: the ledger that keeps a report from being sent twice."""

from django.db import models


class Delivery(models.Model):
    """One report of one team and period to one recipient.

    A worker sends only after it has moved the row from `waiting` to `sending` by a conditional update. When it dies
    between the mail server's yes and our commit, the mail is sent again later under the same `message_id`, by which
    mailboxes recognise a repetition. The team is kept by name: a retired team keeps its history.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    report = models.CharField(max_length=20)
    team = models.CharField(max_length=60)
    period = models.CharField(max_length=10)
    recipient = models.CharField(max_length=254)
    message_id = models.CharField(max_length=255)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    publication = models.BigIntegerField(null=True)
    message = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["report", "team", "period", "recipient"], name="reports_delivery_once")
        ]

    def __str__(self) -> str:
        return f"{self.report} {self.period} of {self.team} to {self.recipient}"
