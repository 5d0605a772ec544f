"""A budget as somebody writes it, and what must be true of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import User

from apps.budgets.models import GRAINS, NONE, ROLLOVERS, Budget, BudgetVersion
from apps.budgets.people import may_own
from apps.budgets.profiles import EVEN, MONTHS, BadProfile, Profile
from apps.calendars.periods import period_of
from apps.finops.currencies import CURRENCIES
from apps.finops.errors import CostOpsError
from apps.finops.money import NotAnAmount, parse_amount, plain
from apps.finops.sheets import FIRST_DAY, LAST_DAY
from apps.marts.query import METRICS
from apps.marts.tagging import tag_dimensions
from apps.teams.models import UNALLOCATED, Team
from apps.teams.organising import tree
from apps.teams.tree import LEVELS

ALL = ""
SCOPES = (
    ALL, "team", *LEVELS, "provider", "service", "account", "sub_account", "region", "cluster", "node_pool",
    "namespace", "workload", "source", "charge_category",
)  # fmt: skip
"""What a budget can be of: all cost, or one value of a dimension or level; tags come to them in `scopes`."""
FIXED = ("name", "dimension", "value", "grain", "currency", "metric")
MOST_TEXT = 4_000


def scopes() -> tuple[str, ...]:
    """SCOPES, and the tags of the chosen keys."""
    return (*SCOPES, *tag_dimensions())


class BadBudget(CostOpsError):
    """A budget that cannot be meant; the message names what of it."""

    def __init__(self, field: str, message: str) -> None:
        self.field, self.message = field, message
        super().__init__(f"{field}: {message}.")


@dataclass(frozen=True)
class Draft:
    """A budget as it is to be, from the period that begins on `valid_from` until that which begins on `valid_to`."""

    name: str
    amount: str
    currency: str
    valid_from: date | None
    dimension: str = ALL
    value: str = ""
    grain: str = "month"
    metric: str = "effective_cost"
    valid_to: date | None = None
    profile: str = EVEN
    weights: str = ""
    rollover: str = NONE
    owner_team: str = ""
    owner: str = ""
    why: str = ""


@dataclass(frozen=True)
class Checked:
    """A draft that can be meant: its amount exact, its owner a person."""

    draft: Draft
    valid_from: date
    amount: Decimal
    owner: User | None

    def fixed(self) -> dict[str, str]:
        """What of it never changes."""
        return {name: getattr(self.draft, name) for name in FIXED}

    def decided(self) -> dict[str, object]:
        """What its version says."""
        said = {name: getattr(self.draft, name) for name in ("profile", "weights", "rollover", "owner_team")}
        return said | {"amount_text": plain(self.amount), "owner": self.owner}


def check(draft: Draft) -> Checked:
    """A draft that can be meant; raises BadBudget for the first thing that cannot."""
    _check_texts(draft)
    _check_choices(draft)
    _check_scope(draft)
    start = _check_days(draft)
    try:
        Profile.parse(draft.profile, draft.weights)
    except BadProfile as bad:
        field, _, message = str(bad).partition(": ")
        raise BadBudget(field, message.rstrip(".")) from bad
    if draft.profile == MONTHS and draft.grain == "month":
        raise BadBudget("profile", "months weigh the months of a quarter or a year; a monthly budget has but one")
    return Checked(draft, start, _amount(draft.amount), _owner(draft))


def _check_texts(draft: Draft) -> None:
    for field, most in (("name", 120), ("value", 500), ("weights", 300), ("why", MOST_TEXT)):
        text = getattr(draft, field)
        printable = text.replace("\n", "").replace("\r", "") if field == "why" else text
        if len(text) > most or not printable.isprintable():
            raise BadBudget(field, f"is longer than {most} characters, or holds characters that do not show")
    if not draft.name.strip():
        raise BadBudget("name", "is empty")


def _check_choices(draft: Draft) -> None:
    choices: Mapping[str, tuple[str, ...]] = {
        "dimension": scopes(), "grain": GRAINS, "metric": METRICS, "rollover": ROLLOVERS, "currency": CURRENCIES,
    }  # fmt: skip
    for field, known in choices.items():
        told = getattr(draft, field)
        if told not in known:
            if field == "currency":
                raise BadBudget(field, f"{told[:40]!r} is not a currency code of ISO 4217, such as CNY")
            if "" in known:
                raise BadBudget(field, f"{told[:40]!r} is not empty, or one of {', '.join(filter(None, known))}")
            raise BadBudget(field, f"{told[:40]!r} is not one of {', '.join(known)}")


def _check_scope(draft: Draft) -> None:
    teams = {UNALLOCATED, *Team.objects.values_list("name", flat=True)}
    if bool(draft.dimension) != bool(draft.value):
        raise BadBudget("value", "name what of the dimension, or leave both empty for all cost")
    if draft.dimension == "team" and draft.value not in teams:
        raise BadBudget("value", f"there is no team {draft.value[:60]!r}")
    if draft.dimension in LEVELS and draft.value not in _parts(draft.dimension):
        raise BadBudget("value", f"there is no {draft.dimension.replace('_', ' ')} {draft.value[:60]!r}")
    if draft.owner_team and draft.owner_team not in teams - {UNALLOCATED}:
        raise BadBudget("owner_team", f"there is no team {draft.owner_team[:60]!r}")


def _parts(level: str) -> set[str]:
    known = tree()
    return {name for team in known.teams for spot in known.spots(team) for name in spot.above(level)}


def _check_days(draft: Draft) -> date:
    if draft.valid_from is None:
        raise BadBudget("valid_from", "say from which period on, by its first day, such as 2026-10-01")
    for field in ("valid_from", "valid_to"):
        day = getattr(draft, field)
        if day is not None and not (FIRST_DAY <= day <= LAST_DAY and period_of(draft.grain, day).start == day):
            raise _not_first(field, draft.grain, day)
    if draft.valid_to is not None and draft.valid_to <= draft.valid_from:
        raise BadBudget("valid_to", f"{draft.valid_to} is not after {draft.valid_from}; it is the first day without")
    return draft.valid_from


def _not_first(field: str, grain: str, day: date) -> BadBudget:
    """Why a day begins no period, with those that do nearby."""
    if not FIRST_DAY <= day <= LAST_DAY:
        return BadBudget(field, f"{day} is not the first day of a {grain}")
    period = period_of(grain, day)
    nearby = f"{period.name} begins on {period.start}, the next on {period.end}"
    return BadBudget(field, f"{day} is not the first day of a {grain}; {nearby}")


def _amount(text: str) -> Decimal:
    try:
        amount, is_rounded = parse_amount(text)
    except NotAnAmount:
        raise BadBudget("amount", f"{text[:40]!r} is not a number; write 120000 or 120000.50") from None
    if is_rounded or amount < 0:
        raise BadBudget("amount", f"{text[:40]} is negative, or has more than twelve decimals")
    return amount


def _owner(draft: Draft) -> User | None:
    if not draft.owner:
        return None
    user = User.objects.filter(username=draft.owner, is_active=True).first()
    if user is None or not may_own(user, draft.owner_team):
        raise BadBudget("owner", f"{draft.owner[:60]!r} is nobody who sees the budgets of its team")
    return user


def draft_of(budget: Budget, version: BudgetVersion, valid_to: date | None) -> Draft:
    """A budget as it is, to be written anew."""
    plain = {name: getattr(budget, name) for name in FIXED}
    plain |= {name: getattr(version, name) for name in ("valid_from", "profile", "weights", "rollover", "owner_team")}
    owner = version.owner.get_username() if version.owner else ""
    return Draft(**plain, amount=version.amount_text, owner=owner, valid_to=valid_to)
