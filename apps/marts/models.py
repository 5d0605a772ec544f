"""Publications: each pins one consistent set of table versions."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils import timezone

from apps.finops.late import whole_until
from apps.finops.periods import Published
from apps.finops.windows import ONE_DAY


def day_after(moment: datetime) -> date:
    """The first day that has not come at a moment."""
    return timezone.localdate(moment, ZoneInfo(settings.COSTOPS_TIME_ZONE)) + ONE_DAY


class Publication(models.Model):
    """What readers see. `versions` maps table name to version. A number is given again where a database is restored
    from an older copy: ETags and caches go by `selectors.issue`.

    `status` is `provisional` while a billing period of the window can still change, else `final`. `first_day` and
    `end_day` bound the days with cost, half-open, `came_day` is the last of them that had come (None in publications of
    earlier releases). `late` are the sources whose bill was late beside others that had come, each with the day after
    its last. `let_go_at` is when it ceased to be readable (`keeping`), `gone_at` when its files went and it could no
    longer be had back, if it did.
    """

    number = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField()
    versions = models.JSONField()
    ruleset = models.PositiveIntegerField()
    status = models.CharField(max_length=12)
    first_day = models.DateField(null=True)
    end_day = models.DateField(null=True)
    came_day = models.DateField(null=True)
    late = models.JSONField(null=True, default=dict)
    observed_samples = models.BigIntegerField(default=0)
    expected_samples = models.BigIntegerField(default=0)
    totals = models.JSONField(default=dict)
    let_go_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"publication {self.number}"

    @property
    def came_until(self) -> date | None:
        """The day after the last one that had come when this was published, of those with cost: a purchase may be dated
        ahead, and "the last thirty days" are counted back from here. None without any cost."""
        if self.first_day is None or self.end_day is None:
            return None
        if self.came_day is not None:
            return self.came_day + ONE_DAY
        return max(min(self.end_day, day_after(self.created_at)), self.first_day + ONE_DAY)

    @property
    def late_bills(self) -> dict[str, date]:
        """The day after the last that had come of each source whose bill was late."""
        return {source: date.fromisoformat(end) for source, end in (self.late or {}).items()}

    @property
    def whole_until(self) -> date | None:
        """The day after the last on which no bill is missing: nothing later is compared. Of bills that are late for
        more than a week it is told that they are missing, and nothing is held back."""
        came = self.came_until
        return None if came is None else whole_until(came, self.late_bills.values())

    @property
    def published(self) -> Published:
        """The days that are known, and can be compared."""
        return Published(self.first_day, self.whole_until, self.came_until)
