"""What assistants may ask: each tool is one address of the API, read only, with the API's own parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.api.bodies import NOTHING
from apps.marts.cell import FILTER_NAMES, listed

MOST_ROWS = 100
"""An answer for an assistant has at most so many rows; it says how many were left out."""


@dataclass(frozen=True)
class Tool:
    """One tool: its `address` and the `page` that shows the same are names of the URL tables.

    `fixed` is asked every time; `hidden` parameters are not offered, for they say the same as others do or serve
    programs; `required` must be given; `left_out` are columns of rows that are long and told by the page.
    """

    name: str
    title: str
    description: str
    address: str
    page: str
    fixed: Mapping[str, str] | None = None
    hidden: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def path(self) -> str:
        return reverse(self.address)

    def page_of(self, arguments: Mapping[str, Any]) -> str:
        """Where a person sees the same: the page of a team where the question names one."""
        team = _only_team(arguments)
        return reverse("team", args=[team]) if team and self.page == "overview" else reverse(self.page)


def _only_team(arguments: Mapping[str, Any]) -> str:
    """The one team a question is about; empty where it is about several."""
    kept = arguments.get("filter")
    named = kept.get("team") if isinstance(kept, dict) else None
    return str(named[0]) if isinstance(named, list) and len(named) == 1 and named[0] else ""


_PLAIN_FILTERS = tuple(FILTER_NAMES.values())
_FORMAT = ("format",)
_COSTS_HIDDEN = (*_FORMAT, *_PLAIN_FILTERS, "basis", "delta", "start_date", "end_date", "cursor", "rates_as_of")
TOOLS = (
    Tool(
        "ask_costs", "Ask what something cost",
        "Cost of a period, grouped, filtered, ordered, cut to the largest with the rest as Others, and compared with "
        "another period. Amounts are exact text in the currency beside them; currencies are never added. `kind` tells "
        "direct cost from shared, idle and unallocated. Without start and end all published days are meant; the end "
        "day is not included.",
        "api-costs", "overview", fixed={"explain": "none", "limit": str(MOST_ROWS)}, hidden=_COSTS_HIDDEN,
    ),
    Tool(
        "explain", "Explain a number",
        "What an amount is made of: the sentence, the largest parts with the rule that decided, and the bill rows with "
        "file and line. Say the same period and filters as of the amount.",
        "api-explain", "explain", fixed={"limit": "10"}, hidden=(*_FORMAT, "rates_as_of"),
    ),
    Tool(
        "why", "Say why cost changed",
        "Why cost differs from another period (that which compare=previous of costs names, unless before_start and "
        "before_end say which): exact parts, and the segments that moved. Give start and end.",
        "api-why", "why", hidden=(*_FORMAT, "rates_as_of"), required=("start", "end"),
    ),
    Tool(
        "forecasts", "See where cost will land",
        "Where month and quarter land, with intervals and each series' own error on the past.",
        "api-forecasts", "forecasts", hidden=_FORMAT, left_out=("days",),
    ),
    Tool(
        "anomalies", "See what departs from its usual",
        "Days on which cost was not what it usually is, where it belongs, and what it will have cost by month end.",
        "api-anomalies", "anomalies", hidden=_FORMAT,
    ),
    Tool(
        "idle", "See what is paid for and not used",
        "Resources that are paid for and not used: whose, how much a month, why we think so.",
        "api-idle", "idle", hidden=_FORMAT, left_out=("windows",),
    ),
    Tool(
        "recommendations", "See what could be done",
        "Things to do, with owner, due day, state and what each would save.",
        "api-recommendations", "recommendations", hidden=_FORMAT,
    ),
    Tool(
        "budgets", "See how budgets stand",
        "What may be spent, what was, and where it will land.", "api-budgets", "budgets", hidden=_FORMAT,
    ),
    Tool(
        "savings", "See what was saved",
        "Initiatives, what they promised, and what they verifiably saved.", "api-savings", "savings", hidden=_FORMAT,
    ),
    Tool(
        "plans", "See how the same work could cost less",
        "Plans of sizes, GPUs, batch work, pools, schedules and purchases, with what they would save.",
        "api-plans", "plans", hidden=_FORMAT,
    ),
    Tool(
        "teams", "List the teams",
        "The teams whose cost may be asked about, and where they stand in the organisation.",
        "api-teams", "overview", hidden=_FORMAT,
    ),
    Tool(
        "reconciliation", "See whether everything adds up",
        "Charged against allocated, by source and billing month; the difference is 0. For those who see all teams.",
        "api-reconciliation", "reconciliation", fixed={"by_day": "false"}, hidden=(*_FORMAT, "by_day"),
    ),
)  # fmt: skip
BY_NAME = {tool.name: tool for tool in TOOLS}


def asked_as(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Arguments as the parameters of an address: lists with commas, objects in brackets."""
    told: dict[str, str] = {}
    for name, value in arguments.items():
        if isinstance(value, dict):
            told |= {f"{name}[{inner}]": _text(one) for inner, one in value.items() if one not in NOTHING}
        elif value not in NOTHING:
            told[name] = _text(value)
    return told


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return listed([str(one) for one in value])
    return str(value).lower() if isinstance(value, bool) else str(value)
