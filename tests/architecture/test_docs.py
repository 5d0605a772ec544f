"""The documentation is whole: it builds strictly, its links lead somewhere, and nothing people see is left out."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from apps.dashboards.menu import MENU
from apps.marts.query import GROUPS, METRICS
from tests.architecture import tree
from tests.architecture.test_supply import LOADS

DOCS = tree.ROOT / "docs"
TEXTS = [tree.ROOT / "README.md", tree.ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MOST_MB_OF_PICTURES = 4
ELSEWHERE = ("http://", "https://", "mailto:")


def links(path: Path) -> list[str]:
    """Addresses that a text links to, of pages and pictures; code is no link."""
    prose = re.sub(r"`[^`\n]*`", "", FENCED.sub("", path.read_text()))
    return [first or second for first, second in LINK.findall(prose)]


def headings(path: Path) -> set[str]:
    """The anchors of a page: named ones, and those made of its headings."""
    found = set()
    for title in re.findall(r"^#+ (.+)$", FENCED.sub("", path.read_text()), re.MULTILINE):
        named = re.search(r"\{#([\w-]+)\}", title)
        found.add(named[1] if named else re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", title.lower()).strip()))
    return found


@pytest.mark.parametrize("path", TEXTS, ids=tree.name)
def test_every_link_leads_somewhere(path):
    broken = []
    for link in links(path):
        if link.startswith(ELSEWHERE):
            continue
        address, _, anchor = unquote(link).partition("#")
        target = (path.parent / address).resolve() if address else path
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in headings(target)):
            broken.append(link)
    assert broken == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it; strict: any warning fails. (With `--quiet` none is counted.)"""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command,
        cwd=tree.ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_the_site_loads_nothing_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 60
    assert {page.name: LOADS.findall(page.read_text()) for page in pages if LOADS.search(page.read_text())} == {}


def test_the_page_of_changes_links_to_pages(site):
    """They are written for the root of the repository."""
    wanted = {Path(link.partition("#")[0]).with_suffix(".html").name for link in links(tree.ROOT / "CHANGELOG.md")}
    found = {link.partition("#")[0] for link in re.findall(r'href="([^"]+)"', (site / "changelog.html").read_text())}
    assert len(wanted) > 20
    assert wanted - found == set()
    assert [link for link in found if link.startswith("docs/")] == []


def test_every_page_of_the_menu_is_in_the_user_guide_with_a_picture():
    """A heading `### Title {#name}` in docs/guide.md, and the picture `make screenshots` takes of it."""
    guide, named = (DOCS / "guide.md").read_text(), headings(DOCS / "guide.md")
    pages = [page.name for _, group in MENU for page in group]
    assert len(pages) > 20
    assert [name for name in pages if name not in named or f"](images/{name}.webp)" not in guide] == []


def test_every_picture_is_shown_and_they_are_small():
    shown = {Path(link).name for path in TEXTS for link in links(path) if "images/" in link}
    pictures = list((DOCS / "images").iterdir())
    assert {path.name for path in pictures} == shown
    assert sum(path.stat().st_size for path in pictures) < MOST_MB_OF_PICTURES * 1_000_000


def test_every_metric_and_dimension_is_explained():
    page = (DOCS / "numbers.md").read_text()
    assert [name for name in (*METRICS, *GROUPS) if f"`{name}`" not in page] == []


def test_the_code_that_computes_a_number_is_where_the_page_says():
    named = re.findall(r"`(apps/[\w/]+\.py)`", (DOCS / "numbers.md").read_text())
    assert len(named) > 25
    assert [path for path in named if not (tree.ROOT / path).exists()] == []


def test_the_page_of_commands_is_as_new_as_they_are():
    """`make docs` writes it anew."""
    sys.path.insert(0, str(tree.ROOT / "scripts"))
    try:
        from commands_page import page
    finally:
        sys.path.remove(str(tree.ROOT / "scripts"))
    assert (DOCS / "cli.md").read_text() == page()
