"""The answers a process gave last, kept as they are: a cache elsewhere has to spell and read every amount again."""

import threading
from collections import OrderedDict
from typing import Any

Rows = tuple[tuple[Any, ...], ...]


class RecentAnswers:
    """Rows by key, the least recently used forgotten first; at most `most_rows` rows in all.

    A publication never changes, so nothing here can be stale: the key names the publication.
    """

    def __init__(self, most_rows: int) -> None:
        self.most_rows = most_rows
        self._held: OrderedDict[str, Rows] = OrderedDict()
        self._rows = 0
        self._of = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> Rows | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: str, rows: Rows) -> None:
        with self._lock:
            self._rows += len(rows) + 1 - (len(self._held.pop(key)) + 1 if key in self._held else 0)
            self._held[key] = rows
            while self._rows > self.most_rows and self._held:
                _, forgotten = self._held.popitem(last=False)
                self._rows -= len(forgotten) + 1

    def keep_only_of(self, publication: int) -> bool:
        """Forget everything, unless this publication was named the last time; whether it was another."""
        is_another = publication != self._of
        if is_another:
            self.clear()
        self._of = publication
        return is_another

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self._rows = 0
