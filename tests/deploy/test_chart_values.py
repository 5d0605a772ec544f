"""Values of the chart: those that are taken, and those that are refused by name."""

import re

import pytest
import yaml

from tests.deploy.test_chart import CHART, by_kind, helm, rendered


def test_the_service_is_of_the_kind_an_ingress_asks_for():
    for values, kind in (((), "ClusterIP"), (("service.type=NodePort",), "NodePort")):
        (service,) = by_kind(rendered(*values), "Service")
        assert service["spec"]["type"] == kind


BACKUP = "backup.enabled=true,backup.existingClaim=kept"
HOME = "localhost,127.0.0.1"
"""The names of a port that is forwarded, as the notes of the chart say."""


@pytest.mark.parametrize(
    ("values", "site", "hosts"),
    [
        pytest.param((), "http://costops.local", f"costops.local,{HOME}", id="as it comes"),
        pytest.param(("ingress.host=a.example",), "http://a.example", f"a.example,{HOME}", id="of the ingress"),
        pytest.param(
            ("ingress.host=a.example", "ingress.tlsSecret=tls"), "https://a.example", f"a.example,{HOME}", id="by TLS"
        ),
        pytest.param(
            ("ingress.host=a.example", "settings.COSTOPS_HTTPS=true"), "https://a.example", f"a.example,{HOME}",
            id="by TLS of a balancer",
        ),
        pytest.param(
            ("ingress.host=a.example", r"settings.COSTOPS_ALLOWED_HOSTS=b.example\, a.example\,"), "http://a.example",
            f"b.example,a.example,{HOME}", id="names of the settings besides",
        ),
        pytest.param(
            ("ingress.host=*.a.example", "settings.COSTOPS_SITE_URL=https://x.a.example"), "https://x.a.example",
            f".a.example,{HOME}", id="every name below one, as Django writes it",
        ),
    ],
)  # fmt: skip
def test_the_site_answers_to_the_name_that_leads_to_it(values, site, hosts):
    settings = by_kind(rendered(*values), "ConfigMap")[0]["data"]
    assert (settings["COSTOPS_SITE_URL"], settings["COSTOPS_ALLOWED_HOSTS"]) == (site, hosts)


def test_the_first_step_the_notes_tell_is_answered():
    said = helm("install", "shop", CHART, "--dry-run=client").stdout.partition("NOTES:")[2]
    (address,) = re.findall(r"http://(\S+):8000", said)
    assert address in by_kind(rendered(), "ConfigMap")[0]["data"]["COSTOPS_ALLOWED_HOSTS"].split(",")


TRUE = {"COSTOPS_HTTPS": "true", "COSTOPS_BEHIND_PROXY": "true"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param((), {}, id="as it comes"),
        pytest.param(("ingress.enabled=true",), {}, id="without TLS"),
        pytest.param(("ingress.enabled=true", "ingress.tlsSecret=tls"), TRUE, id="by TLS"),
        pytest.param(
            ("ingress.enabled=true", "ingress.tlsSecret=tls", "settings.COSTOPS_HTTPS=false"),
            TRUE | {"COSTOPS_HTTPS": "false"}, id="as the settings say",
        ),
    ],
)  # fmt: skip
def test_behind_an_ingress_with_tls_forms_are_taken(values, told):
    """Without these a browser's forms seem to come from elsewhere, that of signing in first."""
    settings = by_kind(rendered(*values), "ConfigMap")[0]["data"]
    assert {name: settings[name] for name in TRUE if name in settings} == told


def test_an_empty_list_lets_nobody_in():
    policies = by_kind(rendered("networkPolicy.enabled=true", "networkPolicy.from=null"), "NetworkPolicy")
    (web,) = [one["spec"] for one in policies if one["metadata"]["name"] == "shop-web"]
    assert web["ingress"] == []


GROUP = {"replicas": "1", "concurrency": "1", "resources.requests.cpu": "1"}


@pytest.mark.parametrize(
    ("queues", "left"),
    [
        pytest.param(["io,compute,learn"], "", id="one for all"),
        pytest.param(["io,learn", "compute"], "", id="two"),
        pytest.param(["io,compute"], "learn", id="nobody learns"),
        pytest.param(["io", "learn"], "compute", id="nobody computes"),
    ],
)
def test_a_queue_is_left_to_nobody(queues, left):
    groups = [GROUP | {"name": f"w{at}", "queues": f"{{{given}}}"} for at, given in enumerate(queues)]
    values = [f"workers[{at}].{name}={value}" for at, group in enumerate(groups) for name, value in group.items()]
    done = helm("template", "shop", CHART, *(word for value in values for word in ("--set", value)))
    assert (done.returncode == 0) is (not left), done.stderr
    assert not left or f"no group serves the queue {left}" in done.stderr


@pytest.mark.parametrize("name", ["1shop", "my.shop"])
def test_a_release_is_called_as_a_service_may_be(name):
    done = helm("template", name, CHART)
    assert done.returncode != 0
    assert f"the release is called {name}" in done.stderr


