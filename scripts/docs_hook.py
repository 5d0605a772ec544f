"""Puts the changes into the documentation's page of them: `mkdocs build` calls it."""

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def on_page_markdown(markdown: str, page: Any, **_more: Any) -> str:
    """A page as it is written; of changes what CHANGELOG.md says, whose links are of the root of the repository."""
    if page.file.src_uri != "changelog.md":
        return markdown
    return (ROOT / "CHANGELOG.md").read_text().replace("](docs/", "](")
