"""What the explorer says of an answer in words: its sentence, and what is not known."""

from django.utils.translation import gettext as _

from apps.charts import labels
from apps.dashboards import naming
from apps.dashboards.exploring import Names
from apps.dashboards.lines import hundredths
from apps.dashboards.templatetags import costs as written
from apps.explorer.answering import Explored
from apps.finops.windows import ONE_DAY


def sentence(found: Explored, names: Names) -> str:
    """What the figure says, in words."""
    others = _others(found)
    if not found.steps:
        return others or _("No cost in this period.")
    told = [
        _("%(total)s %(currency)s in total, %(days)s.")
        % {
            "total": written.money(found.total),
            "currency": found.currency,
            "days": written.day_range(found.window.start, found.window.end - ONE_DAY),
        }
    ]
    costs = found.costs
    if found.asked.by and found.total > 0:
        first = max(costs, key=lambda key: (costs[key], key))
        share = f"{hundredths(costs[first], found.total):.1f}"
        named = {"name": labels.plain(names.titles(first)), "share": share}
        told.append(_("The largest is %(name)s with %(share)s %%.") % named)
    if found.earlier_total is not None:
        told.append(_compared(found))
    return naming.in_a_row([*told, others])


def _others(found: Explored) -> str:
    """What it cost in other currencies, unless one was chosen."""
    if found.asked.currency or not found.others:
        return ""
    amounts = [f"{written.money(total)} {labels.plain(code)}" for code, total in found.others.items()]
    return _("Not in it: %(amounts)s.") % {"amounts": naming.joined(amounts)}


def _compared(found: Explored) -> str:
    facts = {
        "before": written.money(found.earlier_total),
        "currency": found.currency,
        "days": written.day_range(found.before.start, found.before.end - ONE_DAY),
        "change": written.change(found.change),
    }
    told = _("%(change)s against %(before)s %(currency)s of %(days)s.") % facts
    if found.came is None or found.came.end >= found.window.end:
        return told
    came = written.day_range(found.came.start, found.came.end - ONE_DAY)
    return naming.in_a_row([told, _("Compared are the days that came, %(days)s.") % {"days": came}])


def unknown(found: Explored) -> str:
    """What is not known of the days asked for, and of those compared with."""
    first = found.publication.first_day
    if first and found.window.start < first:
        return _("Costs are published from %(first)s on; what lies before is not known.") % {
            "first": written.day(first)
        }
    if not found.asked.compare or found.earlier is not None:
        return ""
    if found.came is None:
        if found.publication.published.came_in_part(found.window):
            return _("Not compared: a bill is late on every day of this period.")
        return _("Not compared: no day of this period is published.")
    days = written.day_range(found.before.start, found.before.end - ONE_DAY)
    return _("Not compared: costs or rates are not there for all of %(days)s.") % {"days": days}
