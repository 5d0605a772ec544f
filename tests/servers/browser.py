"""Debian's Chromium, without a window and without the network."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.servers.process import ServerDidNotStartError

PROGRAMS = ("chromium-headless-shell", "chromium")
"""The first that is installed: a page of the other takes nearly four times the work, for windows that nobody sees."""
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
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise ServerDidNotStartError(f"No browser is installed; `make test` brings the Debian package {PROGRAMS[0]}.")
    # Playwright keeps an event loop in this thread, where Django would then refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, chromium_sandbox=False)
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
