"""What people decided about unallocated cost that the worklist names."""

from django.db import models


class WorklistDecision(models.Model):
    """Somebody set a subject of the worklist aside, or took it up again: the newest row decides, none is changed."""

    subject = models.CharField(max_length=64, db_index=True)
    title = models.CharField(max_length=600)
    is_dismissed = models.BooleanField()
    reason = models.TextField(blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.title} {'set aside' if self.is_dismissed else 'taken up'}"
