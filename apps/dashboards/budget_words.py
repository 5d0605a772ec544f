"""What pages say of a budget, in words: how it stands, what else is to be known, and what became of a file of many."""

import re

from django.utils.translation import gettext as _

from apps.budgets.selectors import Standing, Whole
from apps.dashboards.arriving import said_missing
from apps.dashboards.templatetags import costs as written
from apps.finops.findings import Sentence
from apps.marts.query import CostQuery


def told(sentence_of: Sentence) -> str:
    """A sentence in the reader's language."""
    return _(sentence_of.text) % sentence_of.values if sentence_of.values else _(sentence_of.text)


def sentence(one: Standing) -> str:
    """How a budget stands, in words."""
    money = written.money
    facts = {
        "day": written.day(one.exceeds_on), "spent": money(one.spent), "amount": money(one.amount),
        "currency": one.currency, "until": written.day(one.spent_until), "landing": money(one.landing),
        "low": money(one.lower), "high": money(one.upper),
        "cases": "–" if one.probability is None else f"{(one.probability * 100):.0f}",
    }  # fmt: skip
    if one.is_exceeded_ahead:
        told_ahead = _(
            "Exceeds on %(day)s by what is charged ahead: %(spent)s %(currency)s are charged, of %(amount)s."
        )
        return told_ahead % facts
    if one.state == "exceeded":
        return _("Exceeded on %(day)s: %(spent)s %(currency)s were spent until %(until)s, of %(amount)s.") % facts
    if one.state == "unknown":
        return told(one.missing) if one.missing else _("Nothing tells where it will land.")
    if one.lower == one.upper:
        return _("Kept: %(spent)s %(currency)s were spent in the whole period, of %(amount)s.") % facts
    lands = _("It lands at %(landing)s %(currency)s, in 80 of 100 cases between %(low)s and %(high)s.") % facts
    if one.exceeds_on:
        return _("Will exceed on %(day)s (80 %%).") % facts + " " + lands
    if one.state == "at_risk":
        return _("Ends above the budget in %(cases)s of 100 cases.") % facts + " " + lands
    return lands


def remarks(one: Standing) -> tuple[str, ...]:
    """What else is to be known of the numbers."""
    found = []
    if one.missing and one.state != "unknown":
        found.append(told(one.missing))
    if one.spread_by:
        found.append(told(one.spread_by))
    if one.estimated_days:
        facts = {"days": one.estimated_days, "amount": written.money(one.estimated), "currency": one.currency}
        found.append(
            _("%(days)s days wait for a bill; by usage they cost about %(amount)s %(currency)s, which is not counted.")
            % facts
        )
    if one.is_converted:
        found.append(_("Some of it was charged in other currencies and converted by the rates of its days."))
    if one.carried:
        facts = {"base": written.money(one.base), "carried": written.change(one.carried)}
        found.append(_("The amount is %(base)s of its own and %(carried)s carried on from the period before.") % facts)
    return tuple(found)


def late(whole: Whole) -> tuple[str, ...]:
    """The bills that what was spent in the period stands on and that are late beside others: less is spent than it
    costs."""
    one = whole.standing
    if one is None or one.spent is None:
        return ()
    filters = ((one.dimension, (one.value,)),) if one.dimension else ()
    return said_missing(CostQuery(one.start, one.end, metric=one.metric, filters=filters))


def brought(counts: str) -> str:
    """What became of a file, as its address counts it: new, changed and unchanged budgets."""
    found = re.fullmatch(r"(\d{1,9})-(\d{1,9})-(\d{1,9})", counts, re.ASCII)
    if found is None:
        return ""
    words = _("The file was taken: %(new)s new, %(changed)s changed and %(same)s unchanged budgets.")
    return words % dict(zip(("new", "changed", "same"), found.groups(), strict=True))
