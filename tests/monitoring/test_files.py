"""The dashboard for Grafana and the rules for Prometheus ask for what is really told."""

import functools
import json
import re
import subprocess

import promql_parser
import pytest
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
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    assert asked(expressions) <= TOLD
    of_one = '{namespace=~"$namespace",job=~"$job"'
    assert all(re.search(r"costops_\w+" + re.escape(of_one), one) for one in expressions), "the reader chooses which"


def test_the_rules_ask_for_what_is_told():
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    assert asked([rule["expr"] for rule in rules]) <= TOLD
    checked = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


WAITING = [
    ('costops_runs{namespace="a",pod="web-1",queue="compute",step="allocate",state="waiting"}', "3 0"),
    ('costops_runs{namespace="a",pod="web-2",queue="compute",step="allocate",state="waiting"}', "3 0"),
    ('costops_runs{namespace="a",pod="web-1",queue="compute",step="publish",state="waiting"}', "1 0"),
    ('costops_runs{namespace="a",pod="web-2",queue="compute",step="publish",state="waiting"}', "1 0"),
    ('costops_runs{namespace="a",pod="web-1",queue="compute",step="publish",state="running"}', "0 1"),
    ('costops_runs{namespace="a",pod="web-2",queue="compute",step="publish",state="running"}', "0 1"),
    ('costops_runs{namespace="a",pod="web-1",queue="compute",step="publish",state="failed"}', "5 5"),
    ('costops_runs{namespace="b",pod="web-1",queue="compute",step="publish",state="waiting"}', "9 9"),
]


def told(values, *, state="failed", pod="web-1"):
    return f'costops_runs{{pod="{pod}",queue="compute",step="allocate",state="{state}"}}', values


GAP = [told("4+0x9 _x9 4+0x60")]


def proven(tmp_path, test):
    """What `promtool test rules` says of one test of the rules, five minutes between numbers."""
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "5m", "tests": [test]}))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def series(*rows):
    return [{"series": name, "values": values} for name, values in rows]


def test_the_runs_that_wait_or_are_at_work_are_counted_once(tmp_path):
    wanted = {"5m": {"a": 1, "b": 9}, "0m": {"a": 4, "b": 9}}
    asked = [
        {
            "expr": "costops:runs_open:queue",
            "eval_time": at,
            "exp_samples": [
                {"labels": f'costops:runs_open:queue{{namespace="{name}",queue="compute"}}', "value": value}
                for name, value in numbers.items()
            ],
        }
        for at, numbers in wanted.items()
    ]
    proven(tmp_path, {"interval": "5m", "input_series": series(*WAITING), "promql_expr_test": asked})


@pytest.mark.parametrize(
    ("rows", "at", "is_told"),
    [
        pytest.param([told("0+0x5 1+0x11 2+0x11 3+0x60")], "3h", True, id="a step that is tried again each hour"),
        pytest.param([told("_x5 1+0x11 2+0x11 3+0x60")], "3h", True, id="the first failure ever counts too"),
        pytest.param([told("5+0x120")], "6h", False, id="what failed long ago"),
        pytest.param([told("_x5 1+0x120")], "3h", False, id="once"),
        pytest.param([told("1+0x11 2+0x11 3+0x120")], "11h", False, id="over for as long as is looked at"),
        pytest.param(
            [told("0+0x5 1+0x11 2"), told("_x20 2+0x5 3+0x60", pod="web-2")], "3h", True, id="while pods are replaced"
        ),
        pytest.param(GAP, "5h", False, id="a gap in what was scraped is no failure"),
    ],
)
def test_a_step_that_keeps_failing_is_told(tmp_path, rows, at, is_told):
    scraped = "0+0x9 _x9 0+0x60" if rows == GAP else "0+0x200"
    waiting = [(name.replace("failed", "waiting"), scraped) for name, _ in rows]
    message = {"exp_labels": {"severity": "warning", "step": "allocate"}, "exp_annotations": notes("CostOpsRunsFailed")}
    asked = {"alertname": "CostOpsRunsFailed", "eval_time": at, "exp_alerts": [message] if is_told else []}
    proven(tmp_path, {"interval": "5m", "input_series": series(*rows, *waiting), "alert_rule_test": [asked]})


@pytest.mark.parametrize(
    ("values", "is_told"),
    [
        pytest.param("1+0x60", False, id="numbers come"),
        pytest.param("1+0x3 _x60", True, id="they came once"),
        pytest.param("_x60", True, id="they never came"),
    ],
)
def test_numbers_that_do_not_come_are_told(tmp_path, values, is_told):
    message = {"exp_labels": {"severity": "critical"}, "exp_annotations": notes("CostOpsTellsNothing")}
    asked = {"alertname": "CostOpsTellsNothing", "eval_time": "1h", "exp_alerts": [message] if is_told else []}
    rows = series(("costops_disk_free_bytes", values))
    proven(tmp_path, {"interval": "5m", "input_series": rows, "alert_rule_test": [asked]})


SCRAPED = {"a": "1x3 _x60", "b": "1x60"}
PUBLISHED = {"a": "0x600", "b": "144000x600"}
PROBES = ("healthz", "readyz", "metrics")


