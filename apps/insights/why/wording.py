"""What happened to cost, in few words: more hours at the same price, a new thing, fewer credits."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.finops.money import NOTHING
from apps.finops.why import CostChange

SLIGHT = Decimal("0.1")
"""Below this share of the change a price or an amount of use is as good as the same."""

PARTS: dict[str, Promise] = {
    "volume": _("Quantity"),
    "mix": _("Mix"),
    "price": _("Price"),
    "commitments": _("Commitments"),
    "new": _("New"),
    "gone": _("Gone"),
    "credits": _("Credits"),
    "purchases": _("Purchases"),
    "taxes": _("Taxes"),
    "unmeasured": _("Without quantity"),
}
MEANINGS: dict[str, Promise] = {
    "volume": _("more or less of the same"),
    "mix": _("as much, but dearer or cheaper kinds of it"),
    "price": _("another price before commitments"),
    "commitments": _("more or less covered by reservations and savings plans, and what of them was not used"),
    "new": _("what the period before did not have"),
    "gone": _("what only the period before had"),
    "credits": _("credits, refunds and corrections"),
    "purchases": _("bought at once or by the month"),
    "taxes": _("taxes"),
    "unmeasured": _("usage for which the bill tells no quantity"),
}
SEARCHED: dict[str, Promise] = {
    "team": _("teams"),
    "namespace": _("namespaces"),
    "service": _("services"),
    "workload": _("workloads"),
    "cluster": _("clusters"),
    "node_pool": _("node pools"),
    "region": _("regions"),
    "kind": _("kinds of cost"),
    "charge_category": _("kinds of charge"),
    "sub_account": _("sub-accounts"),
}
"""What segments are named by."""

_MORE: dict[tuple[str, str], Promise] = {
    ("hours", "same"): _("more hours, same price"),
    ("hours", "up"): _("more hours at a higher price"),
    ("hours", "down"): _("more hours at a lower price"),
    ("use", "same"): _("more use, same price"),
    ("use", "up"): _("more use at a higher price"),
    ("use", "down"): _("more use at a lower price"),
}
_LESS: dict[tuple[str, str], Promise] = {
    ("hours", "same"): _("fewer hours, same price"),
    ("hours", "up"): _("fewer hours at a higher price"),
    ("hours", "down"): _("fewer hours at a lower price"),
    ("use", "same"): _("less use, same price"),
    ("use", "up"): _("less use at a higher price"),
    ("use", "down"): _("less use at a lower price"),
}
_DEARER: dict[str, Promise] = {
    "same": _("a higher price for the same use"),
    "up": _("a higher price and more use"),
    "down": _("a higher price in spite of less use"),
}
_CHEAPER: dict[str, Promise] = {
    "same": _("a lower price for the same use"),
    "up": _("a lower price in spite of more use"),
    "down": _("a lower price and less use"),
}
_PARTLY: dict[tuple[str, bool], Promise] = {
    ("new", True): _("a part of it is new"),
    ("gone", False): _("a part of it is gone"),
}
_OTHERS: dict[tuple[str, bool], Promise] = {
    ("mix", True): _("dearer kinds of the same"),
    ("mix", False): _("cheaper kinds of the same"),
    ("commitments", True): _("less of it covered by commitments"),
    ("commitments", False): _("more of it covered by commitments"),
    ("new", True): _("it is new"),
    ("new", False): _("a new refund"),
    ("gone", True): _("a refund that is gone"),
    ("gone", False): _("it is gone"),
    ("credits", True): _("fewer credits and refunds"),
    ("credits", False): _("more credits and refunds"),
    ("purchases", True): _("more was bought"),
    ("purchases", False): _("less was bought"),
    ("taxes", True): _("more taxes"),
    ("taxes", False): _("fewer taxes"),
    ("unmeasured", True): _("the bill tells no quantity"),
    ("unmeasured", False): _("the bill tells no quantity"),
}


def what_happened(change: CostChange) -> Promise:
    """The part that moved most in the direction of a change, in words, with the other of volume and price beside it."""
    parts, whole = change.parts, change.change
    rises = whole > 0
    part = max(parts, key=lambda name: parts[name] if rises else parts[name].copy_negate())
    if part == "volume":
        words = _MORE if rises else _LESS
        return words[_unit(change), _tone(parts, "price", whole)]
    if part == "price":
        return (_DEARER if rises else _CHEAPER)[_tone(parts, "volume", whole)]
    if (part == "new" and change.before) or (part == "gone" and change.after):
        return _PARTLY.get((part, rises), _OTHERS[part, rises])
    return _OTHERS[part, rises]


def _tone(parts: Mapping[str, Decimal], name: str, whole: Decimal) -> str:
    amount = parts.get(name, NOTHING)
    return "same" if abs(amount) < SLIGHT * abs(whole) else "up" if amount > 0 else "down"


def _unit(change: CostChange) -> str:
    """`hours` where nearly all of the volume is counted in hours of something."""
    by_hours: dict[bool, Decimal] = {True: Decimal(0), False: Decimal(0)}
    for one in change.meters:
        by_hours[one.meter.unit.casefold() in _HOURS] += abs(one.parts.get("volume", NOTHING))
    return "hours" if by_hours[True] >= 9 * by_hours[False] else "use"


_HOURS = frozenset(("hours", "hour", "hrs", "hr", "h", "instance-hours", "小时"))
