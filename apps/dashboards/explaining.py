"""What the page says of a number: a sentence, the steps that lead to it, its parts and bill rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.dashboards import naming, words
from apps.dashboards.asking import METRICS
from apps.dashboards.cells import link
from apps.dashboards.forecasts import LEVELS
from apps.dashboards.templatetags import costs as written
from apps.finops.windows import ONE_DAY
from apps.insights.explain import Explanation, Part, explain
from apps.insights.weights import CORE_HOURS, COST, GIB_HOURS, HOURS, SENT, Weight
from apps.marts import selectors as marts
from apps.marts.cell import address, cell, question
from apps.marts.query import CostQuery, PublicationFacts, Scope

LIMIT = 50
DIMENSIONS: dict[str, Promise] = {
    "team": gettext_lazy("Team"),
    "cluster": gettext_lazy("Cluster"),
    "namespace": gettext_lazy("Namespace"),
    "workload": gettext_lazy("Workload"),
    "node_pool": gettext_lazy("Node pool"),
    "kind": gettext_lazy("Kind"),
    "service": gettext_lazy("Service"),
    "region": gettext_lazy("Region"),
    "provider": gettext_lazy("Provider"),
    "account": gettext_lazy("Account"),
    "sub_account": gettext_lazy("Sub-account"),
    "charge_category": gettext_lazy("Charge category"),
    "source": gettext_lazy("Source"),
    "billing_month": gettext_lazy("Billing month"),
    "currency": gettext_lazy("Currency"),
}
POOLS: dict[str, Promise] = {
    "node": gettext_lazy("Node"),
    "serverless": gettext_lazy("Serverless pod"),
    "volume": gettext_lazy("Volume"),
    "load_balancer": gettext_lazy("Load balancer"),
    "network": gettext_lazy("Traffic"),
    "charge": gettext_lazy("Charge"),
    "shared": gettext_lazy("Platform"),
}
UNITS: dict[str, Promise] = {
    CORE_HOURS: gettext_lazy("core-hours' worth"),
    GIB_HOURS: gettext_lazy("GiB-hours"),
    HOURS: gettext_lazy("hours of Services"),
    COST: gettext_lazy("of claimed cost"),
    SENT: gettext_lazy("GiB sent"),
}
RESOURCES: dict[str, Promise] = {
    "cpu_core": gettext_lazy("%(claimed)s of %(of)s core-hours"),
    "memory_gib": gettext_lazy("%(claimed)s of %(of)s GiB-hours"),
    "gpu": gettext_lazy("%(claimed)s of %(of)s GPU-hours"),
}
Amounts = tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class Step:
    """One line of the way from the bill to the number."""

    title: str
    amounts: Amounts


@dataclass(frozen=True)
class PartLine:
    """One part as the table shows it; `weight` says what it weighed, `measured` of which resources."""

    part: Part
    team: str
    what: str
    where: str
    pool: str
    weight: str
    measured: str

    @property
    def percent(self) -> Decimal | None:
        return None if self.part.share is None else self.part.share * 100


@dataclass(frozen=True)
class Narrower:
    """A part of the number that can be asked about by itself."""

    title: str
    amount: Decimal
    currency: str
    url: str


@dataclass(frozen=True)
class ExplainPage:
    """The page: `cell` are the question's parameters as a form sends them."""

    found: Explanation
    facts: PublicationFacts
    sentence: str
    about: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    kinds: tuple[Narrower, ...]
    lines: tuple[PartLine, ...]
    more_parts: int
    more_rows: int
    before: str
    api: str

    @property
    def answered(self) -> Amounts:
        return tuple(self.found.answered.items())


def page(given: Mapping[str, str], scope: Scope) -> ExplainPage:
    """The explanation an address asks for, for a viewer."""
    return told(question(given, scope))


def told(asked: CostQuery, limit: int = LIMIT) -> ExplainPage:
    """Everything the page says of a number."""
    found = explain(asked, limit=limit)
    query = found.query
    length, teams = query.end - query.start, naming.directory()
    return ExplainPage(
        found=found,
        facts=marts.facts(marts.publication(found.publication), query.start, query.end),
        sentence=sentence(found),
        about=about(query),
        steps=_steps(found),
        kinds=_kinds(query),
        lines=tuple(_line(part, teams) for part in found.parts),
        more_parts=found.part_count - len(found.parts),
        more_rows=found.bill_row_count - len(found.bill_rows),
        before=link(query.between(query.start - length, query.start)),
        api=address(reverse("api-explain"), query),
    )


def about(query: CostQuery) -> tuple[tuple[str, str], ...]:
    """What the number is of, dimension by dimension, as people call it."""
    known = DIMENSIONS | LEVELS
    teams = naming.directory(query.scope)
    asked = [name for name, _told in (*query.filters, *query.excludes)]
    titles = {name: naming.before_value(name, str(known.get(name, name))) for name in asked}
    kept = [(titles[name], _values(name, values, teams)) for name, values in query.filters]
    left_out = [
        (titles[name], _("all but %(values)s") % {"values": _values(name, values, teams)})
        for name, values in query.excludes
    ]
    return (*kept, *left_out)


