"""When a channel may be used: outside its quiet hours, in its own time zone."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.channels.models import Channel


def zone_of(channel: Channel) -> ZoneInfo:
    return ZoneInfo(channel.time_zone or settings.COSTOPS_TIME_ZONE)


def free_from(channel: Channel, moment: datetime) -> datetime:
    """The moment itself, or the end of the quiet hours it falls into. From 22:00 to 07:00 goes over midnight; a channel
    that is quiet from and until the same hour is never quiet."""
    begin, end = channel.quiet_from, channel.quiet_until
    if begin is None or end is None or begin == end:
        return moment
    local = moment.astimezone(zone_of(channel))
    if not _is_between(local.time(), begin, end):
        return moment
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, zone_of(channel)).astimezone(moment.tzinfo)


def _is_between(clock: time, begin: time, end: time) -> bool:
    return begin <= clock < end if begin < end else clock >= begin or clock < end
