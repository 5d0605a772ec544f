"""A world made once for a whole module; every test that asks finds it as it was made, whatever others did to it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.test import override_settings


@contextmanager
def made_once(blocker: Any, lake: Path, make: Callable[[], None]) -> Iterator[Path]:
    """Make a world in the database and in `lake`; the database forgets it at the end of the module, which must have no
    test of an empty installation behind it."""
    with blocker.unblock(), transaction.atomic():
        with override_settings(COSTOPS_LAKE=lake):
            make()
        yield lake
        transaction.set_rollback(True)


def put_in_home(lake: Path) -> None:
    """Give a test, in its home, the lake of a world made once; the database shows it the rest."""
    shutil.copytree(lake, settings.COSTOPS_LAKE)
