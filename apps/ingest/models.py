"""Sources of bills and usage, and every file that was received from them."""

from django.db import models

from apps.ingest import kinds


class Source(models.Model):
    """Where charges or usage come from. `name` is the key; it becomes `x_SourceName` and `source` in the lake.

    `charges_version` is the version of `charges` up to which the restatement ledger was kept, `secrets` are the
    credentials of the location, encrypted (`apps.ingest.sealed`).
    """

    name = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=20, choices=kinds.choices)
    location = models.CharField(max_length=1000)
    cluster = models.CharField(max_length=120, blank=True)
    options = models.JSONField(default=dict, blank=True)
    secrets = models.TextField(blank=True, default="", editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    charges_version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name

    @property
    def is_billing(self) -> bool:
        return self.kind in kinds.BILLS

    @property
    def is_prometheus(self) -> bool:
        return self.kind in kinds.PROMETHEUS

    @property
    def title_of_kind(self) -> str:
        return kinds.titles().get(self.kind, self.kind)


class LandedFile(models.Model):
    """One version of one file, as received; the bytes lie in the landing zone under their sha256.

    `contents` says what reading found: a list of {window, days, rows, cost: {currency: {billed_cost, effective_cost}}},
    `window` a billing month (bills) or a table name (usage), money as text; of bills also `accounts`: {account: {day:
    {rows, first, last, cost: {currency: effective_cost}}}}, `first` and `last` the moments at which charges begin, in
    microseconds since 1970; files that earlier releases read lack it. `period`, `release` and `expected_rows` are
    what a manifest said (`apps.ingest.providers.base.Listed`); `version` changes with the content of an object of a
    store; `content_sha256` is of the unpacked bytes, by which the
    same bill packed anew is known; empty of what was not read, and of plain files that earlier releases read.
    `answers`: what was asked about it (`apps.ingest.delivered.Dispute.key`) → "replaces", "adds", or "" while nobody
    has said; missing of what was accepted before answers were kept.
    """

    class State(models.TextChoices):
        LANDED = "landed", "Landed, not read yet"
        CURRENT = "current", "Counts"
        SUPERSEDED = "superseded", "Replaced by a newer file"
        DUPLICATE = "duplicate", "Same content as another file"
        REFUSED = "refused", "Refused"
        HELD = "held", "Held back until somebody decides"

    source = models.ForeignKey(Source, models.CASCADE, related_name="files")
    path = models.CharField(max_length=1000)
    revision = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content_sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField()
    modified_ns = models.BigIntegerField()
    version = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.LANDED)
    rows = models.BigIntegerField(default=0)
    contents = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    delivery = models.PositiveIntegerField()
    period = models.CharField(max_length=200, blank=True)
    release = models.CharField(max_length=200, blank=True)
    expected_rows = models.BigIntegerField(null=True, blank=True)
    is_accepted = models.BooleanField(default=False)
    answers = models.JSONField(null=True, blank=True)
    landed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "path", "revision"], name="ingest_file_revision_once")]
        indexes = [models.Index(fields=["source", "state"], name="ingest_file_state")]

    def __str__(self) -> str:
        return f"{self.path} ({self.revision})"

    @property
    def asked(self) -> set[str]:
        """What nobody has answered yet."""
        return {key for key, answer in (self.answers or {}).items() if not answer}

    @property
    def may_replace(self) -> bool:
        """Whether what is asked can be answered so: what joins a whole month of a release only adds to it."""
        return not any(key.startswith("joins:") for key in self.asked)

    @property
    def file_id(self) -> str:
        """The value of `x_FileId` and `file_id` in the lake."""
        return f"f{self.pk}"


class Restatement(models.Model):
    """What a new issue of a billing month changed: one row per source, month and version of `charges`.

    `changes` are the days and services that say something else than before: {day, service, currency, and rows, billed
    and effective cost `_before` and `_after`}, money as text.
    """

    source = models.ForeignKey(Source, models.CASCADE, related_name="restatements")
    billing_month = models.CharField(max_length=7)
    version = models.BigIntegerField()
    at = models.DateTimeField()
    rows_before = models.BigIntegerField()
    rows_after = models.BigIntegerField()
    changes = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "billing_month", "version"], name="ingest_restatement_once")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.billing_month} ({self.version})"


class Arrival(models.Model):
    """What the charges of a day added up to when a source was read: how bills arrive is learned from these."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="arrivals")
    day = models.DateField()
    currency = models.CharField(max_length=20)
    seen_at = models.DateTimeField()
    effective_cost = models.CharField(max_length=45)

    class Meta:
        indexes = [models.Index(fields=["source", "day"], name="ingest_arrival_day")]

    def __str__(self) -> str:
        return f"{self.source} {self.day}"


class MeteredDay(models.Model):
    """A day of usage pulled from an API: when, and how complete it was."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="metered_days")
    day = models.DateField()
    pulled_at = models.DateTimeField()
    observed_samples = models.BigIntegerField()
    expected_samples = models.BigIntegerField()
    content_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "day"], name="ingest_metered_day_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.day}"


class ScrubbedFile(models.Model):
    """A file of the landing zone or the lake as it was when it was last read again (`apps.ingest.scrub`).

    `path` is relative to the home folder, `sha256` the one it must have, empty while it was never whole.
    """

    class Damage(models.TextChoices):
        MISSING = "missing", "Gone"
        CHANGED = "changed", "Other bytes than were written"
        UNREADABLE = "unreadable", "Cannot be read"

    path = models.CharField(max_length=1000, unique=True)
    sha256 = models.CharField(max_length=64, blank=True)
    checked_at = models.DateTimeField()
    damage = models.CharField(max_length=10, choices=Damage, blank=True)

    def __str__(self) -> str:
        return self.path
