"""The image: what its Dockerfile says, and the files of pages as it serves them."""

import re
import shlex
import stat
from pathlib import Path

import pytest

from tests.servers.installation import ROOT

FILE = ROOT / "Dockerfile"
PLACED = ("css", "js")
"""What the test collects of the files of pages: to compress all of them takes long."""


def stages():
    """The instructions of every stage, as pairs of word and rest."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", FILE.read_text(), flags=re.MULTILINE))
    lines = [tuple(line.split(" ", 1)) for line in joined.splitlines() if line.strip()]
    starts = [place for place, (word, _) in enumerate(lines) if word == "FROM"]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def said(stage, word):
    return [rest for found, rest in stage if found == word]


def environment(stage):
    return dict(pair.split("=", 1) for rest in said(stage, "ENV") for pair in shlex.split(rest))


def test_what_builds_stays_behind():
    packages, image = stages()
    assert said(packages, "FROM") == ["python:3.11-slim-bookworm AS packages"]
    assert said(image, "FROM") == ["python:3.11-slim-bookworm"]
    assert [rest for rest in said(image, "COPY") if rest.startswith("--from=")] == [
        "--from=packages /opt/venv /opt/venv"
    ]
    installs = re.compile(r"\b(pip|uv|apt-get|curl|wget)\b")
    assert [rest for rest in said(image, "RUN") if installs.search(rest)] == []
    brought = [one for rest in said(packages, "RUN") for one in re.findall(r"pip install[^&;]*", rest)]
    assert len(brought) == 4
    assert all("--require-hashes" in one for one in brought)


def test_the_image_tells_what_it_consists_of():
    packages, _ = stages()
    (told,) = [rest for rest in said(packages, "RUN") if "cyclonedx-py environment" in rest]
    assert told.endswith("cyclonedx-py environment /opt/venv --output-file /opt/venv/sbom.json")
    assert said(packages, "RUN")[-1] == told, "of all that is installed, hence the last"


def test_no_process_compiles_at_its_start():
    """Neither what was brought, nor ours, nor Python's own."""
    packages, image = stages()
    assert "UV_COMPILE_BYTECODE=1" in said(packages, "ENV")
    (compiled,) = [rest for rest in said(image, "RUN") if "compileall" in rest]
    assert all(one in compiled for one in ("apps", "costops", "stdlib"))


def test_nothing_runs_as_root_and_everything_is_watched():
    _, image = stages()
    words = [word for word, _ in image]
    assert said(image, "USER") == ["costops"]
    assert "--uid 10001" in said(image, "RUN")[0]
    assert not {"RUN", "COPY", "ADD"} & set(words[words.index("USER") :]), (
        "what is there afterwards is root's to change"
    )
    (check,) = said(image, "HEALTHCHECK")
    assert "/readyz" in check
    assert (ROOT / "scripts" / "answers.py").exists()
    for rest in said(image, "RUN"):
        assert not re.search(r"chown|chmod|sudo|setuid", rest), rest


def test_what_is_copied_is_there_and_let_through():
    let = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for stage in stages():
        for rest in said(stage, "COPY"):
            names = [] if rest.startswith("--from") else rest.split()[:-1]
            assert {name.split("/")[0] for name in names} <= let
            assert all((ROOT / name).exists() for name in names), rest


def test_the_files_of_pages_are_collected_before_anything_runs():
    _, image = stages()
    (collected,) = [rest for rest in said(image, "RUN") if "collectstatic" in rest]
    assert environment(image)["COSTOPS_STATIC"] == "/srv/static"
    assert not environment(image)["COSTOPS_STATIC"].startswith(environment(image)["COSTOPS_HOME"]), "a volume hides it"
    words = [(word, rest) for word, rest in image]
    assert (
        words.index(("ENV", said(image, "ENV")[0])) < words.index(("RUN", collected)) < words.index(("USER", "costops"))
    )
    assert collected.startswith("COSTOPS_HOME=/tmp/home ")
    assert collected.endswith("rm -r /tmp/home"), "no key of the build stays"
    assert "collectstatic" not in (ROOT / "docker-compose.yml").read_text(), "who runs cannot write there"


@pytest.fixture
def served(tmp_path, installation):
    """The folder `collectstatic` filled from another home folder, read-only as in the image."""
    folder = tmp_path / "srv"
    installation.environment["COSTOPS_STATIC"] = str(folder)
    others = sorted({path.name for path in (ROOT / "static").iterdir()} - set(PLACED))
    ignored = [flag for name in ("admin", "drf_spectacular_sidecar", *others) for flag in ("--ignore", name)]
    build = {**installation.environment, "COSTOPS_HOME": str(tmp_path / "build")}
    running, installation.environment = installation.environment, build
    installation.manage("collectstatic", "--noinput", "--verbosity", "0", *ignored)
    installation.environment = running
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    yield folder
    for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        path.chmod(0o755)


ASKED = """
import os, re
os.environ["DJANGO_SETTINGS_MODULE"] = "costops.settings"
import costops.wsgi
from django.test import Client
body = Client().get("/login/", headers={"host": "localhost"}).content.decode()
for address in re.findall(r'(?:href|src)="(/static/(?:css|js)/[^"]+)"', body):
    answer = Client().get(address, headers={"host": "localhost"})
    print(address, answer.status_code, answer.headers["Cache-Control"])
    answer.close()
"""


def test_pages_link_to_the_files_of_the_image(installation, served):
    done = installation.run("-c", ASKED)
    assert done.returncode == 0, done.stderr
    found = [line.split(" ", 2) for line in done.stdout.splitlines()]
    assert found
    for address, status, kept in found:
        assert re.search(r"\.[0-9a-f]{12}\.(css|js)$", address), address
        assert (status, "immutable" in kept) == ("200", True), address
    assert not (Path(installation.home) / "static").exists()
    assert stat.S_IMODE(next(served.rglob("*.css")).stat().st_mode) & stat.S_IROTH, "whoever runs may read"
