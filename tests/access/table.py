"""Who is let in where: every address has a class here, and one without fails the build."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tests.access.people import Actor
from tests.access.world import WORD, A, B, World

OWN, OTHER, NONE = "own", "other", "none"
TEAM_OF = {OWN: A, OTHER: B, NONE: "nowhere"}
"""The sides of an object: of amber, of basalt, not there."""

CLASSES = {
    "open": "whoever asks",
    "signed": "whoever is signed in",
    "sight": "whoever sees a team",
    "account": "whoever sees a team or an account",
    "object": "whoever sees its team",
    "own": "whoever decides for its team, or for any",
    "all": "whoever sees the cost of all",
    "can": "whoever may do that",
    "form": "nobody: it answers to forms only, or what is asked for is not there",
}

NAMES: dict[str, str] = {
    # What explains the API, and what is one's own.
    "api-schema": "signed", "api-docs": "signed", "api-tokens": "signed", "api-me": "signed", "api-problems": "open",
    "api-problem": "open", "api-subscriptions": "signed", "report-subscriptions": "signed", "settings": "signed",
    "start": "signed", "set_language": "open", "login": "open", "logout": "form", "report-unsubscribe": "form",
    "mcp": "form", "reports": "signed", "theme": "form",
    # Signing in: what is one's own, and what somebody is led through before being anybody.
    **dict.fromkeys(
        (
            "account_change_password", "usersessions_list", "mfa_index", "mfa_authenticate", "mfa_activate_totp",
            "mfa_generate_recovery_codes", "mfa_list_webauthn", "mfa_add_webauthn",
        ),
        "signed",
    ),
    **dict.fromkeys(  # of a password or a second factor, which these people have not
        (
            "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_deactivate_totp",
            "mfa_view_recovery_codes", "mfa_download_recovery_codes",
        ),
        "form",
    ),
    "account_login": "open", "account_logout": "form", "account_inactive": "open", "mfa_login_webauthn": "signed",
    "socialaccount_signup": "form", "socialaccount_login_cancelled": "form", "mfa_remove_webauthn": "form",
    "mfa_edit_webauthn": "form", "openid_connect_login": "form", "openid_connect_callback": "form",
    # Rows of the API: everybody asks, and is answered of what they see.
    **dict.fromkeys(
        (
            "api-costs", "api-bases", "api-efficiency", "api-efficiency-hours", "api-search",
            "api-estimates", "api-estimates-accuracy",
            "api-export-allocated", "api-explain", "api-why", "api-disputes", "api-teams", "api-alert-rules",
            "api-publications", "api-rates", "api-units", "api-unit-change", "api-quantities", "api-rules",
            "api-rule-drafts", "api-forecasts", "api-anomalies", "api-alerts", "api-channels", "api-deliveries",
            "api-recommendations", "api-idle", "api-idle-exclusions", "api-savings", "api-savings-ways", "api-plans",
            "api-budgets", "api-budgets-file", "api-calendar", "api-planned", "api-views", "api-annotations",
            "api-changes", "api-reports",
        ),
        "signed",
    ),
    # Things of a team.
    "api-dispute": "object dispute", "api-team": "object team", "api-rule-draft": "object draft",
    "api-anomaly": "object anomaly", "api-alert": "object alert", "api-recommendation": "object recommendation",
    "api-saving": "object saving", "api-saving-outcomes": "object saving", "api-budget": "object budget",
    "api-channel": "own channel", "channel": "own channel", "api-view": "object view",
    "api-annotation": "object annotation", "api-report": "object letter",
    "api-report-part": "object letter", "report-letter": "object letter", "report-page": "object letter",
    "report-part": "object letter", "weekly-preview": "object team", "team": "object team",
    "namespace": "object team", "dispute": "object dispute", "budget": "object budget",
    "figure-budget": "object budget",
    "anomaly": "object anomaly", "figure-anomaly": "object anomaly", "alert": "object alert",
    "recommendation": "object recommendation", "idle-one": "object idle", "figure-idle": "object idle",
    "saving": "object saving", "saving-edit": "own saving", "saving-new": "own", "figure-saving": "form",
    "rule-draft": "object draft", "unit": "object unit", "explorer-view": "object view",
    "figure-team": "object team", "figure-namespace": "object team",
    # Pages for whoever sees something.
    **dict.fromkeys(
        (
            "search", "search-suggestions", "efficiency", "figure-efficiency", "figure-efficiency-hours", "estimates",
            "explain", "disputes",
            "forecasts", "budgets", "calendar", "anomalies", "alerts", "alert-rules", "channels", "channel-new",
            "deliveries", "recommendations", "why", "why-panel", "idle", "savings", "plans", "plan",
            "units", "rules",
        ),
        "sight",
    ),
    **dict.fromkeys(
        (
            "overview", "explorer", "explorer-values", "explorer-views", "annotations", "explorer-file",
            "figure-explorer", "changes", "bases",
        ),
        "account",
    ),
    "figure-overview": "signed", "figure-unit": "signed", "figure-why": "signed", "figure-changes": "signed",
    "figure-forecast": "sight",
    # The company's.
    **dict.fromkeys(
        (
            "api-export-charges", "api-runs", "api-progress", "api-quality", "api-prices", "api-commitments",
            "api-offers", "api-plan-outcomes", "api-sources", "api-restatements", "api-reconciliation",
            "api-drivers", "api-worklist", "api-source-files",
            "api-closings", "api-invoices", "api-invoice-rows", "api-adjustments", "first-steps",
            "first-steps-progress",
            "offers", "offers-file", "worklist", "sources", "sources-progress", "runs",
            "runs-progress", "quality", "restatements", "prices", "reconciliation", "reconciliation-days",
            "publications", "installation", "closing", "invoices", "figure-reconciliation", "company-preview",
        ),
        "all",
    ),
    "api-audit": "can see_audit", "audit": "can see_audit", "api-access": "can manage_access",
    "sources-upload": "can manage_sources",
    # Nothing is there to look at: forms, and things that this company does not have.
    **dict.fromkeys(
        (
            "api-held", "api-grant", "explain-invoice", "sources-upload-results",
            "api-rule-draft-action", "api-worklist-item", "api-alert-acknowledge",
            "api-channel-test", "api-delivery-retry", "api-idle-exclusion", "api-plan",
            "api-plan-table", "api-plan-file", "api-budget-end", "api-planned-withdraw",
            "api-annotations-file", "api-closing", "first-steps-take", "figure-savings",
            "plan-file", "figure-plan", "figure-units", "runs-fill", "quality-decide", "statement", "invoice",
        ),
        "form",
    ),
}  # fmt: skip
"""Name of an address → its class, and what of it there is."""
ROUTES = {
    "api/compat/opencost/assets": "all", "api/compat/opencost/model/assets": "all", "api/compat/opencost/": "signed",
    "api/^(?:.*/)?$": "form", "admin/": "admin",
}  # fmt: skip
"""The same of addresses without a name, and of the whole admin, by how they begin; the first that fits."""

VALUES = {
    "kind": "department", "view": "hours", "cluster": "online", "by": "kind", "what": "week", "form": "csv",
    "planner": "pools",
    "file": "plan.json", "source": "bill", "billing_month": "2026-10", "currency": "CNY", "month": "2026-10",
    "code": "not_found", "report": "finance", "token": "nothing", "invoice": "A-1", "account": "9001",
    "action": "approve", "subject": "nothing", "app_label": "teams", "object_id": "1", "uidb64": "x",
    "content_type_id": "1",
}  # fmt: skip
"""What stands in an address besides the thing it is about."""
KEYS = ("number", "slug", "identity", "anomaly")
QUERIES = {
    "api-costs": "?group_by=team,namespace,sub_account,day&team={team}", "api-bases": "?group_by=team",
    "api-explain": "?start=2026-10-06&end=2026-10-07&team={team}", "api-why": "?start=2026-10-06",
    "explain": "?start=2026-10-06&end=2026-10-07&team={team}", "api-changes": "?group_by=team,class&after={published}",
    "api-units": "?driver=requests", "api-unit-change": "?driver=requests&start=2026-10-06",
    "api-quantities": "?driver=requests", "figure-forecast": "?team={team}", "search": "?q={word}",
    "search-suggestions": "?q={word}", "explorer": "?by=namespace&team={team}", "explorer-file": "?by=namespace",
    "explorer-values": "?dimension=namespace&q=w", "figure-explorer": "?by=namespace",
    "api/compat/opencost/": "?window=2026-10-05,2026-10-08&aggregate=namespace", "api-efficiency": "?by=workload",
    "channel-new": "?kind=email", "api-search": "?q={word}", "api-views": "?q=a",
    "explain-invoice": "?start=2026-10-06&end=2026-10-07",
    "efficiency": "?by=workload", "api-export-allocated": "?start=2026-10-06&end=2026-10-07&team={team}",
    "api-export-charges": "?start=2026-10-06&end=2026-10-07",
}  # fmt: skip


@dataclass(frozen=True)
class Address:
    """One address to ask: its route, class, and of which side the thing is that it names."""

    name: str
    route: str
    rule: str
    side: str
    path: str

    @property
    def is_api(self) -> bool:
        return self.route.startswith(("api/v1/", "api/compat/"))

    @property
    def area(self) -> str:
        return re.sub(r"^api/(v1|compat)/", "", self.route).partition("/")[0]

    def lets_in(self, actor: Actor) -> bool:
        """Whether somebody is answered at all. A token opens the API alone, and of it its areas."""
        what, _, of = self.rule.partition(" ")
        if what == "open":
            return True
        if actor.kind == "dead" or (actor.is_token and not self._opens(actor)):
            return False
        if what == "own" and not of:
            return actor.decides
        if what in ("object", "own"):
            return (
                (what == "object" or actor.decides)
                and actor.kind in ("some", "all")
                and (TEAM_OF[self.side] in actor.teams or (actor.kind == "all" and self.name in SHOWN_EMPTY))
            )
        return {
            "signed": True,
            "sight": actor.kind in ("some", "all"),
            "account": actor.kind in ("account", "some", "all"),
            "all": actor.kind == "all",
            "can": of in actor.may,
            "form": False,
        }[what]

    def _opens(self, actor: Actor) -> bool:
        if not self.is_api:
            return self.name in OPEN_TO_TOKENS
        return actor.areas is None or self.area in actor.areas or self.area == "me"


SHOWN_EMPTY = ("figure-team", "figure-namespace", "namespace")
"""What whoever sees all is shown of a team that is not there: nothing."""
OPEN_TO_TOKENS = ("api-schema",)
"""What is no page and beside the API's areas."""


