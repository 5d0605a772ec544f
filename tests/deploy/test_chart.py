"""The Helm chart, rendered by Helm itself: what comes out is Kubernetes, safe, and fits together."""

import copy
import functools
import os
import subprocess

import kubernetes_validate
import pytest
import yaml
from django.conf import settings
from django.urls import resolve

from apps.finops.steps import QUEUES
from tests.architecture.test_pages import settings_read
from tests.deploy import shapes
from tests.servers.installation import ROOT

HELM = ROOT / ".tools" / "helm"
CHART = ROOT / "deploy" / "helm" / "costops"


WITHOUT = "COSTOPS_TEST_WITHOUT_HELM"
"""Set to 1 by who wants to go without: then the tests of the chart are skipped, and only then."""
pytestmark = pytest.mark.skipif(os.environ.get(WITHOUT) == "1", reason=f"{WITHOUT}=1")
VERSIONS = ("1.25.0", "1.33.0")
EVERYTHING = (
    "ingress.enabled=true", "ingress.tlsSecret=tls", "networkPolicy.enabled=true", "autoscaling.web.enabled=true",
    "networkPolicy.instanceMetadata=true",
    "autoscaling.workers.kind=keda", "autoscaling.workers.prometheusAddress=http://prometheus:9090",
    "sso.existingSecret=costops-sso", "backup.enabled=true", "backup.existingClaim=costops-backups",
    "extraVolumes[0].name=bills", "extraVolumes[0].nfs.server=nas", "extraVolumes[0].nfs.path=/bills",
    "extraVolumeMounts[0].name=bills", "extraVolumeMounts[0].mountPath=/bills", "extraVolumeMounts[0].readOnly=true",
    "monitoring.serviceMonitor.enabled=true", "monitoring.rules.enabled=true", "monitoring.dashboard.enabled=true",
)  # fmt: skip
CASES = {
    "as it comes": (),
    "with everything": EVERYTHING,
    "workers by the external metrics API": ("autoscaling.workers.kind=hpa",),
    "a claim that is there": ("home.existingClaim=nas",),
    "the lake in a bucket": ("settings.COSTOPS_LAKE=s3://company/costops",),
    "Spark, and the lake in a bucket": (
        "settings.COSTOPS_LAKE=s3://company/costops",
        "settings.COSTOPS_ENGINE=sc://spark:15002",
        "home.existingClaim=nas",
    ),
}


def helm(*arguments):
    assert HELM.exists(), f"Helm is missing: scripts/ensure_servers.sh brings it; {WITHOUT}=1 skips these tests"
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)


def rendered(*values, files=()):
    flags = [flag for value in values for flag in ("--set", value)] + [f"--values={file}" for file in files]
    done = helm("template", "shop", CHART, "--namespace", "costops", *flags)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


@pytest.fixture(scope="module", params=[*CASES, "on Alibaba Cloud"])
def documents(request):
    if request.param in CASES:
        return rendered(*CASES[request.param])
    return rendered(files=[CHART / "values-ack.yaml"])


def pods(documents):
    found = [one for one in documents if one["kind"] in ("Deployment", "Job", "CronJob")]
    return [(one["metadata"]["name"], one["spec"].get("jobTemplate", one)["spec"]["template"]) for one in found]


def by_kind(documents, kind):
    return [document for document in documents if document["kind"] == kind]


