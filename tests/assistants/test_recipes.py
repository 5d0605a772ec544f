"""Every recipe works as it is written: the page's own blocks, run in order against a running site."""

import json
import re
import subprocess
import sys
import urllib.request
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from tests.architecture import tree
from tests.assistants.world import Served
from tests.servers.process import find_program

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall((tree.ROOT / "docs/recipes.md").read_text())
RUN = {"sh": [find_program("bash", package="bash"), "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}


@pytest.fixture(scope="module")
def ran(site: Served, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder that the blocks ran in as finance, and what each printed."""
    folder = tmp_path_factory.mktemp("recipes")
    lake = site.installation.home / "lake"
    environment = site.installation.environment | {
        "COSTOPS_URL": site.url, "COSTOPS_TOKEN": site.keys["finance"], "LAKE": str(lake)
    }  # fmt: skip
    said = []
    for language, code in BLOCKS:
        if language in RUN:
            done = subprocess.run(
                [*RUN[language], code], cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"
            said.append(done.stdout)
    return folder, said


def costs(site: Served, query: str) -> dict[str, str]:
    request = urllib.request.Request(
        f"{site.url}/api/v1/costs/?{query}", headers={"Authorization": f"Token {site.keys['finance']}"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return dict(json.load(response))


def test_the_page_has_a_recipe_for_everything_it_promises() -> None:
    assert {language for language, _ in BLOCKS} == {"text", "sh", "python", "powerquery", "json", "sql"}


def test_every_block_runs_and_says_what_it_should(site: Served, ran: tuple[Path, list[str]]) -> None:
    folder, (by_team, beside, *_, frame, kinds, services, months) = ran
    assert by_team.splitlines()[:2] == ["team,currency,effective_cost", "data,CNY,1.430000000000"]
    told = json.loads(beside)
    assert told["query"]["excludes"] == {"team": ["data"]}
    assert (told["comparison"]["start"], told["comparison"]["unknown_because"]) == ("2026-09-01", "")
    assert [row["namespace"] for row in told["rows"]] == ["", "live-1"]
    assert "1.430000000000" in frame
    assert re.search(r"^data +direct +", kinds, re.MULTILINE)
    assert "Compute" in services
    assert "2026-09" in months
    assert (folder / "october.etag").read_text().startswith('"1-')


def test_what_is_downloaded_adds_up(site: Served, ran: tuple[Path, list[str]]) -> None:
    folder, _ = ran
    october = costs(site, "start=2026-10-01&end=2026-11-01")["totals"]
    exported = sum(pq.read_table(folder / "october.parquet").column("EffectiveCost").to_pylist(), Decimal(0))
    assert {"CNY": f"{exported:f}"} == october
    sheet = openpyxl.load_workbook(folder / "costs.xlsx").worksheets[0]
    amounts = [row[-1] for row in sheet.iter_rows(min_row=2, values_only=True)]
    whole = Decimal(costs(site, "")["totals"]["CNY"])  # type: ignore[index]  # by currency
    assert sum(Decimal(str(amount)) for amount in amounts) == whole
    pages = [json.loads(line)["rows"] for line in (folder / "pages.jsonl").read_text().splitlines()]
    assert sum((Decimal(row["effective_cost"]) for page in pages for row in page), Decimal(0)) == whole
    assert len(pages) > 2


def test_grafana_finds_what_it_selects(site: Served) -> None:
    (panel,) = [json.loads(code) for language, code in BLOCKS if language == "json"]
    path, _, query = panel["url"].partition("?")
    assert path == "/api/v1/costs/"
    rows = costs(site, query)[panel["root_selector"]]
    assert rows
    assert all({column["selector"] for column in panel["columns"]} <= set(row) for row in rows)
