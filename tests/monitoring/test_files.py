"""The dashboard for Grafana and the rules for Prometheus ask for what is really told."""

import json
import re
import subprocess

import promql_parser
import yaml

from apps.monitoring.metrics import GAUGES
from tests.servers.installation import ROOT

TOLD = {f"costops_{gauge.name}" for gauge in GAUGES} | {
    f"costops_http_request_seconds_{part}" for part in ("bucket", "count", "sum")
}
DASHBOARD = ROOT / "deploy" / "helm" / "costops" / "files" / "dashboard.json"
RULES = ROOT / "deploy" / "helm" / "costops" / "files" / "rules.yaml"


def asked(expressions):
    for expression in expressions:
        promql_parser.parse(expression)
    return set(re.findall(r"costops_\w+", " ".join(expressions)))


def test_the_dashboard_asks_for_what_is_told():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 8
    assert asked([target["expr"] for panel in panels for target in panel["targets"]]) <= TOLD


def test_the_rules_ask_for_what_is_told():
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    assert asked([rule["expr"] for rule in rules]) <= TOLD
    checked = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_metric_is_documented():
    page = (ROOT / "docs" / "monitoring.md").read_text()
    assert {name for name in TOLD if name.removesuffix("_bucket") not in page and "http" not in name} == set()
