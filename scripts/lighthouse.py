"""Runs Lighthouse over one address of every page of a running site, and tells what is below the goals."""

import argparse
import getpass
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import django
import httpx

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("COSTOPS_HOME") or ROOT / "var")
GOALS = {"performance": 95, "accessibility": 100, "best-practices": 100}
MOST_BYTES = 600_000
HEAD = (
    "| page | device | speed | accessible | practices | first paint, ms | blocked, ms | shift | kB | below the goals |"
)


def sign_in(address: str, name: str, password: str) -> httpx.Client:
    """Somebody's session; ends the program where the site refuses."""
    client = httpx.Client(base_url=address, timeout=60)
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', client.get("/login/").text)
    given = {"username": name, "password": password, "csrfmiddlewaretoken": token[1] if token else ""}
    if client.post("/login/", data=given).status_code != httpx.codes.FOUND:
        sys.exit(f"{address} does not let {name} in; is the password right?")
    return client


def pages(client: httpx.Client) -> list[str]:
    """One address of every page that links lead to, from the overview on."""
    found, todo = {"overview ": "/"}, ["overview "]
    while todo:
        name = todo.pop(0)
        answer = client.get(found[name])
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            found[name] = ""
            continue
        for link in map(unescape, re.findall(r'<a\s[^>]*?href="(/[^"]*)"', answer.text)):
            name = name_of(link)
            if name and name not in found:
                found[name] = link
                todo.append(name)
    return [*filter(None, found.values())]


def name_of(address: str) -> str:
    """What the address is called among ours, each planner by itself; nothing where it is not a page."""
    from django.urls import Resolver404, resolve

    try:
        match = resolve(address.partition("?")[0])
    except Resolver404:
        return ""
    is_page = not match.namespace and not address.startswith(("/api/", "/figures/", "/i18n/"))
    return f"{match.url_name} {match.kwargs.get('planner', '')}" if is_page else ""


def look(address: str, cookie: str, paths: list[str]) -> Iterator[dict[str, Any]]:
    """What Lighthouse finds, page by page."""
    command = ["node", "scripts/lighthouse.mjs", str(ROOT / ".tools/lighthouse"), address, cookie]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
        if node.stdin is None or node.stdout is None:
            return
        node.stdin.write("\n".join(paths))
        node.stdin.close()
        for line in node.stdout:
            yield json.loads(line)


def below(found: dict[str, Any]) -> list[str]:
    """Which goals a page does not reach, or why nothing is known of it."""
    missed = [name for name, goal in GOALS.items() if (found[name] or 0) < goal]
    is_heavy = found["bytes"] is not None and found["bytes"] > MOST_BYTES
    return [*missed, *found["failed"], *(["bytes"] if is_heavy else []), *filter(None, [found.get("failure")])]


def row(found: dict[str, Any]) -> str:
    """A line of the table; what was not measured is a dash."""
    scores = ["–" if found[name] is None else str(found[name]) for name in GOALS]
    measures = [
        "–" if found[name] is None else f"{found[name] / divisor:.{digits}f}"
        for name, divisor, digits in (
            ("first_paint_ms", 1, 0),
            ("blocked_ms", 1, 0),
            ("shift", 1, 3),
            ("bytes", 1e3, 0),
        )
    ]
    return f"| {' | '.join([found['path'], found['device'], *scores, *measures, ', '.join(below(found))])} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?", default=os.environ.get("COSTOPS_SITE_URL", "http://127.0.0.1:8000"))
    parser.add_argument("name", nargs="?", default="demo", help="who signs in")
    parser.add_argument("--page", action="append", metavar="PATH", help="look at this page only; may be given again")
    asked = parser.parse_args()
    demo = HOME / "demo-login"
    password = os.environ.get("LIGHTHOUSE_PASSWORD") or (
        demo.read_text().strip() if asked.name == "demo" and demo.exists() else getpass.getpass()
    )
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")
    django.setup()
    client = sign_in(asked.address, asked.name, password)
    rows, missed = [HEAD, "|" + "---|" * HEAD.count("| ")], 0
    for found in look(asked.address, f"sessionid={client.cookies['sessionid']}", asked.page or pages(client)):
        rows.append(row(found))
        missed += bool(below(found))
        print(rows[-1], flush=True)
    (HOME / "lighthouse.md").write_text("\n".join(rows) + "\n")
    print(f"→ {len(rows) - 2} looks, {missed} below the goals: {HOME / 'lighthouse.md'}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
