#!/usr/bin/env python
"""Records the examples of the API's documentation from a filled demo: `COSTOPS_HOME=… scripts/api_examples.py`.

Every operation of the schema is asked once, writes first, in one transaction that is rolled back; what fails is told.
Run it again when operations were added or answers got other fields: the suite says when.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")

import django

django.setup()

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from apps.api.openapi import EXAMPLES
from apps.api.services import issue_token
from apps.ingest.sources import add_upload_source

MOST_ITEMS, MOST_TEXT = 2, 240
JSON, CSV, BYTES = "application/json", "text/csv", "application/octet-stream"
SCOPES = ("read", "write", "access:read", "access:write")
V1 = "/api/v1/"
SAVING = {
    "name": "Smaller nodes at night", "scope": "cluster=online", "team": "live-core", "currency": "CNY",
    "start": "2026-12-01", "promised_per_month": "1200", "hypothesis": "Half the nodes carry the night.",
}  # fmt: skip
BUDGET = {
    "name": "Live classes in winter", "dimension": "team", "value": "live-core", "amount": "120000", "currency": "CNY",
    "valid_from": "2026-12-01", "why": "Agreed with the lead.",
}  # fmt: skip
MOVE = {
    "from_team": "live-core", "to_team": "live-player", "amount": "12.50", "currency": "CNY",
    "original_month": "2026-08", "reason": "The player's test ran there.",
}  # fmt: skip
PLANNED = {
    "team": "live-core", "currency": "CNY", "first_day": "2026-12-10", "amount": "250", "note": "Winter course.",
}  # fmt: skip
WRITES: tuple[tuple[str, str, str, Any], ...] = (
    ("import_rates", "POST", "rates/", "date,from,to,rate\n2026-10-05,USD,CNY,7.1\n"),
    ("import_drivers", "POST", "drivers/", "date,driver,team,quantity\n2026-10-05,classes,live-core,81250\n"),
    ("import_calendar", "POST", "calendar/", "name,kind,first,last\nwinter course,promotion,2026-12-20,2026-12-27\n"),
    ("import_budgets", "POST", "budgets/file/",
     "name,dimension,value,grain,amount,currency,valid_from\nPlayer,team,live-player,month,90000,CNY,2026-12-01\n"),
    ("import_prices", "POST", "prices/",
     "provider,region,sku_id,service,unit,currency,list_unit_price,contracted_unit_price,valid_from\n"
     "Alibaba Cloud,cn-beijing,ecs.g7.2xlarge,Elastic Compute Service,Hours,CNY,2.52,1.89,2026-10-01\n"),
    ("add_offers", "POST", "offers/",
     "name,kind,region,family,term_months,ratio,price,unit,currency,work_ratio,interruption_rate,lost_hours,"
     "availability,mib_per_second,latency_microseconds,capacity_gib,valid_from,on_sale\n"
     "Spot of g7,spot,cn-*,g7,,0.3,,,,,0.05,0.1,0.9,,,,2026-10-01,yes\n"),
    ("set_alert_rule", "POST", "alert-rules/", {"rule": "anomaly", "warning": "2000", "critical": "20000"}),
    ("acknowledge_alert", "POST", "alerts/{alert}/acknowledge/", {"note": "The exam week; ends on Friday."}),
    ("say_of_anomaly", "POST", "anomalies/{anomaly}/", {"verdict": "planned", "reason": "Announced load test."}),
    ("make_channel", "POST", "channels/",
     {"kind": "webhook", "url": "https://hooks.example.com/costs", "secret": "a secret of ours", "least": "warning"}),
    ("change_channel", "POST", "channels/{channel}/", {"name": "Ticket robot", "least": "critical"}),
    ("test_channel", "POST", "channels/{channel}/test/", {}),
    ("retry_delivery", "POST", "deliveries/{delivery}/retry/", {}),
    ("remove_channel", "DELETE", "channels/{channel}/", {}),
    ("set_budget", "POST", "budgets/", BUDGET),
    ("change_budget", "POST", "budgets/{budget}/", {"amount": "130000", "valid_from": "2027-01-01", "why": "One more."}),
    ("end_budget", "POST", "budgets/{budget}/end/", {"valid_to": "2027-03-01", "why": "The course is over."}),
    ("open_dispute", "POST", "disputes/", {"team": "live-core", "reason": "The load test was not ours."}),
    ("move_dispute", "POST", "disputes/{dispute}/", {"action": "comment", "text": "Looked at the load test."}),
    ("book_entry", "POST", "adjustments/", MOVE),
    ("close", "POST", "closings/{month}/", {"reason": "Agreed with finance."}),
    ("exclude_idle", "POST", "idle/exclusions/",
     {"pattern": "online/dev-*", "decision": "keep", "reason": "Kept for the demo day."}),
    ("undo_idle_exclusion", "DELETE", "idle/exclusions/{exclusion}/", {}),
    ("plan", "POST", "planned/", PLANNED),
    ("withdraw_planned", "POST", "planned/{planned}/withdraw/", {}),
    ("choose_plan_settings", "POST", "plans/{planner}/", {"subject": "{subject}", "settings": ["{setting}"]}),
    ("measure_plan_outcome", "POST", "plans/upgrades/outcomes/", {"subject": "{upgraded}", "name": "delivery_lead_time", "value": "5.5", "day": "2026-10-20"}),
    ("bring_plan_table", "POST", "plans/timetable/table/", "module,class,start,end,expected_students\nlive,Algebra 7,2026-12-01 19:00,2026-12-01 20:30,5200\n"),
    ("step_recommendation", "POST", "recommendations/{recommendation}/", {"action": "accept"}),
    ("step_recommendations", "POST", "recommendations/", {"numbers": ["{other}"], "action": "accept"}),
    ("draft_rules", "POST", "rule-drafts/", "valid_from: 2026-12-01\nadd:\n  - {name: live, when: {namespace: live-core}, team: live-core}\n"),
    ("do_rule_draft", "POST", "rule-drafts/{draft}/withdraw/", {"reason": "Another one is simpler."}),
    ("write_saving", "POST", "savings/", SAVING),
    ("step_saving", "POST", "savings/{saving}/", {"action": "comment", "why": "Agreed with the platform team."}),
    ("keep_saving_outcome", "POST", "savings/{saving}/outcomes/", {"name": "latency", "value": "12.5", "unit": "ms"}),
    ("settle", "POST", "worklist/{work}/dismiss/", {"reason": "Paid by the head office."}),
    ("keep_view", "POST", "views/", {"name": "Nights", "query": "by=team&start=2026-10-01"}),
    ("change_view", "POST", "views/{view}/", {"shared": "everyone"}),
    ("annotate", "POST", "annotations/", {"first": "2026-10-12", "text": "Exam week begins", "team": "live-core"}),
    ("import_annotations", "POST", "annotations/file/", "date,title,team,link,end\n2026-10-20,Release 7,live-core,,\n"),
    ("bring_file", "POST", "sources/by-hand/files/?file=october.csv", "BilledCost,BillingCurrency\n12.50,CNY\n"),
    ("decide_held", "POST", "quality/{billing}/", {"decision": "accept"}),
    ("give_role", "POST", "access/", {"who": "group:controllers", "role": "finance", "reach": "everything"}),
    ("wish_for_report", "POST", "subscriptions/", {"role": "finance", "is_wanted": True, "language": "zh-hans"}),
)  # fmt: skip
LAST = (
    ("delete_view", "views/{view}/"), ("take_role_back", "access/{grant}/"),
    ("delete_annotation", "annotations/{annotation}/"),
)  # fmt: skip
MADE = {
    "make_channel": ("channel", "number"), "test_channel": ("delivery", "number"), "set_budget": ("budget", "number"),
    "open_dispute": ("dispute", "number"), "exclude_idle": ("exclusion", "number"), "plan": ("planned", "id"),
    "draft_rules": ("draft", "number"), "write_saving": ("saving", "number"), "keep_view": ("view", "number"),
    "annotate": ("annotation", "number"), "give_role": ("grant", "number"),
}  # fmt: skip
"""Operation → what the number of its answer is called in later addresses."""
FOUND = {
    "alert": ("alerts/?state=open", "number"), "anomaly": ("anomalies/?state=open", "id"), "work": ("worklist/", "id"),
    "recommendation": ("recommendations/?state=open", "number"), "billing": ("sources/", "name"),
    "planner": ("plans/", "planner"), "report": ("reports/", "number"), "own": ("channels/", "number"), "upgraded": ("plans/?planner=upgrades", "subject"),
}  # fmt: skip
FILES = {
    "plan_file": "application/octet-stream", "report_part": "application/octet-stream",
    "export_charges": "text/csv", "export_allocated": "text/csv",
}  # fmt: skip
"""Operations that answer with a file → its documented form."""
QUERIES = {
    "efficiency_hours": "limit=2&cluster=online",
    "costs": "group_by=team&limit=2", "search": "q=live", "source_files": "file=october.csv",
    "invoice_rows": "invoice_id=INV-202610&account=1427359680012345&currency=CNY&most=2", "export_charges": "start=2026-10-05&end=2026-10-06",
    "export_allocated": "start=2026-10-05&end=2026-10-06&team=live-core", "bases": "group_by=team", "explain": "team=live-core&limit=2", "changes": "limit=2",
    "why": "team=live-core&start=2026-10-15", "one_plan": "subject={subject}", "units": "driver=classes&grain=all", "unit_change": "driver=classes&start=2026-10-15",
    "quantities": "driver=classes", "estimates-accuracy": "group_by=team",
    "opencost_allocation": "window=2026-10-05,2026-10-06&aggregate=team",
    "opencost_allocation_compute": "window=2026-10-05,2026-10-06&aggregate=team",
    "opencost_assets": "window=2026-10-05,2026-10-06", "opencost_cloud_cost": "window=2026-10-05,2026-10-06",
}  # fmt: skip


def main() -> int:
    schema: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # untyped there
    recorder = Recorder()
    with transaction.atomic():
        recorder.sign_in()
        for name, method, path, sent in WRITES:
            recorder.write(name, method, V1 + path, sent)
        for path, methods in schema["paths"].items():
            if "get" in methods:
                recorder.read(methods["get"], path)
        for name, path in LAST:
            recorder.write(name, "DELETE", V1 + path, {})
        transaction.set_rollback(True)
    lines = [
        f"{json.dumps(name)}: {json.dumps(one, ensure_ascii=False)}" for name, one in sorted(recorder.examples.items())
    ]
    EXAMPLES.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(recorder.examples)} operations were recorded, {recorder.failures} failed.")
    return 1 if recorder.failures else 0


class Recorder:
    """Asks as somebody who may do everything, and remembers what was answered."""

    def __init__(self) -> None:
        self.client = Client()
        self.examples: dict[str, Any] = {}
        self.known: dict[str, Any] = {"month": "2026-08", "name": "live-core", "code": "bad_parameter"}
        self.failures = 0

    def sign_in(self) -> None:
        add_upload_source(name="by-hand", kind="focus", cluster="", options={}, now=timezone.now())
        user = User.objects.create_superuser("han", email="han@example.com")
        key = issue_token(user, now=timezone.now(), name="month-end export", scopes=SCOPES)
        Group.objects.get_or_create(name="controllers")
        self.client = Client(headers={"authorization": f"Token {key}"}, HTTP_HOST="127.0.0.1")
        for name, (path, column) in FOUND.items():
            rows = self.client.get(V1 + path).json().get("rows", [])
            self.known |= {name: rows[0][column]} if rows else {}
            if name == "recommendation" and len(rows) > 1:
                self.known["other"] = str(rows[1][column])
            if name == "planner" and rows:
                self._choose(rows[0]["subject"])

    def _choose(self, subject: str) -> None:
        """A plan, and one of its settings as it is."""
        plan = self.client.get(f"{V1}plans/{self.known['planner']}/?{urlencode({'subject': subject})}").json()
        name, value = next(iter(plan["settings"].items()))
        self.known |= {"subject": subject, "setting": f"{name}={value}"}

    def write(self, name: str, method: str, path: str, sent: Any) -> None:
        media = JSON if isinstance(sent, dict) else CSV if "," in sent.partition("\n")[0] else "application/yaml"
        media = BYTES if name == "bring_file" else media
        path = self._filled(path)
        body = self._filled(json.dumps(sent)) if media == JSON else sent
        answer = self.client.generic(method, path, body, media)
        if self._is_good(name, path, answer):
            shown = json.loads(body) if media == JSON else sent
            more = {"body": shown, "sent": media} if shown else {}
            self.examples[name] = {"asked": f"{method} {path}", **_answered(answer), **more}
            if name in MADE:
                called, column = MADE[name]
                self.known[called] = answer.json()[column]

    def read(self, operation: dict[str, Any], path: str) -> None:
        name = operation["operationId"]
        parameters = operation["parameters"]
        is_paged = any(one.get("name", one.get("$ref", "").rpartition("/")[2]) == "limit" for one in parameters)
        query = QUERIES.get(name, f"limit={MOST_ITEMS}" if is_paged else "")
        path = path.replace("{number}", f"{{{_called(path)}}}").replace("parts/{name}", "parts/letter.txt")
        path = path.replace("sources/{name}", "sources/by-hand")
        asked = self._filled(path.replace("{file}", "plan.json") + (f"?{query}" if query else ""))
        answer = self.client.get(asked)
        if self._is_good(name, asked, answer):
            self.examples[name] = {"asked": f"GET {asked}", **_answered(answer, media=FILES.get(name))}

    def _filled(self, path: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: str(self.known.get(found[1], found[0])), path)

    def _is_good(self, name: str, asked: str, answer: Any) -> bool:
        if answer.status_code < 300:
            return True
        self.failures += 1
        print(f"{name}: {asked} → {answer.status_code} {answer.content.decode()[:300]}")
        return False


def _called(path: str) -> str:
    names = {"alerts": "alert", "budgets": "budget", "channels": "own", "disputes": "dispute", "savings": "saving",
             "recommendations": "recommendation", "reports": "report", "rule-drafts": "draft",
             "views": "view", "annotations": "annotation"}  # fmt: skip
    return names.get(path.split("/")[3], "number")


def _answered(answer: Any, *, media: str | None = None) -> dict[str, Any]:
    """The answer as it is shown: few items of every list, long texts cut."""
    if media:
        shown = answer.getvalue()[:MOST_TEXT].decode(errors="ignore")
        return {"status": answer.status_code, "media": media, "answer": shown}
    return {"status": answer.status_code, "answer": _short(answer.json())}


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        is_map = len(value) > MOST_ITEMS and all(isinstance(one, dict) for one in value.values())
        return {name: _short(value[name]) for name in [*value][: MOST_ITEMS if is_map else None]}
    if isinstance(value, list):
        return [_short(one) for one in value[:MOST_ITEMS]]
    return f"{value[:MOST_TEXT]}…" if isinstance(value, str) and len(value) > MOST_TEXT else value


if __name__ == "__main__":
    sys.exit(main())
