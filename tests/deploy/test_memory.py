"""What pods of the chart compute with: threads, and memory that fits into their limits."""

import re

import pytest

from apps.finops.steps import QUEUES
from tests.deploy.test_chart import CASES, CHART, by_kind, pods, rendered
from tests.servers.installation import ROOT

GUNICORN = ROOT / "costops" / "gunicorn.py"
GROUPS = {"web", *QUEUES}
"""What computes: pods of web, and of the workers of each queue."""
PROCESS_MIB = 256
"""What a process takes beside its engine: Python, Django, what it is at."""


def computing(documents):
    """Every group of pods that computes: its name, its container, and the settings this has."""
    settings = next(one for one in by_kind(documents, "ConfigMap") if one["metadata"]["name"] == "shop")["data"]
    for name, pod in pods(documents):
        if name == "shop-web" or name.startswith("shop-worker-"):
            (container,) = pod["spec"]["containers"]
            own = {one["name"]: one["value"] for one in container.get("env", [])}
            yield name.removeprefix("shop-").removeprefix("worker-"), container, {**settings, **own}


def mib(told):
    """An amount of memory, of Kubernetes or of DuckDB, in MiB."""
    number, unit, is_binary = re.fullmatch(r"([0-9.]+) ?([KMGT])(i?)B?", told).groups()
    base = 1024 if is_binary else 1000
    return float(number) * base ** ("KMGT".index(unit) + 1) / 1024**2


@pytest.mark.parametrize(
    ("values", "threads"),
    [
        pytest.param((), {"io": "1", "compute": "1", "learn": "2", "web": "2"}, id="of each group"),
        pytest.param(("settings.COSTOPS_THREADS=3",), dict.fromkeys(GROUPS, "3"), id="of the setting that is given"),
        pytest.param(("settings.COSTOPS_THREADS=0",), dict.fromkeys(GROUPS, "0"), id="even one for each core"),
    ],
)
def test_what_computes_has_the_threads_it_is_given(values, threads):
    assert {name: own["COSTOPS_THREADS"] for name, _, own in computing(rendered(*values))} == threads


@pytest.mark.parametrize("case", [*CASES, *sorted(file.name for file in CHART.glob("values-*.yaml"))])
def test_what_a_pod_computes_with_fits_into_it(case):
    """An engine for each thread of web and each child of a worker, and a reader for each child that reads files."""
    documents = rendered(*CASES[case]) if case in CASES else rendered(files=[CHART / case])
    server = dict(re.findall(r"^(workers|threads) = (\d+)$", GUNICORN.read_text(), re.MULTILINE))
    found = set()
    for name, container, settings in computing(documents):
        command, is_web = container["command"], name == "web"
        children = int(server["workers"]) if is_web else int(command[command.index("--concurrency") + 1])
        engine = mib(settings["COSTOPS_MEMORY_LIMIT"])
        reader = int(settings.get("COSTOPS_READ_MEMORY_GIB", 0)) * 1024
        most = (children + 1) * PROCESS_MIB + children * (int(server["threads"]) if is_web else 1) * engine
        if not is_web and "compute" in command[command.index("--queues") + 1].split(","):
            assert reader >= 3 * engine, name
            most += children * reader
        assert most <= mib(container["resources"]["limits"]["memory"]), name
        assert int(settings["COSTOPS_THREADS"]) > 0, f"{name}: a node may have any number of cores"
        found.add(name)
    assert found == GROUPS
