"""What a place is: somewhere that files lie, whose files can be listed, looked into and landed."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from apps.finops.problems import Problem
from apps.ingest.landing import Found, Landed

MOST_CHARACTERS = 1_000
"""Of the path of a landed file."""
MOST_SHOWN = 120
"""Of a name that was left alone."""


@dataclass(frozen=True)
class Listing:
    """The files at a place, by path, and what was left alone there."""

    files: list[Found]
    problems: tuple[Problem, ...] = ()


class Place(ABC):
    """Files behind one location."""

    @abstractmethod
    def find(self) -> Listing:
        """The bill or usage files; LocationMissing when the place is not there or not ours to see."""

    @abstractmethod
    def read_small(self, found: Found) -> bytes:
        """The bytes of a manifest; OSError when there are too many."""

    @abstractmethod
    def copy(self, found: Found) -> Landed | None:
        """Copy a file into the landing zone; None when it changed meanwhile. OSError when it cannot be read.

        What was copied and not entered yet (`forget`) is not fetched again.
        """

    def forget(self, found: Found) -> None:  # noqa: B027  # most places remember nothing
        """The file is entered in the manifest now."""

    @abstractmethod
    def at_hand(self, found: Found) -> AbstractContextManager[Path]:
        """The file on this machine's disk, to look into; a copy made for that vanishes with the context."""
