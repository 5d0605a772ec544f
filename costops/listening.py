"""Whether the worker of this machine listens: `python -m costops.listening [SECONDS]`, for health checks.

Exit status 1 where the broker is there and the worker does not answer within so many seconds (10). Where the broker is
away nobody can be asked, and a worker waits for it: that is no reason to end one, and what it is at.
"""

import socket
import sys

from kombu.exceptions import OperationalError

from costops.celery import app

BROKER_SECONDS = 5
_NO_LONGER = {"socket_connect_timeout": BROKER_SECONDS, "socket_timeout": BROKER_SECONDS}


def listens(seconds: float) -> bool | None:
    """Whether this machine's worker answers; None where the broker cannot be reached."""
    try:
        with app.connection_for_read(transport_options=_NO_LONGER) as connection:
            connection.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
        here = f"celery@{socket.gethostname()}"
        return bool(app.control.inspect(destination=[here], timeout=seconds).ping())
    except (OperationalError, OSError):
        return None


if __name__ == "__main__":
    if listens(float(sys.argv[1]) if sys.argv[1:] else 10.0) is False:
        sys.exit("The worker does not answer.")
