"""The teams and rules of the simulated company, as the file `import_teams` reads."""

from datetime import date
from pathlib import Path
from typing import Any

from apps.demo.archetypes import PLATFORM
from apps.demo.event_bill import CREDIT_OWNER
from apps.demo.organisation import (
    COMPANY,
    DEPARTMENTS,
    MOVES_TO,
    MOVING_TEAM,
    TEAM_NAMES,
    TEAMS,
    UNITS,
    Organisation,
    Team,
)
from apps.demo.pools import POOLS
from apps.demo.prices import CORE_UNITS, GIB_UNITS, GPU_UNITS
from apps.demo.service_bill import COMMITMENT_OWNER
from apps.demo.services import DEVICE_ACCOUNT, OVERSEAS_REGION, SPLITS
from apps.demo.tagging import OWNER_KEYS
from apps.finops import yamls

Rule = dict[str, Any]


def teams_document(organisation: Organisation) -> dict[str, Any]:
    """The organisation, teams, ordered rules, shared namespaces and policy."""
    return {
        "organisation": _units(),
        "teams": [
            {"name": team.name, "title": team.title}
            | _place(team, organisation.regrouped_on)
            | {"lead": {"name": team.lead, "email": team.email}}
            for team in TEAMS
        ],
        "rules": _idle_rules()
        + _bill_rules()
        + _label_rules()
        + _namespace_rules(organisation)
        + _tag_rules()
        + _last_rules(),
        "shared": [
            {"name": "platform", "when": {"namespace": sorted({n for names in PLATFORM.values() for n in names})}}
        ],
        "policy": {"price_ratio": {"cpu_core": CORE_UNITS, "memory_gib": GIB_UNITS, "gpu": GPU_UNITS}},
    }


def _units() -> list[dict[str, str]]:
    """The company, its business units, and the departments below one of them or below the company."""
    company, title = COMPANY
    above = {department: unit for unit, (_, departments) in UNITS.items() for department in departments}
    return [
        {"name": company, "kind": "company", "title": title},
        *({"name": unit, "kind": "unit", "title": words, "parent": company} for unit, (words, _) in UNITS.items()),
        *(
            {"name": key, "kind": "department", "title": words, "parent": above.get(key, company)}
            | {"cost_center": f"CC-{number}00"}
            for number, (key, words) in enumerate(DEPARTMENTS.items(), 1)
        ),
    ]


def _place(team: Team, regrouped_on: date) -> dict[str, Any]:
    """Below its department; one team moves, and is paid by its new department's cost centre from then on."""
    place = {"parent": team.department, "cost_center": team.cost_center}
    if team.name != MOVING_TEAM:
        return place
    return {"places": [place | {"valid_to": regrouped_on}, {"parent": MOVES_TO, "valid_from": regrouped_on}]}


def _idle_rules() -> list[Rule]:
    return [
        {"name": f"idle of {pool.name}", "when": {"cluster": pool.cluster, "node_pool": pool.name}, "team": pool.owner}
        for pool in POOLS
        if pool.owner
    ]


def _bill_rules() -> list[Rule]:
    return [
        {"name": "device account", "when": {"sub_account": DEVICE_ACCOUNT[0]}, "team": DEVICE_ACCOUNT[1]},
        {"name": "unused reservations", "when": {"resource": "ri-*"}, "team": COMMITMENT_OWNER},
        {"name": "credits", "when": {"charge_category": "Credit"}, "team": CREDIT_OWNER},
    ]


def _label_rules() -> list[Rule]:
    return [
        {"name": f"label {key} {team}", "when": {f"label.{key}": team}, "team": team}
        for key in ("team", "owner")
        for team in TEAM_NAMES
    ]


def _namespace_rules(organisation: Organisation) -> list[Rule]:
    """Sandboxes by prefix, listed namespaces by name; one namespace changes hands on a day."""
    rules: list[Rule] = [{"name": f"sandboxes {t}", "when": {"namespace": f"dev-{t}-*"}, "team": t} for t in TEAM_NAMES]
    listed: dict[tuple[str, str], list[str]] = {}
    for namespace in organisation.namespaces:
        team = TEAM_NAMES[namespace.team]
        if namespace.moves_to >= 0:
            when = {"cluster": namespace.cluster, "namespace": namespace.name}
            heir = TEAM_NAMES[namespace.moves_to]
            rules.append(
                {"name": f"{namespace.name} until then", "when": when, "team": team, "valid_to": namespace.moves_on}
            )
            rules.append(
                {"name": f"{namespace.name} since", "when": dict(when), "team": heir, "valid_from": namespace.moves_on}
            )
        elif namespace.owned == "list":
            listed.setdefault((team, namespace.cluster), []).append(namespace.name)
    for (team, cluster), names in sorted(listed.items()):
        rules.append({"name": f"{team} in {cluster}", "when": {"cluster": cluster, "namespace": names}, "team": team})
    return rules


def _tag_rules() -> list[Rule]:
    keys = sorted(set(OWNER_KEYS))
    return [
        {
            "name": f"tag {key} {team.name}",
            "when": {f"tag.{key}": team.title if key == "项目组" else team.name},
            "team": team.name,
        }
        for key in keys
        for team in TEAMS
    ]


def _last_rules() -> list[Rule]:
    splits: list[Rule] = [
        {"name": f"split {service}", "when": {"service": service}, "split": dict(split)}
        for service, split in SPLITS.items()
    ]
    return [*splits, {"name": "overseas", "when": {"region": OVERSEAS_REGION[0]}, "team": OVERSEAS_REGION[1]}]


def write_teams(organisation: Organisation, path: Path) -> None:
    path.write_text(yamls.written(teams_document(organisation)), encoding="utf-8")
