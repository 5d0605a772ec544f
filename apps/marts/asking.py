"""A CostQuery from the words of a command line."""

import argparse
from datetime import date
from typing import Any

from apps.marts.query import GROUPS, METRICS, BadQuestion, CostQuery


def add_question(parser: argparse.ArgumentParser) -> None:
    """The options that make up a question."""
    parser.add_argument(
        "--metric", default="effective_cost", help=f"one of {', '.join(METRICS)} (default effective_cost)"
    )
    parser.add_argument("--group-by", default="", metavar="A,B", help=f"at most four of {', '.join(GROUPS)}")
    parser.add_argument("--start", required=True, metavar="DATE", help="first day, such as 2026-10-01")
    parser.add_argument("--end", required=True, metavar="DATE", help="the day after the last one")
    parser.add_argument(
        "--filter", action="append", default=[], metavar="NAME=A,B", help="only these values; may be repeated"
    )
    parser.add_argument("--as-of", type=int, metavar="PUBLICATION", help="ask an earlier publication")


def question(options: dict[str, Any]) -> CostQuery:
    """The question the options make up; raises BadQuestion naming the option that does not fit."""
    return CostQuery(
        start=_day("--start", options["start"]),
        end=_day("--end", options["end"]),
        metric=options["metric"],
        group_by=tuple(name.strip() for name in options["group_by"].split(",") if name.strip()),
        filters=tuple(_filter(text) for text in options["filter"]),
        as_of=options["as_of"],
    )


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadQuestion(f"{option}: {text!r} is not a day; write it as 2026-10-01") from None


def _filter(text: str) -> tuple[str, tuple[str, ...]]:
    name, equals, values = text.partition("=")
    if not equals:
        raise BadQuestion(f"--filter: {text!r} has no '='; write it as team=web,data")
    return name.strip(), tuple(value.strip() for value in values.split(","))
