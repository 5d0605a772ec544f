"""What the OpenAPI schema says of every operation: a summary, whom it is for, and an answer as it once was."""

import inspect
import json
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample
from rest_framework.permissions import SAFE_METHODS

from apps.api.deprecations import DEPRECATED
from apps.api.errors import problem
from apps.api.problems import PROBLEMS
from apps.api.renderers import ProblemRenderer
from apps.api.scopes import READ, WRITE, area_of

TAGS: Mapping[str, tuple[str, ...]] = {
    "Cost": (
        "costs", "exports", "efficiency", "views", "annotations", "bases", "estimates", "explain", "why", "units",
        "drivers", "rates",
    ),
    "What is ahead": ("forecasts", "planned", "budgets", "calendar"),
    "What to do": ("anomalies", "idle", "recommendations", "savings", "plans", "prices", "commitments", "offers"),
    "Books": (
        "publications", "changes", "restatements", "reconciliation", "invoices", "closings", "adjustments", "disputes",
    ),
    "Data": ("sources", "runs", "quality", "audit"),
    "Organisation": ("teams", "access", "rules", "rule-drafts", "worklist"),
    "Being told": ("alerts", "alert-rules", "channels", "deliveries", "reports", "subscriptions"),
    "This API": ("me", "problems", "search"),
    "OpenCost": ("opencost",),
}  # fmt: skip
"""What operations stand under; a browser draws few headings better than one for each area."""
MANY = 3
"""A parameter that so many operations have is said once."""
EXAMPLES = Path(__file__).with_name("examples.json")
"""Operation → what was asked and answered, as `scripts/api_examples.py` recorded it of the simulated company."""


class ApiSchema(AutoSchema):
    """An operation of the API."""

    def get_summary(self) -> str:
        """What a read answers; what a write does, by its name."""
        if self.method in SAFE_METHODS:
            return _first_clause(self._about())
        return str(self.get_operation_id()).replace("_", " ").capitalize()

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        area = area_of(self.path.lstrip("/"))
        scope = f"{area}:{READ if self.method in SAFE_METHODS else WRITE}"
        asked = examples().get(self.get_operation_id(), {}).get("asked")
        more = [f"A token needs the scope `{scope}`." if area else "", f"Such as `{asked}`." if asked else ""]
        return "\n\n".join([self._about(), *(line for line in more if line)])

    def get_tags(self) -> list[str]:
        area = area_of(self.path.lstrip("/")) or self.path.split("/")[2]
        return [next((tag for tag, areas in TAGS.items() if area in areas), area)]

    def is_deprecated(self) -> bool:
        return self.path in DEPRECATED

    def _get_request_body(self, direction: str = "request") -> Any:
        """A body of parameters may be left away: they may stand in the address."""
        found = super()._get_request_body(direction)  # type: ignore[no-untyped-call]  # untyped there
        if found and "application/json" in found["content"] and len(found["content"]) == 1:
            found.pop("required", None)
        return found

    def get_examples(self) -> list[OpenApiExample]:
        found = examples().get(self.get_operation_id())
        if found is None:
            return []
        answer = OpenApiExample(
            "of the simulated company",
            value=found["answer"],
            response_only=True,
            status_codes=[str(found["status"])],
            media_type=found.get("media", "application/json"),
        )
        body = found.get("body")
        sent = OpenApiExample("sent", value=body, request_only=True, media_type=found.get("sent", "text/csv"))
        return [answer, sent] if body else [answer]

    def _about(self) -> str:
        return inspect.cleandoc(type(self.view).__doc__ or "")


def say_once(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Put failures and parameters that many operations share among the components, failures with an example."""
    said: dict[str, dict[str, Any]] = {"responses": {}, "parameters": {}}
    operations = [one for methods in result["paths"].values() for one in methods.values()]
    uses = Counter(json.dumps(one, sort_keys=True) for each in operations for one in each.get("parameters", ()))
    for each in operations:
        for status, answer in each["responses"].items():
            if status[0] in "345":
                each["responses"][status] = _reference(
                    said, "responses", f"Answer{status}", _with_example(answer, int(status))
                )
        for place, one in enumerate(each.get("parameters", ())):
            if uses[json.dumps(one, sort_keys=True)] >= MANY:
                each["parameters"][place] = _reference(said, "parameters", one["name"], one)
    result["components"] |= said
    return result


def _reference(said: dict[str, dict[str, Any]], kind: str, name: str, one: dict[str, Any]) -> dict[str, str]:
    """Where a component stands that says the same; another one of this name gets a number."""
    name = re.sub(r"[^a-zA-Z0-9._-]", "_", name)
    found, number = name, 2
    while said[kind].setdefault(found, one) != one:
        found, number = f"{name}_{number}", number + 1
    return {"$ref": f"#/components/{kind}/{found}"}


def _with_example(answer: dict[str, Any], status: int) -> dict[str, Any]:
    content = answer.get("content", {}).get(ProblemRenderer.media_type)
    if content:
        codes = [one.code for one in PROBLEMS.values() if one.status == status]
        value = problem(codes[0], PROBLEMS[codes[0]].cause, "/api/v1/costs/?group_by=team")
        content["examples"] = {codes[0]: {"value": value}}
    return answer


@cache
def examples() -> Mapping[str, Any]:
    """The recorded examples."""
    found: Mapping[str, Any] = json.loads(EXAMPLES.read_text())
    return found


def _first_clause(text: str) -> str:
    """A text up to its first full stop or semicolon."""
    return " ".join(text.replace(";", ".").partition(".")[0].split())
