"""A file or folder on this machine, or mounted on it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apps.finops.problems import Problem
from apps.ingest import landing
from apps.ingest.landing import Found, Landed
from apps.ingest.places.base import MOST_CHARACTERS, MOST_SHOWN, Listing, Place


@dataclass(frozen=True)
class Folder(Place):
    """A local path."""

    location: str

    def find(self) -> Listing:
        files, problems = [], []
        for found in landing.find(self.location):
            if odd := _oddity(found.path):
                shown = os.fsencode(found.path).decode(errors="backslashreplace")[:MOST_SHOWN]
                said = f"The file was left alone: {odd}. Give it another name."
                problems.append(Problem("warning", "odd_name", shown, said))
            else:
                files.append(found)
        return Listing(files, tuple(problems))

    def read_small(self, found: Found) -> bytes:
        return landing.read_small(found)

    def copy(self, found: Found) -> Landed | None:
        return landing.copy(found)

    @contextmanager
    def at_hand(self, found: Found) -> Iterator[Path]:
        yield found.full


def _oddity(path: str) -> str:
    """Why a path cannot be the name of a landed file, if so: Linux takes any bytes for a name."""
    if len(path) > MOST_CHARACTERS:
        return f"its path is longer than {MOST_CHARACTERS} characters"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its path is not UTF-8"
    return ""
