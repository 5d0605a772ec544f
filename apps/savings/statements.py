"""What is stated of an initiative before it begins, read from a form, from JSON or from a recommendation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from apps.finops.errors import CostOpsError
from apps.finops.money import NotAnAmount, parse_amount
from apps.operations.models import Recommendation
from apps.savings.models import Initiative
from apps.savings.scopes import Scope, read
from apps.units.csv_file import is_driver_name

FEWEST_DAYS, MOST_DAYS = 7, 366
MOST_TRANSITION = 92
MOST_CONTROLS = 20
LONGEST_NAME, LONGEST_TEXT = 200, 4_000
FIELDS = (
    "name", "hypothesis", "team", "scope", "currency", "promised_per_month", "start", "transition_days", "window_days",
    "drivers", "controls", "is_about_price", "recommendations",
)  # fmt: skip


class BadStatement(CostOpsError):
    """A statement cannot be read: the field that is wrong is named; nothing was kept."""


@dataclass(frozen=True)
class Statement:
    """What is stated; `recommendations` are the numbers of those it carries out."""

    name: str
    hypothesis: str
    team: str
    scope: Scope
    currency: str
    promised: Decimal
    start: date
    transition_days: int = 0
    window_days: int = 28
    drivers: tuple[str, ...] = ()
    controls: tuple[Scope, ...] = ()
    is_about_price: bool = False
    recommendations: tuple[int, ...] = field(default=())

    def columns(self) -> dict[str, Any]:
        """The statement as an Initiative keeps it."""
        return {
            "name": self.name, "hypothesis": self.hypothesis, "team": self.team, "currency": self.currency,
            "promised_text": f"{self.promised:f}", "start": self.start, "transition_days": self.transition_days,
            "window_days": self.window_days, "drivers": list(self.drivers), "is_about_price": self.is_about_price,
            "scope": _plain(self.scope), "controls": [_plain(one) for one in self.controls],
        }  # fmt: skip


def _plain(scope: Scope) -> dict[str, list[str]]:
    return {name: list(values) for name, values in scope.items()}


def statement_of(one: Initiative) -> Statement:
    """What is stated of an initiative, as it was loaded; the recommendations as they are now."""
    return Statement(
        one.name, one.hypothesis, one.team, scope_of(one), one.currency, one.promised, one.start, one.transition_days,
        one.window_days, tuple(one.drivers), tuple(controls_of(one)), one.is_about_price,
        tuple(one.recommendations.order_by("pk").values_list("pk", flat=True)),
    )  # fmt: skip


def scope_of(initiative: Initiative) -> dict[str, tuple[str, ...]]:
    """In the order of names: PostgreSQL keeps those of JSON in an order of its own."""
    return _read(initiative.scope)


def controls_of(initiative: Initiative) -> list[dict[str, tuple[str, ...]]]:
    return [_read(one) for one in initiative.controls]


def _read(kept: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in sorted(kept.items())}


def read_statement(given: Mapping[str, Any]) -> Statement:
    """A statement from names and texts; what is missing or cannot be is told by its name."""
    unknown = sorted(set(given) - set(FIELDS))
    if unknown:
        raise BadStatement(f"{unknown[0][:40]}: is no field; there are {', '.join(FIELDS)}.")
    return Statement(
        name=_text(given, "name", LONGEST_NAME),
        hypothesis=_text(given, "hypothesis", LONGEST_TEXT),
        team=_text(given, "team", 60),
        scope=read(given.get("scope")),
        currency=_text(given, "currency", 20),
        promised=_promised(given.get("promised_per_month")),
        start=_day(given.get("start")),
        transition_days=_number(given, "transition_days", 0, MOST_TRANSITION, 0),
        window_days=_number(given, "window_days", FEWEST_DAYS, MOST_DAYS, 28),
        drivers=_drivers(given.get("drivers")),
        controls=_controls(given.get("controls")),
        is_about_price=str(given.get("is_about_price", "")).lower() in ("true", "1", "on", "yes"),
        recommendations=_numbers(given.get("recommendations")),
    )


def stated_by(one: Recommendation, *, start: date, transition_days: int = 0) -> Statement:
    """What a recommendation states by itself: what is to be done, the cost it is about, and what it promises."""
    name = one.title["text"] % one.title["values"] if one.title.get("values") else one.title["text"]
    return Statement(
        name=name[:LONGEST_NAME],
        hypothesis=" ".join(_sentence(each) for each in one.evidence) or "–",
        team=one.team,
        scope=read(dict(one.scope)),
        currency=one.currency,
        promised=one.saving,
        start=start,
        transition_days=min(transition_days, MOST_TRANSITION),
        is_about_price=one.kind == "purchase",
        recommendations=(one.pk,),
    )


def _sentence(told: Mapping[str, Any]) -> str:
    return f"{told['text'] % told['values'] if told.get('values') else told['text']}."


def _text(given: Mapping[str, Any], name: str, most: int) -> str:
    text = str(given.get(name) or "").strip()
    if not text or len(text) > most or "\x00" in text:
        raise BadStatement(f"{name}: write 1 to {most:,} characters.")
    return text


def _promised(given: Any) -> Decimal:
    try:
        amount, was_rounded = parse_amount(str(given if given is not None else ""))
    except NotAnAmount:
        raise BadStatement(f"promised_per_month: {str(given)[:30]!r} is no amount, such as 1200.50.") from None
    if was_rounded or amount < 0:
        raise BadStatement("promised_per_month: an amount of at least 0 with at most twelve decimals.")
    return amount


def _day(given: Any) -> date:
    try:
        day = given if isinstance(given, date) else date.fromisoformat(str(given or ""))
    except ValueError:
        raise BadStatement(f"start: {str(given or '')[:20]!r} is no day, such as 2026-11-30.") from None
    if not date(2000, 1, 1) <= day <= date(2100, 1, 1) - timedelta(days=MOST_DAYS):
        raise BadStatement("start: a day of this century.")
    return day


def _number(given: Mapping[str, Any], name: str, least: int, most: int, otherwise: int) -> int:
    text = str(given.get(name, "")).strip()
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most):
        raise BadStatement(f"{name}: {text[:20]!r} is not a whole number from {least} to {most}.")
    return int(text)


def _list(given: Any) -> list[Any]:
    if not given:
        return []
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else list(given)


def _drivers(given: Any) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(map(str, _list(given))))
    wrong = [one for one in found if not is_driver_name(one)]
    if wrong or len(found) > 5:
        raise BadStatement(f"drivers: up to five names of unit drivers; {wrong[0][:40] if wrong else 'too many'!r}.")
    return found


def _controls(given: Any) -> tuple[Scope, ...]:
    """A list of scopes; from a form, a scope a line: `team=a; service=b`."""
    listed = [line for line in given.splitlines() if line.strip()] if isinstance(given, str) else list(given or ())
    if len(listed) > MOST_CONTROLS:
        raise BadStatement(f"controls: at most {MOST_CONTROLS}.")
    return tuple(read(one) for one in listed)


def _numbers(given: Any) -> tuple[int, ...]:
    found = [str(one) for one in _list(given)]
    if any(not (one.isascii() and one.isdigit() and len(one) < 16) for one in found):
        raise BadStatement("recommendations: numbers of recommendations, comma-separated.")
    return tuple(dict.fromkeys(int(one) for one in found))
