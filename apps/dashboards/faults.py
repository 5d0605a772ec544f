"""Why something that was asked or filled in cannot be meant, in the reader's language."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, gettext_lazy

from apps.dashboards import budgets, disputing, recommendations, savings
from apps.dashboards.drafted import PROBLEMS, WRITTEN
from apps.dashboards.labelled import labels_of
from apps.dashboards.refusals import AGAINST, REFUSED, UNSENT
from apps.dashboards.telling import Known, said_where
from apps.dashboards.told import _
from apps.finops.errors import CostOpsError

MOST_TEXT = 6_000
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
    _("COSTOPS_TAG_KEYS says by which tags cost is told (%(choices)s); not by this one"),
    _("an amount in %(currency)s has more than 26 digits; check its rates"),
    _("hours are told of at most %(most)s days; ask for a shorter window"),
    _("end (%(end)s) must come after start (%(start)s); the end day is not included"),
    _("end (%(end)s) must come after start (%(start)s); the end day itself is not included"),
)
"""What questions say of a parameter, or of all of them, and forms where REFUSED does not; tests keep both in step."""
WORDS: dict[str, dict[str, Promise]] = {
    "action": savings.BUTTONS | recommendations.BUTTONS | disputing.BUTTONS,
    "state": disputing.STATES
    | {name.replace("_", " "): word for name, word in recommendations.STATE_WORDS.items()}
    | {"draft": savings.STATE_WORDS["draft"], "stated": savings.STATE_WORDS["stated"]},
    "grain": dict(budgets.GRAINS),
    "what": {
        "line": gettext_lazy("line"), "class": gettext_lazy("class"), "event": gettext_lazy("event"),
        "lines": gettext_lazy("lines"), "classes": gettext_lazy("classes"), "events": gettext_lazy("events"),
        "the file": gettext_lazy("the file"), "a change": gettext_lazy("a change"), "a team": gettext_lazy("a team"),
        "a unit": gettext_lazy("a unit"), "a place": gettext_lazy("a place"), "a rule": gettext_lazy("a rule"),
        "a shared rule": gettext_lazy("a shared rule"), "a policy": gettext_lazy("a policy"),
        "a rule of clusters": gettext_lazy("a rule of clusters"), "team": gettext_lazy("team"),
        "rule": gettext_lazy("rule"), "unit": gettext_lazy("unit"), "rules": gettext_lazy("rules"),
        "policies": gettext_lazy("policies"), "patterns": gettext_lazy("patterns"),
        "regular expressions": gettext_lazy("regular expressions"),
    },
    "text": {
        "'<stream end>'": gettext_lazy("the end of the text"), "no reason given": gettext_lazy("no reason given"),
    },
    "again": {"change the channel": gettext_lazy("change the channel")},
    "wanted": {
        "the node content": gettext_lazy("content"), "'<document start>'": gettext_lazy("the start of a document"),
    },
    "day": {"the beginning": gettext_lazy("the beginning"), "the end": gettext_lazy("the end")},
    "level": {name.replace("_", " "): word for name, word in budgets.DIMENSIONS.items()},
}  # fmt: skip
"""What stands in some sentences: name of its place → what programs call it → what people do."""


@cache
def _sentences() -> tuple[Known, ...]:
    return tuple(map(Known.of, (*FAULTS, *REFUSED, *AGAINST, *UNSENT, *WRITTEN, *PROBLEMS)))


def _told(sentence: Known, match: re.Match[str]) -> str:
    """The translation of a sentence, with what stood in it."""
    found = match.groupdict()
    return gettext(sentence.text) % _worded(found) if found else gettext(sentence.text)


def said(fault: str) -> str:
    """A fault as the reader reads it; one that is not known, or is no sentence by its length, stays as it was told."""
    if (get_language() or "en").startswith("en"):
        return fault
    if fault.startswith(_KEPT):
        lines = (line.partition(": ") for line in fault.removeprefix(_KEPT).strip("\n").splitlines())
        return "\n".join([gettext(_KEPT), *(f"  {_at(where.strip(), each)}" for where, _colon, each in lines)])
    found = [
        (one.length + (text != fault), _told(one, match) + ("。" if text != fault else ""))
        for text in {fault, fault.removesuffix(".")}
        for one in _sentences()
        if len(text) < MOST_TEXT
        if (match := one.match(text))
    ]
    return max(found)[1] if found else fault


def said_each(text: str) -> str:
    """Sentences one behind the other, each as the reader reads it; where one is not known, all of them as one."""
    parts = {one: said(one) for one in _NEXT_SENTENCE.split(text)}
    return said(text) if any(told == one for one, told in parts.items()) else "".join(parts.values())


def _worded(found: dict[str, str]) -> dict[str, str]:
    """What stood in a sentence, in the reader's words where it is a word of ours."""
    told = {name: str(WORDS.get(name, {}).get(text, text)) for name, text in found.items()}
    for name in _WITHIN & told.keys():
        told[name] = said(told[name])
    if "against" in told:
        told["against"] = said_each(told["against"])
    if "cells" in told:
        told["cells"] = "; ".join(map(_cell, _NEXT_CELL.split(told["cells"])))
    return told


def _cell(text: str) -> str:
    """What is said of a cell of a file: what is wrong with it stands behind its place."""
    match = _CELL.fullmatch(text)
    if match is None:
        return said(text)
    return gettext("line %(line)s, column %(column)s: %(fault)s") % {**match.groupdict(), "fault": said(match["fault"])}


def _at(where: str, fault: str) -> str:
    """What is wrong with a line of a draft, behind its place."""
    return gettext("%(where)s: %(fault)s") % {"where": said_where(where), "fault": said(fault)}


_KEPT = _("The draft was not kept:")
"""Of a draft every line that is wrong is told."""
_WITHIN = {"how", "problem"}
"""What stands in a sentence and is one itself."""
_NEXT_SENTENCE = re.compile(r"(?<=[.?]) (?=\S)")
_NEXT_CELL = re.compile(r"; (?=line \d|and \d+ more$)")
_CELL = re.compile(r"line (?P<line>\d+), column (?P<column>[^:]+): (?P<fault>.+)", re.DOTALL)
_OF_A_FIELD = re.compile(r"([a-z_]+): (.+)", re.DOTALL)


def refusal(
    refused: CostOpsError, template: str | None = None, labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What a page says of something it refused: all of it on top, and beside its field what begins with its name.

    On top, a field is called by its label: that of `labels`, or in the page's `template`.
    """
    message = str(refused)
    match = _OF_A_FIELD.fullmatch(message)
    if match is None:
        return {"refused": said(message), "faults": {}}
    name, fault = match[1], said(match[2])
    label = {**(labels_of(template) if template else {}), **(labels or {})}.get(name, "")
    top = gettext("“%(label)s”: %(fault)s") % {"label": label, "fault": fault} if label else f"{name}: {fault}"
    return {"refused": top, "faults": {name: fault}}