def _values(name: str, values: tuple[str, ...], teams: naming.Directory) -> str:
    shown = [_called(name, value, teams) for value in values[:5]]
    return naming.joined(shown) + (" …" if len(values) > 5 else "")


def _called(name: str, value: str, teams: naming.Directory) -> str:
    if name == "team":
        return teams.title(value)
    return str(words.KINDS.get(value, value)) if name == "kind" else naming.called(name, value)


def sentence(found: Explanation) -> str:
    """The number in one sentence, in the reader's language."""
    query = found.query
    rules = sorted({part.ruleset for part in found.parts})
    facts = {
        "amount": amounts(found.answered),
        "metric": METRICS[query.metric],
        "days": written.day_range(query.start, query.end - ONE_DAY),
        "parts": ngettext("%(n)s part", "%(n)s parts", found.part_count) % {"n": written.count(found.part_count)},
        "pools": ngettext("%(n)s charge pool", "%(n)s charge pools", found.pool_count)
        % {"n": written.count(found.pool_count)},
        "rows": ngettext("%(n)s bill row", "%(n)s bill rows", found.bill_row_count)
        % {"n": written.count(found.bill_row_count)},
        "rules": naming.joined([str(number) for number in rules]),
    }
    said = (
        _(
            "%(amount)s of %(metric)s, %(days)s, is %(parts)s of %(pools)s, given by the rules and policies of version "
            "%(rules)s; behind them stand %(rows)s."
        )
        % facts
    )
    return said + _converted(found)


def _converted(found: Explanation) -> str:
    """How the amount came from what was billed."""
    rates = found.rates
    if not rates:
        return ""
    lowest, highest = min(rates, key=lambda one: one.rate), max(rates, key=lambda one: one.rate)
    facts = {
        "billed": amounts(found.totals),
        "pair": f"{rates[0].source}→{rates[0].target}",
        "rate": written.quantity(lowest.rate),
        "to": written.quantity(highest.rate),
        "day": written.day(rates[0].day),
        "n": len(rates),
        "version": found.query.rates_as_of,
    }
    if len(rates) == 1:
        return " " + _("Billed as %(billed)s, converted by %(pair)s %(rate)s of %(day)s (rates %(version)s).") % facts
    said = _(
        "Billed as %(billed)s, converted by %(n)s rates, each of its day, from %(rate)s to %(to)s (rates %(version)s)."
    )
    return f" {said % facts}"


def amounts(totals: Mapping[str, Decimal]) -> str:
    """Amounts of several currencies in one phrase."""
    return naming.joined([f"{written.money(total)} {currency}" for currency, total in totals.items()])


def _steps(found: Explanation) -> tuple[Step, ...]:
    numbers = {name: written.count(getattr(found, name)) for name in ("bill_row_count", "pool_count", "part_count")}
    steps = [
        Step(_("%(bill_row_count)s bill rows cost together") % numbers, tuple(found.bill_total.items())),
        Step(_("%(pool_count)s charge pools hold them all") % numbers, tuple(found.pool_total.items())),
        Step(_("%(part_count)s parts of these pools are the number") % numbers, tuple(found.totals.items())),
    ]
    if found.query.currency:
        steps.append(Step(_("converted by the rate of each day"), tuple(found.answered.items())))
    return tuple(steps)


def _kinds(query: CostQuery) -> tuple[Narrower, ...]:
    """The number by kind, where it has several."""
    rows = marts.answer(query.grouped("kind")).rows
    if len({row[0] for row in rows}) < 2:
        return ()
    return tuple(
        Narrower(str(words.KINDS.get(kind, kind)), amount, currency, link(_narrowed(query, kind, currency)))
        for kind, currency, amount in rows
    )


def _narrowed(query: CostQuery, kind: str, currency: str) -> CostQuery:
    return cell(query, kind=kind) if query.currency else cell(query, kind=kind, currency=currency)


def _line(part: Part, teams: naming.Directory) -> PartLine:
    where = (part.cluster, part.namespace if part.workload else "", part.service)
    return PartLine(
        part=part,
        team=teams.title(part.team),
        what=part.workload or part.namespace or naming.called("service", part.service),
        where=" · ".join(name for name in where if name),
        pool=str(POOLS.get(part.pool, part.pool)),
        weight=_weight(part.weight) if part.weight else "",
        measured=_measured(part.weight) if part.weight else "",
    )


def _weight(weight: Weight) -> str:
    facts = {"weight": _hours(weight.weight), "total": _hours(weight.total), "unit": UNITS[weight.unit]}
    return _("%(weight)s of %(total)s %(unit)s") % facts


def _measured(weight: Weight) -> str:
    return naming.joined(
        [
            str(RESOURCES[one.resource]) % {"claimed": _hours(one.claimed), "of": _hours(one.of)}
            for one in weight.measured
            if one.resource in RESOURCES and one.claimed
        ]
    )


def _hours(quantity: Decimal) -> str:
    return written.precise(quantity)