@pytest.mark.parametrize(
    ("letters", "is_taken", "more"), [(48, True, ""), (49, False, ""), (45, True, BACKUP), (46, False, BACKUP)]
)
def test_names_fit_where_the_release_s_does(letters, is_taken, more):
    values = ",".join(("monitoring.rules.enabled=true", *filter(None, [more])))
    done = helm("template", "s" * letters, CHART, "--set", values)
    assert (done.returncode == 0) is is_taken
    if is_taken:
        names = [(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all(done.stdout) if one]
        assert all(len(name) <= (52 if kind == "CronJob" else 63) for kind, name in names)
    else:
        assert f"a name of more than {letters - 1} letters" in done.stderr


def alerts(*values):
    (rules,) = by_kind(rendered("monitoring.rules.enabled=true", *values), "PrometheusRule")
    return {rule["alert"]: rule for group in rules["spec"]["groups"] for rule in group["rules"] if "alert" in rule}


@pytest.mark.parametrize(
    ("values", "ours"),
    [
        pytest.param((), '{namespace="costops",job="shop"', id="by the ServiceMonitor"),
        pytest.param(('monitoring.rules.selector=job="web"',), '{job="web"', id="as the values say"),
    ],
)
def test_alerts_are_about_this_release_alone(values, ours):
    for name, rule in alerts(*values).items():
        named = re.findall(r"costops_\w+(?:\{[^,}]*(?:,job=[^,}]*)?)?", rule["expr"])
        assert named, name
        assert all(one.endswith(ours) for one in named), name


def test_alerts_are_changed_by_their_names():
    before = alerts()
    after = alerts(
        "monitoring.rules.alerts.CostOpsNotPublished.threshold=172800",
        "monitoring.rules.alerts.CostOpsNotPublished.for=1h",
        "monitoring.rules.alerts.CostOpsRunsWait.threshold=20",
        "monitoring.rules.alerts.CostOpsRequestsFail.threshold=0.05",
        "monitoring.rules.alerts.CostOpsRequestsFail.severity=warning",
        "monitoring.rules.alerts.CostOpsDiskFills.enabled=false",
    )
    assert before.keys() - after.keys() == {"CostOpsDiskFills"}
    changed = {"CostOpsNotPublished": "> 172800", "CostOpsRequestsFail": "> 0.05", "CostOpsRunsWait": "> 20"}
    assert {name for name, rule in after.items() if rule != before[name]} == changed.keys()
    assert all(after[name]["expr"].endswith(f") {end}") for name, end in changed.items())
    assert after["CostOpsRunsWait"]["expr"].count("> 0") == 1, "nobody is at work, however many wait"
    assert after["CostOpsNotPublished"]["for"] == "1h"
    assert after["CostOpsRequestsFail"]["labels"] == {"severity": "warning"}


def test_what_migrates_has_another_name_where_it_does_another_thing():
    def name(*values):
        return by_kind(rendered(*values), "Job")[0]["metadata"]["name"]

    others = ("image.tag=v2", "settings.COSTOPS_LANGUAGE=zh-hans", "migrate.resources.limits.cpu=1")
    names = [name(), *map(name, others)]
    assert len(set(names)) == len(names), "a Job cannot be changed"
    assert name() == names[0]


def test_the_service_that_gives_credentials_is_asked_where_values_allow_it():
    def reached(*values):
        policy = by_kind(rendered("networkPolicy.enabled=true", *values), "NetworkPolicy")[0]
        return {to["ipBlock"]["cidr"] for rule in policy["spec"]["egress"] for to in rule.get("to", [])}

    assert reached() == set()
    assert {"169.254.169.254/32", "100.100.100.200/32"} < reached("networkPolicy.instanceMetadata=true")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("autoscaling.workers.kind=magic", "kind"),
        ("web.replicas=none", "replicas"),
        ("settings.COSTOPS_SECRET_KEY=abc", "COSTOPS_SECRET_KEY"),
        ("settings.TIME_ZONE=UTC", "TIME_ZONE"),
        ("existingSecret=", "existingSecret"),
        ("home.accessModes={ReadOnlyMany}", "accessModes"),
        ("home.accessModes={ReadWriteOncePod}", "accessModes"),
        ("autoscaling.workers.kind=keda", "prometheusAddress"),
        ("colour=blue", "colour"),
        ("workers[0].queues={mail}", "queues"),
        ("settings.COSTOPS_LAKE_SECRET=abc", "COSTOPS_LAKE_SECRET"),
        ("settings.COSTOPS_SSO_FILE=/data/sso.json", "COSTOPS_SSO_FILE"),
        ("sso.file=../sso.json", "file"),
        ("backup.enabled=true", "backup.existingClaim"),
        ("extraVolumes[0].name=home", "extraVolumes"),
        ("extraVolumeMounts[0].name=bills", "mountPath"),
        ("monitoring.rules.alerts.CostOpsSlow.threshold=1", "there is no alert CostOpsSlow"),
        ("monitoring.rules.alerts.CostOpsTellsNothing.threshold=1", "compares with no number"),
        ("monitoring.rules.alerts.CostOpsDiskFills.above=1", "above"),
        ("ingress.host=*.example.com", "COSTOPS_SITE_URL"),
    ],
)
def test_values_that_cannot_be_meant_are_refused_by_name(value, said):
    done = helm("template", "shop", CHART, "--set", "monitoring.rules.enabled=true", "--set", value)
    assert done.returncode != 0
    assert said in done.stderr
