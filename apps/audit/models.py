"""Who did what and when, in a chain in which nothing can be changed without being seen."""

from django.db import models


class Doing(models.Model):
    """What somebody does: `actor` is a user name, empty for the nameless, and outlives its user; `way` is how they
    came. `action` is the name of an address or a command, `subject` what it named, `details` what was given, without
    secrets.
    """

    class Way(models.TextChoices):
        PAGE = "page", "page"
        TOKEN = "token", "API token"
        COMMAND = "command", "command line"

    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=150, blank=True, db_index=True)
    way = models.CharField(max_length=8, choices=Way)
    action = models.CharField(max_length=80, db_index=True)
    subject = models.JSONField(default=dict)
    details = models.JSONField(default=dict)
    address = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        abstract = True


class AuditEntry(Doing):
    """One thing somebody did, or tried. `hash` is of all that stands here and of the `hash` of the entry before.

    `outcome` is the HTTP status or the exit status, UNKNOWN where the process died before it was written.
    """

    UNKNOWN = -1

    number = models.PositiveBigIntegerField(primary_key=True)
    outcome = models.SmallIntegerField()
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"audit entry {self.number}"


class Begun(Doing):
    """Something that may change things and has begun: there before it, gone with its entry. What a killed process
    leaves is made an entry later (`services.finish`)."""

    key = models.CharField(max_length=32, primary_key=True)

    class Meta:
        verbose_name_plural = "begun changes"

    def __str__(self) -> str:
        return f"{self.actor}: {self.action}"


class ReadEntry(models.Model):
    """Somebody saw the cost of `teams` (None: of all), and of `accounts` whosever it is, or took a file of it.

    `question` is what an assistant asked for them; empty where they looked themselves.
    """

    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=150, db_index=True)
    way = models.CharField(max_length=8, choices=AuditEntry.Way)
    action = models.CharField(max_length=80)
    teams = models.JSONField(null=True)
    accounts = models.JSONField(default=list)
    is_export = models.BooleanField()
    question = models.TextField(blank=True, db_default="")
    address = models.CharField(max_length=45, blank=True)

    class Meta:
        verbose_name_plural = "read entries"

    def __str__(self) -> str:
        return f"{self.actor}: {self.action}"


class ChainEnd(models.Model):
    """One row: the newest entry. Whoever appends holds it meanwhile."""

    THE_ONE = 1

    number = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"end of the chain, entry {self.number}"
