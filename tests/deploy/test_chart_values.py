"""Values of the chart: those that are taken, and those that are refused by name."""

import pytest
import yaml

from tests.deploy.test_chart import CHART, by_kind, helm, rendered


def test_the_service_is_of_the_kind_an_ingress_asks_for():
    for values, kind in (((), "ClusterIP"), (("service.type=NodePort",), "NodePort")):
        (service,) = by_kind(rendered(*values), "Service")
        assert service["spec"]["type"] == kind


@pytest.mark.parametrize(("letters", "is_taken"), [(48, True), (49, False)])
def test_names_fit_where_the_release_s_does(letters, is_taken):
    done = helm("template", "s" * letters, CHART, "--set", "monitoring.rules.enabled=true")
    assert (done.returncode == 0) is is_taken
    if is_taken:
        names = [one["metadata"]["name"] for one in yaml.safe_load_all(done.stdout) if one]
        assert max(map(len, names)) <= 63
        assert max(len(name) for name in names if "-migrate-" in name) <= 63 - len("999")
    else:
        assert "a name of more than 48 letters" in done.stderr


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("autoscaling.workers.kind=magic", "kind"),
        ("web.replicas=none", "replicas"),
        ("settings.COSTOPS_SECRET_KEY=abc", "COSTOPS_SECRET_KEY"),
        ("settings.TIME_ZONE=UTC", "TIME_ZONE"),
        ("existingSecret=", "existingSecret"),
        ("home.accessModes={ReadOnlyMany}", "accessModes"),
        ("autoscaling.workers.kind=keda", "prometheusAddress"),
        ("colour=blue", "colour"),
        ("workers[0].queues={mail}", "queues"),
        ("settings.COSTOPS_LAKE_SECRET=abc", "COSTOPS_LAKE_SECRET"),
        ("settings.COSTOPS_SSO_FILE=/data/sso.json", "COSTOPS_SSO_FILE"),
        ("sso.file=../sso.json", "file"),
    ],
)
def test_values_that_cannot_be_meant_are_refused_by_name(value, said):
    done = helm("template", "shop", CHART, "--set", value)
    assert done.returncode != 0
    assert said in done.stderr
