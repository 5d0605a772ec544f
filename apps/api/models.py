"""Tokens with which programs ask the API, and answers kept for those who ask again."""

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """A key that speaks for a user until it expires. Of its secret only a keyed hash is kept; it is shown once.

    A token is revoked by setting `revoked_at`; every request looks it up, so revocation holds at once everywhere.
    `teams` are those it is for, of those its user may see; None: all of them, and what concerns the whole company.
    """

    public_id = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=120, blank=True)
    scopes = models.CharField(max_length=1000)
    teams = models.JSONField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_day = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="api_token_expires_after_creation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.public_id} of {self.user}"


class KeptAnswer(models.Model):
    """The answer to a write with an `Idempotency-Key`; `status` is null while the request is being answered."""

    MOST_CHARACTERS = 200

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=MOST_CHARACTERS)
    fingerprint = models.CharField(max_length=32)
    claimed_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="kept_answer_one_per_key"),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.user}"
