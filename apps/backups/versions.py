"""What the versions of a table name, told from the files of its log alone."""

import io
import re
from urllib.parse import unquote

import pyarrow.parquet as pq

from apps.warehouse.versions import change

OF_A_LOG = re.compile(r"lake/([^/]+)/_delta_log/(\d{20}\.[^#]+)")
"""A version or a checkpoint, by its path below the home folder. `_last_checkpoint` is neither: readers do without, and
the checkpoint that it names may be younger than what was copied."""


class Log:
    """The log of one table; its files are taken in the order of their names."""

    def __init__(self) -> None:
        self.named: set[str] = set()
        """Every file that any version ever named, relative to the table."""
        self.newest: set[str] = set()
        """Those that the newest version is read from."""
        self.lacking: int | None = None
        """The first version that is not there, where no later checkpoint stands for it."""
        self._at = -1
        self._checkpoint = -1

    def take(self, name: str, content: bytes) -> None:
        number = int(name[:20])
        if name.endswith(".json"):
            self._take_version(number, content)
        elif ".checkpoint" in name and (number > self._at + 1 or number == self._checkpoint):
            self._take_checkpoint(number, content)

    def _take_version(self, number: int, content: bytes) -> None:
        added, removed = map(set, change(content))
        self.named |= added
        if number <= self._at + 1:
            self.newest = (self.newest - removed) | added
            self._at = number
        elif self.lacking is None:
            self.lacking = self._at + 1

    def _take_checkpoint(self, number: int, content: bytes) -> None:
        """It stands for versions that are gone; large ones come in parts."""
        if number != self._checkpoint:
            self.newest, self.lacking, self._at, self._checkpoint = set(), None, number, number
        rows = pq.read_table(io.BytesIO(content), columns=["add.path"]).column("path").to_pylist()
        added = {unquote(path) for path in rows if path is not None}
        self.newest |= added
        self.named |= added
