"""Somebody who reads while servers die, as a program: `python -m tests.faults.watching FOLDER`, until a file `stop`.

What is no issue of the bill, or goes back to an earlier one, is told in the file `told`.
"""

import sys
import time
import traceback
from pathlib import Path

import django
from redis.exceptions import RedisError


def watch(folder: Path) -> None:
    """Ask again and again; a database or a cache that is away answers nothing, and is asked again."""
    from django.db import Error, connections

    from tests.faults.forking import Told
    from tests.faults.generations import Reader, Violated

    told, reader, seen, reads, away = Told(folder / "told"), Reader(), set(), 0, 0
    while not (folder / "stop").exists():
        try:
            seen.add(reader.ask())
            reads += 1
        except (Error, RedisError):
            connections.close_all()
            away += 1
        except Violated as violated:
            told.add(violated=str(violated))
            return
        except Exception:  # noqa: BLE001  # whatever it is, who waits for the end is told
            told.add(violated=traceback.format_exc())
            return
        time.sleep(0.1)
    told.add(reads=reads, reads_of_nobody=away, issues_seen=len(seen - {0}))


if __name__ == "__main__":
    django.setup()
    watch(Path(sys.argv[1]))
