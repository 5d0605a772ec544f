"""Waits until a web address answers: `python scripts/answers.py URL [SECONDS]`; exit status 0 when it does.

Any answer below 500 counts: the page may ask for a login. `--free-port` prints a port where nothing listens yet.
"""

import http.client
import socket
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


def find_free_port() -> int | None:
    """The first port from 8000 on that can be listened on."""
    for port in range(8000, 8100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return None


def main(arguments: list[str]) -> int:
    """Do what the command line asks; the exit status says whether it was so."""
    if arguments == ["--free-port"]:
        port = find_free_port()
        print(port or "")
        return 0 if port else 1
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    return 0 if wait(arguments[0], seconds=float(arguments[1]) if len(arguments) > 1 else 0.0) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
