"""What comes from others is pinned and named, and nothing is fetched at run time."""

import re
import subprocess

import pytest
import yaml

from tests.architecture import tree

REQUIREMENTS = sorted((tree.ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]+\])?==([^\s;\\]+)", re.MULTILINE)
LOADS = re.compile(
    r"""(?:<(?:script|img|iframe|source|video|audio|embed|object|use)\b[^>]*?\b(?:src|data|href|xlink:href|srcset)"""
    r"""|<link\b[^>]*?\bhref|@import\s*|url\(|\bimport\b[^;'"]*?|\bfetch\(|new\s+(?:Worker|WebSocket|EventSource)\()"""
    r"""\s*=?\s*\(?\s*["']?\s*((?:https?:|wss?:)?//[^"'\s)]+)""",
    re.IGNORECASE,
)
INLINE = re.compile(
    r"<script\b(?![^>]*\bsrc\s*=)(?![^>]*\btype\s*=\s*[\"']application/(?:ld\+)?json[\"'])"
    r"|<style\b|\sstyle\s*=\s*[\"']|\son[a-z]+\s*=\s*[\"']|javascript:",
    re.IGNORECASE,
)


def pins(text: str) -> dict[str, str]:
    return dict(PINNED.findall(text))


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes(path):
    blocks = re.split(r"\n(?=\S)", path.read_text().replace("\\\n", " "))
    requirements = [block for block in blocks if not block.startswith("#") and block.strip()]
    assert requirements
    assert [block.split()[0] for block in requirements if "==" not in block or "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_requirements_name_no_address(path):
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links|-i ", path.read_text()) == []


def test_what_we_test_is_what_we_run():
    base = pins((tree.ROOT / "requirements/base.txt").read_text())
    dev = pins((tree.ROOT / "requirements/dev.txt").read_text())
    assert len(base) > 30
    assert {name: version for name, version in base.items() if dev.get(name) != version} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param('<script src="https://cdn.example/x.js"></script>', True, id="a script from elsewhere"),
        pytest.param('<link rel="stylesheet" href="//cdn.example/x.css">', True, id="a style sheet from elsewhere"),
        pytest.param('<img alt="" src="http://example.com/x.png">', True, id="a picture from elsewhere"),
        pytest.param("@import 'https://fonts.example/css';", True, id="an import of a style sheet"),
        pytest.param("a { background: url(https://example.com/x.png) }", True, id="a background from elsewhere"),
        pytest.param('fetch("https://example.com/api")', True, id="a question to another host"),
        pytest.param('import {a} from "https://esm.example/a"', True, id="a module from elsewhere"),
        pytest.param('<a href="https://focus.finops.org">FOCUS</a>', False, id="a link that a person may follow"),
        pytest.param("<script src=\"{% static 'js/a.js' %}\"></script>", False, id="a script of ours"),
    ],
)
def test_the_search_for_remote_resources(text, found):
    assert bool(LOADS.search(text)) is found


def test_pages_load_nothing_from_elsewhere():
    paths = [*tree.templates(), *tree.files(tree.OUR_STATIC_FOLDERS, ".css", ".js", ".svg")]
    assert [
        (tree.name(path), LOADS.findall(path.read_text())) for path in paths if LOADS.search(path.read_text())
    ] == []


def test_templates_hold_no_inline_script_or_style():
    pages = [path for path in tree.templates() if not tree.is_mail(path)]
    if (tree.ROOT / "apps/dashboards/views.py").exists():
        assert len(pages) >= 5
    found = {tree.name(path): [hit.strip() for hit in INLINE.findall(path.read_text())] for path in pages}
    assert {path: hits for path, hits in found.items() if hits} == {}


@pytest.mark.parametrize(
    ("html", "found"),
    [
        pytest.param('<p style="color: red">', True, id="a style attribute"),
        pytest.param("<style>p {}</style>", True, id="a style element"),
        pytest.param('<button onclick="x()">', True, id="an event attribute"),
        pytest.param("<script>x()</script>", True, id="a script in the page"),
        pytest.param('<script src="/static/js/x.js" defer></script>', False, id="a script in a file"),
        pytest.param('<script type="application/json" id="data">{}</script>', False, id="data for a script"),
        pytest.param('<p data-once="1">', False, id="a data attribute"),
    ],
)
def test_the_search_for_inline_script_and_style(html, found):
    assert bool(INLINE.search(html)) is found


def test_every_vendored_file_is_named_with_version_and_licence():
    vendor = tree.ROOT / "static" / "vendor"
    if not vendor.exists():
        return
    rows = [line for line in (vendor / "README.md").read_text().splitlines() if line.startswith("| `")]
    cells = {row.split("`")[1]: [cell.strip() for cell in row.strip("|").split("|")] for row in rows}
    files = [path for path in vendor.rglob("*") if path.is_file()]
    served = [path for path in files if path.suffix in {".js", ".css", ".woff2", ".svg", ".mjs"}]
    assert served
    assert {str(path.relative_to(vendor)) for path in served} == set(cells)
    for file, (_, _, version, licence, *_) in cells.items():
        assert re.search(r"\d+\.\d+", version), f"{file} has no version"
        assert licence, f"{file} has no licence"
        assert any(each.name.upper().startswith("LICEN") for each in (vendor / file).parent.iterdir()), (
            f"{file}: no LICENSE"
        )


