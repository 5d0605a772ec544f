"""What the versions of a table added: read once from a bucket, and remembered by the machine that sweeps it.

A version never changes once it is there. It is remembered with its size and time: a lake that was brought back from a
backup, or begun anew under the same name, has others.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from apps.warehouse import shared


class Lying(Protocol):
    """A version as it lies in its store."""

    @property
    def key(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def modified(self) -> datetime: ...


def added(version: bytes) -> Iterator[str]:
    """The files one commit of Delta Lake added, relative to their table."""
    for line in version.splitlines():
        if found := json.loads(line).get("add"):
            yield unquote(found["path"])


def named(table: str, versions: Iterable[Lying], read: Callable[[str], bytes]) -> set[str]:
    """Every file that any of these versions of a table in a bucket added."""
    place = shared.root() / "named" / f"{table}.jsonl"
    place.parent.mkdir(parents=True, exist_ok=True)
    known = dict(_remembered(place))
    found: set[str] = set()
    with place.open("a", encoding="utf-8") as kept:
        for one in versions:
            told = f"{one.key} {one.size} {one.modified.isoformat()}"
            if told not in known:
                known[told] = list(added(read(one.key)))
                kept.write(_line(told, known[told]))
            found.update(known[told])
    return found


def _line(told: str, names: list[str]) -> str:
    """With a checksum: what is forgotten here by half would be swept."""
    text = json.dumps([told, names])
    return f"\n{hashlib.sha256(text.encode()).hexdigest()} {text}"


def _remembered(place: Path) -> Iterator[tuple[str, list[str]]]:
    """A line that a killed process left by half, or that was damaged, is none."""
    lines = place.read_bytes().split(b"\n") if place.exists() else []
    for line in lines:
        digest, _, text = line.partition(b" ")
        if hashlib.sha256(text).hexdigest().encode() == digest:
            told, names = json.loads(text)
            yield told, names
