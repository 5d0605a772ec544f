"""Who changes what: over every address with a body that means something, and nobody else changes anything."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from apps.channels.models import Channel, Message
from apps.explorer.models import SavedView
from apps.insights.worklist import worklist
from apps.planning.models import Plan
from apps.planning.offers import csv_file
from apps.reports.models import Delivery
from apps.teams.models import RuleDraft
from tests.access import world
from tests.access.people import Actor
from tests.access.table import OTHER, OWN, WRITES, Address, addresses, takers
from tests.access.test_matrix import made, text_of
from tests.access.world import A

__all__ = ["made"]

TRAIL = re.compile(
    r"django_session|usersessions_|signin_kept|audit_|api_keptanswer|api_apitoken|rest_framework|authtoken"
)
"""Tables that asking itself leaves something in."""
ONES_OWN = re.compile(
    rf"{TRAIL.pattern}|teams_preference|explorer_savedview|channels_channel|reports_subscription|reports_reader"
)
"""Tables of what belongs to whoever asks, and of the trail."""
WRITING = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+"?(\w+)', re.IGNORECASE)

LEADS = {"lead", "finance", "root", "write token of the lead", "amber token of finance"}
COMPANY = {"finance", "root"}
KEEPERS = {"operations", "root"}
NOBODY: set[str] = set()
"""But whoever made it, who is none of these people."""
GRANTERS = {"admin", "root", "access token of the admin"}
KEEPS_ALL = COMPANY | KEEPERS
SEE_OWN = LEADS | KEEPERS | {"viewer", "unit_viewer", "company_viewer", "token of the robot"}
SEE_OTHER = KEEPS_ALL | {"company_viewer", "center_viewer"}
BODIES: dict[str, tuple[Any, set[str], set[str]]] = {
    # address               what is sent                    who changes something of amber, of basalt
    "api-alert-acknowledge": ({"note": "seen"}, LEADS, COMPANY),
    "api-recommendation": ({"action": "accept"}, LEADS, COMPANY),
    "api-anomaly": ({"verdict": "planned", "reason": "known"}, LEADS, COMPANY),
    "DELETE api-idle-exclusion": ({}, LEADS, COMPANY),
    "api-planned-withdraw": ({}, LEADS, COMPANY),
    "DELETE api-annotation": ({}, LEADS, COMPANY),
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
    "api-rates": ("date,from,to,rate\n2026-10-05,USD,CNY,7.1\n", KEEPS_ALL, KEEPS_ALL),
    "api-prices": (
        "provider,region,sku_id,service,unit,currency,list_unit_price,contracted_unit_price,valid_from\n"
        "Alibaba Cloud,cn-beijing,ecs.g7,Compute,Hours,CNY,2.52,1.89,2026-10-01\n", KEEPERS, KEEPERS,
    ),
    "api-access": (
        {"who": "viewer", "role": "viewer", "reach": "team", "value": world.B},
        GRANTERS, GRANTERS,
    ),
    "DELETE api-grant": ({}, GRANTERS, GRANTERS),
    "api-held": ({"decision": "reject"}, KEEPERS, KEEPERS),
    "api-closing": ({"reason": "agreed"}, COMPANY, COMPANY),
    "api-offers": (
        f"{','.join(csv_file.COLUMNS)}\none year,reserved,,,12,0.6{',' * 11}2026-10-01,\n", COMPANY, COMPANY,
    ),
    "api-drivers": ("date,driver,team,quantity\n2026-10-05,orders,{team},{count}\n", KEEPS_ALL, KEEPS_ALL),
    "api-rule-draft-action": ({"reason": "no"}, LEADS | KEEPERS, KEEPS_ALL),
    "api-worklist-item": ({"reason": "known"}, KEEPS_ALL, KEEPS_ALL),
    "api-channels": ({"kind": "email", "team": "{team}", "name": "new", "address": "new@example.com"}, LEADS, COMPANY),
    "api-channel": ({"name": "new", "address": "new@example.com"}, LEADS, COMPANY),
    "DELETE api-channel": ({}, LEADS, COMPANY),
    "api-channel-test": ({}, LEADS, COMPANY),
    "api-delivery-retry": ({}, LEADS, COMPANY),
    "api-recommendations": ({"action": "accept", "numbers": "{number}"}, LEADS, COMPANY),
    "api-saving-outcomes": ({"name": "lead time", "value": "3"}, LEADS, COMPANY),
    "api-plan": ({"subject": "online"}, COMPANY, COMPANY),
    "api-plan-outcomes": ({"subject": "online", "name": "delivery_lead_time", "value": "3"}, COMPANY, COMPANY),
    "api-plan-table": (
        "module,class,start,end,expected_students\n"
        "school,First,2026-10-06T03:00+00:00,2026-10-06T04:00+00:00,9\n", COMPANY, COMPANY,
    ),
    "api-budget": ({"amount": "3", "valid_from": "2026-12-01", "why": "agreed"}, COMPANY, COMPANY),
    "api-budgets-file": (
        "name,dimension,value,grain,amount,currency,valid_from\nnew,team,{team},month,7,CNY,2026-10-01\n",
        COMPANY, COMPANY,
    ),
    "api-annotations-file": ("date,title,team,link\n2026-10-06,Release,{team},\n", LEADS, COMPANY),
    "api-views": (
        {"name": "new", "query": "by=team", "shared": "team", "team": "{team}"},
        SEE_OWN - {"amber token of finance"}, SEE_OTHER,
    ),
    "api-view": ({"name": "new", "query": "by=team"}, NOBODY, NOBODY),
    "DELETE api-view": ({}, NOBODY, NOBODY),
    "api-subscriptions": ({"role": "lead", "team": "{team}", "is_wanted": "true"}, SEE_OWN, SEE_OTHER),
}  # fmt: skip
FORM = {
    "action": "accept", "step": "teams", "decision": "accept", "verdict": "confirmed", "team": "{team}",
    "reason": "because", "why": "because", "note": "seen", "text": "new", "name": "new", "first": "2026-10-06",
    "month": "2026-10", "rule": "anomaly", "warning": "2000", "critical": "20000", "amount": "2", "currency": "CNY",
    "role": "admin", "valid_from": "2026-12-01", "first_day": "2026-12-01", "pattern": "online/x-*",
    "number": "{number}", "numbers": "{number}", "kind": "amount", "period": "month", "subject": "nothing",
    "scope": "team={team}", "promised": "2", "what": "accept", "start": "2026-12-01", "hypothesis": "less",
    "remove": "1", "resend": "1", "annotate": "1", "value": "{team}", "dimension": "team", "grain": "month",
    "profile": "even", "rollover": "none", "owner_team": "{team}", "until": "2027-01-01",
}  # fmt: skip
"""What some form of the pages may ask for; a form leaves alone what it does not know."""
PAGE_LEADS = {"lead", "finance", "root"}
BODIES |= {
    "report-letter": (FORM, PAGE_LEADS, COMPANY),
    "dispute": (FORM, COMPANY, COMPANY),
    "budgets": (FORM, COMPANY, COMPANY),
    "anomaly": (FORM, PAGE_LEADS, COMPANY),
    "alert": (FORM, PAGE_LEADS, COMPANY),
    "alert-rules": (FORM, PAGE_LEADS, COMPANY),
    "channel": (FORM, PAGE_LEADS, COMPANY),
    "recommendations": (FORM, PAGE_LEADS, COMPANY),
    "recommendation": (FORM, PAGE_LEADS, COMPANY),
    "runs-fill": (FORM, KEEPERS, KEEPERS),
    "quality-decide": ({"decision": "reject", "shown": "1"}, KEEPERS, KEEPERS),
    "closing": (FORM, COMPANY, COMPANY),
}
SAME = {
    "disputes": "api-disputes", "explorer-views": "api-views", "annotations": "api-annotations",
    "explorer": "api-views", "forecasts": "api-planned", "budget": "api-budget", "calendar": "api-calendar",
    "deliveries": "api-delivery-retry", "channel-new": "api-channels", "idle": "api-idle-exclusions",
    "idle-one": "api-idle-exclusions", "offers": "api-offers", "saving-new": "api-savings", "saving": "api-saving",
    "saving-edit": "api-savings", "plan": "api-plan", "rules": "api-rule-drafts", "rule-draft": "api-rule-draft-action",
    "worklist": "api-worklist-item", "prices": "api-prices", "report-subscriptions": "api-subscriptions",
}  # fmt: skip
"""Pages whose forms need more than `FORM`, and the address of the API that asks the same services."""
ELSEWHERE = {
    "api/^(?:.*/)?$": "nothing is there, and it says so to every method",
    "api-tokens": "tokens are one's own: tests/dashboards/test_settings.py",
    "api-source-files": "who brings files is asked before these are read: tests/api/test_source_files.py",
    "sources-upload": "files of operations: tests/dashboards/test_upload.py",
    "invoices": "files of finance: tests/books/test_invoices.py",
    "first-steps-take": "of an installation without teams: tests/dashboards/test_first_steps.py",
    "mcp": "it changes nothing: tests/assistants/test_mcp.py",
    "report-unsubscribe": "for whoever holds the signed link: tests/reports/test_archive.py",
    **dict.fromkeys(("set_language", "settings", "theme"), "one's own preference: tests/dashboards/test_settings.py"),
    "reports": "it asks for a letter to oneself: tests/reports/test_archive.py",
    **dict.fromkeys(
        (
            "login", "logout", "account_login", "account_logout", "account_reauthenticate", "account_change_password",
            "usersessions_list", "mfa_authenticate", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp",
            "mfa_generate_recovery_codes", "mfa_add_webauthn", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn",
            "mfa_edit_webauthn", "mfa_login_webauthn", "socialaccount_signup", "socialaccount_login_cancelled",
            "openid_connect_login", "openid_connect_callback",
        ),
        "one's own way in, or out: tests/signin",
    ),
}  # fmt: skip
"""What is written to and not tried below, why, and what tries it."""


@contextmanager
def changed(besides: re.Pattern[str] = ONES_OWN) -> Iterator[set[str]]:
    """The tables that something is written to meanwhile, besides those of whoever asks; it is undone."""
    found: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        written = WRITING.match(sql)
        if written and not besides.match(written[1]):
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


def filled(body: Any, team: str, there: world.World, count: int) -> Any:
    """What is sent, with what it names; `count` tells one try from the next where a lake keeps what was undone."""
    if isinstance(body, str):
        return body.replace("{team}", team).replace("{count}", str(count))
    number = str(there.objects["recommendation"][team])
    return {name: value.replace("{team}", team).replace("{number}", number) for name, value in body.items()}


def plan_there(planner: str, there: world.World) -> None:
    Plan.objects.create(
        publication=there.publication.number, planner=planner, subject="online", version="t", inputs="", data=b"",
        made_at=world.NOW, withheld={"text": "Too little is known.", "values": {}},
    )  # fmt: skip


def path_of(what: str, address: Address, there: world.World) -> str:
    """Where a body goes: of some there is nothing in the world yet, of others the address means something else."""
    name = address.name
    if name == "api-plan":
        plan_there("pools", there)
    if name == "api-plan-outcomes":
        plan_there("upgrades", there)
        return "/api/v1/plans/upgrades/outcomes/"
    if name == "api-plan-table":
        return "/api/v1/plans/timetable/table/"
    if name == "api-worklist-item":
        return f"/api/v1/worklist/{worklist().items[0].subject.id}/dismiss/"
    if name == "api-rule-draft-action":
        return address.path.replace("/approve/", "/reject/")
    if name == "api-subscriptions":
        User.objects.update(email="somebody@example.com")
    return address.path.partition("?")[0]


@pytest.mark.django_db
@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("side", [OWN, OTHER])
def test_those_change_a_thing_who_may(made: Any, what: str, side: str) -> None:
    there, actors = made
    body, *writers = BODIES[what]
    method, _, name = what.rpartition(" ")
    found = [one for one in addresses(there) if one.name == name]
    address = next((one for one in found if one.side == side), found[0])
    address = replace(address, path=path_of(what, address, there))
    team = world.B if side == OTHER else A
    told = {}
    for count, actor in enumerate(actors.values(), start=100 * len(side)):
        sent = filled(body, team, there, count)
        with changed(besides=TRAIL) as tables:
            response = send(actor, method or "POST", address, sent)
        told[actor.name] = response.status_code
        assert not world.leaks(text_of(response), actor.sees, address.path + str(sent)), actor.name
        assert bool(tables) == (actor.name in writers[side == OTHER]), (actor.name, response.status_code, tables)
        if address.is_api:
            assert bool(tables) == (response.status_code in (200, 201, 204)), (actor.name, response.status_code, tables)
    assert max(told.values()) < 500, told


@pytest.mark.parametrize(("method", "name"), sorted(set(takers())))
def test_whatever_can_be_written_to_is_tried_or_excused(method: str, name: str) -> None:
    what = name if method == "POST" else f"{method} {name}"
    assert what in BODIES or SAME.get(name) in BODIES or name in ELSEWHERE, "say in BODIES who changes what there"


LOOK_ONLY = dict.fromkeys(
    ("anonymous", "revoked token", "viewer", "account_viewer", "company_viewer"), WRITES
) | dict.fromkeys(
    ("disabled", "robot's session", "center_viewer", "admin", "read token of the lead", "token of the robot"),
    WRITES[:1],
)
"""Who changes nothing, and how they try."""
OF_ONES_OWN = ("api-view", "api-subscriptions")
"""Whether somebody may is told by what is said of whom."""
LEAVING = ("logout", "account_logout")
"""Whoever tried these would be nobody from there on."""


@pytest.mark.django_db
@pytest.mark.parametrize(
    "what",
    [
        what
        for what, (body, *_) in BODIES.items()
        if what.startswith("api-") and isinstance(body, dict) and what not in OF_ONES_OWN
    ],
)
def test_who_changes_nothing_is_told_so_before_how_it_is_sent(made: Any, what: str) -> None:
    """A form is not read: those who may are told that, all who only look that they may not."""
    there, actors = made
    body = BODIES[what][0]
    address = next(one for one in addresses(there) if one.name == what)
    path, sent = path_of(what, address, there), json.dumps(filled(body, A, there, 0))
    for actor in (actors[name] for name in (*LOOK_ONLY, "finance")):
        with changed(besides=TRAIL):
            told = [
                actor.client.generic("POST", path, *form).status_code
                for form in ((sent, "application/json"), ("a=b", "application/x-www-form-urlencoded"))
            ]
        if told[0] in (401, 403):
            assert told[1] == told[0], (actor.name, told)
        if told[0] in (200, 201):
            assert told[1] == 415, (actor.name, told)


@pytest.mark.django_db
@pytest.mark.parametrize("name", LOOK_ONLY)
def test_whoever_only_looks_changes_nothing_anywhere(made: Any, name: str) -> None:
    there, actors = made
    mistakes, cases = [], 0
    for address in addresses(there):
        if address.rule == "admin" or address.name in ("api-access", "login", *LEAVING):
            continue
        for method in LOOK_ONLY[name]:
            with changed() as tables:
                is_form = method == "POST" and not address.is_api
                body = filled(FORM, A, there, 0) if is_form else {}
                response = send(actors[name], method, address, body)
                leaked = world.leaks(text_of(response), actors[name].sees, address.path)
            cases += 1
            if tables or leaked or response.status_code >= 500:
                mistakes.append(f"{method} {address.path} → {response.status_code} {tables} {leaked[:1]}")
    assert not mistakes, "\n".join(mistakes)
    assert cases > 270 * len(LOOK_ONLY[name])


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["lead", "write token of the lead", "amber token of finance"])
def test_who_decides_for_one_team_changes_nothing_of_another(made: Any, name: str) -> None:
    there, actors = made
    mistakes, cases = [], 0
    for address in addresses(there):
        if address.rule == "admin" or address.side != OTHER:
            continue
        body = filled(BODIES.get(address.name, [{}])[0] if address.is_api else FORM, world.B, there, 0)
        for method in WRITES:
            with changed(besides=TRAIL) as tables:
                response = send(actors[name], method, address, body)
            cases += 1
            leaked = world.leaks(text_of(response), actors[name].sees, address.path + str(body))
            if tables or leaked or response.status_code >= 500:
                mistakes.append(f"{method} {address.path} → {response.status_code} {tables} {leaked[:1]}")
    assert not mistakes, "\n".join(mistakes)
    assert cases > 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(
            "channels/", {"kind": "email", "name": "mine", "address": "new@example.com"}, id="a channel to me"
        ),
        pytest.param("channels/{channel}/", {"name": "mine", "address": "new@example.com"}, id="my channel"),
        pytest.param("channels/{channel}/test/", {}, id="a test of my channel"),
        pytest.param("deliveries/{delivery}/retry/", {}, id="what my channel brought"),
        pytest.param("views/", {"name": "walrus alone", "query": "by=team"}, id="in place of my view"),
        pytest.param("views/{view}/", {"name": "other"}, id="my view"),
        pytest.param("rule-drafts/{draft}/withdraw/", {}, id="my draft"),
        pytest.param("subscriptions/", {"role": "management", "is_wanted": "true"}, id="a letter of the company"),
    ],
)
def test_a_token_for_some_teams_does_not_speak_as_the_whole_user(made: Any, path: str, body: dict[str, str]) -> None:
    _there, actors = made
    mine = {
        "channel": Channel.objects.get(user__username="finance").pk,
        "delivery": Message.objects.get(channel__user__username="finance").pk,
        "view": SavedView.objects.get(owner__username="finance").pk,
        "draft": RuleDraft.objects.get(drafted_by="finance").pk,
    }
    with changed(besides=TRAIL) as tables:
        User.objects.filter(username="finance").update(email="finance@example.com")
        tables.clear()
        response = actors["amber token of finance"].client.generic(
            "POST", f"/api/v1/{path.format(**mine)}", json.dumps(body), "application/json"
        )
    assert (tables, response.status_code in (403, 404)) == (set(), True), (response.status_code, tables)


@pytest.mark.django_db
def test_a_token_for_some_teams_reads_no_letter_of_the_company(made: Any) -> None:
    _there, actors = made
    letter = Delivery.objects.get(report="management").pk
    for name, status in (("finance", 200), ("amber token of finance", 404)):
        for path in (f"reports/{letter}/", f"reports/{letter}/parts/letter.txt/"):
            assert actors[name].client.get(f"/api/v1/{path}").status_code == status
