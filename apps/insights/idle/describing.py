"""The sentences of a finding: what is to be done, what speaks for it, what would be lost."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apps.finops.findings import Sentence
from apps.insights.idle import kinds
from apps.insights.idle.judging import Judged

TITLES = {
    kinds.NAMESPACE: "Delete namespace %(name)s: nothing in it works",
    kinds.WORKLOAD: "Stop workload %(name)s: it does nothing",
    kinds.GPU: "Give back the GPUs of %(name)s: it does not use them",
    kinds.NODE: "Remove node %(name)s: nothing works on it",
    kinds.VOLUME: "Delete volume %(name)s: nobody mounts it",
    kinds.DISK: "Delete disk %(name)s: nobody mounts it",
    kinds.INSTANCE: "Release server %(name)s: it is stopped or unused, and still costs",
    kinds.ADDRESS: "Release address %(name)s: nothing goes through it",
    kinds.LOAD_BALANCER: "Delete load balancer %(name)s: nothing goes through it",
    kinds.DATABASE: "Stop database %(name)s: nobody asks it",
    kinds.SNAPSHOT: "Delete snapshot %(name)s",
    kinds.COMMITMENT: "Use commitment %(name)s up, or do not renew it",
    kinds.SCHEDULE: "Switch %(name)s off outside its hours",
}
ASK = "Is %(name)s still used? Nothing but its cost is known"
LAST_ACTIVE = "Last active %(at)s, %(days)s days ago"
NEVER_ACTIVE = "Never active in the %(days)s days that are known"
SILENCE = "Longest silence: %(silence)s of %(known)s known days"
PEAKS = {
    "cpu_peak": (
        "CPU at most %(peak)s %% of what is provided, below %(floor)s %%",
        "CPU once at %(peak)s %%, hardly ever above %(floor)s %%",
    ),
    "gpu": (
        "GPU at most %(peak)s %% busy, below %(floor)s %%",
        "GPU once %(peak)s %% busy, hardly ever above %(floor)s %%",
    ),
    "network": (
        "Traffic at most %(peak)s KB/s, below %(floor)s KB/s",
        "Traffic once %(peak)s KB/s, hardly ever above %(floor)s KB/s",
    ),
    "disk": (
        "Disk at most %(peak)s KB/s, below %(floor)s KB/s",
        "Disk once %(peak)s KB/s, hardly ever above %(floor)s KB/s",
    ),
    "requests": (
        "At most %(peak)s requests an hour",
        "Once %(peak)s requests in an hour, hardly ever any",
    ),
    "connections": (
        "At most %(peak)s connections",
        "Once %(peak)s connections, hardly ever any",
    ),
    "attached": (
        "Nothing uses it",
        "It was in use, and is not any more",
    ),
}
"""Signal → what is said where it stayed under its floor, and where it did not always."""
UNKNOWN = "No signal tells whether it is used: only its charges are known"
TOO_SHORT = "Its signals are known for %(days)s days only: too few to tell"
BILL_SAYS = "The bill calls it: %(description)s"
NOT_MOUNTED = "No cluster mounts it; of %(disks)s disks of this service clusters mount %(mounted)s"
NO_TRAFFIC = "The bill charges no traffic for it, as it does for others of this service"
UNUSED_DAYS = "Paid for and not used on %(unused)s of %(days)s days"
UNUSED_SHARE = "%(share)s %% of its cost was for nothing"
SLOTS = "Switched off %(off)s of 168 hours a week"
HELD = "In the newest weeks the schedule of the weeks before would have been right in %(precision)s %% of its hours"
LOST_NOTHING = "Nothing: it starts again by its schedule"
SENTENCES = (
    *TITLES.values(), ASK, LAST_ACTIVE, NEVER_ACTIVE, SILENCE, *(text for pair in PEAKS.values() for text in pair),
    UNKNOWN, TOO_SHORT, BILL_SAYS, NOT_MOUNTED, NO_TRAFFIC, UNUSED_DAYS, UNUSED_SHARE, SLOTS, HELD,
    LOST_NOTHING, *(kind.lost for kind in kinds.KINDS.values()),
)  # fmt: skip
"""Every sentence, for translation."""


def evidence(judged: Judged, zone: ZoneInfo) -> list[Sentence]:
    """Three lines: when it was last active, how long it was silent, which signals are under their floors."""
    known = _days(judged.known_hours)
    if not judged.peaks:
        return [Sentence(UNKNOWN)]
    if judged.last_active is None:
        lines = [Sentence(NEVER_ACTIVE, {"days": known})]
    else:
        at = f"{judged.last_active.astimezone(zone):%Y-%m-%d %H:%M}"
        lines = [Sentence(LAST_ACTIVE, {"at": at, "days": _days(judged.silent_hours)})]
    lines.append(Sentence(SILENCE, {"silence": _days(judged.longest_silence_hours), "known": known}))
    for signal, peak in judged.peaks.items():
        floor = judged.floors[signal]
        text = PEAKS[signal][peak >= floor]
        lines.append(Sentence(text, {"peak": f"{peak:g}", "floor": f"{floor:g}"} if "%(peak)s" in text else {}))
    return lines if judged.is_known else [Sentence(TOO_SHORT, {"days": known}), *lines]


def since(judged: Judged, end: datetime, zone: ZoneInfo) -> datetime:
    """From when on it was silent, in the business time zone."""
    return (end - timedelta(hours=judged.silent_hours)).astimezone(zone)


def _days(hours: int) -> str:
    return f"{hours / 24:.0f}" if hours >= 240 else f"{hours / 24:.1f}".removesuffix(".0")
