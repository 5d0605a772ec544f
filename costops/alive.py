"""The sign of life of a worker: a file it touches whenever a task begins or ends, and while one is at work.

Three bells a minute ring for whoever listens: a worker that touched its file no more for longer lives, perhaps, but
does not work. `scripts/run.py` looks at it.
"""

import threading
from contextlib import suppress
from pathlib import Path

TOUCH_SECONDS = 20.0


class Alive:
    """Touches a file, from whichever process of a worker is at work."""

    def __init__(self, sign: Path) -> None:
        self._sign = sign
        self._over = threading.Event()

    def touch(self) -> None:
        """Say that something happened. A disk that is full is told elsewhere."""
        with suppress(OSError):
            self._sign.touch()

    def begin(self) -> None:
        """A task begins: from now on touch, until it ends."""
        self._over = threading.Event()
        threading.Thread(target=self._keep_on, args=(self._over,), name="sign of life", daemon=True).start()

    def end(self) -> None:
        """It ended."""
        self._over.set()
        self.touch()

    def _keep_on(self, over: threading.Event) -> None:
        self.touch()
        while not over.wait(TOUCH_SECONDS):
            self.touch()