@pytest.mark.parametrize(
    ("alert", "rows", "labels"),
    [
        pytest.param(
            "CostOpsTellsNothing",
            [(f"costops_disk_free_bytes{{namespace='{one}'}}", free) for one, free in SCRAPED.items()],
            {"namespace": "a"}, id="one installation is silent, another beside it is not",
        ),
        pytest.param(
            "CostOpsNotPublished",
            [(f"costops_published_timestamp_seconds{{namespace='{one}'}}", at) for one, at in PUBLISHED.items()],
            {"namespace": "a"}, id="one has not published, another has",
        ),
        pytest.param(
            "CostOpsClockStopped",
            [("costops_looked_at_timestamp_seconds", "0x600"), ("costops_fill_every_seconds", "3600x600")],
            {}, id="the clock stands",
        ),
        pytest.param(
            "CostOpsClockStopped",
            [("costops_looked_at_timestamp_seconds", "0x600"), ("costops_fill_every_seconds", f"{48 * 3600}x600")],
            None, id="it looks every other day only",
        ),
        pytest.param(
            "CostOpsClockNeverTicked",
            [(f"costops_fill_every_seconds{{namespace='{one}'}}", "3600x600") for one in "ab"]
            + [("costops_looked_at_timestamp_seconds{namespace='b'}", "0x600")],
            {"namespace": "a"}, id="beat and workers of one never ran, those of another did",
        ),
        pytest.param(
            "CostOpsClockNeverTicked", [("costops_fill_every_seconds", "_x470 3600x130")],
            None, id="installed within the hour",
        ),
        pytest.param(
            "CostOpsNeverPublished",
            [(f"costops_source_failed{{namespace='{one}',source='bill'}}", "0x300 _x5 0x300") for one in "ab"]
            + [("costops_published_timestamp_seconds{namespace='b'}", "0x300 _x5 0x300")],
            {"namespace": "a"}, id="one has never published, another has, with a gap in what was scraped",
        ),
        pytest.param(
            "CostOpsNeverPublished", [("costops_source_failed{source='bill'}", "_x100 0x500")],
            None, id="the first source was added not long ago",
        ),
        pytest.param("CostOpsNeverPublished", [("costops_fill_every_seconds", "3600x600")], None, id="without sources"),
        pytest.param(
            "CostOpsRunsWait",
            [(f"costops_runs{{pod='{pod}',queue='learn',step='{step}',state='waiting'}}", "0x100 1x500")
             for pod in "ab" for step in ("plan", "idle")]
            + [("costops_runs{queue='learn',step='plan',state='running'}", "1x100 0x500"),
               ("costops_runs{queue='io',step='land',state='running'}", "1x600")],
            {"queue": "learn"}, id="nobody works at a queue, and somebody at another",
        ),
        pytest.param(
            "CostOpsRunsWait",
            [("costops_runs{queue='learn',step='plan',state='waiting'}", "9x600"),
             ("costops_runs{queue='learn',step='idle',state='running'}", "1x600")],
            None, id="they wait behind one that is at work",
        ),
        pytest.param(
            "CostOpsRunsWait", [("costops_runs{queue='learn',step='plan',state='waiting'}", "0x470 1x130")],
            None, id="they wait for less than two hours",
        ),
        pytest.param(
            "CostOpsRunsWait", [("costops_runs{queue='',step='gone',state='waiting'}", "1x600")],
            None, id="a step that is no more",
        ),
        pytest.param(
            "CostOpsRunsSetAside",
            [(f"costops_runs_set_aside{{pod='{pod}',step='allocate'}}", "0x100 1x500") for pod in "ab"]
            + [("costops_runs_set_aside{pod='a',step='publish'}", "0x600")],
            {"step": "allocate"}, id="workers died of a step, which is tried once a day",
        ),
        pytest.param(
            "CostOpsRunsSetAside", [("costops_runs_set_aside{step='allocate'}", "0x100 1x370 0x130")],
            None, id="it was done since",
        ),
        pytest.param(
            "CostOpsDegraded",
            [(f"costops_check_ok{{check='broker',pod='{pod}'}}", f"{ok}x600") for pod, ok in (("a", 1), ("b", 0))],
            {"check": "broker"}, id="a pod does without its broker",
        ),
        pytest.param(
            "CostOpsRequestsFail",
            [(f"costops_http_request_seconds_count{{view='{view}',status='503'}}", "0+9x600") for view in PROBES]
            + [("costops_http_request_seconds_count{view='costs',status='200'}", "0+9x600")],
            None, id="probes fail, and no request of people",
        ),
        pytest.param(
            "CostOpsRequestsFail",
            [(f"costops_http_request_seconds_count{{view='{view}',status='200'}}", "0+900x600") for view in PROBES]
            + [(f"costops_http_request_seconds_count{{view='costs',status='{one}'}}", "0+9x600") for one in (200, 503)],
            {}, id="half of the requests of people fail, whatever probes do",
        ),
    ],
)  # fmt: skip
def test_alerts_tell_what_they_say(tmp_path, alert, rows, labels):
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    (severity,) = (rule["labels"]["severity"] for rule in rules if rule.get("alert") == alert)
    message = {"exp_labels": {"severity": severity, **(labels or {})}, "exp_annotations": notes(alert)}
    expected = [] if labels is None else [message]
    asked = {"alertname": alert, "eval_time": "40h", "exp_alerts": expected}
    if alert == "CostOpsTellsNothing":
        asked["eval_time"] = "2h"
    proven(tmp_path, {"interval": "5m", "input_series": series(*rows), "alert_rule_test": [asked]})


def notes(name):
    """The words of an alert, of the step `allocate`, the check `broker`, and two runs of the queue `learn`."""
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    (found,) = (rule for rule in rules if rule.get("alert") == name)
    words = {"{{ $labels.step }}": "allocate", "{{ $labels.check }}": "broker"}
    words |= {"{{ $labels.queue }}": "learn", "{{ $value }}": "2"}
    return {
        kind: functools.reduce(lambda said, word: said.replace(*word), words.items(), text)
        for kind, text in found["annotations"].items()
    }


def test_every_metric_is_documented():
    page = (ROOT / "docs" / "monitoring.md").read_text()
    assert {name for name in TOLD if name.removesuffix("_bucket") not in page and "http" not in name} == set()
