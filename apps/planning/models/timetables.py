"""Class timetables as people brought them."""

from django.db import models


class Timetable(models.Model):
    """One version of the timetable: the newest holds, earlier ones stay. `data` is the classes as arrays."""

    name = models.TextField()
    classes = models.PositiveIntegerField()
    data = models.BinaryField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"timetable {self.pk}: {self.name}"
