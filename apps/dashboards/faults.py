"""Why something that was asked or filled in cannot be meant, in the reader's language."""

import re
from typing import Any

from django.utils.translation import gettext

from apps.dashboards.telling import pattern_of
from apps.dashboards.told import _
from apps.finops.errors import CostOpsError

FAULTS = (
    _("there is no such parameter"),
    _("choose at least one dimension for cost to flow to"),
    _("a custom period needs its first and its last day"),
    _("is before the first day"),
    _("a period lasts at most five years"),
    _("is given more than once"),
    _("is not a day such as 2026-10-01"),
    _("is not one of %(choices)s"),
    _("%(name)s is not one of %(choices)s"),
    _("at most %(most)s dimensions"),
    _("is longer than %(most)s characters"),
    _("contains a control character"),
    _("holds more than %(most)s values"),
    _("not a comma-separated list; quote a value that holds a comma or a quote"),
    _("is not a currency code such as CNY"),
    _("is not a whole number"),
    _("at most %(most)s steps can be drawn; take a longer step"),
    _("is not one that cost can be filtered by"),
    _("%(day)s is not a day; write it as 2026-10-01"),
    _("%(text)s is not a whole number"),
    _("%(month)s is no month; write year-month, such as 2026-10"),
    _("%(name)s is narrowed to nothing"),
    _("there is no such parameter; there is %(choices)s"),
    _("not a comma-separated list; quote a value that holds a comma"),
    _("a dimension is named twice"),
    _("%(team)s is no team of yours"),
    _("%(team)s is not a team of yours"),
    _("there is no team %(team)s; leave it empty for the whole company"),
    _("1 to %(most)s characters that show, in one line"),
    _("not before the first day, and at most a year after it"),
    _("an address that begins with https:// or http://, of at most 500 characters"),
    _("you keep %(most)s views already; delete some first"),
    _("you keep another view called %(name)s"),
    _("a name has 1 to %(most)s characters that show"),
    _("%(kind)s needs %(how)s; there are %(count)s."),
    _("%(text)s is not a weight; write 1 or 1.5."),
    _("at least one must be above zero."),
    _("this is no e-mail address."),
    _("give it as the product shows it: %(example)s"),
    _("give whole minutes, such as 5."),
    _("mail to yourself goes to your own address; ask an administrator to change that."),
    _("at most %(most)s characters."),
    _("give both hours, from and until, or none."),
    _("give a time zone such as Asia/Shanghai."),
    _("it is not one of %(choices)s."),
    _("name a team of yours (%(teams)s); cost of other teams is for finance to measure."),
    _("Only whoever saved a view changes it; save it under a name of your own."),
    _("There is no cost under this question; widen the window or the filters."),
    _("The answer has more than %(most)s rows; ask for fewer groups, a shorter window, or filter."),
    _("More than %(most)s workloads ran in this window; ask for a shorter one."),
    _("A change is searched in at most %(most)s rows; ask for a shorter window, or filter."),
    _(
        "Publication %(number)s pins no table %(table)s: what its numbers are made of cannot be told. Ask a "
        "publication that `manage.py fill` made."
    ),
    _(
        "Publication %(number)s pins no table %(table)s: what changed since cannot be told. Compare publications that "
        "`manage.py fill` made."
    ),
    _("end (%(end)s) must come after start (%(start)s); the end day is not included"),
    _("end (%(end)s) must come after start (%(start)s); the end day itself is not included"),
)
"""What questions and forms say of a parameter, or of all of them; tests keep both in step."""


def said(fault: str) -> str:
    """A fault as the reader reads it; one that is not known stays as it was told."""
    for sentence in FAULTS:
        if match := pattern_of(sentence).fullmatch(fault):
            found = match.groupdict()
            return gettext(sentence) % found if found else gettext(sentence)
    return fault


_OF_A_FIELD = re.compile(r"([a-z_]+): (.+)", re.DOTALL)


def refusal(refused: CostOpsError) -> dict[str, Any]:
    """What a page says of something it refused: all of it on top, and beside its field what begins with its name."""
    message = str(refused)
    match = _OF_A_FIELD.fullmatch(message)
    if match is None:
        return {"refused": said(message), "faults": {}}
    name, fault = match[1], said(match[2])
    return {"refused": f"{name}: {fault}", "faults": {name: fault}}