PROMETHEUS = tree.ROOT / "deploy" / "compose" / "prometheus.yml"


def compose() -> dict:
    return yaml.safe_load((tree.ROOT / "docker-compose.yml").read_text())["services"]


def test_compose_brings_every_process():
    assert set(compose()) == {"postgres", "redis", "prometheus", "migrate", "web", "worker", "beat"}


@pytest.mark.parametrize("service", sorted(compose()))
def test_a_container_has_no_more_rights_than_it_needs(service):
    declared = compose()[service]
    user = str(declared["user"])
    assert user.split(":")[0] not in {"", "0", "root"}
    assert declared["read_only"] is True
    assert declared["cap_drop"] == ["ALL"]
    assert declared["security_opt"] == ["no-new-privileges:true"]
    assert "healthcheck" in declared or declared.get("restart") == "no"


@pytest.mark.parametrize("service", sorted(compose()))
def test_a_container_publishes_ports_on_this_machine_only(service):
    assert [port for port in compose()[service].get("ports", []) if not str(port).startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("service", ["migrate", "web", "worker", "beat"])
def test_the_file_of_the_companys_sign_in_comes_from_a_folder_that_is_only_read(service):
    declared = compose()[service]
    assert declared["environment"]["COSTOPS_SSO_FILE"] == "${COSTOPS_SSO_FOLDER:+/etc/costops/sso/sso.json}"
    assert "${COSTOPS_SSO_FOLDER:-/dev/null}:/etc/costops/sso:ro" in declared["volumes"]


@pytest.mark.parametrize("service", ["migrate", "web", "worker", "beat"])
def test_every_setting_may_stand_in_one_file_and_an_image_has_its_version(service):
    declared = compose()[service]
    assert declared["env_file"] == [{"path": ".env", "required": False}]
    assert declared["image"] == "costops:${COSTOPS_VERSION:-local}"
    fixed = {name for name, value in declared["environment"].items() if f"${{{name}:" not in value}
    assert fixed == {"COSTOPS_HOME", "COSTOPS_DATABASE_URL", "PGPASSWORD", "COSTOPS_REDIS_URL", "COSTOPS_SSO_FILE"}
    assert declared["environment"]["PGPASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    assert "PASSWORD" not in declared["environment"]["COSTOPS_DATABASE_URL"], "any letter may stand in it"


def test_files_that_compose_mounts_are_there():
    mounts = [mount for one in compose().values() for mount in one.get("volumes", []) if mount.startswith("./")]
    assert len(mounts) == 2
    for mount in mounts:
        assert (tree.ROOT / mount.split(":")[0]).is_file(), mount


def test_prometheus_of_compose_scrapes_web_by_the_token_and_knows_the_rules(tmp_path):
    """Its configuration, read by Prometheus itself, with every path where its container has it."""
    declared = compose()["prometheus"]
    token = tmp_path / "costops-metrics-token"
    shell, flag, script, *_ = declared["entrypoint"]
    written = script.replace("$$", "$").replace("/tmp/costops-metrics-token", str(token))
    written = written.replace("exec /bin/prometheus", "echo")
    told = {"COSTOPS_METRICS_TOKEN": "scrape me"}
    done = subprocess.run([shell, flag, written, "sh", *declared["command"]], env=told, capture_output=True, check=True)
    assert done.stdout.split() == [b"--config.file=/etc/prometheus/prometheus.yml", b"--storage.tsdb.path=/prometheus"]
    assert token.read_text() == "scrape me"
    assert token.stat().st_mode & 0o077 == 0
    text = PROMETHEUS.read_text()
    for mount in declared["volumes"][1:]:
        host, container, _ = mount.split(":")
        text = text.replace(container, str(tree.ROOT / host))
    config = tmp_path / "prometheus.yml"
    config.write_text(text.replace("/tmp/costops-metrics-token", str(token)))
    checked = subprocess.run(["promtool", "check", "config", config], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (job,) = (one for one in yaml.safe_load(text)["scrape_configs"] if one["job_name"] == "costops")
    assert job["static_configs"] == [{"targets": ["web:8000"]}]
    assert "0.0.0.0:8000" in compose()["web"]["command"]
    assert compose()["web"]["environment"]["COSTOPS_METRICS_TOKEN"] == "${COSTOPS_METRICS_TOKEN:-}"
    assert declared["environment"]["COSTOPS_METRICS_TOKEN"] == "${COSTOPS_METRICS_TOKEN:-}"


TOOLS = {"advisories", "bench", "containers", "dev", "sbom", "shapes", "tools"}
"""What is installed to build, test and measure, and never where CostOps runs."""


def test_advisories_are_asked_about_whatever_runs():
    asked = re.search(r"^for name in (.+); do$", (tree.ROOT / "scripts/advisories.sh").read_text(), re.MULTILINE)
    assert {*asked[1].split()} == {path.stem for path in REQUIREMENTS} - TOOLS
