"""All services of docker-compose.yml on podman: `make containers`, after scripts/containers.sh.

Each begins when what it waits for is healthy, runs without rights, is healthy, takes bills to a publication while a
worker is killed, and ends when it is asked to. What Compose would do by itself, and podman does not without systemd, is
done here: the order, and asking for health.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
HERE = ROOT / "var" / "containers"
PROJECT = "costops"
PASSWORD = "p@ss/w:ord$x%20"  # noqa: S105  # letters that mean something in addresses
DAYS = "10"
AT_WORK = "SELECT count(*) FROM pipeline_steprun WHERE state = 'running' AND step IN ('normalize', 'meter', 'allocate')"
OPEN = "SELECT count(*) FROM pipeline_steprun WHERE state IN ('waiting', 'running')"
FAILED = "SELECT count(*) FROM pipeline_steprun WHERE state = 'failed'"
TRIES = "SELECT string_agg(step || ' ' || attempt, ', ') FROM pipeline_steprun WHERE attempt > 1"
PUBLISHED = "SELECT count(*) FROM marts_publication"
BILLED = "SELECT cost_in FROM pipeline_steprun WHERE step = 'publish' AND state = 'done' ORDER BY id DESC LIMIT 1"


def tried(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def run(*command: str, is_needed: bool = True) -> str:
    """What a command says; the end where it fails."""
    done = tried(*command)
    if is_needed and done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout.strip()


def podman(*words: str, is_needed: bool = True) -> str:
    return run("podman", *words, is_needed=is_needed)


def name(service: str) -> str:
    return f"{PROJECT}_{service}_1"


def inside(service: str, *command: str) -> str:
    return podman("exec", name(service), *command)


def manage(*words: str) -> str:
    return inside("web", "python", "manage.py", *words)


def ask(question: str) -> str:
    return inside("postgres", "psql", "--username=costops", "--tuples-only", "--no-align", "--command", question)


def until(what: str, holds: Callable[[], Any], seconds: float) -> float:
    """Wait; how long it took."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            for line in podman("ps", "--all", "--format", "{{.Names}} {{.Status}}").splitlines():
                print(line, file=sys.stderr)
                print(podman("logs", "--tail", "15", line.split()[0], is_needed=False), file=sys.stderr)
            sys.exit(f"{what}: not within {seconds:.0f} s.")
        time.sleep(0.5)
    return time.monotonic() - begun


def must(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"It does not hold: {what}")


def is_healthy(service: str) -> bool:
    return tried("podman", "healthcheck", "run", name(service)).returncode == 0


def compose(*words: str) -> str:
    tool = str(ROOT / ".tools/containers/bin/podman-compose")
    return run(tool, "--project-name", PROJECT, "--file", str(HERE / "compose.yml"), *words)


def begin(waits: dict[str, dict[str, dict[str, str]]]) -> None:
    """Each when what it waits for is as far as it says."""
    for service in TopologicalSorter(waits).static_order():
        for other, facts in waits[service].items():
            if facts["condition"] == "service_healthy":
                until(f"{other} is healthy", partial(is_healthy, other), 180)
            else:
                must(podman("wait", name(other)) == "0", f"{other} did its work:\n{podman('logs', name(other))}")
        compose("up", "--detach", "--no-build", service)


def look_inside(service: str) -> None:
    """Nobody's rights, and nothing to write on."""
    told = inside(service, "cat", "/proc/1/status").splitlines()
    status = dict(line.split(":\t", 1) for line in told if ":\t" in line)
    must(int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, f"{service} has no rights: {status['CapBnd']}")
    must(status["NoNewPrivs"] == "1", f"{service} can get no rights")
    must("0" not in status["Uid"].split(), f"{service} is not root")
    written = inside(service, "sh", "-c", "touch /here 2>/dev/null && echo yes || echo no")
    must(written == "no", f"{service} writes to its own image")