def test_without_helm_tests_fail_and_say_what_brings_it(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.HELM", tmp_path / "helm")
    with pytest.raises(AssertionError, match=f"scripts/ensure_servers.sh brings it.*{WITHOUT}=1"):
        helm("version")


def test_helm_finds_nothing_wrong():
    done = helm("lint", "--strict", CHART, f"--values={CHART / 'values-ack.yaml'}")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_what_kubernetes_knows(documents, version):
    known = [document for document in documents if document["kind"] not in shapes.FILES]
    assert len(known) > 7
    for document in known:
        kubernetes_validate.validate(document, version, strict=True)


def test_every_document_of_another_program_is_what_that_program_knows(documents):
    for document in documents:
        if document["kind"] in shapes.FILES:
            assert shapes.problems(document) == []


def changed(document, path, value):
    """The document with one more, or another, value at a place."""
    inner = copy.deepcopy(document)
    *way, last = path
    functools.reduce(lambda part, step: part[step], way, inner)[last] = value
    return inner


@pytest.mark.parametrize(
    ("kind", "path", "value", "said"),
    [
        ("ServiceMonitor", ("spec", "endpoint"), [], "'endpoint' was unexpected"),
        ("ServiceMonitor", ("spec", "endpoints", 0, "intervall"), "30s", "'intervall' was unexpected"),
        ("ServiceMonitor", ("spec", "endpoints", 0, "port"), 8000, "8000 is not of type 'string'"),
        ("ServiceMonitor", ("spec", "endpoints", 0, "authorization", "credentials"), {}, "'key' is a required"),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "alerts"), "Name", "'alerts' was unexpected"),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "labels"), ["page"], "not of type 'object'"),
        ("PrometheusRule", ("spec", "groups", 0, "interval"), 30, "30 is not of type 'string'"),
        ("ScaledObject", ("spec", "maxReplicas"), 3, "'maxReplicas' was unexpected"),
        ("ScaledObject", ("spec", "maxReplicaCount"), "3", "'3' is not of type 'integer'"),
        ("ScaledObject", ("spec", "triggers", 0, "metadata", "threshold"), 4, "4 is not of type 'string'"),
        ("ScaledObject", ("metadata", "label"), {}, "'label' was unexpected"),
        ("ScaledObject", ("apiVersion",), "keda.sh/v1", "'keda.sh/v1"),
    ],
)  # fmt: skip
def test_a_wrong_name_or_type_in_what_is_of_another_program_is_found(kind, path, value, said):
    document = by_kind(rendered(*EVERYTHING), kind)[0]
    assert shapes.problems(document) == []
    found = shapes.problems(changed(document, path, value))
    assert len(found) == 1
    assert said in found[0]


def test_no_container_can_do_more_than_it_must(documents):
    for name, pod in pods(documents):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"] + spec.get("initContainers", []):
            rights = container["securityContext"]
            assert (rights["allowPrivilegeEscalation"], rights["readOnlyRootFilesystem"]) == (False, True)
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]
            assert not container["image"].endswith((":", ":latest"))


def test_what_serves_and_what_works_is_watched(documents):
    for name, pod in pods(documents):
        if not name.startswith(("shop-migrate", "shop-backup")):
            assert all("livenessProbe" in container for container in pod["spec"]["containers"]), name


def test_selectors_select_exactly_their_pods(documents):
    for document in by_kind(documents, "Deployment"):
        labels = document["spec"]["template"]["metadata"]["labels"]
        assert document["spec"]["selector"]["matchLabels"] == labels
    selectors = [tuple(sorted(d["spec"]["selector"]["matchLabels"].items())) for d in by_kind(documents, "Deployment")]
    assert len(set(selectors)) == len(selectors) == 5
    web = next(d for d in by_kind(documents, "Deployment") if d["metadata"]["name"] == "shop-web")
    (service,) = by_kind(documents, "Service")
    assert service["spec"]["selector"] == web["spec"]["selector"]["matchLabels"]
    for budget in by_kind(documents, "PodDisruptionBudget"):
        assert budget["spec"]["selector"] == web["spec"]["selector"]


def test_what_scales_leaves_the_number_of_replicas_alone(documents):
    deployed = {document["metadata"]["name"]: document["spec"] for document in by_kind(documents, "Deployment")}
    scalers = by_kind(documents, "HorizontalPodAutoscaler") + by_kind(documents, "ScaledObject")
    for scaler in scalers:
        assert "replicas" not in deployed.pop(scaler["spec"]["scaleTargetRef"]["name"])
    assert all(spec["replicas"] >= 1 for spec in deployed.values())