def rule_of(name: str, route: str) -> str | None:
    """The class of an address; None where nobody declared one."""
    if name in NAMES and not route.startswith("admin/"):
        return NAMES[name]
    return next((rule for start, rule in ROUTES.items() if route.startswith(start)), None)


def patterns() -> Iterator[tuple[str, str]]:
    """Name and route of every address there is."""
    for one, route in _below(get_resolver().url_patterns, ""):
        yield one.name or "", route


def _below(found: list[URLPattern | URLResolver], before: str) -> Iterator[tuple[URLPattern, str]]:
    for one in found:
        route = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield one, route
        else:
            yield from _below(one.url_patterns, route)


WRITES = ("POST", "PUT", "PATCH", "DELETE")


def takers() -> Iterator[tuple[str, str]]:
    """Method and name (or route, where it has none) of whatever is written to, outside of Django's admin."""
    for one, route in _below(get_resolver().url_patterns, ""):
        view: Any = getattr(one.callback, "view_class", None) or getattr(one.callback, "cls", None)
        taken = [method for method in WRITES if hasattr(view, method.lower())] if view else ["POST"]
        yield from ((method, one.name or route) for method in taken if not route.startswith("admin/"))


def addresses(world: World) -> Iterator[Address]:
    """Every address, once for each side where it names a thing of a team."""
    for name, route in patterns():
        rule = rule_of(name, route) or ""
        query = next((QUERIES[key] for key in (name, *_starts(route)) if key in QUERIES), "")
        takes_side = rule.startswith("object") or "{team}" in query or "{word}" in query or "<int:number>" in route
        for side in (OWN, OTHER, NONE) if takes_side else (OWN,):
            yield Address(name, route, rule, side, _path(world, name, route, rule, side) + _asked(query, world, side))


