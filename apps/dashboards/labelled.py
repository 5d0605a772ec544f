"""What stands beside the fields of a form, read from the page that shows it: a label is written once."""

import re
from collections.abc import Iterator
from functools import cache

from django.template.loader import get_template
from django.utils.translation import gettext

from apps.dashboards.told import _

_FIELD = re.compile(r'{% field "(?P<name>\w+)" _\("(?P<label>[^"]+)"\)')
_LABEL = re.compile(
    r'<span>{% translate "(?P<label>[^"]+)" %}</span>\s*<(?:input|select|textarea)\b[^>]*?\bname="(?P<name>\w+)"'
)
_PART = re.compile(r'{% include "(dashboards/[^"]+)"')
OTHERS = {
    "action": _("What is to be done"), "decision": _("What is to be done"), "numbers": _("Recommendations"),
    "amount": _("Amount"), "percent": _("How much more a day (less: below zero)"), "currency": _("Currency"),
    "billing_currency": _("Currency"), "team": _("Team"), "dispute": _("Dispute"), "settled_by": _("What settles it"),
    "rule": _("Rule"), "by": _("Name"), "kind": _("Kind"), "service": _("Service"), "shared": _("Shared with"),
    "month": _("Month"), "text": _("Why"), "why": _("Why"), "reason": _("Why"),
}  # fmt: skip
"""What a form sends without a label of that name."""


@cache
def _written(template: str) -> dict[str, str]:
    """The labels of a template and of its parts, by the names of their fields; those of the page itself go before."""
    found: dict[str, str] = {}
    for source in _sources(template):
        for each in (*_FIELD.finditer(source), *_LABEL.finditer(source)):
            found.setdefault(each["name"], each["label"])
    return found


def _sources(template: str) -> Iterator[str]:
    told: list[str] = [template]
    for name in told:
        source: str = get_template(name).template.source  # type: ignore[attr-defined]  # of Django's own engine
        yield source
        told += [part for part in _PART.findall(source) if part not in told]


def labels_of(template: str) -> dict[str, str]:
    """The labels of a page in the reader's language, by the names of their fields."""
    return {name: gettext(label) for name, label in (OTHERS | _written(template)).items()}