def test_settings_exist_and_none_of_them_is_a_secret(documents):
    settings = next(one for one in by_kind(documents, "ConfigMap") if one["metadata"]["name"] == "shop")["data"]
    assert settings.keys() <= settings_read()
    assert not {
        name for name in settings if name.endswith(("_KEY", "_KEYS", "_TOKEN", "_DSN", "DATABASE_URL", "REDIS_URL"))
    }


def test_a_claim_that_is_there_is_used_and_none_is_made():
    documents = rendered("home.existingClaim=nas")
    assert by_kind(documents, "PersistentVolumeClaim") == []
    used = {
        v["persistentVolumeClaim"]["claimName"]
        for _, pod in pods(documents)
        for v in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in v
    }
    assert used == {"nas"}


def test_commands_are_those_of_the_documented_processes():
    commands = {name: pod["spec"]["containers"][0]["command"] for name, pod in pods(rendered())}
    operations = (ROOT / "docs" / "operations.md").read_text()
    assert "gunicorn --config python:costops.gunicorn costops.wsgi" in operations
    assert commands["shop-web"][:4] == ["gunicorn", "--config", "python:costops.gunicorn", "costops.wsgi"]
    assert commands["shop-worker-compute"][:6] == ["celery", "-A", "costops", "worker", "--queues", "compute"]
    assert commands["shop-beat"][:4] == ["celery", "-A", "costops", "beat"]


def test_every_queue_has_workers_and_scales_by_its_own_runs():
    documents = rendered(
        "autoscaling.workers.kind=keda", "autoscaling.workers.prometheusAddress=http://prometheus:9090"
    )
    commands = [pod["spec"]["containers"][0]["command"] for _, pod in pods(documents)]
    served = [command[command.index("--queues") + 1] for command in commands if "--queues" in command]
    assert {queue for queues in served for queue in queues.split(",")} == set(QUEUES)
    asked = {one["spec"]["triggers"][0]["metadata"]["query"] for one in by_kind(documents, "ScaledObject")}
    ours = 'namespace="costops",job="shop",state=~"waiting|running"'
    assert asked == {f'sum(max by (step, state) (costops_runs{{{ours},queue=~"{queue}"}}))' for queue in QUEUES}


@pytest.mark.parametrize(("kind", "is_long"), [("none", False), ("hpa", True)])
def test_whom_a_scaler_takes_away_ends_what_it_is_at(kind, is_long):
    workers = [pod for name, pod in pods(rendered(f"autoscaling.workers.kind={kind}")) if "-worker-" in name]
    graces = {pod["spec"]["terminationGracePeriodSeconds"] for pod in workers}
    assert workers
    assert all((grace > settings.CELERY_TASK_TIME_LIMIT) is is_long for grace in graces)


def test_workers_scale_by_what_the_rules_record_of_their_queues():
    documents = rendered("autoscaling.workers.kind=hpa", "monitoring.rules.enabled=true")
    (rules,) = by_kind(documents, "PrometheusRule")
    recorded = {rule["record"] for group in rules["spec"]["groups"] for rule in group["rules"] if "record" in rule}
    scalers = by_kind(documents, "HorizontalPodAutoscaler")
    asked = [scaler["spec"]["metrics"][0]["external"]["metric"] for scaler in scalers]
    assert {one["name"] for one in asked} == recorded == {"costops:runs_open:queue"}
    selectors = [one["selector"]["matchExpressions"] for one in asked]
    ours = {"key": "release", "operator": "In", "values": ["shop"]}
    assert selectors == [[{"key": "queue", "operator": "In", "values": [queue]}, ours] for queue in QUEUES]
    (recorded,) = [rule for group in rules["spec"]["groups"] for rule in group["rules"] if "record" in rule]
    assert recorded["labels"] == {"release": "shop"}


def test_with_the_lake_in_a_bucket_pods_share_no_folder():
    documents = rendered("settings.COSTOPS_LAKE=s3://company/costops")
    assert by_kind(documents, "PersistentVolumeClaim") == []
    for _, pod in pods(documents):
        home = next(volume for volume in pod["spec"]["volumes"] if volume["name"] == "home")
        assert home == {"name": "home", "emptyDir": {"sizeLimit": "100Gi"}}


