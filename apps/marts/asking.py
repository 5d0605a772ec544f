"""A CostQuery from the words of a command line."""

import argparse
import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from apps.finops.windows import ONE_DAY
from apps.marts.cell import IN_QUOTES, values
from apps.marts.comparing import read_comparison
from apps.marts.late import late_bills, said
from apps.marts.query import GROUPS, METRICS, BadQuestion, CostQuery
from apps.marts.shape import Shape
from apps.rates.selectors import UsedRate
from apps.warehouse.terminal import harmless

_LOOSE_COMMA = re.compile(r"\s,|,\s")


def add_question(parser: argparse.ArgumentParser) -> None:
    """The options that make up a question."""
    parser.add_argument(
        "--metric", default="effective_cost", help=f"one of {', '.join(METRICS)} (default effective_cost)"
    )
    parser.add_argument("--group-by", default="", metavar="A,B", help=f"at most four of {', '.join(GROUPS)}, tag:KEY")
    parser.add_argument("--start", required=True, metavar="DATE", help="first day, such as 2026-10-01")
    parser.add_argument("--end", required=True, metavar="DATE", help="the day after the last one")
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="NAME=A,B",
        help="only these values, those with a comma in double quotes; may be repeated",
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="NAME=A,B",
        help="all but these values; may be repeated",
    )
    parser.add_argument("--as-of", type=int, metavar="PUBLICATION", help="ask an earlier publication")
    parser.add_argument(
        "--organisation-as-of", type=int, metavar="VERSION", help="by an earlier version of the organisation"
    )


def add_shape(parser: argparse.ArgumentParser) -> None:
    """The options that say how an answer is told."""
    parser.add_argument(
        "--order-by", default="", metavar="A:desc,B", help="cost, delta, date or what is grouped by; asc unless desc"
    )
    parser.add_argument("--top", type=int, metavar="N", help="only the largest N groups, the rest added up as Others")
    parser.add_argument(
        "--compare", metavar="PERIOD", help="beside another period: previous, year, or 2026-09-01/2026-10-01"
    )


def add_currency(parser: argparse.ArgumentParser) -> None:
    """The options of a question whose amounts may be converted."""
    parser.add_argument("--currency", metavar="CNY", help="convert every amount to this currency")
    parser.add_argument("--rates-as-of", type=int, metavar="VERSION", help="with an earlier version of the rates")


def tell_rates(currency: str | None, version: int | None, rates: Iterable[UsedRate], stream: Any) -> None:
    """Where the rates of a converted answer are from: every rate, its day and its origin."""
    if currency is None:
        return
    listed = list(rates)
    stream.write(f"Converted to {currency} with {len(listed)} rates, version {version}.")
    for rate in listed:
        quoted = "" if rate.quoted_day == rate.day else f", quoted on {rate.quoted_day}"
        told = f"{rate.day} {rate.source}→{rate.target} {rate.rate.normalize():f}{quoted}: {rate.origin}"
        stream.write(f"  {harmless(told)}")


def tell_late(query: CostQuery, stream: Any) -> None:
    """The bills that are late and that a question stands on."""
    for one in late_bills(query):
        stream.write(harmless(said(one, f"{one.until - ONE_DAY}")))


def question(options: dict[str, Any]) -> CostQuery:
    """The question the options make up; raises BadQuestion naming the option that does not fit."""
    return CostQuery(
        start=_day("--start", options["start"]),
        end=_day("--end", options["end"]),
        metric=options["metric"],
        group_by=tuple(name.strip() for name in options["group_by"].split(",") if name.strip()),
        filters=tuple(narrowed("--filter", text) for text in options["filter"]),
        excludes=tuple(narrowed("--exclude", text) for text in options.get("exclude", ())),
        as_of=options["as_of"],
        currency=options.get("currency"),
        rates_as_of=options.get("rates_as_of"),
        organisation_as_of=options.get("organisation_as_of"),
    )


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadQuestion(f"{option}: {text!r} is not a day; write it as 2026-10-01") from None


def shape(options: dict[str, Any]) -> Shape:
    """The shape the options make up; raises BadQuestion naming the option that does not fit."""
    order = tuple(_ordered(text.strip()) for text in options["order_by"].split(",") if text.strip())
    compare = options["compare"]
    return Shape(order, options["top"], compare=None if compare is None else read_comparison(compare))


def _ordered(text: str) -> tuple[str, bool]:
    name, colon, direction = text.partition(":")
    if colon and direction not in ("asc", "desc"):
        raise BadQuestion(f"--order-by: {text!r} ends with neither :asc nor :desc")
    return name, direction == "desc"


def narrowed(option: str, text: str) -> tuple[str, tuple[str, ...]]:
    """A dimension and its values, of NAME=A,B. A comma beside a blank may stand in a name, such as `Compute, EU`:
    outside quotes it is refused, for half of that name may be the name of something else."""
    name, equals, told = text.partition("=")
    if not equals:
        raise BadQuestion(f"{option}: {text!r} has no '='; write it as team=web,data")
    told = told.strip()
    if _LOOSE_COMMA.search(IN_QUOTES.sub("quoted", told)):
        raise BadQuestion(
            f"{option}: {text!r} has a blank beside a comma; write a list without, as team=web,data, and a value that "
            """holds a comma in quotes, as 'service="Compute, EU"'"""
        )
    return name.strip(), values(option, told)
