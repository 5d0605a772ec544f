"""Names that try to be more than names: one list, for every place that a name is shown."""

from apps.ingest.models import LandedFile, Source
from apps.pipeline.models import StepRun
from apps.teams.models import Team
from tests.dashboards import company

CANARIES = {
    "a script": "<script>alert('canary')</script>",
    "a picture that fails": '"><img src=//canary.example/x onerror=alert(1)>',
    "a drawing": "<svg/onload=alert(1)>",
    "an address that runs": "javascript:alert(1)",
    "a link in a label": '<a href="https://canary.example/">click</a>',
    "a beacon": '"><style>*{background:url(//canary.example/b)}</style>',
    "an attribute": "' onmouseover='alert(1)' style='background:url(//canary.example/c)",
    "hover text": "%{customdata}<extra>canary</extra>",
    "a template": "{{1330+7}}{% load static %}${1330+7}#{1330+7}",
    "the end of a script": "</script><!--<script>alert(1)",
    "ends of lines": "a\u2028alert(1)\u2029b\r\nBcc: x@canary.example",
    "text turned round": "invoice\u202e001.00\u2066",
    "a heap of accents": "Z" + "\u0336\u0347" * 500,
    "ten thousand characters": "long" * 2_500,
    "a formula": '=HYPERLINK("//canary.example";1)',
    "a wide formula": "＝1+1",
    "a formula behind a tab": "\t=1+1",
    "a formula behind a line": "\r=cmd|' /C calc'!A0",
    "a sum": "@SUM(A1)",
    "less than nothing": "-1+1",
}
COSTS = tuple(
    company.Cost(
        f"canary-{at}", f"{at + 1}.25", namespace=name, workload=name, cluster=name, service=name,
        days=company.days_from(company.END_DAY.replace(day=1), company.END_DAY), elsewhere=name,
    )
    for at, name in enumerate(CANARIES.values())
)  # fmt: skip
FORMULAS = tuple("=+-@\t\r\n＝＋－＠")


def publish() -> None:
    """Costs, teams, files, problems and runs that are called like that."""
    for at, name in enumerate(CANARIES.values()):
        Team.objects.create(name=f"canary-{at}", title=name[:120], department=name[:120], lead_name=name[:120])
    company.publish(COSTS)
    bill = Source.objects.create(name="canaries", kind="focus", location="/data/<b>", created_at=company.MOMENT)
    for at, name in enumerate(CANARIES.values()):
        problem = {"severity": "error", "code": "bad_value", "subject": name, "message": f"{name} is not an amount."}
        LandedFile.objects.create(
            source=bill, path=name[:900], revision=1, sha256=f"{at:064}", size=1, modified_ns=0, state="refused",
            rows=1, contents=[], problems=[problem], delivery=at, landed_at=company.MOMENT,
        )  # fmt: skip
    StepRun.objects.create(
        step="normalize", source="canaries", key="canaries", window_start=company.FIRST_DAY,
        window_end=company.END_DAY, state="failed", asked_at=company.MOMENT, started_at=company.MOMENT,
        finished_at=company.MOMENT, rows=1,
        problems=[
            {"severity": "error", "code": "bad_value", "subject": name, "message": f"{name} is no amount."}
            for name in CANARIES.values()
        ],
    )  # fmt: skip