def test_spark_does_not_read_a_bucket_from_folders_it_cannot_see():
    both = ("settings.COSTOPS_LAKE=s3://company/costops", "settings.COSTOPS_ENGINE=sc://spark:15002")
    done = helm("template", "shop", CHART, *(flag for value in both for flag in ("--set", value)))
    assert done.returncode != 0
    assert "home.existingClaim must name a claim that all pods and Spark's executors mount" in done.stderr
    for values, claim in ((both[1:], "shop-home"), ((*both, "home.existingClaim=nas"), "nas")):
        for _, pod in pods(rendered(*values)):
            home = next(volume for volume in pod["spec"]["volumes"] if volume["name"] == "home")
            assert home == {"name": "home", "persistentVolumeClaim": {"claimName": claim}}


@pytest.mark.parametrize(
    ("setting", "more"),
    [
        pytest.param("COSTOPS_TIME_ZONE=UTC", [], id="nothing more"),
        pytest.param("COSTOPS_ENGINE=duckdb", [], id="an engine of its own"),
        pytest.param("COSTOPS_ENGINE=sc://spark:15003/;use_ssl=true", [15003], id="Spark at its port"),
        pytest.param("COSTOPS_ENGINE=sc://spark", [15002], id="Spark where it listens otherwise"),
        pytest.param("COSTOPS_OTLP_ENDPOINT=http://collector:4318", [4318], id="the collector of traces"),
        pytest.param("COSTOPS_OTLP_ENDPOINT=https://collector", [], id="what is reached already, once"),
        pytest.param("COSTOPS_LAKE_ENDPOINT=http://minio:9000", [9000], id="the store of the lake at its port"),
        pytest.param("COSTOPS_LAKE_ENDPOINT=http://oss.example.com", [80], id="the store of the lake without TLS"),
    ],
)
def test_pods_may_reach_what_settings_name(setting, more):
    documents = rendered("networkPolicy.enabled=true", f"settings.{setting}")
    policy = next(one for one in by_kind(documents, "NetworkPolicy") if one["metadata"]["name"] == "shop")
    ports = [one["port"] for one in policy["spec"]["egress"][0]["ports"]]
    assert ports == [53, 53, 443, 5432, 6379, 9090, 587, 465, 25, *more]


def test_no_scaler_asks_for_more_pods_at_least_than_at_most():
    least = ("autoscaling.workers.minReplicas=4", "autoscaling.web.enabled=true", "autoscaling.web.minReplicas=9")
    for kind in ("hpa", "keda"):
        for scaler in by_kind(
            rendered(*EVERYTHING, f"autoscaling.workers.kind={kind}", *least),
            {"hpa": "HorizontalPodAutoscaler", "keda": "ScaledObject"}[kind],
        ):
            spec = scaler["spec"]
            asked = spec["minReplicas" if kind == "hpa" else "minReplicaCount"]
            assert asked <= spec["maxReplicas" if kind == "hpa" else "maxReplicaCount"], scaler["metadata"]["name"]


@pytest.mark.parametrize(
    "value", ["settings.COSTOPS_LANGUAGE=zh-hans", "sso.file=other.json"], ids=["a setting", "the file of the sign-in"]
)
def test_pods_are_replaced_when_what_they_read_at_the_start_changes(value):
    def sums(*values):
        return {pod["metadata"]["annotations"]["checksum/settings"] for _, pod in pods(rendered(*values))}

    before, after = sums("sso.existingSecret=corp"), sums("sso.existingSecret=corp", value)
    assert len(before) == len(after) == 1
    assert before != after


def test_large_numbers_stay_as_they_are_written(tmp_path):
    (tmp_path / "values.yaml").write_text("settings: {COSTOPS_PORT_OF_NOTHING: 12000000, COSTOPS_SHARE: 0.25}\n")
    settings = by_kind(rendered(files=[tmp_path / "values.yaml"]), "ConfigMap")[0]["data"]
    assert (settings["COSTOPS_PORT_OF_NOTHING"], settings["COSTOPS_SHARE"]) == ("12000000", "0.25")