def _starts(route: str) -> list[str]:
    return [start for start in QUERIES if "/" in start and route.startswith(start)]


def _asked(query: str, world: World, side: str) -> str:
    team = TEAM_OF[side]
    return query.format(team=team, word=WORD.get(team, "heron"), published=world.publication.number)


def _path(world: World, name: str, route: str, rule: str, side: str) -> str:
    team, of = TEAM_OF[side], rule.partition(" ")[2] or FORMS.get(name, "")
    part = "letter.txt" if "report" in name else "plan.json"
    values = VALUES | {
        "team": team, "unit": {A: "north", B: "south"}.get(team, "nowhere"), "namespace": WORD.get(team, "nothing"),
        "name": {"api-team": team, "api-source-files": "bill"}.get(name, part),
    }  # fmt: skip
    values |= dict.fromkeys(KEYS, world.objects.get(of, {}).get(team, "987654"))
    plain = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values.get(found[1], "1")), route)
    return "/" + ("api/nowhere/" if "^" in plain and plain.startswith("api/") else re.sub(r"[\^$]|\(.*\)", "", plain))


FORMS = {
    "api-rule-draft-action": "draft", "api-alert-acknowledge": "alert", "api-channel-test": "channel",
    "api-delivery-retry": "delivery", "api-idle-exclusion": "exclusion",
    "api-budget-end": "budget", "api-planned-withdraw": "planned", "api-grant": "grant",
}  # fmt: skip
"""What is named by addresses that only answer to forms."""
