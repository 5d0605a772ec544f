"""Debian's Chromium, without a window and without the network."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.servers.process import ServerDidNotStartError

PROGRAM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",  # the suite may run as root in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # No name is ever looked up: a page that needs the internet fails here as it would at a customer's.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """One browser for many pages."""
    if not Path(PROGRAM).exists():
        raise ServerDidNotStartError(f"{PROGRAM} is not installed; `make test` brings the Debian package chromium.")
    # Playwright keeps an event loop in this thread, where Django would then refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS, chromium_sandbox=False)
        try:
            yield browser
        finally:
            browser.close()


def record_complaints(page: Page) -> list[str]:
    """A list that fills with whatever goes wrong in the page: script errors, broken policies, failed requests."""
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"console: {message.text}")

    def on_failure(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a click that leaves the page ends its requests
            complaints.append(f"request: {request.url}: {request.failure}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    page.on("requestfailed", on_failure)
    return complaints