def test_ingress_takes_every_host_below_a_name():
    values = ("ingress.enabled=true", "ingress.host=*.example.com", "ingress.tlsSecret=tls")
    (ingress,) = by_kind(rendered(*values, "settings.COSTOPS_SITE_URL=https://a.example.com"), "Ingress")
    assert ingress["spec"]["rules"][0]["host"] == ingress["spec"]["tls"][0]["hosts"][0] == "*.example.com"


def test_what_pods_are_told_besides_every_pod_is_told():
    for name, pod in pods(rendered("podAnnotations.mesh=off")):
        assert pod["metadata"]["annotations"]["mesh"] == "off", name


def test_a_probe_asks_a_port_and_an_address_that_are_there(documents):
    for _, pod in pods(documents):
        for container in pod["spec"]["containers"]:
            for asked in (
                container.get(f"{kind}Probe", {}).get("httpGet") for kind in ("startup", "liveness", "readiness")
            ):
                if asked:
                    assert asked["port"] in {port["name"] for port in container["ports"]}
                    assert resolve(asked["path"], urlconf="apps.monitoring.urls")


def test_the_file_of_the_sign_in_is_mounted_wherever_settings_are_read():
    documents = rendered("sso.existingSecret=corp", "sso.file=corp.json")
    for name, pod in pods(documents):
        volume = next(one for one in pod["spec"]["volumes"] if one["name"] == "sso")
        assert volume["secret"] == {"secretName": "corp", "defaultMode": 0o440}, name
        for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", []):
            mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
            assert mounts["sso"] == {"name": "sso", "mountPath": "/etc/costops/sso", "readOnly": True}
    settings = next(one for one in by_kind(documents, "ConfigMap") if one["metadata"]["name"] == "shop")["data"]
    assert settings["COSTOPS_SSO_FILE"] == "/etc/costops/sso/corp.json"


def test_what_the_operator_mounts_every_container_sees():
    for name, pod in pods(rendered(*EVERYTHING)):
        assert {"name": "bills", "nfs": {"server": "nas", "path": "/bills"}} in pod["spec"]["volumes"], name
        for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", []):
            assert {"name": "bills", "mountPath": "/bills", "readOnly": True} in container["volumeMounts"], name


def test_a_backup_is_written_into_a_claim_and_nowhere_else():
    (backup,) = by_kind(rendered(*EVERYTHING), "CronJob")
    spec = backup["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    command = spec["containers"][0]["command"]
    assert command[:4] == ["python", "manage.py", "backup", "make"]
    (mount,) = [one for one in spec["containers"][0]["volumeMounts"] if one["mountPath"] == command[4]]
    (volume,) = [one for one in spec["volumes"] if one["name"] == mount["name"]]
    assert volume["persistentVolumeClaim"] == {"claimName": "costops-backups"}
    assert backup["spec"]["concurrencyPolicy"] == "Forbid"
    assert by_kind(rendered(), "CronJob") == []


def test_without_a_sign_in_of_the_company_nothing_of_it_is_mounted():
    assert "sso" not in str([pod for _, pod in pods(rendered())])
    assert "COSTOPS_SSO_FILE" not in str(by_kind(rendered(), "ConfigMap"))


def test_new_pods_wait_for_the_migrations_and_old_ones_go_on_meanwhile():
    documents = rendered()
    (job,) = by_kind(documents, "Job")
    assert job["spec"]["template"]["spec"]["containers"][0]["command"] == [
        "python",
        "manage.py",
        "migrate",
        "--noinput",
    ]
    assert job["spec"]["backoffLimit"] > 0, "what cannot get its table gives up, and is tried again"
    for name, pod in pods(documents):
        spec = pod["spec"]
        waits = [container["command"][-1] for container in spec.get("initContainers", [])]
        if name == "shop-web":
            assert spec["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/readyz"
        elif not name.startswith("shop-migrate"):
            assert [command.startswith("until python manage.py migrate --check") for command in waits] == [True], name
    web = next(one for one in by_kind(documents, "Deployment") if one["metadata"]["name"] == "shop-web")
    assert web["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
