"""The files of the repository, as the architecture tests read them."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON_FOLDERS = ("apps", "costops", "scripts", "bench", "tests")
TEMPLATE_FOLDERS = ("templates", "apps")
OUR_STATIC_FOLDERS = ("static/css", "static/js", "static/img", "apps")


def files(folders: tuple[str, ...], *suffixes: str) -> Iterator[Path]:
    """Files below these folders with one of these suffixes, in order; a folder that does not exist holds none."""
    for folder in folders:
        yield from sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in suffixes and path.is_file())


def python_files() -> list[Path]:
    """Modules people write: all but migrations, which Django writes."""
    return [path for path in files(PYTHON_FOLDERS, ".py") if "migrations" not in path.parts]


def templates() -> list[Path]:
    """HTML templates of pages and of mail."""
    return list(files(TEMPLATE_FOLDERS, ".html"))


def is_mail(template: Path) -> bool:
    """Mail programs read no style sheets, so mail carries its style inline; it lives in folders named `mail`."""
    return "mail" in template.parts


def name(path: Path) -> str:
    """A path as people say it."""
    return str(path.relative_to(ROOT))


def pyproject() -> dict[str, object]:
    """The rules of the house."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def floors() -> dict[str, int]:
    """Package → floor (0 is the lowest), from the import-linter contract that everyone obeys."""
    tool: dict = pyproject()["tool"]  # type: ignore[assignment]
    contract = next(each for each in tool["importlinter"]["contracts"] if each.get("exhaustive"))
    layers = list(reversed(contract["layers"]))
    return {package.strip(" ()"): floor for floor, layer in enumerate(layers) for package in layer.split("|")}


def pages() -> str:
    """All pages of documentation in one text."""
    return "\n".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
