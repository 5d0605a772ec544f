"""Tables of what can be bought, as people brought them."""

from django.db import models


class OfferTable(models.Model):
    """One version of the table: the newest holds, earlier ones stay."""

    rows = models.JSONField()
    name = models.TextField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"offers {self.pk}: {self.name}"
