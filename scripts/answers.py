"""Waits until a web address answers: `python scripts/answers.py URL [SECONDS]`; exit status 0 when it does.

Any answer below 500 counts: the page may ask for a login.
"""

import http.client
import sys
import time
from urllib.parse import urlsplit


def answers(url: str) -> bool:
    """Whether a server at this address answers without an error of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=5)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait(url: str, *, seconds: float) -> bool:
    """Ask until it answers or the time is over; always ask once."""
    deadline = time.monotonic() + seconds
    while not answers(url):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.25)
    return True


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(0 if wait(sys.argv[1], seconds=float(sys.argv[2]) if len(sys.argv) > 2 else 0.0) else 1)
