"""Tokens with which programs ask the API."""

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """A key that speaks for a user until it expires. Of its secret only a keyed hash is kept; it is shown once.

    A token is revoked by setting `revoked_at`; every request looks it up, so revocation holds at once everywhere.
    """

    public_id = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=120, blank=True)
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
