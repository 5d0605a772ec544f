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
)
"""What `apps.explorer.question` says of a parameter; a test keeps both in step."""


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
