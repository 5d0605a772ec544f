"""How the days of a source arrive, and what is late, said to people."""

from django.utils.translation import gettext as _

from apps.dashboards.templatetags import costs as written
from apps.finops.windows import ONE_DAY
from apps.ingest.lateness import Arrivals
from apps.marts.late import late_bills, said
from apps.marts.query import CostQuery


def said_usual(arrival: Arrivals | None) -> str:
    """What is usual; empty while it is not known."""
    usual = arrival.usual if arrival else None
    if usual is None:
        return ""
    return _("Usually %(share)d %% complete after %(hours)d hours.") % {"hours": usual[0], "share": usual[1]}


def said_late(arrival: Arrivals | None) -> str:
    """What is late, if anything is."""
    late = arrival.late if arrival else None
    if late is None:
        return ""
    said = (
        _("Nothing of %(day)s has come, %(hours)d hours after its end; it is usually there after %(due)d hours.")
        if late.is_learned
        else _("Nothing of %(day)s has come, %(hours)d hours after its end; it is due after %(due)d hours.")
    )
    return said % {"day": written.day(late.day), "hours": late.hours, "due": late.due}


def said_missing(query: CostQuery) -> tuple[str, ...]:
    """The bills that a cost stands on and that are late beside others, each in a sentence."""
    return tuple(said(one, written.day(one.until - ONE_DAY)) for one in late_bills(query))