def fill() -> None:
    """A company's bills and usage, published by the worker, which is killed on the way."""
    manage("demo", "--days", DAYS, "--seed", "7", "--scale", "1", "--metrics-days", "0", "--to", "/data/company")
    manage("import_teams", "/data/company/teams.yaml")
    for source, kind, folder in (("bill", "focus", "billing"), ("usage", "usage_files", "usage")):
        manage("source", "add", source, "--kind", kind, "--location", f"/data/company/{folder}")
    until("a run is at work", lambda: ask(AT_WORK) != "0", 180)
    podman("kill", "--signal", "KILL", name("worker"))
    podman("start", name("worker"), is_needed=False)  # as Compose does by itself
    took = until("a publication", lambda: ask(PUBLISHED) != "0", 300)
    until("nothing is left to do", lambda: ask(OPEN) == "0", 300)
    must(ask(FAILED) == "0", "no run failed")
    print(f"  published {took:.0f} s after the worker was killed at work: {ask(BILLED)}")
    print(f"  tries it took: {ask(TRIES)}")


def end(services: dict[str, dict[str, Any]]) -> None:
    """Each ends by itself when it is asked to, beat and worker first."""
    for service in ("beat", "worker", "web", "prometheus", "redis", "postgres"):
        grace = str(services[service].get("stop_grace_period", "10s")).rstrip("s")
        begun = time.monotonic()
        podman("stop", "--time", grace, name(service), is_needed=False)
        status = podman("inspect", name(service), "--format", "{{.State.ExitCode}}")
        must(status == "0", f"{service} ended with {status}")
        print(f"  {service} ended in {time.monotonic() - begun:.1f} s")


def main() -> None:
    told = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    os.environ |= {
        "POSTGRES_PASSWORD": PASSWORD,
        "COSTOPS_SECRET_KEY": secrets.token_urlsafe(48),
        "COSTOPS_METRICS_TOKEN": secrets.token_hex(24),
    }
    services = told["services"]
    for facts in services.values():  # the file lies elsewhere, and the image is built
        facts.pop("build", None)
        facts["volumes"] = [one.replace("./", f"{ROOT}/", 1) for one in facts.get("volumes", [])]
    clear()
    try:
        print("→ starting every service when what it waits for is healthy")
        plain = {service: without(facts) for service, facts in services.items()}
        (HERE / "compose.yml").write_text(yaml.safe_dump(told | {"services": plain}))
        begin({service: facts.get("depends_on", {}) for service, facts in services.items()})
        watched = [service for service in services if service != "migrate"]
        for service in watched:
            until(f"{service} is healthy", partial(is_healthy, service), 180)
            look_inside(service)
        print(f"  healthy, without rights, on file systems they cannot write: {', '.join(watched)}")
        bom = json.loads(inside("web", "cat", "/opt/venv/sbom.json"))
        print(f"  the image names {len(bom['components'])} components (CycloneDX {bom['specVersion']})")
        print("→ filling a company of ten days")
        fill()
        targets = json.loads(inside("prometheus", "wget", "-qO-", "http://127.0.0.1:9090/api/v1/targets"))
        healths = {one["health"] for one in targets["data"]["activeTargets"]}
        must(healths == {"up"}, f"Prometheus reaches all it watches: {healths}")
        print("→ ending")
        end(services)
    finally:
        clear()
    print("All of it holds.")


def without(facts: dict[str, Any]) -> dict[str, Any]:
    """What podman would have to be running whenever the service runs, a migration that is over too."""
    return {key: value for key, value in facts.items() if key != "depends_on"}


def clear() -> None:
    """Containers and volumes of this project and nobody else's: the storage is its own."""
    podman("rm", "--all", "--force", "--time", "0", is_needed=False)
    podman("pod", "rm", "--all", "--force", is_needed=False)
    podman("volume", "prune", "--force", is_needed=False)


if __name__ == "__main__":
    main()
