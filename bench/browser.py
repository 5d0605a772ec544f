"""What a reader waits for in Chromium, page by page: first paint, the answer to a key, a click and a choice, and the weight.

python -m bench.browser            # every page of the company's home; --pages / /explorer/ some of them

The first paint is the browser's own (`first-contentful-paint`), an interaction its event timing: from the key or click to the
next paint. A choice of the filter bar counts until that paint, which shows that it was taken; what it fetches is server time.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench import addresses, company
from bench.load import ADDRESS, site
from bench.measure import keep, p95, told_by_child

FLOOR = "/login/"
LOOKS = 3
GOALS = {"first_paint_p95_ms": 1000.0, "interaction_p95_ms": 100.0, "heaviest_kb": 600.0}
WATCH = """
window.told = [];
new PerformanceObserver(list => {
  for (const one of list.getEntries()) if (one.interactionId) window.told.push([one.name, one.duration]);
}).observe({type: "event", durationThreshold: 16, buffered: true});
"""
LOADED = """
async () => {
  const paint = await new Promise(resolve => new PerformanceObserver(list => {
    for (const one of list.getEntriesByName("first-contentful-paint")) resolve(one);
  }).observe({type: "paint", buffered: true}));
  const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const answer = performance.getEntriesByType("navigation")[0];
  return {paint: paint.startTime, answered: answer.responseStart,
          bytes: files.reduce((sum, one) => sum + one.transferSize, 0)};
}
"""


def session() -> str:
    """Somebody who sees everything, signed in; and all addresses of pages."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(username=company.NAME))
    return client.cookies["sessionid"].value


def pages() -> list[str]:
    """One address of every page."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(User.objects.get(username=company.NAME))
    return addresses.pages(addresses.Kept(client))


def look(browser: Browser, base: str, path: str, cookie: str) -> dict[str, Any]:
    """One fresh look at a page, without anything in the browser's cache: milliseconds and bytes."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    if cookie:
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": base}])
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(base + path, wait_until="load", timeout=120_000)
    taken = interact(page)
    page.wait_for_load_state("networkidle", timeout=120_000)
    seen = page.evaluate(LOADED)
    context.close()
    return {"paint_ms": seen["paint"], "answered_ms": seen["answered"], "kb": seen["bytes"] / 1000, **taken}


def interact(page: Page) -> dict[str, float]:
    """A key, a click into the first field or button of the page, a choice: each until the next paint. An event that takes
    less than the 16 ms the browser tells of counts as 16."""
    page.wait_for_timeout(300)
    page.keyboard.press("Tab")
    told = {"key_ms": _newest(page)}
    fields = page.locator("main summary, main button:not([type=submit]), main input:not([type=hidden])")
    if fields.count() and fields.first.is_visible():
        fields.first.click()
        told["click_ms"] = _newest(page)
    choices = page.locator("main form select")
    if choices.count() and choices.first.is_visible():
        choices.first.focus()
        page.keyboard.press("ArrowDown")
        told["choice_ms"] = _newest(page)
    return told


def _newest(page: Page) -> float:
    page.wait_for_timeout(250)
    told = page.evaluate("() => window.told.splice(0)")
    return max([16.0, *(float(taken) for _name, taken in told)])


def measured(looks: list[dict[str, Any]]) -> dict[str, float]:
    """The medians of some looks."""
    names = sorted({name for one in looks for name in one})
    return {name: round(statistics.median(one[name] for one in looks if name in one), 1) for name in names}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", nargs="*", help="some pages, instead of all")
    parser.add_argument("--looks", type=int, default=LOOKS, help=f"at each page ({LOOKS}); the first warms the server")
    parser.add_argument("--address", default=ADDRESS, help=f"where the site listens ({ADDRESS})")
    asked = parser.parse_args()
    told_by_child("company", company.build)
    cookie, base = told_by_child("company", session), f"http://{asked.address}"
    wanted = asked.pages or told_by_child("company", pages)
    found: dict[str, dict[str, float]] = {}
    with site(asked.address), sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-headless-shell"), args=["--no-sandbox"]
        )
        for path in [FLOOR, *wanted]:
            looks = [look(browser, base, path, "" if path == FLOOR else cookie) for _ in range(asked.looks)]
            found[path] = measured(looks[1:] or looks) | {"cold_paint_ms": round(looks[0]["paint_ms"], 1)}
            print(path, found[path], file=sys.stderr, flush=True)
    floor = found.pop(FLOOR)
    taken = [one[name] for one in found.values() for name in ("key_ms", "click_ms", "choice_ms") if name in one]
    result: dict[str, Any] = {
        "bench": "browser", "floor": "the login page, which asks nothing", "load_average": os.getloadavg()[0],
        "floor_first_paint_ms": floor["paint_ms"], "floor_key_ms": floor["key_ms"],
        "first_paint_p95_ms": p95([one["paint_ms"] for one in found.values()]), "interaction_p95_ms": p95(taken),
        "heaviest_kb": max(one["kb"] for one in found.values()), "pages": found, "goal": GOALS,
    }  # fmt: skip
    result["missed"] = [name for name, most in GOALS.items() if result[name] > most]
    keep("browser", result)
    print(json.dumps({name: value for name, value in result.items() if name != "pages"}, indent=2))
    return bool(result["missed"])


if __name__ == "__main__":
    sys.exit(main())
