"""Takes the pictures of the documentation from a demo: `python scripts/screenshots.py [URL] [NAME…]`, into docs/images.

Without a URL it serves the demo of COSTOPS_HOME (var/), made by `DEMO_END=2026-11-01 make demo`, by itself while it
works. It signs in with the demo's login.
Every page of the user guide is taken 1440 px wide in English, those of team leads 390 px wide in Chinese and dark too.
"""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from answers import find_free_port, wait
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
HOME = Path(os.environ.get("COSTOPS_HOME") or ROOT / "var").resolve()
WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light", "locale": "en"}
NARROW: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "locale": "zh-CN"}
TALLEST = {1440: 1500, 390: 1300}
"""Pixels from the top that are kept of a page: what is below it looks the same."""
SHRUNK = {1440: 1200, 390: 390}
QUALITY = 72
BELOW = {
    "unit": "/ → /organisation/",
    "team": "/teams/live-core/",
    "namespace": "/teams/live-core/ → /namespaces/[a-z]",
    "explain": "/ → /explain/",
    "budget": r"/budgets/ → /budgets/\d",
    "report-letter": "/reports/ → /reports/letters/",
    "alert": r"/alerts/ → /alerts/\d",
    "recommendation": r"/recommendations/ → /recommendations/\d",
    "anomaly": "/anomalies/ → /anomalies/[0-9a-f]{16}",
    "idle-one": "/idle/ → /idle/[0-9a-f]{16}",
    "plan": "/plans/ → /plans/[a-z]",
    "offers": "/offers/",
    "saving": r"/savings/ → /savings/\d",
}
"""Pages that are not in the menu: name → address, or the address of a page and how the link to follow looks."""
OF_LEADS = ("overview", "team", "explain", "alerts", "recommendations", "idle", "savings", "budgets")
"""Those a team lead opens on a phone."""


def pages() -> dict[str, str]:
    """Every page of the menu by the name of its address, and those below."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")
    import django

    django.setup()
    from django.urls import reverse

    from apps.dashboards.menu import MENU

    return {page.name: reverse(page.name) for _, group in MENU for page in group} | BELOW


def main() -> None:
    address = sys.argv[1].rstrip("/") if len(sys.argv) > 1 and "://" in sys.argv[1] else ""
    known = pages()
    names = [name for name in sys.argv[1:] if "://" not in name] or list(known)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with contextlib.nullcontext(address) if address else served() as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium())
        for suffix, view, wanted in (("", WIDE, names), ("-zh", NARROW, [name for name in OF_LEADS if name in names])):
            context = browser.new_context(**view)
            page = context.new_page()
            sign_in(page, base, "zh-hans" if suffix else "en")
            for name in wanted:
                take(page, base, known[name], IMAGES / f"{name}{suffix}.webp")
        browser.close()
    sizes = [path.stat().st_size for path in IMAGES.glob("*.webp")]
    print(f"{len(sizes)} pictures, {sum(sizes) / 1e6:.1f} MB in {IMAGES}")


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The demo of this home, served while this works."""
    address = f"127.0.0.1:{find_free_port()}"
    command = [sys.executable, "-m", "gunicorn", "costops.wsgi", "--bind", address, "--threads", "4"]
    environment = os.environ | {"COSTOPS_HOME": str(HOME)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            if not wait(f"http://{address}/login/", seconds=60):
                sys.exit(f"The demo in {HOME} cannot be served; make one with `make demo`.")
            yield f"http://{address}"
        finally:
            server.terminate()


def chromium() -> dict[str, Any]:
    """Debian's Chromium where it is, else Playwright's own."""
    path = shutil.which("chromium") or shutil.which("chromium-headless-shell")
    return {"args": ["--no-sandbox", "--disable-gpu"], **({"executable_path": path} if path else {})}


def sign_in(page: Any, base: str, language: str) -> None:
    page.context.add_cookies([{"name": "django_language", "value": language, "url": base}])
    page.goto(f"{base}/login/")
    page.fill("input[name=username]", "demo")
    page.fill("input[name=password]", (HOME / "demo-login").read_text().strip())
    page.click("main button[type=submit]")
    page.wait_for_load_state()


def take(page: Any, base: str, where: str, path: Path) -> None:
    """Open a page, wait for its figures, and keep what is at its top."""
    address, _, wanted = where.partition(" → ")
    page.goto(base + address, wait_until="networkidle")
    if wanted:
        links = (link.get_attribute("href") or "" for link in page.locator("main a[href]").all())
        found = next((link for link in links if re.search(wanted, link)), None)
        if found is None:
            print(f"{path.name}: {address} has no link like {wanted}; no picture was taken.", file=sys.stderr)
            return
        page.goto(urljoin(page.url, found), wait_until="networkidle")
    page.wait_for_timeout(500)
    width = page.viewport_size["width"]
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, TALLEST[width])))
    shrunk = SHRUNK[width] / picture.width
    if shrunk < 1:
        picture = picture.resize((SHRUNK[width], round(picture.height * shrunk)), Image.Resampling.LANCZOS)
    picture.save(path, "WEBP", quality=QUALITY, method=6)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
