"""Who changes what: over every address with a body that means something, and nobody else changes anything."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from tests.access import world
from tests.access.people import Actor
from tests.access.table import OTHER, OWN, Address, addresses
from tests.access.test_matrix import made, text_of
from tests.access.world import A

__all__ = ["made"]

ONES_OWN = re.compile(
    r"django_session|usersessions_|signin_kept|audit_|api_keptanswer|api_apitoken|teams_preference|explorer_savedview|channels_channel|"
    r"reports_subscription|reports_reader|rest_framework|authtoken"
)
"""Tables of what belongs to whoever asks, and of the trail."""
WRITING = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+"?(\w+)', re.IGNORECASE)

LEADS = {"lead", "finance", "root", "write token of the lead", "amber token of finance"}
COMPANY = {"finance", "root"}
KEEPERS = {"operations", "root"}
SEES_ALL = COMPANY | KEEPERS
BODIES: dict[str, tuple[Any, set[str], set[str]]] = {
    # address               what is sent                    who changes something of amber, of basalt
    "api-alert-acknowledge": ({"note": "seen"}, LEADS, COMPANY),
    "api-recommendation": ({"action": "accept"}, LEADS, COMPANY),
    "api-anomaly": ({"verdict": "planned", "reason": "known"}, LEADS, COMPANY),
    "api-idle-exclusion": ({}, LEADS, COMPANY),
    "api-planned-withdraw": ({}, LEADS, COMPANY),
    "api-annotation": ({}, LEADS, COMPANY),
    "api-dispute": ({"action": "comment", "text": "why"}, LEADS - {"amber token of finance"}, COMPANY),
    "api-saving": ({"action": "comment", "why": "agreed"}, LEADS, COMPANY),
    "api-budget-end": ({"valid_to": "2027-03-01", "why": "over"}, COMPANY, COMPANY),
    "api-idle-exclusions": (
        {"pattern": "online/x-*", "decision": "keep", "reason": "kept", "team": "{team}"}, LEADS, COMPANY,
    ),
    "api-planned": (
        {"team": "{team}", "currency": "CNY", "first_day": "2026-11-20", "amount": "2", "note": "more"}, LEADS, COMPANY,
    ),
    "api-annotations": ({"first": "2026-10-06", "text": "new", "team": "{team}"}, LEADS, COMPANY),
    "api-disputes": ({"team": "{team}", "reason": "no"}, LEADS - {"amber token of finance"}, COMPANY),
    "api-savings": (
        {"name": "new", "scope": "team={team}", "team": "{team}", "currency": "CNY", "start": "2026-12-01",
         "promised_per_month": "2", "hypothesis": "less"}, LEADS, COMPANY,
    ),
    "api-budgets": (
        {"name": "new", "dimension": "team", "value": "{team}", "amount": "2", "currency": "CNY",
         "valid_from": "2026-12-01", "why": "agreed"}, COMPANY, COMPANY,
    ),
    "api-rule-drafts": (
        "valid_from: 2026-12-01\nadd:\n  - {name: new, when: {namespace: new}, team: {team}}\n",
        LEADS | KEEPERS, LEADS | KEEPERS,
    ),
    "api-alert-rules": ({"rule": "anomaly", "warning": "2000", "critical": "20000"}, COMPANY, COMPANY),
    "api-adjustments": (
        {"from_team": A, "to_team": world.B, "amount": "2", "currency": "CNY", "original_month": "2026-08",
         "reason": "moved"}, COMPANY, COMPANY,
    ),
    "api-calendar": ("name,kind,first,last\nwinter,promotion,2026-12-20,2026-12-27\n", COMPANY, COMPANY),
    "api-rates": ("date,from,to,rate\n2026-10-05,USD,CNY,7.1\n", SEES_ALL, SEES_ALL),
    "api-prices": (
        "provider,region,sku_id,service,unit,currency,list_unit_price,contracted_unit_price,valid_from\n"
        "Alibaba Cloud,cn-beijing,ecs.g7,Compute,Hours,CNY,2.52,1.89,2026-10-01\n", KEEPERS, KEEPERS,
    ),
    "api-access": (
        {"who": "viewer", "role": "viewer", "reach": "team", "value": world.B},
        {"admin", "root", "access token of the admin"}, {"admin", "root", "access token of the admin"},
    ),
}  # fmt: skip
DELETED = ("api-annotation", "api-idle-exclusion")
FORM = {
    "action": "accept", "step": "teams", "decision": "accept", "verdict": "confirmed", "team": A, "reason": "because",
    "why": "because", "note": "seen", "text": "new", "name": "new", "first": "2026-10-06", "month": "2026-10",
    "rule": "anomaly", "warning": "2000", "critical": "20000", "amount": "2", "currency": "CNY", "role": "admin",
    "valid_from": "2026-12-01", "first_day": "2026-12-01", "pattern": "online/x-*", "number": "1", "numbers": "1",
    "kind": "amount", "period": "month", "subject": "nothing", "scope": f"team={A}", "promised": "2", "what": "accept",
    "start": "2026-12-01", "hypothesis": "less", "remove": "1", "resend": "1", "annotate": "1", "value": A,
    "dimension": "team", "grain": "month", "profile": "even", "rollover": "none", "owner_team": A,
    "until": "2027-01-01",
}  # fmt: skip
"""What some form of the pages may ask for; a form leaves alone what it does not know."""


@contextmanager
def changed() -> Iterator[set[str]]:
    """The tables that something is written to meanwhile, but for those of whoever asks; it is undone."""
    found: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        written = WRITING.match(sql)
        if written and not ONES_OWN.match(written[1]):
            found.add(written[1])
        return execute(sql, params, many, context)

    with transaction.atomic(), connection.execute_wrapper(watch):
        yield found
        transaction.set_rollback(True)


def send(actor: Actor, method: str, address: Address, body: Any) -> Any:
    if isinstance(body, dict) and method == "POST" and not address.is_api:
        return actor.client.post(address.path, body)
    if isinstance(body, dict):
        return actor.client.generic(method, address.path, json.dumps(body), "application/json")
    kind = "application/yaml" if body.startswith("valid_from") else "text/csv"
    return actor.client.generic(method, address.path, body, kind)


def filled(body: Any, team: str) -> Any:
    if isinstance(body, str):
        return body.replace("{team}", team)
    return {name: value.replace("{team}", team) for name, value in body.items()}


@pytest.mark.django_db
@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("side", [OWN, OTHER])
def test_those_change_a_thing_who_may(made: Any, name: str, side: str) -> None:
    there, actors = made
    body, *writers = BODIES[name]
    found = [one for one in addresses(there) if one.name == name]
    address = next((one for one in found if one.side == side), found[0])
    team = world.B if side == OTHER else A
    sent = filled(body, team)
    told = {}
    for actor in actors.values():
        with changed() as tables:
            response = send(actor, "DELETE" if name in DELETED else "POST", address, sent)
        told[actor.name] = response.status_code
        assert not world.leaks(text_of(response), actor.sees, address.path + str(sent)), actor.name
        assert bool(tables) == (actor.name in writers[side == OTHER]), (actor.name, response.status_code, tables)
        assert bool(tables) == (response.status_code in (200, 201, 204)), (actor.name, response.status_code, tables)
    assert max(told.values()) < 500, told


EVERY = ("POST", "PUT", "PATCH", "DELETE")
LOOK_ONLY = dict.fromkeys(("anonymous", "revoked token", "viewer", "account_viewer"), EVERY) | dict.fromkeys(
    ("disabled", "robot's session", "center_viewer", "admin", "read token of the lead", "token of the robot"), EVERY[:1]
)
"""Who changes nothing, and how they try."""


@pytest.mark.django_db
def test_whoever_only_looks_changes_nothing_anywhere(made: Any) -> None:
    there, actors = made
    mistakes, cases = [], 0
    for address in addresses(there):
        if address.rule == "admin" or address.name in ("api-access", "api-grant", "login"):
            continue
        for name, methods in LOOK_ONLY.items():
            for method in methods:
                with changed() as tables:
                    body = FORM if method == "POST" and not address.is_api else {}
                    response = send(actors[name], method, address, body)
                    leaked = world.leaks(text_of(response), actors[name].sees, address.path)
                cases += 1
                if tables or leaked or response.status_code >= 500:
                    mistakes.append(f"{name}: {method} {address.path} → {response.status_code} {tables} {leaked[:1]}")
    assert not mistakes, "\n".join(mistakes)
    assert cases > 6_000
