"""What a process gave last, kept as it is: a cache elsewhere has to spell and read every amount again."""

import threading
from collections import OrderedDict
from collections.abc import Sized
from typing import Any, Generic, TypeVar

Rows = tuple[tuple[Any, ...], ...]
_Kept = TypeVar("_Kept", bound=Sized)


class Recent(Generic[_Kept]):
    """Rows or texts by key, the least recently used forgotten first; at most `most` rows or characters in all.

    Nothing here can be stale: the key names all that it depends on, such as the publication, which never changes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._held: OrderedDict[str, _Kept] = OrderedDict()
        self._size = 0
        self._of = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> _Kept | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: str, kept: _Kept) -> None:
        with self._lock:
            self._size += len(kept) + 1 - (len(self._held.pop(key)) + 1 if key in self._held else 0)
            self._held[key] = kept
            while self._size > self.most and self._held:
                _, forgotten = self._held.popitem(last=False)
                self._size -= len(forgotten) + 1

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
            self._size = 0
